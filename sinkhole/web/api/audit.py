"""The audit log: who changed what, when and from where, and whether the log is whole."""

import json
from datetime import datetime
from typing import Any

from pydantic import Field

from sinkhole.app.state import State
from sinkhole.noted import AuditEntry
from sinkhole.store.audit import entries, entry_of, verify
from sinkhole.web.model import Model, Moment, Nothing, Number, Page, Paged, Word, moment, number_of_cursor
from sinkhole.web.problem import not_found


class EntryPlace(Model):
    """An entry by its number."""

    number: Number


class AuditQuery(Paged):
    """Which entries."""

    since: Moment | None = Field(None, description="None older than this.")
    text: Word | None = Field(None, description="Only those in which it occurs, in whatever letter case.")


class Entry(Model):
    """One change, with the values before and after."""

    id: int
    at: datetime
    who: str
    origin: str
    what: str
    before: Any
    after: Any
    digest: str | None

    @classmethod
    def of(cls, entry: AuditEntry) -> "Entry":
        """Return an entry of the log."""
        return cls(
            id=entry.id, at=moment(entry.at), who=entry.who, origin=entry.origin, what=entry.what,
            before=_value(entry.before), after=_value(entry.after), digest=entry.digest,
        )  # fmt: skip


class Chain(Model):
    """Whether each entry is as it was written, and none is missing between."""

    whole: bool
    entries: int
    head: str | None
    broken: list[int]


def list_entries(state: State, query: AuditQuery) -> Page[Entry]:
    """List changes, the newest first."""
    since = 0 if query.since is None else int(query.since.timestamp())
    with state.store.reading() as connection:
        found = entries(
            connection, query.limit + 1, since=since, text=query.text or "", before=number_of_cursor(query.cursor)
        )
    shown = [Entry.of(entry) for entry in found[: query.limit]]
    return Page[Entry](items=shown, next=str(shown[-1].id) if len(found) > len(shown) else None)


def show_entry(state: State, place: EntryPlace) -> Entry:
    """Show one change."""
    with state.store.reading() as connection:
        found = entry_of(connection, place.number)
    if found is None:
        raise not_found(f"entry {place.number}")
    return Entry.of(found)


def verify_chain(state: State, query: Nothing) -> Chain:
    """Tell whether the audit log is whole."""
    with state.store.reading() as connection:
        found = verify(connection)
    return Chain(whole=not found.broken, entries=found.count, head=found.head or None, broken=list(found.broken))


def _value(text: str | None) -> Any:
    """Read a value; what someone else put there is shown as it is."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text
