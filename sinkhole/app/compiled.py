"""Compile the catalogue, the feeds and the policy into the files that workers map, and publish them as a generation.

Names are large and change rarely: they are built again only when their inputs changed, and named by their content.
The policy document is small and is written anew with each change.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sinkhole.app.data_dir import COMPILED
from sinkhole.app.own_suffixes import own_suffixes
from sinkhole.catalogue.load import Catalogue, load_catalogue
from sinkhole.config.schema import Settings
from sinkhole.errors import PolicyError
from sinkhole.log import Log
from sinkhole.packaged import packaged_path
from sinkhole.policy.default import default_statements
from sinkhole.policy.document import (
    DOCUMENT_NAME,
    PolicyDocument,
    load_document,
    load_policy,
    prune,
    publish,
    restore_previous,
)
from sinkhole.policy.engine import Policy
from sinkhole.policy.image import FeedRules, NameIndex, build_image
from sinkhole.policy.image_file import VERSION
from sinkhole.policy.override import Override
from sinkhole.policy.reviews import NO_REVIEWS, Reviews
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.verdict import BlockAnswer
from sinkhole.protocol.names import name_from_text
from sinkhole.resolver.blocked import block_answer

_LOG = Log("compile")
_INPUTS = "inputs"
"""File beside the image: its name and the digest of what it was built from, and then the versions of feeds."""
_DRAFT = "inputs.draft"
"""The same of an image that was built and is not in force."""


@dataclass(frozen=True, slots=True)
class FeedInput:
    """A feed to compile: its rows, and a text that changes whenever they do."""

    rules: FeedRules
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a generation is made of.

    `versions` are those of all feeds, those that are off too; None where they are not known. `overrides` are those
    that have not ended. `suffixes` are domains of this network. `reviews` are those that a statement on `unreviewed`
    asks for.
    """

    catalogue: Catalogue
    feeds: Sequence[FeedInput]
    statements: tuple[Statement, ...]
    groups: tuple[Group, ...]
    answer: BlockAnswer
    versions: Mapping[str, int] | None = None
    overrides: tuple[Override, ...] = ()
    suffixes: tuple[str, ...] = ()
    reviews: Reviews = NO_REVIEWS


def compiled_folder(data_dir: Path) -> Path:
    """Return where the compiled policy of a data folder is."""
    return data_dir / COMPILED


def shipped_catalogue() -> Catalogue:
    """Load the catalogue of this installation.

    Raises:
        CatalogueError: a file of it is broken.
    """
    return load_catalogue(packaged_path("blocklists"))


def compile_policy(folder: Path, inputs: Inputs) -> PolicyDocument:
    """Build what changed and publish it as the next generation; the same inputs give the same generation.

    Raises:
        PolicyError: the inputs do not make a policy, or the folder cannot be written; what was published stays.
    """
    with _writing(folder):
        return _compile(folder, inputs)


def draft_policy(folder: Path, inputs: Inputs) -> Policy:
    """Return the policy that the inputs would make, with its names built as far as they are new; publish nothing.

    Raises:
        PolicyError: as in `compile_policy`.
    """
    with _writing(folder):
        before = _published(folder)
        image = _image(folder, inputs, before.image if before else None)
        return _document(0, image, inputs).policy(NameIndex.open(folder / image))


def versions_in_force(folder: Path) -> dict[str, int] | None:
    """Return the versions of feeds that what is published was compiled from, None where that is not known."""
    try:
        found = json.loads((folder / _INPUTS).read_text().partition("\n")[2])
        return {str(name): int(version) for name, version in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _compile(folder: Path, inputs: Inputs) -> PolicyDocument:
    before = _published(folder)
    image = _image(folder, inputs, before.image if before else None)
    document = _publish(folder, inputs, image, before)
    note = f"{image} {_digest_of(inputs)}\n{json.dumps(inputs.versions, sort_keys=True)}"
    if _read(folder / _INPUTS) != note:
        (folder / _INPUTS).write_text(note)
    return document


def _publish(folder: Path, inputs: Inputs, image: str, before: PolicyDocument | None) -> PolicyDocument:
    generation = before.generation if before else _generation_after_damage(folder)
    document = _document(generation, image, inputs)
    if document == before:
        return before
    document = replace(document, generation=generation + 1)
    publish(folder, document)
    prune(folder)
    _LOG.info("policy.published", generation=document.generation, statements=len(inputs.statements))
    return document


def _document(generation: int, image: str, inputs: Inputs) -> PolicyDocument:
    return PolicyDocument(
        generation, image, inputs.statements, inputs.groups, inputs.answer,
        overrides=inputs.overrides, suffixes=inputs.suffixes, reviews=inputs.reviews,
    )  # fmt: skip


def _generation_after_damage(folder: Path) -> int:
    """Return a number above all that were ever published, where what was published can no longer be read.

    Workers may still answer by the lost generation: one of the same number would pass for it.
    """
    return int(time.time()) if (folder / DOCUMENT_NAME).exists() else 0


def ensure_policy(data_dir: Path, settings: Settings) -> bool:
    """See that there is a policy to serve: the last compiled one, else the one before, else the default, loudly.

    Returns:
        Whether it had to be put there; then what the store says is not in force.

    Raises:
        SinkholeError: none is there and none can be made.
    """
    folder = compiled_folder(data_dir)
    try:
        load_policy(folder, verify=True)
    except PolicyError as error:
        if not (folder / DOCUMENT_NAME).exists():
            compile_policy(folder, _default_inputs(settings))
        elif restore_previous(folder):
            _LOG.error("policy.broken", why=error, instead="the policy before it")
        else:
            _LOG.error("policy.broken", why=error, instead="the built-in default")
            compile_policy(folder, _default_inputs(settings))
        return True
    return False


def _default_inputs(settings: Settings) -> Inputs:
    catalogue = shipped_catalogue()
    return Inputs(
        catalogue=catalogue,
        feeds=(),
        statements=default_statements(catalogue.bypass),
        groups=(),
        answer=block_answer(settings.blocking),
        suffixes=own_suffixes(settings),
    )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        with _one_at_a_time(folder):
            yield
    except OSError as error:
        raise PolicyError(f"{folder}: the compiled policy cannot be written: {error.strerror}") from error


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep the command line and the control process from publishing the same generation."""
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _published(folder: Path) -> PolicyDocument | None:
    try:
        load_policy(folder)  # an image that cannot be read must be built again
        return load_document(folder)
    except PolicyError:
        return None


def _image(folder: Path, inputs: Inputs, current: str | None) -> str:
    """Return the file name of the compiled names, which are built unless they are there."""
    wanted = _digest_of(inputs)
    for note in (_INPUTS, _DRAFT):
        image, _, digest = _read(folder / note).partition("\n")[0].partition(" ")
        if digest == wanted and (image == current or _is_whole(folder / image)):
            return image
    catalogue = inputs.catalogue
    rules = [feed.rules for feed in inputs.feeds]
    # What is synced says nothing of signs: they are of this installation.
    signs = (catalogue if catalogue.signs else shipped_catalogue()).sign_book
    image = build_image(
        folder, catalogue.vendors, rules, catalogue.never_block, catalogue.bypass, catalogue.brand_book, signs
    )
    _prove(NameIndex.open(folder / image, verify=True), inputs.catalogue)
    (folder / _DRAFT).write_text(f"{image} {wanted}")
    return image


def _is_whole(image: Path) -> bool:
    try:
        NameIndex.open(image, verify=True)
    except PolicyError:
        return False
    return True


def _read(note: Path) -> str:
    try:
        return note.read_text()
    except FileNotFoundError:
        return ""


def _prove(index: NameIndex, catalogue: Catalogue) -> None:
    """Look every name of the catalogue up in what was just compiled, before anyone answers by it.

    Raises:
        PolicyError: one is not found, so that blocking would be off in silence.
    """
    for vendor in catalogue.vendors:
        for product in vendor.products:
            for domain in product.domains:
                found = index.find(name_from_text(domain.name.replace("*", "x")))
                if found is None or all(entry.product != product.id for entry in found.entries):
                    raise PolicyError(f"self-test: {domain.name} of {product.id} is not in the compiled names")


def _digest_of(inputs: Inputs) -> str:
    """Return what tells compiled names from those of other inputs or another form."""
    form = f"form {VERSION}"
    return _digest(form, inputs.catalogue.fingerprint, *(feed.fingerprint for feed in inputs.feeds))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(_ordered(parts)).encode()).hexdigest()


def _ordered(parts: Iterable[str]) -> list[str]:
    return sorted(parts)
