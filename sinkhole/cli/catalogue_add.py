"""`sinkhole catalogue add`: ask for what a vendor file needs, and write one that passes the lint."""

import dataclasses
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import click

from sinkhole.catalogue.author import domain_of, vendor_text
from sinkhole.catalogue.lint import UNKNOWN, lint
from sinkhole.catalogue.load import Catalogue, load_catalogue, load_vendor
from sinkhole.catalogue.search import covers
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import print_line
from sinkhole.errors import CatalogueError
from sinkhole.policy.vendor import CatalogueDomain, DomainRole, Product, Stated, Vendor, VendorKind

_SLUG = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
_COUNTRY = re.compile(r"^[A-Z]{2}$")
_ROLE_BY_LABEL = {"api": DomainRole.API, "docs": DomainRole.DOCS, "cdn": DomainRole.CDN, "auth": DomainRole.AUTH}


@click.command(short_help="Ask about a vendor and write its file.")
@place_options
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def add(place: Place, folder: Path) -> None:
    """Ask what is known of a vendor and write its file into FOLDER, a checkout's `blocklists`.

    What is not known is left empty. Nothing is written that the lint would refuse.

    \b
    Example: sinkhole catalogue add blocklists
    """
    known = load_catalogue(folder)
    vendor = _ask(known, dt.datetime.now(dt.UTC).date().isoformat())
    path = folder / "vendors" / f"{vendor.id}.toml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(vendor_text(vendor))
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be written: {error.strerror}") from error
    load_vendor(path)
    print_line(f"{path} is written; read it, and commit it with what you saw and where")


def _ask(known: Catalogue, today: str) -> Vendor:
    id_ = _prompt("id, as in vendor:ID", lambda text: _id_mistake(text, known))
    owner, owner_source = _stated("legal owner, empty if nobody says")
    country, country_source = ("", "") if not owner else _stated("country of the owner (ISO 3166-1)", _country_mistake)
    vendor = Vendor(
        id=id_,
        name=_prompt("name", lambda text: None if text else "a name is needed"),
        kind=VendorKind(_choose("is AI what it offers, or one function of more", [k.value for k in VendorKind])),
        owner=_fact(owner, owner_source, "unknown"),
        jurisdiction=_fact(country, country_source, UNKNOWN),
        confidence=_choose("how sure are we of its hosts", ["high", "medium", "low"], "medium"),
        source="",
        products=(),
    )
    while True:
        product = _ask_product(id_, known, today)
        drafted = dataclasses.replace(vendor, products=(product,), source=_sources(product))
        trial = dataclasses.replace(known, vendors=(*known.vendors, drafted))
        mistakes = [m for m in lint(trial, dt.date.fromisoformat(today)) if m.startswith(f"{id_}.toml")]
        if not mistakes:
            return drafted
        for mistake in mistakes:
            print_line(f"  {mistake}")
        print_line("once more, the product:")


def _ask_product(vendor_id: str, known: Catalogue, today: str) -> Product:
    category = _choose("category", list(known.categories))
    name = _prompt("name of the product", lambda text: None if text else "a name is needed")
    slug = _prompt("slug, as in product:ID/SLUG", lambda text: None if _SLUG.match(text) else _SLUG_SAID, category)
    domains: list[CatalogueDomain] = []
    while True:
        text = _prompt("host name (empty: no more)", lambda text: _host_mistake(text, known))
        if not text:
            break
        first = text.split(".")[0]
        role = _choose(
            "  what it is for", [r.value for r in DomainRole], _ROLE_BY_LABEL.get(first, DomainRole.WEB).value
        )
        source = click.prompt("  where you saw it today (empty: own knowledge)", default="", show_default=False)
        domains.append(domain_of(text, DomainRole(role), source.strip() or None, today))
    note = None
    if not domains:
        note = _prompt("why DNS cannot tell it apart, and what helps", lambda text: None if text else "it must be said")
    return Product(f"{vendor_id}/{slug}", name, (category,), tuple(domains), bool(domains), note)


def _sources(product: Product) -> str:
    named = sorted({domain.source for domain in product.domains if domain.last_confirmed})
    return "; ".join(named) or "Own knowledge of the service; no list names it"


_SLUG_SAID = "small letters, digits and single hyphens"


def _id_mistake(text: str, known: Catalogue) -> str | None:
    if not _SLUG.match(text):
        return _SLUG_SAID
    return f"{text} is in the catalogue already: change its file" if text in known.by_id else None


def _host_mistake(text: str, known: Catalogue) -> str | None:
    for product in known.products.values():
        for domain in product.domains:
            if text and (domain.name == text or covers(domain, text)):
                return f"{text} is known as {domain.name} of {product.id}"
    return None


def _country_mistake(text: str) -> str | None:
    return None if not text or _COUNTRY.match(text) else "two capital letters, as in US; empty if unknown"


def _stated(what: str, mistake: Callable[[str], str | None] = lambda _: None) -> tuple[str, str]:
    value = _prompt(what, mistake)
    source = (
        click.prompt("  a document that says so (empty: own knowledge)", default="", show_default=False)
        if value
        else ""
    )
    return value, source.strip()


def _fact(value: str, source: str, unknown: str) -> Stated:
    if not value:
        return Stated(unknown, "low", "Not known")
    return Stated(value, "high", source) if source else Stated(value, "medium", "Own knowledge")


def _prompt(what: str, mistake: Callable[[str], str | None], default: str = "") -> str:
    while True:
        text: str = click.prompt(what, default=default, show_default=bool(default)).strip()
        said = mistake(text)
        if said is None:
            return text
        print_line(f"  {said}")


def _choose(what: str, choices: list[str], default: str | None = None) -> str:
    chosen: str = click.prompt(what, type=click.Choice(choices), default=default or choices[0])
    return chosen
