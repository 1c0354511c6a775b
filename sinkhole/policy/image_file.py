"""The file of compiled names: a trie, tables beside it, and a footer that says where each is and vouches for all.

A file is written once, named by its content, and only ever replaced by a file of another name; workers map it, so a
million names cost each of them nothing.
"""

import hashlib
import mmap
import os
import struct
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Any

import marisa_trie

from sinkhole.errors import PolicyError

_MAGIC = b"sinknam\0"
VERSION = 2
"""Of what is written; files of another version may be read, and are compiled anew."""
_WITHOUT_SPOTS = 1
# Native order on purpose: tables are used as they lie, and a foreign file shows by its version.
_FOOTERS = {
    VERSION: struct.Struct("=8sI4xQ" + "QQ" * 7 + "32s"),
    _WITHOUT_SPOTS: struct.Struct("=8sI4xQ" + "QQ" * 5 + "32s"),
}
_DIGEST = 32
_ALIGN = 8


@dataclass(frozen=True, slots=True)
class SpotTables:
    """Where each name stands, to be found by its hash (`sinkhole.policy.spots`).

    Attributes:
        slots: for each hash (CRC-32 of the key, cut to the number of places, which is a power of two) where its record
            begins, 0 for none; unsigned, 32 bits.
        records: behind one octet that is not used: keys, each with an octet about what is below it, and its class.
            Slices are `bytes`.
        start: where they begin there.
    """

    slots: memoryview
    records: mmap.mmap | bytes
    start: int = 0


NO_SPOTS = SpotTables(memoryview(bytes(4)).cast("I"), b"\0")
"""Of a file that was written before there were any: no name has a spot, so the resolver's chain answers."""


@dataclass(frozen=True, slots=True)
class ImageTables:
    """What the file holds.

    Attributes:
        trie: `marisa_trie.BinaryTrie` of all keys; it numbers them.
        starts: for key n, its entries are `entries[starts[n]:starts[n + 1]]`.
        entries: 64 bits each, see `sinkhole.policy.row`.
        detail_starts: for detail n, its JSON is `details[detail_starts[n]:detail_starts[n + 1]]`.
        metadata: JSON of what is read once.
        spots: the class of each key.
    """

    trie: Any
    starts: memoryview
    entries: memoryview
    detail_starts: memoryview
    details: memoryview
    metadata: memoryview
    spots: SpotTables


def write_image(folder: Path, tables: ImageTables) -> str:
    """Write the tables and return the name of the file in `folder`.

    Raises:
        OSError: the folder cannot be written.
    """
    draft = folder / f"names-{os.getpid()}.tmp"
    try:
        tables.trie.save(str(draft))
        with draft.open("r+b") as file:
            digest = _append(file, tables)
            file.flush()
            os.fsync(file.fileno())
        name = f"names-{digest[:16]}.img"
        draft.rename(folder / name)
    finally:
        draft.unlink(missing_ok=True)
    return name


def map_image(path: Path, *, verify: bool) -> ImageTables:
    """Map a file; `verify` reads all of it to compare its digest.

    Raises:
        PolicyError: it is absent, cut short, of another format, or not what it was.
    """
    try:
        with path.open("rb") as file:
            # Views keep the mapping, and the tables keep the views: nothing is to be closed.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise PolicyError(f"{path.name}: cannot be read: {error}") from error
    view = memoryview(mapped)
    spans = _read_footer(path, view)
    if verify and hashlib.sha256(view[:-_DIGEST]).digest() != bytes(view[-_DIGEST:]):
        raise PolicyError(f"{path.name}: its content is not what was written (sha256 differs)")
    starts, entries, detail_starts, details, metadata, *spots = (view[at : at + size] for at, size in spans)
    try:
        trie = marisa_trie.BinaryTrie().mmap(str(path))
    except RuntimeError as error:
        raise PolicyError(f"{path.name}: has no trie: {error}") from error
    return ImageTables(
        trie=trie,
        starts=starts.cast("I"),
        entries=entries.cast("Q"),
        detail_starts=detail_starts.cast("Q"),
        details=details,
        metadata=metadata,
        spots=SpotTables(spots[0].cast("I"), mapped, start=spans[-1][0]) if spots else NO_SPOTS,
    )


def _append(file: BufferedRandom, tables: ImageTables) -> str:
    """Write what comes behind the trie; return the digest of all of it."""
    file.seek(0, os.SEEK_END)
    spans: list[int] = []
    spots = (tables.spots.slots, memoryview(tables.spots.records))
    for table in (tables.starts, tables.entries, tables.detail_starts, tables.details, tables.metadata, *spots):
        file.write(b"\0" * (-file.tell() % _ALIGN))
        spans += (file.tell(), table.nbytes)
        file.write(table)
    file.write(b"\0" * (-file.tell() % _ALIGN))
    form = _FOOTERS[VERSION]
    footer = form.pack(_MAGIC, VERSION, file.tell() + form.size, *spans, b"")
    file.write(footer[:-_DIGEST])
    file.flush()
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256")
    file.seek(0, os.SEEK_END)
    file.write(digest.digest())
    return digest.hexdigest()


def _read_footer(path: Path, view: memoryview) -> list[tuple[int, int]]:
    """Return where each table is: the footer of each version begins with the same fields, and has another size."""
    if len(view) < max(form.size for form in _FOOTERS.values()):
        raise PolicyError(f"{path.name}: is not a file of compiled names")
    for version, form in _FOOTERS.items():
        magic, found, size, *spans, _ = form.unpack(view[-form.size :])
        if magic != _MAGIC:
            continue
        if found != version or size != len(view):
            raise PolicyError(f"{path.name}: has format {found} and {size} octets; wanted {version} and {len(view)}")
        return list(zip(spans[::2], spans[1::2], strict=True))
    raise PolicyError(f"{path.name}: is cut short, or not a file of compiled names")
