"""`sinkhole catalogue search|diff|stats|bypass`: look into the catalogue from other sides than that of one vendor."""

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.subjects import nearest
from sinkhole.catalogue.compare import differences
from sinkhole.catalogue.document import catalogue_from_json
from sinkhole.catalogue.load import Catalogue, load_catalogue
from sinkhole.catalogue.search import search as search_catalogue
from sinkhole.catalogue.summary import Summary, summarise
from sinkhole.catalogue.taxonomy import taxonomy_page
from sinkhole.cli.complete import complete_way
from sinkhole.cli.dossier import domain_line
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import count_of, print_json, print_line, print_table
from sinkhole.cli.session import catalogue_of
from sinkhole.errors import CatalogueError
from sinkhole.policy.bypass import Bypass

_SHOWN = 12
"""Rows of a long count that people are shown; programs get all."""


@click.command(short_help="Find vendors by a word or a host name.")
@place_options
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def search(place: Place, text: str, as_json: bool) -> None:
    """Find vendors whose name, hosts, products, owner or notes hold TEXT, or that a host name TEXT belongs to.

    \b
    Example: sinkhole catalogue search chat.deepseek.com
    """
    found = search_catalogue(catalogue_of(place), text)
    if as_json:
        print_json([{"vendor": m.vendor.id, "name": m.vendor.name, "where": m.where, "text": m.text} for m in found])
        return
    rows = [(m.vendor.id, m.vendor.name, m.vendor.jurisdiction.value, m.where, m.text) for m in found]
    print_table(("vendor", "name", "in", "found in", "text"), rows, empty=f"nothing in the catalogue holds {text!r}")


@click.command(short_help="Tell what differs between two editions.")
@place_options
@click.argument("old", type=click.Path(path_type=Path, exists=True))
@click.argument("new", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(place: Place, old: Path, new: Path | None, as_json: bool) -> None:
    """Tell what differs between OLD and NEW (else the installed catalogue): folders of vendor files, or exports.

    Exit status 1 if anything differs.

    \b
    Example: sinkhole catalogue diff old/blocklists blocklists
    """
    changes = differences(_edition(old), _edition(new) if new else shipped_catalogue())
    if as_json:
        print_json([asdict(change) for change in changes])
    for change in changes if not as_json else ():
        detail = f": {change.before} -> {change.after}" if change.sign == "~" else ""
        print_line(f"{change.sign} {change.what}{detail}")
    if not as_json:
        print_line(count_of(len(changes), "difference"))
    if changes:
        raise click.exceptions.Exit(1)


def _edition(path: Path) -> Catalogue:
    return catalogue_from_json(path.read_bytes()) if path.is_file() else load_catalogue(path)


@click.command(short_help="Count what is known, and how well.")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def stats(place: Place, as_json: bool) -> None:
    """Count vendors, domains and their evidence: what is documented, what is our own knowledge, what is stale.

    \b
    Example: sinkhole catalogue stats --json
    """
    found = summarise(catalogue_of(place), dt.datetime.now(dt.UTC).date())
    if as_json:
        print_json(asdict(found))
        return
    _print_stats(found)


def _print_stats(found: Summary) -> None:
    rows = [
        ("edition", found.version, ""),
        ("vendors", found.vendors, f"{found.documented} with a documented owner, {found.data_use} with their data use"),
        ("products", found.products, f"{found.not_separable} that DNS cannot tell apart"),
        ("domains", found.domains, f"{found.opt_in} only when asked for"),
        ("  confirmed by a source", found.confirmed, ""),
        ("  our own knowledge", found.own_knowledge, ""),
        ("  stale", found.stale, "not confirmed for 180 days"),
        ("on ways round policy", sum(found.by_way.values()), _counts(found.by_way)),
    ]
    print_table(("what", "count", "of which"), rows, empty="")
    for title, counts in (
        ("owner's confidence", found.owners), ("kind", found.by_kind), ("category", found.by_category),
        ("jurisdiction", found.by_jurisdiction),
    ):  # fmt: skip
        print_line()
        print_line(f"vendors by {title}: {_counts(counts)}")


def _counts(counts: dict[str, int]) -> str:
    shown = [f"{key} {number}" for key, number in list(counts.items())[:_SHOWN]]
    more = len(counts) - _SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


@click.command()
@place_options
def taxonomy(place: Place) -> None:
    """Print the page that documents every category.

    \b
    Example: sinkhole catalogue taxonomy > taxonomy.md
    """
    click.echo(taxonomy_page(shipped_catalogue().categories), nl=False)


@click.command(short_help="Show the ways round the resolver that are known.")
@place_options
@click.argument("way", required=False, shell_complete=complete_way)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bypass(place: Place, way: str | None, as_json: bool) -> None:
    """Show the ways round the resolver or round policy, or the names on one WAY.

    \b
    Example: sinkhole catalogue bypass encrypted-dns
    """
    known = {one.id: one for one in catalogue_of(place).bypass}
    if way is not None and way not in known:
        raise CatalogueError(f"there is no way {way!r} in the catalogue{nearest(way, tuple(known))}")
    if as_json:
        print_json([_as_dict(one) for one in known.values() if way in (None, one.id)])
    elif way is None:
        rows = [
            (f"bypass:{one.id}", one.name, one.action or "-", len(one.domains), one.meaning) for one in known.values()
        ]
        print_table(("subject", "name", "at first", "domains", "what it is"), rows, empty="no way is known")
    else:
        _print_way(known[way])


def _print_way(way: Bypass) -> None:
    print_line(f"{way.name}  (bypass:{way.id})")
    print_line(f"  {way.meaning}")
    if way.note:
        print_line(f"  {way.note}")
    if way.categories:
        print_line(f"  every product of {', '.join(way.categories)}")
    today = dt.datetime.now(dt.UTC).date()
    for domain in way.domains:
        print_line(f"  {domain_line(domain, today)}")


def _as_dict(way: Bypass) -> dict[str, Any]:
    return {
        "id": way.id, "name": way.name, "meaning": way.meaning, "note": way.note,
        "action": None if way.action is None else str(way.action), "part_of_ai": way.part_of_ai,
        "categories": way.categories,
        "domains": [
            {"name": d.name, "match": d.match.value, "source": d.source, "first_seen": d.first_seen,
             "last_confirmed": d.last_confirmed}
            for d in way.domains
        ],
    }  # fmt: skip
