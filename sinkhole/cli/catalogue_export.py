"""`sinkhole catalogue export|keygen`: publish the catalogue as a signed document and as lists of other programs."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from sinkhole.app.catalogue_export import SIGNATURE, write_export
from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.export_folder import replaced
from sinkhole.catalogue.load import Catalogue, load_catalogue
from sinkhole.catalogue.published import json_schema
from sinkhole.catalogue.selection import Selection
from sinkhole.catalogue.signing_key import SigningKey
from sinkhole.cli.complete import complete_category, complete_jurisdiction, complete_vendor
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import count_of, print_line
from sinkhole.errors import CatalogueError


@click.command(short_help="Write the catalogue, signed, and its lists into FOLDER.")
@place_options
@json_option
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--sign", "key_file", metavar="KEY", type=click.Path(path_type=Path), help="Secret key to sign with.")
@click.option("--from", "source", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Folder of the catalogue; the one that came with Sinkhole unless given.")  # fmt: skip
@click.option(
    "--vendor",
    "vendors",
    shell_complete=complete_vendor,
    multiple=True,
    help="Lists of this vendor only; may be repeated.",
)
@click.option(
    "--category",
    "categories",
    shell_complete=complete_category,
    multiple=True,
    help="Lists of this category only; may be repeated.",
)
@click.option(
    "--jurisdiction",
    "countries",
    shell_complete=complete_jurisdiction,
    multiple=True,
    help="Lists of this country only; may be repeated.",
)
def export(
    place: Place,
    folder: Path,
    key_file: Path | None,
    source: Path | None,
    vendors: Sequence[str],
    categories: Sequence[str],
    countries: Sequence[str],
) -> None:
    """Write the catalogue as one JSON document and as hosts, domains, adblock, RPZ, dnsmasq and Unbound lists.

    FOLDER is made, or replaced if an export made it and nothing else is in it; it is ready for a static host. A synced
    catalogue is never exported: whoever publishes has the files.

    \b
    Example: sinkhole catalogue export public --sign catalogue.key
    """
    catalogue = load_catalogue(source) if source else shipped_catalogue()
    key = SigningKey.read(key_file) if key_file else None
    wanted = _wanted(catalogue, vendors, categories, [country.upper() for country in countries])
    try:
        with replaced(folder) as new:
            index = write_export(new, catalogue, dt.datetime.now(dt.UTC), key, wanted)
    except OSError as error:
        raise CatalogueError(f"{folder}: cannot be written: {error.strerror}") from error
    lists = count_of(len(index["lists"]), "selection")
    print_line(f"{folder}: version {catalogue.version}, {count_of(len(catalogue.vendors), 'vendor')}, {lists}")
    if key is None:
        print_line(f"it is not signed; with minisign: minisign -S -s KEY -m {folder}/catalogue.json")
    else:
        print_line(f"{SIGNATURE} is made with the key {key.public.to_text()}")


def _wanted(
    catalogue: Catalogue, vendors: Sequence[str], categories: Sequence[str], countries: Sequence[str]
) -> Callable[[Selection], bool]:
    for what, given, known in (
        ("vendor", vendors, catalogue.by_id),
        ("category", categories, catalogue.categories),
        ("jurisdiction", countries, catalogue.jurisdictions),
    ):
        for value in given:
            if value not in known:
                raise CatalogueError(f"there is no {what} {value!r} in the catalogue")
    folders = {
        *(f"vendors/{vendor}" for vendor in vendors),
        *(f"categories/{category}" for category in categories),
        *(f"jurisdictions/{country}" for country in countries),
    }
    return lambda selection: not folders or selection.folder in folders


@click.command(short_help="Print the JSON Schema of the published catalogue.")
@place_options
def schema(place: Place) -> None:
    """Print the JSON Schema of the document that exports write and that is synced.

    \b
    Example: sinkhole catalogue schema > catalogue.schema.json
    """
    click.echo(json_schema(), nl=False)


@click.command(short_help="Make a key to sign exports with.")
@place_options
@json_option
@click.argument("file", type=click.Path(path_type=Path))
def keygen(place: Place, file: Path) -> None:
    """Make a secret key in FILE, without a password and for its owner alone, and the public key in FILE.pub.

    For a key with a password use minisign -G and sign with minisign -S: its keys and signatures are the same.

    \b
    Example: sinkhole catalogue keygen catalogue.key
    """
    key = SigningKey.new()
    public = key.write(file)
    print_line(f"{file}: keep it secret, it has no password")
    print_line(f"{public}: {key.public.to_text()}")
