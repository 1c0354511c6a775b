"""What is in the store, as streams that receivers follow, each at its own pace: the store is the queue.

A receiver that is away loses nothing as long as the store keeps it (`record.days`, `record.max_mib`). Hits are taken
once their row is sealed: what was sent is what the store says, and no row is told with half its count.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, takewhile

from sinkhole.app.state import State
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.out_schema import EventKind, OutSettings
from sinkhole.errors import StoreError
from sinkhole.log import Log
from sinkhole.noted import Alert, AuditEntry
from sinkhole.out.delivery import Lot
from sinkhole.out.event import Event, HitEvent
from sinkhole.policy.hit import HitRow
from sinkhole.store.alert_store import AlertStore
from sinkhole.store.database import Store
from sinkhole.store.out_store import OutStore
from sinkhole.store.reports import Reports

_LONGEST_WHY = 300


class StoredStream:
    """One kind of event for one receiver, from where it stopped.

    Args:
        keeper: opens the store.
        out: the receiver.
        what: the kind.
        sealed: id of the last hit whose row does not change any more.
        client_text: what is told of a client as it is stored.
    """

    def __init__(
        self,
        keeper: StoreKeeper,
        out: OutSettings,
        what: EventKind,
        sealed: Callable[[], int],
        client_text: Callable[[str], str],
    ) -> None:
        self._keeper = keeper
        self._out = out
        self._what = what
        self._sealed = sealed
        self._client_text = client_text
        self._store: Store | None = None
        self._position = 0
        self._sent = self._lost = 0
        self._log = Log("out")

    async def next(self) -> Lot | None:
        """Return what follows; None for nothing yet, also where the store is away, which its keeper says."""
        try:
            return await self._keeper.do(self._next)
        except StoreError:
            return None

    async def advance(self, lot: Lot) -> None:
        """Note that a lot was taken; what cannot be written now is with the next."""
        self._position = lot.end
        self._sent += len(lot.events)
        name, what, sent, lost = self._out.name, self._what, self._sent, self._lost
        try:
            await self._keeper.do(lambda state: OutStore(state.store).move(name, what, lot.end, sent, lost))
        except StoreError:
            return
        self._sent -= sent
        self._lost -= lost

    async def note_failure(self, why: str) -> None:
        """Note why the receiver takes nothing, for `sinkhole out list`."""
        name, what = self._out.name, self._what
        try:
            await self._keeper.do(lambda state: OutStore(state.store).note_failure(name, what, why[:_LONGEST_WHY]))
        except StoreError:
            return

    def _next(self, state: State) -> Lot | None:
        store = OutStore(state.store)
        if self._store is not state.store:  # the first time, and whenever it was opened anew: it may be another
            self._position = store.begin(self._out.name, self._what).position
            self._store = state.store
        if (oldest := store.oldest(self._what)) > self._position + 1:
            self._note_lost(oldest - 1 - self._position)
            self._position = oldest - 1
        numbered = list(islice(self._events(state), self._out.batch))
        if not numbered:
            return None
        return Lot([event for _, event in numbered if event is not None], numbered[-1][0])

    def _note_lost(self, number: int) -> None:
        self._lost += number
        self._log.error(
            "out.lost", receiver=self._out.name, what=self._what, events=number, why="deleted for their age"
        )

    def _events(self, state: State) -> Iterator[tuple[int, Event | None]]:
        """Yield each event with its number; None for one that is not meant for the receiver."""
        match self._what:
            case "hits":
                return self._hits(state)
            case "alerts":
                alerts = AlertStore(state.store).after(self._position, self._out.batch)
                return ((alert.id, self._alert(alert)) for alert in alerts)
            case "audit":
                entries = OutStore(state.store).audit_after(self._position, self._out.batch)
                return ((entry.id, entry) for entry in entries)

    def _hits(self, state: State) -> Iterator[tuple[int, Event | None]]:
        last, left_out = self._sealed(), frozenset(self._out.skip_groups)
        reports = Reports(state.store, state.settings.record.attempt_window)
        lines = takewhile(lambda line: line.id <= last, reports.lines(self._position, limit=self._out.batch))
        for line in lines:
            is_meant = line.hit.group not in left_out
            yield line.id, HitEvent(line.id, self._with_client(line.hit)) if is_meant else None

    def _with_client(self, hit: HitRow) -> HitRow:
        if self._out.clients == "recorded":
            return hit
        return HitRow(
            hit.minute, self._client_text(hit.client), hit.group, hit.name, hit.qtype, hit.action, hit.vendor,
            hit.product, hit.feed, hit.subject, hit.count, hit.first, hit.last,
        )  # fmt: skip

    def _alert(self, alert: Alert) -> Alert:
        facts, cause = dict(alert.facts), alert.cause
        client = facts.get("client")
        if isinstance(client, str) and self._out.clients != "recorded":
            told = self._client_text(client)
            facts["client"] = told
            cause = told if cause == client else cause
        return Alert(alert.id, alert.at, alert.kind, cause, alert.text, facts)


def events_of(out: OutSettings) -> list[EventKind]:
    """Return the kinds of event that a receiver is sent, each once."""
    return [what for what in dict.fromkeys(out.what) if what != "reports"]


def samples(whats: Iterable[EventKind], now: int) -> Sequence[Event]:
    """Return an event of each kind that says that it is a test."""
    hit = HitRow(
        minute=now // 60, client="", group=None, name="test.sinkhole.invalid", qtype=1, action="monitor", vendor=None,
        product=None, feed=None, subject="test", count=1, first=now, last=now,
    )  # fmt: skip
    made: dict[EventKind, Event] = {
        "hits": HitEvent(0, hit),
        "alerts": Alert(0, now, "test", "test", "This is a test; nothing happened.", {}),
        "audit": AuditEntry(0, now, "sinkhole", "", "test of a receiver; nothing was changed", None, None, None),
    }
    return [made[what] for what in dict.fromkeys(whats)]
