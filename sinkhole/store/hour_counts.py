"""Attempts by vendor and hour, of the last day or so: from hits, of which a day is little."""

from sinkhole.store.attempts import GAP
from sinkhole.store.database import Store

_HOUR = 3600
_HOURS = f"""
    SELECT hour, word.text, attempts FROM (
        SELECT first / {_HOUR} AS hour, vendor, SUM(gap IS NULL OR gap > :window) AS attempts
        FROM (SELECT vendor, first, {GAP.format(by="client, vendor")}
              FROM hit WHERE last >= :since AND last < :until AND minute >= :minute AND vendor IS NOT NULL)
        GROUP BY 1, 2
    ) JOIN word ON word.id = vendor WHERE attempts > 0
"""  # noqa: S608 - constants only, values are bound


def attempts_by_hour(store: Store, window: int, since: int, until: int) -> dict[int, dict[str, int]]:
    """Return attempts by vendor, by hours since the epoch in which they began; a time of some days at most.

    Args:
        window: seconds, of an attempt.
        since, until: epoch seconds.
    """
    found: dict[int, dict[str, int]] = {}
    bound = {"since": since, "until": until, "minute": since // 60, "window": window}
    with store.reading() as connection:
        for hour, vendor, attempts in connection.exec_driver_sql(_HOURS, bound):
            found.setdefault(int(hour), {})[str(vendor)] = int(attempts)
    return found
