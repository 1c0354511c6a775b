"""The figures of the server. Labels are from the configuration alone: no client and no name is in them (R-A14)."""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sinkhole import __version__
from sinkhole.app.openmetrics import Family, Sample
from sinkhole.app.state import State
from sinkhole.policy.feed import Feed, FeedState
from sinkhole.policy.hit import HitRow
from sinkhole.store.out_store import Cursor, OutStore
from sinkhole.store.recorder import dropped

_ACTIONS = ("allow", "monitor", "coach", "block")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Tallies:
    """Adds up what workers count, over workers that come and go, and what was recorded; since this process began."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, float]] = {}
        self._sums: Counter[tuple[str, str]] = Counter()
        self._hits: Counter[str] = Counter(dict.fromkeys(_ACTIONS, 0))
        self._rows = 0

    def note_rows(self, rows: Sequence[HitRow]) -> None:
        """Take in rows that were stored."""
        self._rows += len(rows)
        for row in rows:
            self._hits[row.action] += row.count

    def note_workers(self, workers: Iterable[Mapping[str, Any]]) -> None:
        """Take in what the workers that are there said last."""
        known: dict[str, dict[str, float]] = {}
        for worker in workers:
            name, now = str(worker["worker"]), _counts(worker)
            before = self._last.get(name, {})
            for key, value in now.items():
                self._sums[key] += value - before.get(key, 0)  # type: ignore[assignment]
            known[name] = now
        self._last = known

    def families(self) -> Iterator[Family]:
        """Yield what was added up."""
        by_kind: dict[str, list[Sample]] = {}
        for (kind, label), value in sorted(self._sums.items()):
            by_kind.setdefault(kind, []).append(({_LABELS[kind]: label} if _LABELS[kind] else {}, value))
        for kind, help_text in _HELP.items():
            yield Family(f"sinkhole_{kind}", "counter", help_text, by_kind.get(kind, []))
        yield Family(
            "sinkhole_recorded_queries", "counter", "Queries that were recorded, by what was done with them.",
            [({"action": action}, self._hits[action]) for action in _ACTIONS],
        )  # fmt: skip
        yield Family("sinkhole_recorded_rows", "counter", "Rows of hits that workers handed over.", [({}, self._rows)])


_HELP = {
    "queries": "Queries of clients that may ask.",
    "answers": "Answers by where they came from.",
    "upstream_answers": "Usable answers of upstreams.",
    "upstream_failures": "Tries at upstreams that gave no usable answer.",
    "upstream_wait_seconds": "Seconds that usable answers of upstreams took in all.",
}
_LABELS = {
    "queries": "", "answers": "source", "upstream_answers": "upstream", "upstream_failures": "upstream",
    "upstream_wait_seconds": "upstream",
}  # fmt: skip


def _counts(worker: Mapping[str, Any]) -> dict[Any, float]:
    """Return what only grows, by kind and label."""
    found: dict[Any, float] = {("queries", ""): worker.get("queries", 0)}
    for source, number in worker.get("answers", {}).items():
        found["answers", source] = number
    for upstream, answers, failures, waited, _ in worker.get("upstreams", ()):
        for kind, value in (("answers", answers), ("failures", failures), ("wait_seconds", waited)):
            key = (f"upstream_{kind}", upstream)
            found[key] = found.get(key, 0) + value
    return found


def worker_families(workers: Sequence[Mapping[str, Any]], generation: int) -> Iterator[Family]:
    """Yield how workers stand, and the memory of all processes."""
    slots = [({"worker": str(worker.get("slot", "?"))}, worker) for worker in _by_slot(workers)]
    yield Family("sinkhole", "info", "The version.", [({"version": __version__}, 1)])
    yield Family("sinkhole_workers", "gauge", "Workers that are connected.", [({}, len(slots))])
    yield Family("sinkhole_policy_generation", "gauge", "Generation of policy that is published.", [({}, generation)])
    yield Family(
        "sinkhole_worker_policy_generation", "gauge", "Generation of policy that a worker answers by.",
        [(label, worker["generation"]) for label, worker in slots],
    )  # fmt: skip
    yield Family(
        "sinkhole_packet_cache_entries", "gauge", "Finished replies that are kept.",
        [(label, worker.get("packets", 0)) for label, worker in slots],
    )  # fmt: skip
    down: dict[str, bool] = {}
    for _, worker in slots:
        for upstream, *_counts, is_down in worker.get("upstreams", ()):
            down[upstream] = down.get(upstream, False) or is_down
    yield Family(
        "sinkhole_upstream_up", "gauge", "Whether all workers take an upstream for usable.",
        [({"upstream": upstream}, not is_down) for upstream, is_down in sorted(down.items())],
    )  # fmt: skip
    pids = {"control": os.getpid()} | {f"worker-{worker.get('slot')}": worker.get("pid", 0) for _, worker in slots}
    memory = [({"process": name}, octets) for name, pid in pids.items() if (octets := resident_octets(pid))]
    yield Family("sinkhole_resident_memory_bytes", "gauge", "Memory that a process holds.", memory)


def _by_slot(workers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return one worker for each slot: at a reload there are two for a moment, of which the newer counts."""
    newest: dict[Any, Mapping[str, Any]] = {}
    for worker in sorted(workers, key=lambda one: one["generation"]):
        newest[worker.get("slot")] = worker
    return [newest[slot] for slot in sorted(newest, key=str)]


def resident_octets(pid: int) -> int:
    """Return the memory of a process, 0 where the system does not tell."""
    try:
        return int(Path("/proc", str(pid), "statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def store_families(state: State, now: float | None = None) -> list[Family]:
    """Return what the store knows: hits dropped, feeds, receivers."""
    with state.store.reading() as connection:
        lost = dropped(connection)
    feeds = [(feed, known) for feed, known in state.feeds.all() if feed.enabled]
    names = {out.name for out in state.settings.out}
    cursors = [cursor for cursor in OutStore(state.store).cursors() if cursor.receiver in names]
    return [
        Family("sinkhole_dropped_queries", "counter", "Queries that could not be recorded.", [({}, lost)]),
        *_feed_families(feeds, time.time() if now is None else now),
        *_receiver_families(cursors, OutStore(state.store)),
    ]


def _feed_families(feeds: Sequence[tuple[Feed, FeedState]], now: float) -> Iterator[Family]:
    def ages(key: str) -> list[Sample]:
        return [
            ({"feed": feed.name}, max(0.0, round(now - at.timestamp(), 3)))
            for feed, known in feeds
            if (at := getattr(known, key)) is not None
        ]

    yield Family(
        "sinkhole_feed_content_age_seconds", "gauge", "Since the content of a feed changed.", ages("changed_at")
    )
    yield Family("sinkhole_feed_fetch_age_seconds", "gauge", "Since a feed was last reached.", ages("fetched_at"))
    yield Family(
        "sinkhole_feed_rules",
        "gauge",
        "Rules of a feed.",
        [({"feed": feed.name}, known.rules) for feed, known in feeds],
    )
    yield Family(
        "sinkhole_feed_status", "gauge", "How the last sync of a feed ended: 1 for the status it has.",
        [({"feed": feed.name, "status": known.status.value}, 1) for feed, known in feeds],
    )  # fmt: skip


def _receiver_families(cursors: Sequence[Cursor], store: OutStore) -> Iterator[Family]:
    labelled = [({"receiver": one.receiver, "what": one.what}, one) for one in cursors]
    newest = {one.what: store.newest(one.what) for one in cursors}
    yield Family(
        "sinkhole_out_sent_events", "counter", "Events that a receiver took.",
        [(label, one.sent) for label, one in labelled],
    )  # fmt: skip
    yield Family(
        "sinkhole_out_lost_events", "counter", "Events deleted for their age before a receiver took them.",
        [(label, one.lost) for label, one in labelled],
    )  # fmt: skip
    yield Family(
        "sinkhole_out_waiting_events", "gauge", "Events that a receiver has not taken yet.",
        [(label, max(0, newest[one.what] - one.position)) for label, one in labelled],
    )  # fmt: skip
    yield Family(
        "sinkhole_out_failing", "gauge", "Whether a receiver takes nothing now.",
        [(label, one.failing is not None) for label, one in labelled],
    )  # fmt: skip
