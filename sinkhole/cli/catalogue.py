"""`sinkhole catalogue`: list, show and check the vendors that are known."""

import datetime as dt
from pathlib import Path
from typing import Any

import click

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.subjects import nearest
from sinkhole.catalogue.lint import lint as lint_catalogue
from sinkhole.catalogue.load import Catalogue, load_catalogue
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import count_of, print_json, print_line, print_table
from sinkhole.errors import CatalogueError
from sinkhole.policy.vendor import Product, Vendor


@click.group()
def catalogue() -> None:
    """List, show and check the AI vendors that are known."""


@catalogue.command("list")
@place_options
@click.option("--category", help="Only vendors with a product of this category.")
@click.option("--jurisdiction", help="Only vendors of this country (ISO 3166-1 alpha-2).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_vendors(place: Place, category: str | None, jurisdiction: str | None, as_json: bool) -> None:
    """List vendors with owner, jurisdiction and categories."""
    known = shipped_catalogue()
    _expect(category, tuple(known.categories), "category")
    _expect(jurisdiction and jurisdiction.upper(), known.jurisdictions, "jurisdiction")
    found = [
        vendor
        for vendor in known.vendors
        if (category is None or category in _categories(vendor))
        and (jurisdiction is None or vendor.jurisdiction == jurisdiction.upper())
    ]
    if as_json:
        print_json([_as_dict(vendor) for vendor in found])
        return
    rows = [(v.id, v.name, v.jurisdiction, ", ".join(_categories(v)), _count(v)) for v in found]
    print_table(("vendor", "name", "in", "categories", "domains"), rows, empty="no vendor fits")
    click.echo(f"{len(found)} of {len(known.vendors)} vendors")


def _expect(value: str | None, known: tuple[str, ...], what: str) -> None:
    if value and value not in known:
        raise CatalogueError(f"there is no {what} {value!r} in the catalogue; known are {', '.join(known)}")


@catalogue.command(short_help="Show all that is known of VENDOR.")
@place_options
@click.argument("vendor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(place: Place, vendor: str, as_json: bool) -> None:
    """Show all that is known of VENDOR: owner, products, domains, evidence, and what is never blocked."""
    known = shipped_catalogue()
    entry = known.by_id.get(vendor.lower())
    if entry is None:
        raise CatalogueError(f"there is no vendor {vendor!r} in the catalogue{nearest(vendor, tuple(known.by_id))}")
    if as_json:
        print_json(_as_dict(entry))
        return
    print_line(entry.name)
    print_line(f"  owner         {entry.owner} (confidence {entry.owner_confidence})")
    print_line(f"  jurisdiction  {entry.jurisdiction if entry.jurisdiction != 'ZZ' else 'unknown'}")
    print_line(f"  evidence      {entry.source} (confidence {entry.confidence})")
    by_ai = "not by ai, only by its vendor, product, category or jurisdiction"
    print_line(
        f"  blocked by    {by_ai if entry.not_default else 'ai, and by its vendor, product, category, jurisdiction'}"
    )
    if entry.note:
        print_line(f"  note          {entry.note}")
    for product in entry.products:
        _show_product(product)
    if entry.never_block:
        print_line()
        print_line("never blocked, since others live there: " + ", ".join(entry.never_block))


def _show_product(product: Product) -> None:
    print_line()
    print_line(f"{product.id}  {product.name}  ({', '.join(product.categories)})")
    if not product.separable:
        print_line(f"  DNS cannot tell it apart: {product.note}")
    elif product.note:
        print_line(f"  {product.note}")
    for domain in product.domains:
        below = {"suffix": " and below", "exact": "", "wildcard": ""}[domain.match.value]
        opt_in = ", only when asked for" if domain.opt_in else ""
        print_line(f"  {domain.name}{below}  [{domain.role.value}{opt_in}]  {domain.seen}  {domain.source}")


@catalogue.command(short_help="Check the catalogue; exit status 1 for a mistake.")
@place_options
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
def lint(place: Place, folder: Path | None) -> None:
    """Check the catalogue in FOLDER (else the installed one); exit status 1 if there is a mistake."""
    known: Catalogue = load_catalogue(folder) if folder else shipped_catalogue()
    mistakes = lint_catalogue(known, dt.datetime.now(dt.UTC).date())
    for mistake in mistakes:
        print_line(mistake)
    domains = sum(_count(vendor) for vendor in known.vendors)
    sizes = ((len(known.vendors), "vendor"), (domains, "domain"), (len(mistakes), "mistake"))
    print_line(", ".join(count_of(number, noun) for number, noun in sizes))
    if mistakes:
        raise click.exceptions.Exit(1)


def _categories(vendor: Vendor) -> list[str]:
    return sorted({category for product in vendor.products for category in product.categories})


def _count(vendor: Vendor) -> int:
    return sum(len(product.domains) for product in vendor.products)


def _as_dict(vendor: Vendor) -> dict[str, Any]:
    return {
        "id": vendor.id, "name": vendor.name, "owner": vendor.owner, "owner_confidence": vendor.owner_confidence,
        "jurisdiction": vendor.jurisdiction, "confidence": vendor.confidence, "source": vendor.source,
        "not_default": vendor.not_default, "note": vendor.note, "never_block": vendor.never_block,
        "products": [
            {
                "id": product.id, "name": product.name, "categories": product.categories,
                "separable": product.separable, "note": product.note,
                "domains": [
                    {
                        "name": domain.name, "role": domain.role.value, "match": domain.match.value,
                        "opt_in": domain.opt_in, "source": domain.source, "seen": domain.seen,
                    }
                    for domain in product.domains
                ],
            }
            for product in vendor.products
        ],
    }  # fmt: skip
