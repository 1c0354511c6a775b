"""Send the report to a webhook, as the JSON of `sinkhole report --json`."""

import asyncio
import json
from contextlib import suppress

from sinkhole.app.scheduled_report import Report
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.errors import StoreError
from sinkhole.evidence.as_json import to_json
from sinkhole.out.json_format import VERSION
from sinkhole.out.webhook import Webhook
from sinkhole.store.out_store import Cursor, OutStore

_WHAT = "reports"
_LONGEST_WHY = 300


class HookCourier:
    """Brings reports to a webhook; `sinkhole out list` tells how far it has come.

    Args:
        receiver: its name in the settings.
        hook: the way there.
        lock: held while that is used.
        keeper: opens the store.
    """

    def __init__(self, receiver: str, hook: Webhook, lock: asyncio.Lock, keeper: StoreKeeper) -> None:
        self.name = receiver
        self._hook = hook
        self._lock = lock
        self._keeper = keeper

    async def last(self) -> int | None:
        """Return how far it has come."""
        cursor: Cursor = await self._keeper.do(lambda state: OutStore(state.store).begin(self.name, _WHAT))
        return cursor.position or None

    async def remember(self, until: int, *, is_sent: bool) -> None:
        """Note how far it has come."""
        await self._keeper.do(lambda state: OutStore(state.store).move(self.name, _WHAT, until, int(is_sent)))

    async def note_failure(self, why: str) -> None:
        """Note why it takes nothing."""
        with suppress(StoreError):  # its keeper says so
            await self._keeper.do(
                lambda state: OutStore(state.store).note_failure(self.name, _WHAT, why[:_LONGEST_WHY])
            )

    async def bring(self, report: Report) -> None:
        """Post a report; raises OutError."""
        uid = f"report-{report.every}-{int(report.until.timestamp())}"
        text = json.dumps(document_of(report, uid), separators=(",", ":"))
        async with self._lock:
            await self._hook.send_text(uid, text)


def document_of(report: Report, uid: str) -> dict[str, object]:
    """Return a report as a receiver gets it: the head that every event has, and what it says."""
    return {
        "v": VERSION, "event": "report", "uid": uid, "time": report.until.isoformat(), "every": report.every,
        "since": report.since.isoformat(), "until": report.until.isoformat(), "report": to_json(report.evidence),
    }  # fmt: skip
