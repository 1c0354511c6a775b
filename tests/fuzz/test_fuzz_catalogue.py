"""Fuzz what reads publications of others: a value or the documented error, and never a forged one taken."""

from contextlib import suppress
from pathlib import Path

from sinkhole.catalogue.document import catalogue_from_json, catalogue_to_json
from sinkhole.catalogue.lint import lint
from sinkhole.catalogue.signature import PublicKey, Signature, verify
from sinkhole.catalogue.signing_key import SigningKey
from sinkhole.errors import CatalogueError
from tests.catalogue.small import DAY, small
from tests.fuzz.mutator import mutations

KEY = SigningKey(bytes(range(8)), bytes(range(32)))
COUNT, SECONDS = 3000, 3.0
DOCUMENT = catalogue_to_json(small())


def test_documents() -> None:
    """What can be read can be linted and written again."""
    read = 0
    for octets in mutations([DOCUMENT], 1, count=COUNT, seconds=SECONDS):
        with suppress(CatalogueError):
            catalogue = catalogue_from_json(octets)
            lint(catalogue, DAY)
            assert catalogue_from_json(catalogue_to_json(catalogue)).vendors == catalogue.vendors
            read += 1
    assert read > 5


def test_signatures(tmp_path: Path) -> None:
    """No mutation is taken but of the comment that is not signed and of how base64 is written."""
    file = tmp_path / "catalogue.json"
    file.write_bytes(DOCUMENT)
    signature = KEY.sign(file, "version:1")
    good = signature.to_octets("signed in a test")
    for octets in mutations([good], 2, count=COUNT, seconds=SECONDS):
        with suppress(CatalogueError):
            found = Signature.from_octets(octets)
            verify(file, found, KEY.public)
            assert found == signature


def test_public_keys() -> None:
    for octets in mutations([KEY.public.to_text().encode()], 3, count=COUNT, seconds=SECONDS):
        with suppress(CatalogueError, UnicodeDecodeError):
            PublicKey.from_text(octets.decode())


def test_secret_keys(tmp_path: Path) -> None:
    path = tmp_path / "key"
    KEY.write(path)
    good = path.read_bytes()
    for octets in mutations([good], 4, count=COUNT, seconds=SECONDS):
        path.write_bytes(octets)
        with suppress(CatalogueError):
            assert SigningKey.read(path) == KEY
