"""Alerts, each once for a cause and period, and what is remembered to raise them."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection

from sinkhole.noted import Alert
from sinkhole.store.database import Store

KEPT = 10_000
"""Alerts that are kept, the newest."""


class AlertStore:
    """Raise and read alerts; `store` is where they are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, alert: Alert, period: int) -> bool:
        """Keep an alert, unless there is one of its kind and cause of the last `period` seconds; return whether.

        Its number is the store's to give. One from the future, of a clock that was wrong, stops none.
        """
        with self._store.transaction() as connection:
            found = connection.exec_driver_sql(
                "SELECT 1 FROM alert WHERE kind = ? AND cause = ? AND at > ? AND at <= ? LIMIT 1",
                (alert.kind, alert.cause, alert.at - period, alert.at),
            ).fetchone()
            if found is not None:
                return False
            facts = json.dumps(dict(alert.facts), separators=(",", ":"))
            connection.exec_driver_sql(
                "INSERT INTO alert (at, kind, cause, text, facts) VALUES (?, ?, ?, ?, ?)",
                (alert.at, alert.kind, alert.cause, alert.text, facts),
            )
            last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'alert'").scalar()
            connection.exec_driver_sql("DELETE FROM alert WHERE id <= ?", (int(last or 0) - KEPT,))
            return True

    def after(self, position: int, limit: int) -> list[Alert]:
        """Return the alerts that follow one, oldest first."""
        return self._alerts("WHERE id > ? ORDER BY id LIMIT ?", (position, limit))

    def newest(self, limit: int, since: int = 0, before: int | None = None) -> list[Alert]:
        """Return the last alerts since a time, newest first; with `before`, those of a smaller number."""
        if before is None:
            return self._alerts("WHERE at >= ? ORDER BY id DESC LIMIT ?", (since, limit))
        return self._alerts("WHERE at >= ? AND id < ? ORDER BY id DESC LIMIT ?", (since, before, limit))

    def _alerts(self, where: str, bound: tuple[int, ...]) -> list[Alert]:
        with self._store.reading() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT id, at, kind, cause, text, facts FROM alert {where}",  # noqa: S608 - conditions of ours
                bound,
            )
            return [
                Alert(number, at, kind, cause, text, json.loads(facts)) for number, at, kind, cause, text, facts in rows
            ]

    def remembered(self, kind: str) -> dict[str, int]:
        """Return what is remembered of a kind."""
        with self._store.reading() as connection:
            rows = connection.exec_driver_sql("SELECT key, value FROM alert_memory WHERE kind = ?", (kind,))
            return {str(key): int(value) for key, value in rows}

    def remember(self, kind: str, values: Mapping[str, int]) -> None:
        """Remember values, in place of those of the same keys."""
        if not values:
            return
        with self._store.transaction() as connection:
            connection.exec_driver_sql(
                "INSERT INTO alert_memory (kind, key, value) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
                [(kind, key, value) for key, value in values.items()],
            )

    def forget(self, kind: str, keys: set[str]) -> None:
        """Forget values."""
        if keys:
            with self._store.transaction() as connection:
                sql = "DELETE FROM alert_memory WHERE kind = ? AND key = ?"
                connection.exec_driver_sql(sql, [(kind, key) for key in sorted(keys)])

    def vendors_seen(self, first_minute: int) -> dict[str, int]:
        """Return when each vendor was last asked for: from sums of days, and from hits since a minute."""
        with self._store.reading() as connection:
            found = _by_day(connection)
            rows = connection.exec_driver_sql(
                "SELECT w.text, MAX(last) FROM hit JOIN word w ON w.id = vendor WHERE minute >= ? GROUP BY 1",
                (first_minute,),
            )
            for vendor, last in rows:
                found[vendor] = max(found.get(vendor, 0), int(last))
            return found

    def last_summed_minute(self) -> int:
        """Return the first minute behind the last day that was summed up."""
        with self._store.reading() as connection:
            day = connection.exec_driver_sql("SELECT MAX(day) FROM daily").scalar()
            return 0 if day is None else (int(day) + 1) * 1440


def _by_day(connection: Connection) -> dict[str, int]:
    rows = connection.exec_driver_sql("SELECT vendor, MAX(day) FROM daily WHERE vendor <> '' GROUP BY 1")
    return {str(vendor): (int(day) + 1) * 86_400 - 1 for vendor, day in rows}
