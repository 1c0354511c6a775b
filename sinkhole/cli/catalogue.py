"""`sinkhole catalogue`: list, show and check the vendors that are known."""

import datetime as dt
from pathlib import Path

import click

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.subjects import nearest
from sinkhole.catalogue.document import vendor_to_dict
from sinkhole.catalogue.lint import UNKNOWN
from sinkhole.catalogue.lint import lint as lint_catalogue
from sinkhole.catalogue.load import Catalogue, load_catalogue
from sinkhole.cli.catalogue_add import add
from sinkhole.cli.catalogue_export import export, keygen, schema
from sinkhole.cli.catalogue_look import bypass, diff, search, stats, taxonomy
from sinkhole.cli.complete import complete_category, complete_jurisdiction, complete_vendor
from sinkhole.cli.dossier import print_dossier
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import count_of, print_json, print_line, print_table
from sinkhole.cli.session import catalogue_of
from sinkhole.errors import CatalogueError
from sinkhole.policy.vendor import Vendor


@click.group()
def catalogue() -> None:
    """List, show and check the AI vendors that are known."""


for _command in (add, search, diff, stats, bypass, taxonomy, export, keygen, schema):
    catalogue.add_command(_command)


@catalogue.command("list")
@place_options
@click.option("--category", shell_complete=complete_category, help="Only vendors with a product of this category.")
@click.option(
    "--jurisdiction", shell_complete=complete_jurisdiction, help="Only vendors of this country (ISO 3166-1 alpha-2)."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_vendors(place: Place, category: str | None, jurisdiction: str | None, as_json: bool) -> None:
    """List vendors with owner, jurisdiction and categories.

    \b
    Example: sinkhole catalogue list --jurisdiction CN --category chat
    """
    known = catalogue_of(place)
    _expect(category, tuple(known.categories), "category")
    _expect(jurisdiction and jurisdiction.upper(), known.jurisdictions, "jurisdiction")
    found = [
        vendor
        for vendor in known.vendors
        if (category is None or category in _categories(vendor))
        and (jurisdiction is None or vendor.jurisdiction.value == jurisdiction.upper())
    ]
    if as_json:
        print_json([vendor_to_dict(vendor) for vendor in found])
        return
    rows = [(v.id, v.name, _country(v), ", ".join(_categories(v)), _count(v)) for v in found]
    print_table(("vendor", "name", "in", "categories", "domains"), rows, empty="no vendor fits")
    click.echo(f"{len(found)} of {len(known.vendors)} vendors")


def _expect(value: str | None, known: tuple[str, ...], what: str) -> None:
    if value and value not in known:
        raise CatalogueError(f"there is no {what} {value!r} in the catalogue; known are {', '.join(known)}")


@catalogue.command(short_help="Show all that is known of VENDOR.")
@place_options
@click.argument("vendor", shell_complete=complete_vendor)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(place: Place, vendor: str, as_json: bool) -> None:
    """Show all that is known of VENDOR: owner, products, domains, evidence, and what is never blocked.

    \b
    Example: sinkhole catalogue show deepseek
    """
    known = catalogue_of(place)
    entry = known.by_id.get(vendor.lower())
    if entry is None:
        raise CatalogueError(f"there is no vendor {vendor!r} in the catalogue{nearest(vendor, tuple(known.by_id))}")
    if as_json:
        print_json(vendor_to_dict(entry))
        return
    print_dossier(entry, known, dt.datetime.now(dt.UTC).date())


@catalogue.command(short_help="Check the catalogue; exit status 1 for a mistake.")
@place_options
@json_option
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
def lint(place: Place, folder: Path | None) -> None:
    """Check the catalogue in FOLDER (else the installed one); exit status 1 if there is a mistake.

    \b
    Example: sinkhole catalogue lint blocklists
    """
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


def _country(vendor: Vendor) -> str | None:
    return None if vendor.jurisdiction.value == UNKNOWN else vendor.jurisdiction.value


def _count(vendor: Vendor) -> int:
    return sum(len(product.domains) for product in vendor.products)
