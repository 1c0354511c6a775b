"""Values that more than one part of the API shows: a recorded query, a sync that ended."""

from datetime import datetime
from typing import Any

from sinkhole.protocol.types import qtype_to_text
from sinkhole.store.reports import HitLine
from sinkhole.web.model import Model, moment


class Hit(Model):
    """Equal queries of one client in one minute, as they are recorded."""

    id: int
    minute: datetime
    client: str
    group: str | None
    name: str
    type: str
    action: str
    vendor: str | None
    product: str | None
    feed: str | None
    subject: str | None
    count: int
    first: datetime
    last: datetime

    @classmethod
    def of(cls, line: HitLine) -> "Hit":
        """Return a row of the store."""
        hit = line.hit
        return cls(
            id=line.id, minute=moment(hit.minute * 60), client=hit.client, group=hit.group, name=hit.name,
            type=qtype_to_text(hit.qtype), action=hit.action, vendor=hit.vendor, product=hit.product, feed=hit.feed,
            subject=hit.subject, count=hit.count, first=moment(hit.first), last=moment(hit.last),
        )  # fmt: skip


class SyncRun(Model):
    """One sync of one feed, as it ended."""

    id: int
    at: datetime
    feed: str
    status: str
    took_ms: int
    rules: int
    message: str | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> "SyncRun":
        """Return a row of the store."""
        return cls(**(row | {"at": moment(row["at"])}))
