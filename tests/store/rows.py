"""Rows of hits for tests, all in one minute unless told otherwise."""

from typing import Any

from sinkhole.policy.activity import Activity
from sinkhole.policy.hit import HitRow
from sinkhole.store.recorder import HitBatch

MINUTE = 29_300_000
"""Some minute of the year 2025."""
START = MINUTE * 60
_ROW = HitRow(
    minute=MINUTE, client="192.0.2.1", group=None, name="chat.example.org", qtype=1, action="block",
    vendor="example", product="example/chat", feed=None, subject="ai", count=1, first=START, last=START,
)  # fmt: skip


def row(**fields: Any) -> HitRow:
    """Return a row; `at`, seconds after `START`, sets minute, first and last."""
    if (at := fields.pop("at", None)) is not None:
        fields = {"minute": (START + at) // 60, "first": START + at, "last": START + at} | fields
    return _ROW._replace(**fields)


def batch(
    *rows: HitRow, seq: int = 1, worker: str = "worker", dropped: int = 0, clients: tuple[Activity, ...] = ()
) -> HitBatch:
    """Return a batch of rows."""
    return HitBatch(worker, seq, rows, dropped, clients=clients)
