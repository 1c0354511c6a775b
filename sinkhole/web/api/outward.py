"""What leaves: alerts that were raised, and receivers with how far each has come."""

from datetime import datetime

from pydantic import Field

from sinkhole.app.out_status import receivers
from sinkhole.app.state import State
from sinkhole.noted import Alert
from sinkhole.store.alert_store import AlertStore
from sinkhole.web.model import Model, Moment, Page, Paged, moment, number_of_cursor


class AlertQuery(Paged):
    """Which alerts."""

    since: Moment | None = Field(None, description="Only those from then on.")


class AlertShown(Model):
    """Something that a person should know; `cause` is what it is about, such as a vendor."""

    id: int
    at: datetime
    kind: str
    cause: str
    text: str
    facts: dict[str, str | int]

    @classmethod
    def of(cls, one: Alert) -> "AlertShown":
        """Return an alert."""
        return cls(id=one.id, at=moment(one.at), kind=one.kind, cause=one.cause, text=one.text, facts=dict(one.facts))


class ReceiverShown(Model):
    """A receiver of the settings and one kind of what it is sent; null: no server was started with it yet."""

    name: str
    kind: str
    target: str = Field(description="Without path and query of a webhook, which may be secrets.")
    what: str
    format: str
    waiting: int
    sent: int | None
    lost: int | None
    last: datetime | None = Field(description="When it last took something.")
    failing: datetime | None = Field(description="Since when it takes nothing.")
    why: str | None


class Receivers(Model):
    """All of them."""

    items: list[ReceiverShown]


def list_alerts(state: State, query: AlertQuery) -> Page[AlertShown]:
    """List the alerts that were raised, the newest first."""
    since = 0 if query.since is None else int(query.since.timestamp())
    found = AlertStore(state.store).newest(query.limit + 1, since, number_of_cursor(query.cursor))
    shown = [AlertShown.of(one) for one in found[: query.limit]]
    return Page(items=shown, next=str(shown[-1].id) if len(found) > len(shown) else None)


def list_receivers(state: State) -> Receivers:
    """List where hits, alerts, audit entries and reports are sent, and how far each receiver has come."""
    return Receivers(
        items=[
            ReceiverShown(
                name=one.name, kind=one.kind, target=one.target, what=one.what, format=one.form, waiting=one.waiting,
                sent=one.cursor and one.cursor.sent, lost=one.cursor and one.cursor.lost,
                last=_moment(one.cursor.at if one.cursor else None),
                failing=_moment(one.cursor.failing if one.cursor else None), why=one.cursor and one.cursor.why,
            )
            for one in receivers(state)
        ]
    )  # fmt: skip


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment(at)
