"""How a feed stands after a sync, an approval or a rollback: state in, state out."""

from dataclasses import replace
from datetime import datetime

from sinkhole.feeds.fetched import Validators
from sinkhole.feeds.reading import Report
from sinkhole.feeds.snapshot import Meta
from sinkhole.policy.feed import FeedState, FeedStatus


def failed(state: FeedState, why: str, next_due: datetime) -> FeedState:
    """Return the state after a sync that brought nothing: the last good rules stay."""
    status = FeedStatus.KEPT if state.version else FeedStatus.FAILED
    return replace(state, status=status, failures=state.failures + 1, next_due=next_due, message=why)


def unchanged(state: FeedState, validators: Validators, now: datetime, next_due: datetime) -> FeedState:
    """Return the state when the server has what we have."""
    return replace(
        state,
        status=FeedStatus.UNCHANGED,
        pending_version=None,
        etag=validators.etag,
        last_modified=validators.last_modified,
        fetched_at=now,
        next_due=next_due,
        failures=0,
        message=None,
    )


def refused(state: FeedState, version: int, now: datetime, next_due: datetime) -> FeedState:
    """Return the state when the server still has what someone went back from."""
    return replace(
        state,
        status=FeedStatus.KEPT if state.version else FeedStatus.FAILED,
        pending_version=None,
        fetched_at=now,
        next_due=next_due,
        failures=0,
        message=f"its content is still that of version {version}, which was rolled back",
    )


def held(state: FeedState, meta: Meta, version: int, now: datetime, next_due: datetime) -> FeedState:
    """Return the state when new content waits for approval."""
    return replace(
        state,
        status=FeedStatus.QUARANTINED,
        pending_version=version,
        fetched_at=now,
        next_due=next_due,
        failures=0,
        message=f"version {version} waits for approval: {'; '.join(meta.held)}",
    )


def adopted(state: FeedState, meta: Meta, version: int, now: datetime, message: str | None) -> FeedState:
    """Return the state when a version comes into force."""
    return replace(
        state,
        status=FeedStatus.UPDATED,
        version=version,
        pending_version=None,
        sha256=meta.source,
        etag=meta.etag,
        last_modified=meta.last_modified,
        changed_at=state.changed_at if state.sha256 == meta.source else now,
        failures=0,
        rules=meta.rules,
        rejected=meta.rejected,
        message=message,
    )


def remark(report: Report) -> str | None:
    """Return what should be known of a list that was taken over; None when every row was accepted."""
    if not report.rejected:
        return None
    protected = f"{report.protected} of them for a protected name, " if report.protected else ""
    rows = "1 row" if report.rejected == 1 else f"{report.rejected} rows"
    return f"{rows} rejected, {protected}such as {report.samples[0]}"
