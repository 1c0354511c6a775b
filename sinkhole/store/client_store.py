"""Clients that were seen: who they were at last, and how often they asked in which hour."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from sinkhole.policy.activity import Activity
from sinkhole.policy.identity import Identity
from sinkhole.store.database import Store

MAX_CLIENTS = 65_536
"""Clients kept; a further one takes the place of one that asked once, the longest ago, or else the longest ago."""
MAX_HOURS = 1_000_000
"""Rows of hours kept, about 30 MB; of more the oldest go."""
HOUR = 3600
_CHUNK = 500
_UNCOUNTED = 'SELECT text, "first", "last", "groups", mac, names, ids, host, 0 FROM client'
_INSERT = (
    'INSERT INTO client (text, "first", "last", "groups", names, ids) VALUES (?, ?, ?, ?, \'\', \'\') '
    "ON CONFLICT (text) DO UPDATE SET "
    '"first" = min("first", excluded."first"), "last" = max("last", excluded."last"), "groups" = excluded."groups"'
)
_ADD = (
    "INSERT INTO client_hour (hour, client, queries, alive) VALUES (?, ?, ?, 0) "
    "ON CONFLICT (hour, client) DO UPDATE SET queries = queries + excluded.queries"
)
_ALIVE = (
    "INSERT INTO client_hour (hour, client, queries, alive) SELECT ?, id, 0, 1 FROM client WHERE text = ? "
    "ON CONFLICT (hour, client) DO UPDATE SET alive = 1"
)


@dataclass(frozen=True, slots=True)
class SeenClient:
    """A client that asked.

    Attributes:
        text: its address as it is stored, a pseudonym where that is the setting.
        first, last: first and last query, epoch seconds.
        groups: those it was in at its last query, the strongest first.
        identity, host: who it was at last; nothing for a pseudonym.
        queries: how many in the time asked for.
    """

    text: str
    first: int
    last: int
    groups: tuple[str, ...]
    identity: Identity
    host: str | None
    queries: int

    @property
    def name(self) -> str | None:
        """A name to show: a verified one, else that which it gave to its DHCP server."""
        return self.identity.names[0] if self.identity.names else self.host


class HourOfClient(NamedTuple):
    """What one client did in one hour (since the epoch): queries, and whether a source said that it was there."""

    client: str
    hour: int
    queries: int
    is_alive: bool


def write_activities(connection: Connection, activities: Iterable[Activity], client_text: Callable[[str], str]) -> None:
    """Add who asked how often, in the transaction of `connection`; a client without a text is not kept."""
    clients: dict[str, tuple[int, int, str]] = {}
    hours: dict[tuple[int, str], int] = {}
    for one in activities:
        text = client_text(one.client)
        if not text:
            continue
        first, last, _ = clients.get(text, (one.first, one.last, ""))
        clients[text] = (min(first, one.first), max(last, one.last), "\n".join(one.groups))
        key = (one.last // HOUR, text)
        hours[key] = hours.get(key, 0) + one.queries
    if not clients:
        return
    known = _ids(connection, clients)
    new = [text for text in clients if text not in known][:MAX_CLIENTS]
    if known:
        connection.exec_driver_sql(_INSERT, [(text, *clients[text]) for text in known])
    if new:
        _make_room(connection, _count(connection, "client") + len(new) - MAX_CLIENTS)
        connection.exec_driver_sql(_INSERT, [(text, *clients[text]) for text in new])
    ids = _ids(connection, (*known, *new))
    rows = [(hour, ids[text], queries) for (hour, text), queries in hours.items() if text in ids]
    if rows:
        connection.exec_driver_sql(_ADD, rows)


def _make_room(connection: Connection, count: int) -> None:
    """Forget so many clients, if more than none: forged addresses ask once, and go first.

    Their hours age out by themselves; nobody else ever gets their ids.
    """
    if count > 0:
        chosen = 'SELECT id FROM client ORDER BY "first" < "last", "last", id LIMIT ?'
        connection.exec_driver_sql(f"DELETE FROM client WHERE id IN ({chosen})", (count,))  # noqa: S608 - ours


class ClientStore:
    """Read who was seen, and note who it is.

    Args:
        store: where.
        client_text: what is stored of a client's address.
    """

    def __init__(self, store: Store, client_text: Callable[[str], str]) -> None:
        self._store = store
        self._client_text = client_text

    def note_identities(self, identities: Iterable[tuple[str, Identity, str | None]]) -> None:
        """Note who is at some addresses, and the host name given to DHCP; of who never asked nothing is kept."""
        rows = [
            (one.mac, "\n".join(one.names), "\n".join(one.ids), host, self._client_text(address))
            for address, one, host in identities
        ]
        if rows:
            with self._store.transaction() as connection:
                sql = "UPDATE client SET mac = ?, names = ?, ids = ?, host = ? WHERE text = ?"
                connection.exec_driver_sql(sql, rows)

    def note_alive(self, addresses: Iterable[str], now: float) -> None:
        """Note that clients were there in this hour, whether or not they asked."""
        rows = [(int(now) // HOUR, self._client_text(address)) for address in addresses]
        if rows:
            with self._store.transaction() as connection:
                connection.exec_driver_sql(_ALIVE, rows)

    def seen(self, since: int) -> list[SeenClient]:
        """Return the clients that asked since a time (epoch seconds), the last first."""
        return self._clients('"last" >= ?', since, since)

    def find(self, address: str) -> SeenClient | None:
        """Return one client."""
        return self.find_text(self._client_text(address))

    def find_text(self, text: str) -> SeenClient | None:
        """Return one client by its address as it is stored."""
        found = self._clients("text = ?", text)
        return found[0] if found else None

    def names(self, texts: Iterable[str]) -> dict[str, str]:
        """Return what to call clients, by their addresses as they are stored; those without a name are left out."""
        sql = f"{_UNCOUNTED} WHERE text IN (SELECT value FROM json_each(?))"  # noqa: S608 - ours
        with self._store.reading() as connection:
            found = [_client(*row) for row in connection.exec_driver_sql(sql, (json.dumps(sorted(texts)),))]
        return {one.text: one.name for one in found if one.name}

    def known(self, since: int = 0) -> list[SeenClient]:
        """Return those of `seen`; how often they asked is not counted, which takes longer than all else: it is 0."""
        sql = f'{_UNCOUNTED} WHERE "last" >= ? ORDER BY "last" DESC, text'
        with self._store.reading() as connection:
            return [_client(*row) for row in connection.exec_driver_sql(sql, (since,))]

    def hours(self, since: int) -> list[HourOfClient]:
        """Return what clients did hour by hour, from the hour of a time on."""
        sql = (
            "SELECT text, hour, queries, alive FROM client_hour JOIN client ON client.id = client_hour.client "
            "WHERE hour >= ? ORDER BY hour"
        )
        with self._store.reading() as connection:
            rows = connection.exec_driver_sql(sql, (since // HOUR,)).fetchall()
        return [HourOfClient(text, hour, queries, bool(alive)) for text, hour, queries, alive in rows]

    def look_of_hours(self, since: int, this_hour: int) -> tuple[int, ...]:
        """Return numbers that change with what clients did from the hour of a time on, until before `this_hour`.

        What is kept of an hour only grows, so sums tell.
        """
        sql = (
            "SELECT COUNT(*), COALESCE(SUM(queries), 0), COALESCE(SUM(alive), 0) FROM client_hour "
            "WHERE hour >= ? AND hour < ?"
        )
        with self._store.reading() as connection:
            return tuple(connection.exec_driver_sql(sql, (since // HOUR, this_hour)).one())

    def _clients(self, where: str, value: int | str, since: int = 0) -> list[SeenClient]:
        sql = f"""
            WITH chosen AS MATERIALIZED (SELECT * FROM client WHERE {where}), counted AS MATERIALIZED (
                SELECT client, SUM(queries) AS queries FROM client_hour
                WHERE hour >= ? AND client IN (SELECT id FROM chosen) GROUP BY client
            )
            SELECT text, "first", "last", "groups", mac, names, ids, host, COALESCE(queries, 0) FROM chosen
            LEFT JOIN counted ON client = id ORDER BY "last" DESC, text
        """  # noqa: S608 - conditions of ours, values are bound
        with self._store.reading() as connection:
            return [_client(*row) for row in connection.exec_driver_sql(sql, (value, since // HOUR))]


def forget_clients(store: Store, days: int, now: float) -> Iterator[int]:
    """Delete what is older than `days`, and the oldest hours of too many; each step is a short transaction.

    Yields:
        0, since none of it is a hit.
    """
    oldest = int(now) // HOUR - days * 24
    while True:
        with store.transaction() as connection:
            first = connection.exec_driver_sql("SELECT MIN(hour) FROM client_hour").scalar()
            if first is None or (first >= oldest and _count(connection, "client_hour") <= MAX_HOURS):
                break
            connection.exec_driver_sql("DELETE FROM client_hour WHERE hour = ?", (first,))
        yield 0
    with store.transaction() as connection:
        connection.exec_driver_sql('DELETE FROM client WHERE "last" < ?', (oldest * HOUR,))
    yield 0


def _client(
    text: str, first: int, last: int, groups: str, mac: str | None, names: str, ids: str, host: str | None, queries: int
) -> SeenClient:
    identity = Identity(mac, tuple(names.splitlines()), tuple(ids.splitlines()))
    return SeenClient(text, first, last, tuple(groups.splitlines()), identity, host, queries)


def _ids(connection: Connection, texts: Iterable[str]) -> dict[str, int]:
    wanted: Sequence[str] = sorted(texts)
    found: dict[str, int] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        sql = f"SELECT text, id FROM client WHERE text IN ({marks})"  # noqa: S608 - marks only
        found.update((str(text), int(number)) for text, number in connection.exec_driver_sql(sql, tuple(chunk)))
    return found


def _count(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one())  # noqa: S608 - our tables
