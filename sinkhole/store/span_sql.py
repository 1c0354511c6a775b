"""The SQL that counts hits of a time by something, so that counts of adjoining times may be added up.

An attempt counts for the time in which it begins, and so does its client; whether it begins there is told from the hits
before, too. What was under way when a report begins is counted by itself (`under_way`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from sinkhole.policy.verdict import Action
from sinkhole.store.attempts import GAP


class By(Enum):
    """What hits are counted by; the values are stored.

    ALL is by whether they are for a vendor. VENDOR has a group as its part, PAIR is of a client and has a vendor as its
    part, 0 for none. BYPASS is of a client, too, and has a name as its part; only hits of ways round policy are in it.
    """

    ALL = 0
    CLIENT = 1
    VENDOR = 2
    PRODUCT = 3
    GROUP = 4
    FEED = 5
    SUBJECT = 6
    NAME = 7
    CATEGORY = 8
    PAIR = 9
    BYPASS = 10


OF_CLIENT = (By.CLIENT, By.PAIR, By.BYPASS)
"""Those whose key is a client."""


class Labels:
    """What follows from the product of a hit: its categories.

    Args:
        label_of: products to their labels; one without any is left out.
    """

    def __init__(self, label_of: Mapping[str, Sequence[str]]) -> None:
        self.names = tuple(sorted({label for labels in label_of.values() for label in labels}))
        self._label_of = label_of
        self._number = {name: n for n, name in enumerate(self.names)}
        pairs = sorted((self._number[label], product) for product, labels in label_of.items() for label in labels)
        self.json = json.dumps(pairs)
        self._told = json.dumps([self.names, pairs])

    @cached_property
    def digest(self) -> str:
        """A text that changes with any of it."""
        return sha256(self._told.encode()).hexdigest()[:16]

    def numbers_of(self, texts: Mapping[int, str]) -> dict[int, tuple[int, ...]]:
        """Return the places in `names` of the labels of words, given their texts."""
        return {
            word: tuple(self._number[label] for label in labels)
            for word, text in texts.items()
            if (labels := self._label_of.get(text))
        }


@dataclass(frozen=True, slots=True)
class Edge:
    """An end of a time, in epoch seconds; rows that lie across it are on the side of their last query, or first."""

    at: int
    is_by_first: bool = False

    @property
    def column(self) -> str:
        """What of a row is compared."""
        return "first" if self.is_by_first else "last"


_VENDOR = "client, vendor"
_SOURCES = {
    By.ALL: ("vendor IS NOT NULL", "0", _VENDOR),
    By.CLIENT: ("client", "0", _VENDOR),
    By.VENDOR: ("vendor", 'COALESCE("group", 0)', _VENDOR),
    By.PRODUCT: ("product", "0", "product, client, vendor"),
    By.GROUP: ('"group"', "0", '"group", client, vendor'),
    By.FEED: ("feed", "0", "feed, client, vendor"),
    By.SUBJECT: ("subject", "0", "subject, client, vendor"),
    By.NAME: ("name", "0", "name, client, vendor"),
    By.CATEGORY: ("label", "0", "label, client, vendor"),
    By.PAIR: ("client", "COALESCE(vendor, 0)", _VENDOR),
    By.BYPASS: ("client", "name", "client, name"),
}
"""Key, part, and what tells the attempts apart."""
_WAYS = "AND subject IN (SELECT id FROM word WHERE text >= 'bypass:' AND text < 'bypass;')"
_LABELS = """
    WITH label AS MATERIALIZED (
        SELECT pair.value ->> 0 AS label, word.id AS labelled
        FROM json_each(:labels) pair JOIN word ON word.text = pair.value ->> 1
    )
"""
_LABELLED = "hit CROSS JOIN label ON labelled = product"  # CROSS: hits in the outer loop
_DONE = "SUM(CASE WHEN action = {} THEN count ELSE 0 END)"
_COUNTS = f"SUM(count), {_DONE.format(Action.BLOCK.value)}, {_DONE.format(Action.COACH.value)}, MIN(first), MAX(last)"
_RAW = """
    {labels} SELECT k, part, client, SUM(gap IS NULL OR gap > :window), {counts}
    FROM (
        SELECT {key} AS k, {part} AS part, client, action, count, first, last, {gap}
        FROM {tables} WHERE minute >= :context AND minute <= :last AND {key} IS NOT NULL {only}
    ) WHERE {low} >= :since AND {high} < :until GROUP BY k, part, client
"""
_UNDER_WAY = """
    {labels} SELECT k, part, client FROM (
        SELECT k, part, client, gap, ROW_NUMBER() OVER (PARTITION BY {by} ORDER BY first, id) AS place
        FROM (
            SELECT {key} AS k, {part} AS part, hit.*, {label} {gap}
            FROM {tables} WHERE minute >= :context AND minute <= :last AND {key} IS NOT NULL {only}
        ) WHERE last >= :since AND {high} < :until
    ) WHERE place = 1 AND gap <= :window
"""


@dataclass(frozen=True, slots=True)
class Which:
    """Which hits: `labels` for `By.CATEGORY`; `only` one key, and one `part`; None: any."""

    labels: Labels | None = None
    only: int | None = None
    part: int | None = None


def counted(
    connection: Connection, by: By, since: Edge, until: Edge, window: int, which: Which
) -> Sequence[Any]:  # fmt: skip
    """Return key, part, client, attempts that began, hits, blocked, coached, first and last of a time, from hits.

    Args:
        window: seconds, of an attempt.
    """
    bound: dict[str, object] = {"since": since.at, "until": until.at, "last": until.at // 60}
    sql = _RAW.format(**_said(by, bound, since.at, window, which), counts=_COUNTS, low=since.column, high=until.column)
    return connection.exec_driver_sql(sql, bound).fetchall()


def under_way(
    connection: Connection, by: By, since: int, until: Edge, window: int, which: Which
) -> Sequence[Any]:  # fmt: skip
    """Return key, part and client of each attempt that began before a time, and goes on in it."""
    bound: dict[str, object] = {"since": since, "until": until.at, "last": min(until.at, since + window) // 60}
    label = "label," if by is By.CATEGORY else ""
    said = _said(by, bound, since, window, which)
    sql = _UNDER_WAY.format(**said, by=_SOURCES[by][2], high=until.column, label=label)
    return connection.exec_driver_sql(sql, bound).fetchall()


def _said(by: By, bound: dict[str, object], since: int, window: int, which: Which) -> dict[str, str]:
    key, part, apart = _SOURCES[by]
    bound |= {"context": max(0, (since - window) // 60 - 1), "window": window}
    only = _WAYS if by is By.BYPASS else ""
    for name, column, value in (("only", key, which.only), ("part", part, which.part)):
        if value is not None:
            bound[name] = value
            only += f" AND {column} = :{name}"
    if by is By.CATEGORY:
        bound["labels"] = "[]" if which.labels is None else which.labels.json
    return {
        "key": key, "part": part, "gap": GAP.format(by=apart), "only": only,
        "labels": _LABELS if by is By.CATEGORY else "", "tables": _LABELLED if by is By.CATEGORY else "hit",
    }  # fmt: skip
