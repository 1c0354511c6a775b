"""The catalogue as a folder of files for a static host: the signed document, and its hosts as lists of many formats."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sinkhole.app.export_page import index_page
from sinkhole.catalogue.document import catalogue_to_json
from sinkhole.catalogue.lint import lint
from sinkhole.catalogue.load import Catalogue
from sinkhole.catalogue.published import json_schema
from sinkhole.catalogue.selection import Selection, select_all
from sinkhole.catalogue.signature import SUFFIX
from sinkhole.catalogue.signing_key import SigningKey
from sinkhole.errors import CatalogueError
from sinkhole.feeds.print_list import Listing, print_list
from sinkhole.feeds.written_formats import WRITTEN

DOCUMENT = "catalogue.json"
SCHEMA = "catalogue.schema.json"
SIGNATURE = DOCUMENT + SUFFIX


def write_export(
    folder: Path,
    catalogue: Catalogue,
    now: dt.datetime,
    key: SigningKey | None = None,
    wanted: Callable[[Selection], bool] = lambda selection: True,
) -> dict[str, Any]:
    """Write the catalogue and its lists into a new, empty folder; return what `index.json` says.

    Args:
        folder: is there already.
        catalogue: as a whole, whatever lists are wanted.
        now: aware UTC; when it is signed.
        key: signs the document; None: it is not signed.
        wanted: which lists to write.

    Raises:
        CatalogueError: the catalogue has mistakes, so it is not published.
        OSError: the folder cannot be written.
    """
    if mistakes := lint(catalogue, now.date()):
        raise CatalogueError("\n".join(["the catalogue has mistakes, so it is not published:", *mistakes]))
    (folder / DOCUMENT).write_bytes(catalogue_to_json(catalogue))
    (folder / SCHEMA).write_text(json_schema(), encoding="utf-8")
    if key is not None:
        comment = f"timestamp:{int(now.timestamp())}\tfile:{DOCUMENT}\tversion:{catalogue.version}\thashed"
        signature = key.sign(folder / DOCUMENT, comment)
        (folder / SIGNATURE).write_bytes(signature.to_octets(f"catalogue of Sinkhole, version {catalogue.version}"))
    selections = [selection for selection in select_all(catalogue) if wanted(selection)]
    index = {
        "version": catalogue.version,
        "published": catalogue.published.isoformat(),
        "key": None if key is None else key.public.to_text(),
        "catalogue": _document(folder),
        "lists": [_write_lists(folder, selection, catalogue.version) for selection in selections],
    }
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(index_page(index), encoding="utf-8")
    return index


def _write_lists(folder: Path, selection: Selection, version: int) -> dict[str, Any]:
    (folder / selection.folder).mkdir(parents=True)
    listing = Listing(
        title=selection.title,
        version=version,
        names=[(domain.match, domain.name) for domain in selection.domains],
        open=selection.open,
        remarks=tuple(_remarks(selection)),
    )
    files = {}
    for name in WRITTEN:
        path = f"{selection.folder}/{name}.txt"
        printed = print_list(listing, name)
        (folder / path).write_text(printed.text, encoding="utf-8")
        files[name] = {
            "path": path,
            "octets": len(printed.text.encode()),
            "carried": printed.carried,
            "missing": printed.missing,
        }
    return {
        "list": selection.folder,
        "title": selection.title,
        "hosts": len(selection.domains),
        "opt_in": selection.opt_in,
        "files": files,
    }


def _remarks(selection: Selection) -> Iterator[str]:
    yield f"left out: {selection.opt_in} hosts that are only blocked when their own product is asked for (opt-in)"
    if selection.open:
        yield f"never blocked, though below names of this list: {', '.join(selection.open)}"
    if selection.below:
        below = ", ".join(selection.below)
        yield f"blocked too where the format reaches below a name, though of something else: {below}"


def _document(folder: Path) -> dict[str, Any]:
    octets = (folder / DOCUMENT).read_bytes()
    return {"path": DOCUMENT, "octets": len(octets), "sha256": hashlib.sha256(octets).hexdigest()}
