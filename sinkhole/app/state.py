"""The state of one installation: its store and feeds, opened and, the first time, filled with the defaults."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sinkhole.app.data_dir import FEEDS, STORE, prepare, running_server
from sinkhole.app.kept import Kept
from sinkhole.feeds.snapshot import Snapshots
from sinkhole.late import late
from sinkhole.log import Log
from sinkhole.packaged import packaged_path
from sinkhole.policy.default import default_statements
from sinkhole.policy.reviews import NO_REVIEWS, Reviews
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action
from sinkhole.store.audit import current_user, head_of
from sinkhole.store.candidates import CandidateState, CandidateStore
from sinkhole.store.database import BUSY_TIMEOUT, Store, open_store
from sinkhole.store.exception_store import ExceptionStore
from sinkhole.store.expectation_store import ExpectationStore
from sinkhole.store.feed_store import FeedStore
from sinkhole.store.override_store import OverrideStore
from sinkhole.store.policy_store import PolicyStore

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sinkhole.app import (
        catalogue_in_force,
        catalogue_made_of,
        compiled,
        feed_guard,
        local_vendors,
        own_suffixes,
        swaps,
    )
    from sinkhole.app.catalogue_in_force import CatalogueInForce
    from sinkhole.app.compiled import FeedInput, Inputs
    from sinkhole.app.swaps import Refused
    from sinkhole.catalogue.load import Catalogue
    from sinkhole.config.schema import Settings
    from sinkhole.feeds import defaults, in_force
    from sinkhole.policy import document, image
    from sinkhole.policy.engine import Policy
    from sinkhole.policy.feed import Feed, FeedState
    from sinkhole.policy.override import Override
    from sinkhole.resolver import blocked
else:
    catalogue_in_force = late("sinkhole.app.catalogue_in_force")
    catalogue_made_of = late("sinkhole.app.catalogue_made_of")
    compiled = late("sinkhole.app.compiled")
    feed_guard = late("sinkhole.app.feed_guard")
    local_vendors = late("sinkhole.app.local_vendors")
    own_suffixes = late("sinkhole.app.own_suffixes")
    swaps = late("sinkhole.app.swaps")
    defaults = late("sinkhole.feeds.defaults")
    in_force = late("sinkhole.feeds.in_force")
    document = late("sinkhole.policy.document")
    image = late("sinkhole.policy.image")
    blocked = late("sinkhole.resolver.blocked")

_LOG = Log("compile")


@dataclass(frozen=True, slots=True)
class State:
    """An open installation; `who` makes the changes, `kept` is what takes long to make."""

    settings: Settings
    store: Store
    policy: PolicyStore
    expectations: ExpectationStore
    feeds: FeedStore
    snapshots: Snapshots
    candidates: CandidateStore
    exceptions: ExceptionStore
    overrides: OverrideStore
    who: str
    kept: Kept

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.settings.server.data_dir

    def catalogue(
        self, feeds: Sequence[tuple[Feed, FeedState]] | None = None, files: local_vendors.Files | None = None
    ) -> CatalogueInForce:
        """Return the catalogue in force: that of this installation, or a newer one that was synced; and local files.

        Args:
            feeds: how all feeds stand; None: as the store says.
            files: vendor files of this network; None: those in the data folder.

        Raises:
            CatalogueError: that of this installation is broken.
        """
        standing = self.feeds.all() if feeds is None else feeds
        own = local_vendors.local_files(self.folder) if files is None else files
        key = catalogue_made_of.made_of(self.settings, standing, self.folder / FEEDS, own)
        return self.kept.catalogue.get(key, lambda: self._catalogue(standing, own))

    def _catalogue(self, standing: Sequence[tuple[Feed, FeedState]], files: local_vendors.Files) -> CatalogueInForce:
        every = [feed for feed, _ in standing]
        found = catalogue_in_force.find_catalogue(
            standing, self.snapshots, lambda shipped: feed_guard.guard_of(self.settings, every, shipped.never_block)
        )
        joined, local = local_vendors.join(
            found.catalogue, files, lambda: feed_guard.guard_of(self.settings, every, found.catalogue.vetoes)
        )
        return replace(found, catalogue=joined, local=local)

    def lasting_overrides(self) -> tuple[Override, ...]:
        """Return the exceptions in force: with statements they are what expectations are judged by."""
        return tuple(one.to_override() for one in self.exceptions.in_force(datetime.now(UTC)))

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def open_state(
    settings: Settings,
    who: str | None = None,
    *,
    is_thorough: bool = False,
    kept: Kept | None = None,
    busy_timeout: float = BUSY_TIMEOUT,
) -> State:
    """Open the state of the data folder; the first time, put the default policy and feeds in.

    Args:
        who: who makes changes, for the audit log; None: the user of this process.
        is_thorough: look for damage through the whole store, which the server does and a short command does not.
        kept: what other states of the same folder keep; None: nothing yet.
        busy_timeout: seconds that a lock of another process is waited for.

    Raises:
        StoreError: the store cannot be opened.
    """
    store = open_store(settings.server.data_dir / STORE, is_thorough=is_thorough, busy_timeout=busy_timeout)
    state = state_over(settings, store, who or current_user(), kept)
    with ExitStack() as stack:
        stack.callback(store.close)
        _seed(state)
        stack.pop_all()  # it stays open only if all went well
    return state


def state_over(settings: Settings, store: Store, who: str, kept: Kept | None = None) -> State:
    """Return the state over an open store; nothing is read or written."""
    return State(
        settings, store, PolicyStore(store, who), ExpectationStore(store, who), FeedStore(store, who),
        Snapshots(settings.server.data_dir / FEEDS), CandidateStore(store, who), ExceptionStore(store, who),
        OverrideStore(store, who), who, kept or Kept(),
    )  # fmt: skip


def catalogue_of_folder(settings: Settings) -> CatalogueInForce:
    """Return the catalogue in force of a data folder, which is not made where there is none.

    Raises:
        StoreError, OSError: there is one, but it cannot be opened.
        CatalogueError: that of this installation is broken.
    """
    if not (settings.server.data_dir / STORE).exists():
        return catalogue_in_force.CatalogueInForce(compiled.shipped_catalogue(), None, {})
    state = open_state(settings)
    try:
        return state.catalogue()
    finally:
        state.close()


def _seed(state: State) -> None:
    """Fill a store that has never been filled: its audit log tells, since every change is in it."""
    with state.store.reading() as connection:
        if _is_filled(connection):
            return
    # Read before the lock is taken: it takes a quarter of a second of processor, and others wait for the lock.
    statements = default_statements(compiled.shipped_catalogue().bypass)
    feeds = defaults.default_feeds(packaged_path("blocklists"))
    # In one transaction: a kill or a full disk half way would leave some, and they would count as all.
    with state.store.transaction() as connection:
        if _is_filled(connection):  # by another process, which may have changed some of it since
            return
        for statement in statements:
            state.policy.put(statement)
        for feed in feeds:
            put_feed(state, feed)


def _is_filled(connection: Connection) -> bool:
    return connection.exec_driver_sql("SELECT 1 FROM audit LIMIT 1").fetchone() is not None


def put_feed(state: State, feed: Feed) -> None:
    """Add or change a feed.

    One that is on and not part of `ai` gets a statement, unless it has one; it can be changed like any other. One with
    a key gets none: it is no list, but brings the catalogue.
    """
    state.feeds.put(feed)
    subject = Subject(SubjectKind.FEED, feed.name)
    is_known = any(statement.subject == subject for statement in state.policy.statements())
    if feed.enabled and feed.key is None and not feed.part_of_ai and not is_known:
        state.policy.put(Statement(0, subject, Action.BLOCK, reason=f"feed {feed.name} was added"))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A generation of policy, and the versions of feeds that it is without, since they break an expectation."""

    generation: int
    refused: tuple[Refused, ...] = ()


def compile_state(state: State) -> Compiled:
    """Compile what the store and the snapshots say, and publish it if it is new.

    This is where every version of a feed passes on its way into force, so the gate for them is here.

    Raises:
        PolicyError, CatalogueError, StoreError: it cannot be compiled; what was published stays.
    """
    folder = compiled.compiled_folder(state.folder)
    expected, before = state.expectations.all(), compiled.versions_in_force(folder)
    refused: tuple[Refused, ...] = ()
    if expected and before is not None:
        lasting = state.lasting_overrides()
        refused = swaps.hold_breaking(
            state.feeds, state.snapshots, before, expected,
            lambda feeds: compiled.draft_policy(folder, inputs_of(state, feeds, overrides=lasting)),
        )  # fmt: skip
    standing = state.feeds.all()
    found = state.catalogue(standing)
    for fault in found.local.faults:
        _LOG.error("catalogue.local_fault", why=fault, effect="it is left out")
    overrides = (*state.lasting_overrides(), *state.overrides.in_force(datetime.now(UTC)))
    inputs = inputs_of(state, standing, found.catalogue, overrides)
    return Compiled(compiled.compile_policy(folder, inputs).generation, refused)


def inputs_of(
    state: State,
    standing: Sequence[tuple[Feed, FeedState]],
    catalogue: Catalogue | None = None,
    overrides: tuple[Override, ...] | None = None,
) -> Inputs:
    """Return what a generation is made of, with feeds that stand so; its rows can be read once.

    Args:
        catalogue: None: that in force.
        overrides: None: the exceptions in force.
    """
    feeds = [_input(state, feed, known) for feed, known in standing]
    statements, suffixes = state.policy.statements(), own_suffixes.own_suffixes(state.settings)
    return compiled.Inputs(
        catalogue=catalogue or state.catalogue(standing).catalogue,
        feeds=[found for found in feeds if found is not None],
        statements=statements,
        groups=state.policy.groups(),
        answer=blocked.block_answer(state.settings.blocking),
        versions={feed.name: known.version for feed, known in standing},
        overrides=state.lasting_overrides() if overrides is None else overrides,
        suffixes=suffixes,
        reviews=reviews_of(state, statements, suffixes),
    )


def reviews_of(state: State, statements: Sequence[Statement], suffixes: Sequence[str]) -> Reviews:
    """Return what people said of names that look like AI, as far as one of the statements asks.

    Args:
        suffixes: domains of this network, of which nothing waits for review.
    """
    if all(statement.subject.kind is not SubjectKind.UNREVIEWED for statement in statements):
        return NO_REVIEWS
    waiting = state.candidates.domains(CandidateState.NEW)
    ignored = state.candidates.domains(CandidateState.IGNORED)
    return Reviews.from_texts(waiting, (*ignored, *suffixes))


def _input(state: State, feed: Feed, known: FeedState) -> FeedInput | None:
    found = in_force.rules_in_force(state.snapshots, feed, known) if feed.enabled and feed.key is None else None
    if found is None:
        return None
    fingerprint = f"{feed.name} {found.fingerprint} {feed.part_of_ai} {feed.local}"
    return compiled.FeedInput(image.FeedRules(feed, found.rules), fingerprint)


def audit_head(state: State) -> str:
    """Return number and digest of the last entry of the audit log."""
    with state.store.reading() as connection:
        return head_of(connection)


def draft_with(
    state: State,
    standing: Sequence[tuple[Feed, FeedState]],
    lists: Sequence[FeedInput],
    statements: Sequence[Statement],
    groups: Sequence[Group],
) -> Policy:
    """Return the policy that there would be with these feeds, lists, statements and groups; publish nothing.

    Args:
        standing: how feeds stand; of those that are among `lists` the rows there count.

    Raises:
        PolicyError, CatalogueError: it cannot be made.
    """
    replaced = {one.rules.feed.name for one in lists}
    kept = [(feed, known) for feed, known in standing if feed.name not in replaced]
    inputs = inputs_of(state, kept)
    wanted = replace(inputs, feeds=[*inputs.feeds, *lists], statements=tuple(statements), groups=tuple(groups))
    return compiled.draft_policy(compiled.compiled_folder(state.folder), wanted)


def policy_in_force(settings: Settings) -> Policy:
    """Return the policy that a server on this folder answers by, compiled now where no server runs.

    Where one runs nothing is compiled: its settings may be others than ours, and its store may be broken.

    Raises:
        PolicyError: there is none and none can be made.
    """
    folder = settings.server.data_dir
    if not running_server(folder):
        prepare(folder)
        state = open_state(settings)
        try:
            compile_state(state)
        finally:
            state.close()
    return published_policy(folder)


def published_policy(data_dir: Path) -> Policy:
    """Return the policy that is published in a data folder, read again only where it is another.

    Raises:
        PolicyError: there is none, or it is damaged.
    """
    folder = compiled.compiled_folder(data_dir)
    try:
        look = (folder / document.DOCUMENT_NAME).stat()
    except OSError:
        return document.load_policy(folder)  # which says what is wrong
    return _policy_of(folder, (look.st_ino, look.st_size, look.st_mtime_ns, look.st_ctime_ns))


@lru_cache(maxsize=1)
def _policy_of(folder: Path, look: tuple[int, ...]) -> Policy:
    """Return what is published; `look` tells one document from the next, which takes its place as a new file."""
    return document.load_policy(folder)
