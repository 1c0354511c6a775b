"""Look for what a person should know, and keep it as an alert; receivers are sent it from there.

Hits are followed by their ids, so nothing is missed over a restart, and nothing is told again: what was seen, how far,
and the alerts themselves are written in one transaction.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping

from sinkhole.app.bypass_score import LOOK_BACK, bypass_scores
from sinkhole.app.client_names import client_store
from sinkhole.app.state import State
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.schema import Settings
from sinkhole.errors import SinkholeError, StoreError
from sinkhole.log import Log
from sinkhole.noted import Alert
from sinkhole.policy.feed import FeedStatus
from sinkhole.policy.statement import Statement
from sinkhole.policy.verdict import Action
from sinkhole.resolver.canaries import CANARY_NAMES
from sinkhole.store.alert_store import AlertStore
from sinkhole.store.bypass_hits import bypass_hits
from sinkhole.store.client_store import HOUR
from sinkhole.store.out_store import OutStore
from sinkhole.store.recorder import dropped
from sinkhole.store.reports import HitLine, Reports

LOOK_INTERVAL = 10.0
BYPASS_INTERVAL = 900.0
BYPASS_SPAN = 7 * 86_400
"""Seconds that the score is of: the span of `sinkhole report bypass`."""
_ROWS = 5000
"""Hits looked at in one go; the recorder writes in between."""
_DAY = 86_400
_PLACE, _VENDOR, _BAN, _DROPPED = "place", "vendor", "ban", "dropped"
"""Kinds of what is remembered."""
_ARMED, _TOLD = 1, 0
_Facts = Mapping[str, str | int]


class AlertWatch:
    """Looks, every few seconds.

    Args:
        settings: what is worth an alert.
        keeper: opens the store.
        wall: epoch seconds.
    """

    def __init__(self, settings: Settings, keeper: StoreKeeper, wall: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._alerts = settings.alerts
        self._keeper = keeper
        self._wall = wall
        self._bypass_due = 0.0
        self._log = Log("alerts")

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError:
                pass  # its keeper says so
            except SinkholeError as error:
                self._log.error("alerts.failed", why=error)
            except Exception:  # the edge of a task: no alert is worth the recorder
                self._log.exception("alerts.failed")
            await asyncio.sleep(LOOK_INTERVAL)

    async def look(self) -> None:
        """Look once, at all that is new."""
        while await self._keeper.do(self._look_at_some):
            pass
        if "bypass-suspected" in self._alerts.kinds and time.monotonic() >= self._bypass_due:
            self._bypass_due = time.monotonic() + BYPASS_INTERVAL
            state = await self._keeper.do(lambda state: state)
            # It reads days of hits, so not on the recorder's thread; SQLite lets it read beside.
            found = await asyncio.to_thread(self._suspects, state)
            await self._keeper.do(lambda state: self._put_all(state, found))

    def _look_at_some(self, state: State) -> bool:
        """Look at what follows; return whether there may be more."""
        with state.store.transaction():
            memory = AlertStore(state.store)
            place = memory.remembered(_PLACE).get("hits")
            if place is None:
                self._begin(state, memory)
                return False
            bans = self._bans(state, memory)
            lines = list(Reports(state.store, 0).lines(place, limit=_ROWS))
            if lines:
                self._new_vendors(state, memory, lines)
                self._first_after_ban(state, memory, lines, bans)
                memory.remember(_PLACE, {"hits": lines[-1].id})
            self._quarantined(state)
            self._dropping(state, memory)
            return len(lines) == _ROWS

    def _begin(self, state: State, memory: AlertStore) -> None:
        """Know what there is already, of which nobody needs to be told."""
        memory.remember(_VENDOR, memory.vendors_seen(memory.last_summed_minute()))
        memory.remember(_BAN, {_key(one): _TOLD for one in _blocks(state.policy.statements())})
        with state.store.reading() as connection:
            memory.remember(_DROPPED, {"hits": dropped(connection)})
        memory.remember(_PLACE, {"hits": OutStore(state.store).newest("hits")})

    def _new_vendors(self, state: State, memory: AlertStore, lines: list[HitLine]) -> None:
        seen = memory.remembered(_VENDOR)
        changed: dict[str, int] = {}
        for line in lines:
            hit = line.hit
            if not hit.vendor:
                continue
            last = seen.get(hit.vendor)
            if last is None or hit.first - last > self._alerts.new_vendor_days * _DAY:
                text = f"{hit.vendor} was asked for, for the first time in {self._alerts.new_vendor_days} days"
                facts = {"name": hit.name, "action": hit.action, "client": hit.client, "group": hit.group or ""}
                self._put(state, "new-vendor", hit.vendor, text, facts)
            seen[hit.vendor] = changed[hit.vendor] = max(last or 0, hit.last)
        memory.remember(_VENDOR, changed)

    def _bans(self, state: State, memory: AlertStore) -> list[Statement]:
        """Return the blocks that nobody has run into yet; note those that are new, and forget those that are gone."""
        blocks = {_key(one): one for one in _blocks(state.policy.statements())}
        known = memory.remembered(_BAN)
        memory.forget(_BAN, known.keys() - blocks.keys())
        memory.remember(_BAN, dict.fromkeys(blocks.keys() - known.keys(), _ARMED))
        return [one for key, one in blocks.items() if known.get(key, _ARMED) == _ARMED]

    def _first_after_ban(self, state: State, memory: AlertStore, lines: list[HitLine], bans: list[Statement]) -> None:
        waiting = {(str(one.subject), one.group): one for one in bans}
        for line in lines:
            hit = line.hit
            if not waiting or hit.action != "block" or hit.subject is None:
                continue
            for group in (hit.group, None):
                ban = waiting.pop((hit.subject, group), None)
                if ban is not None:
                    text = f"the block of {ban.subject} for {ban.extent} was run into for the first time"
                    facts = {
                        "name": hit.name,
                        "client": hit.client,
                        "vendor": hit.vendor or "",
                        "group": hit.group or "",
                    }
                    self._put(state, "first-after-ban", _key(ban), text, facts)
                    memory.remember(_BAN, {_key(ban): _TOLD})

    def _quarantined(self, state: State) -> None:
        for feed, known in state.feeds.all():
            if feed.enabled and known.status is FeedStatus.QUARANTINED:
                text = f"new content of feed {feed.name} waits for approval; its last good rules stay in force"
                facts: _Facts = {"feed": feed.name, "why": known.message or "", "version": known.pending_version or 0}
                self._put(state, "feed-quarantined", f"{feed.name} version {known.pending_version}", text, facts)

    def _dropping(self, state: State, memory: AlertStore) -> None:
        with state.store.reading() as connection:
            now = dropped(connection)
        before = memory.remembered(_DROPPED).get("hits", now)
        if now > before:
            text = f"{now - before} queries could not be recorded: there were more of them than could be written"
            self._put(state, "recorder-dropping", "recorder", text, {"queries": now - before})
        if now != before:
            memory.remember(_DROPPED, {"hits": now})

    def _suspects(self, state: State) -> list[tuple[str, str, str, _Facts]]:
        """Return the alerts about clients whose score is high enough."""
        now = int(self._wall())
        since = now - BYPASS_SPAN
        hits = bypass_hits(state.store, since, state.settings.record.attempt_window)
        hours = client_store(state).hours(since - LOOK_BACK * HOUR)
        found = bypass_scores(hits, hours, CANARY_NAMES, since // HOUR, now // HOUR)
        text = "a client scores {} of 100 for going round the resolver, a reason to look and no proof"
        return [
            ("bypass-suspected", one.client, text.format(one.score),
             {"client": one.client, "score": one.score, "names": ", ".join(one.names)})
            for one in found if one.score >= self._alerts.bypass_score
        ]  # fmt: skip

    def _put_all(self, state: State, found: Iterable[tuple[str, str, str, _Facts]]) -> None:
        for one in found:
            self._put(state, *one)

    def _put(self, state: State, kind: str, cause: str, text: str, facts: _Facts) -> None:
        if kind in self._alerts.kinds:
            told = {key: value for key, value in facts.items() if value != ""}
            alert = Alert(0, int(self._wall()), kind, cause, text, told)
            if AlertStore(state.store).put(alert, self._alerts.period):
                self._log.warning("alert", kind=kind, text=text)


def _blocks(statements: Iterable[Statement]) -> list[Statement]:
    return [one for one in statements if one.action is Action.BLOCK]


def _key(statement: Statement) -> str:
    return f"{statement.subject} for {statement.extent}"
