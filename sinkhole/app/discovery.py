"""Decide on names that look like AI: accept one as a vendor's, in a local vendor file; ignore it; undo either."""

import datetime as dt
import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from sinkhole.app.compiled import compiled_folder, draft_policy
from sinkhole.app.data_dir import STORE, VENDORS
from sinkhole.app.expectations import gated
from sinkhole.app.local_vendors import local_files
from sinkhole.app.state import State, inputs_of, open_state
from sinkhole.app.subjects import nearest
from sinkhole.catalogue.lint import UNKNOWN
from sinkhole.catalogue.load import Catalogue
from sinkhole.catalogue.local_file import with_product, without_domain
from sinkhole.catalogue.search import Owners
from sinkhole.config.schema import Settings
from sinkhole.errors import CatalogueError, FormError, PolicyError
from sinkhole.policy.engine import Policy
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, DomainRole, Product, Stated, Vendor, VendorKind
from sinkhole.protocol.names import name_from_text, name_to_text
from sinkhole.store.candidates import Candidate, CandidateState

DEFAULT_CATEGORY = "chat"
SOURCE = "Seen in the traffic of this network, and reviewed"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a domain is to be accepted; None: what fits.

    Attributes:
        vendor: id of a vendor of the catalogue, or of a new one.
        product: slug of a product, or `vendor/slug`.
        category: of a new product.
    """

    vendor: str | None = None
    product: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted candidate, and the local vendor file that has it; None where the catalogue has it by itself."""

    candidate: Candidate
    file: Path | None


def candidate_of(state: State, text: str) -> Candidate:
    """Return the candidate that people mean.

    Raises:
        PolicyError: there is none; the nearest is told.
    """
    try:
        domain = name_to_text(name_from_text(text.strip())).lower()
    except FormError as error:
        raise PolicyError(f"{text!r} is no domain: {error}") from error
    found = state.candidates.find(domain)
    if found is not None:
        return found
    known = [candidate.domain for candidate in state.candidates.all()]
    above = next((one for one in known if domain.endswith("." + one)), None)
    hint = f"; it is below the candidate {above}" if above else nearest(domain, known)
    raise PolicyError(f"there is no candidate {domain!r}{hint}")


def waiting_in_words(settings: Settings) -> str:
    """Say how many names wait for review; the data folder is not made where there is none.

    Raises:
        StoreError: the store cannot be opened.
    """
    if not (settings.server.data_dir / STORE).exists():
        return "nothing was seen yet"
    state = open_state(settings)
    try:
        waiting = len(state.candidates.domains(CandidateState.NEW))
    finally:
        state.close()
    names = "1 name that looks like AI waits" if waiting == 1 else f"{waiting} names that look like AI wait"
    return f"{names} for review{': sinkhole discover list' if waiting else ''}"


def accept(state: State, domain: str, wanted: Wanted, *, force: bool = False) -> Accepted:
    """Let a domain be one of a vendor, as a local vendor file says.

    Where the catalogue has it by now, or a local file, nothing is written.

    Raises:
        PolicyError: there is no such candidate, it is accepted already, or `wanted` cannot be.
        CatalogueError: the file would not pass the lint, or cannot be written.
        BrokenExpectationError: it would break an expectation; nothing is changed.
    """
    with state.store.transaction():  # two who accept at a time write into one file one after the other
        candidate = candidate_of(state, domain)
        if candidate.state is CandidateState.ACCEPTED:
            told = f"{candidate.domain} is accepted into {candidate.product}"
            raise PolicyError(f"{told} already; to undo: sinkhole discover reopen {candidate.domain}")
        catalogue = state.catalogue().catalogue
        owner = Owners(catalogue).of(candidate.domain)
        if owner is None:
            return _accept(state, candidate, *_placed(candidate, wanted, catalogue), force=force)
        with gated(state, force=force):
            known = state.candidates.decide(candidate.domain, CandidateState.ACCEPTED, product=owner)
            return Accepted(known, None)


def _accept(state: State, candidate: Candidate, vendor: Vendor, product: Product, *, force: bool) -> Accepted:
    path = state.folder / VENDORS / f"{vendor.id}.toml"
    files = local_files(state.folder)
    before = files.get(path.name)
    if path.name in files and before is None:
        raise CatalogueError(f"{path}: cannot be read; nothing is changed")
    text = with_product(None if before is None else before.decode("utf-8", "replace"), vendor, product)
    return Accepted(_put(state, candidate, CandidateState.ACCEPTED, path, text, product.id, force=force), path)


def ignore(state: State, domain: str, reason: str | None, *, force: bool = False) -> Candidate:
    """Let a domain be no candidate any more; return it.

    Raises:
        PolicyError: there is no such candidate, or it is accepted.
        BrokenExpectationError: it would break an expectation; nothing is changed.
    """
    candidate = candidate_of(state, domain)
    if candidate.state is CandidateState.ACCEPTED:
        told = f"{candidate.domain} is accepted into {candidate.product}"
        raise PolicyError(f"{told}; first: sinkhole discover reopen {candidate.domain}")
    with gated(state, force=force):
        return state.candidates.decide(candidate.domain, CandidateState.IGNORED, reason=reason)


def reopen(state: State, domain: str, *, force: bool = False) -> Candidate:
    """Let a domain wait for review again, and take it out of its local vendor file; return it.

    Raises:
        PolicyError: there is no such candidate, or it waits.
        CatalogueError: it cannot be taken out of the file.
        BrokenExpectationError: it would break an expectation; nothing is changed.
    """
    with state.store.transaction():
        return _reopen(state, candidate_of(state, domain), force=force)


def _reopen(state: State, candidate: Candidate, *, force: bool) -> Candidate:
    if candidate.state is CandidateState.NEW:
        raise PolicyError(f"{candidate.domain} waits for review already")
    local = dict(state.catalogue().local.domains)
    product = local.get(candidate.domain)
    if product is None or candidate.state is CandidateState.IGNORED:
        with gated(state, force=force):
            return state.candidates.decide(candidate.domain, CandidateState.NEW)
    path = state.folder / VENDORS / f"{product.partition('/')[0]}.toml"
    before = local_files(state.folder).get(path.name) or b""
    try:
        text = without_domain(before.decode("utf-8", "replace"), candidate.domain)
    except CatalogueError as error:
        raise CatalogueError(f"{path}: {error}") from error
    return _put(state, candidate, CandidateState.NEW, path, text, None, force=force)


def _placed(candidate: Candidate, wanted: Wanted, catalogue: Catalogue) -> tuple[Vendor, Product]:
    """Return the vendor as a new file says it, with the product alone, and the product."""
    given, _, slug = (wanted.product or "").rpartition("/")
    id_ = wanted.vendor or given or _free_id(candidate.domain, catalogue)
    if given and id_ != given:
        raise PolicyError(f"product {wanted.product} is not one of vendor {id_}")
    known = catalogue.by_id.get(id_)
    if wanted.category is not None and wanted.category not in catalogue.categories:
        raise PolicyError(
            f"there is no category {wanted.category!r}{nearest(wanted.category, tuple(catalogue.categories))}"
        )
    for what, text in (("vendor", id_), ("product", slug or DEFAULT_CATEGORY)):
        if not _SLUG.fullmatch(text):
            raise PolicyError(f"{what} {text!r}: wanted small letters, digits and single hyphens")
    product = _product(candidate, f"{id_}/{slug or wanted.category or DEFAULT_CATEGORY}", wanted.category, catalogue)
    base = known or _new_vendor(id_, candidate.domain if wanted.vendor is None else id_)
    return replace(base, products=(product,), never_block=(), note=None, data_use=None), product


def _product(candidate: Candidate, id_: str, category: str | None, catalogue: Catalogue) -> Product:
    today = dt.datetime.now(dt.UTC).date()  # a clock that was ahead for a while may have counted
    first, last = (min(today, dt.datetime.fromtimestamp(at, dt.UTC).date()) for at in (candidate.first, candidate.last))
    domain = CatalogueDomain(
        candidate.domain, DomainRole.WEB, DomainMatch.SUFFIX, False, SOURCE, first.isoformat(), last.isoformat()
    )
    known = catalogue.products.get(id_)
    if known is None:
        return Product(id_, candidate.domain, (category or DEFAULT_CATEGORY,), (domain,))
    if category is not None and category not in known.categories:
        raise PolicyError(f"product {id_} has the categories {', '.join(known.categories)}; leave {category} out")
    return Product(id_, known.name, known.categories, (domain,))


def _new_vendor(id_: str, name: str) -> Vendor:
    unknown = Stated("unknown", "low", "Not known")
    return Vendor(
        id=id_, name=name, kind=VendorKind.AI_NATIVE, owner=unknown, jurisdiction=replace(unknown, value=UNKNOWN),
        confidence="low", source=SOURCE, products=(),
    )  # fmt: skip


def _free_id(domain: str, catalogue: Catalogue) -> str:
    """Return an id for a new vendor, made of the domain: its first label, or all of it where another has that."""
    whole = re.sub(r"[^a-z0-9]+", "-", domain).strip("-")
    first = re.sub(r"[^a-z0-9]+", "-", domain.partition(".")[0]).strip("-")
    free = next((id_ for id_ in (first, whole) if id_ and id_ not in catalogue.by_id), None)
    if free is None:
        raise PolicyError(f"the catalogue has a vendor {whole}; say which is meant with --vendor")
    return free


def _put(
    state: State, candidate: Candidate, to: CandidateState, path: Path, text: str | None, product: str | None, *,
    force: bool,
) -> Candidate:  # fmt: skip
    """Write a local vendor file, or delete it, and put the candidate into a state; both or neither."""
    files = local_files(state.folder)
    before = files.get(path.name)
    files = {name: data for name, data in files.items() if name != path.name}
    files |= {} if text is None else {path.name: text.encode()}
    drafted = state.catalogue(files=dict(sorted(files.items())))
    if product is not None and (candidate.domain, product) not in drafted.local.domains:
        faults = [fault for fault in drafted.local.faults if fault.startswith(f"{path.name}: ")]
        raise CatalogueError("\n".join(faults) or f"{path}: {candidate.domain} would have no effect there")

    def after() -> Policy:
        return draft_policy(compiled_folder(state.folder), inputs_of(state, state.feeds.all(), drafted.catalogue))

    is_written = False
    try:
        with gated(state, force=force, after=after):
            decided = state.candidates.decide(candidate.domain, to, product=product)
            _write(path, None if text is None else text.encode())
            is_written = True
            return decided
    except BaseException:
        if is_written:
            _write(path, before)  # the store was rolled back; the file goes with it
        raise


def _write(path: Path, data: bytes | None) -> None:
    try:
        if data is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
            try:
                draft.write(data)  # mode 0600
                draft.flush()
                os.fsync(draft.fileno())
                Path(draft.name).replace(path)
            finally:
                Path(draft.name).unlink(missing_ok=True)
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be written: {error.strerror}") from error
