"""The queue of names that look like AI: counted as they are seen, until someone accepts or ignores them."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from sinkhole.errors import PolicyError
from sinkhole.policy.sighting import Sighting
from sinkhole.public_suffix import registrable_domain
from sinkhole.store.audit import note
from sinkhole.store.database import Store
from sinkhole.store.models import CandidateClientRow, CandidateRow

MAX_WAITING = 2000
"""Domains that nobody has looked at; of more, those that were answered the least go."""
MAX_OF_ONE = 50
"""Of these, hosts below one registered domain: whoever owns one can make any number of names, and fill the queue."""
MAX_EXAMPLES = 3
MAX_CLIENTS = 1000
"""Clients that are kept of one domain."""
_MAX_REASONS = 8
_ROWS = select(*CandidateRow.__table__.c)


class CandidateState(StrEnum):
    """What people said of a domain."""

    NEW = "new"
    ACCEPTED = "accepted"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A domain that looks like AI.

    Attributes:
        domain: it and all below it.
        reasons: the signs, in words.
        examples: host names that were asked for.
        count: answers that were not given by a packet cache; `first` and `last` are epoch seconds.
        is_by_name: the name alone shows the signs.
        product: into which it was accepted.
        note: why it is ignored.
    """

    domain: str
    state: CandidateState
    reasons: tuple[str, ...]
    examples: tuple[str, ...]
    count: int
    first: int
    last: int
    is_by_name: bool
    product: str | None = None
    note: str | None = None


class CandidateStore:
    """Read the queue, and decide what is in it.

    Args:
        store: where it is.
        who: who decides, for the audit log.
    """

    def __init__(self, store: Store, who: str) -> None:
        self._store = store
        self._who = who

    def all(self, state: CandidateState | None = None, min_count: int = 0) -> list[Candidate]:
        """Return the candidates in one state, or in any, those with the most answers first."""
        query = _ROWS.where(CandidateRow.count >= min_count)
        if state is not None:
            query = query.where(CandidateRow.state == state.value)
        query = query.order_by(CandidateRow.count.desc(), CandidateRow.domain)
        with self._store.reading() as connection:
            return [_candidate(row) for row in connection.execute(query).mappings()]

    def find(self, domain: str) -> Candidate | None:
        """Return one, or None."""
        with self._store.reading() as connection:
            row = connection.execute(_ROWS.where(CandidateRow.domain == domain)).mappings().one_or_none()
            return None if row is None else _candidate(row)

    def domains(self, state: CandidateState, *, by_answer: bool = False) -> list[str]:
        """Return the domains in one state; with `by_answer` only those whose name alone shows nothing."""
        query = select(CandidateRow.domain).where(CandidateRow.state == state.value)
        if by_answer:
            query = query.where(CandidateRow.is_by_name.is_(False))
        with self._store.reading() as connection:
            return list(connection.execute(query.order_by(CandidateRow.domain)).scalars())

    def clients(self, domain: str) -> list[str]:
        """Return who asked for a domain, as far as that is kept."""
        query = select(CandidateClientRow.client).where(CandidateClientRow.domain == domain)
        with self._store.reading() as connection:
            return list(connection.execute(query.order_by(CandidateClientRow.client)).scalars())

    def client_counts(self) -> dict[str, int]:
        """Return how many clients asked for each domain of which that is kept."""
        query = select(CandidateClientRow.domain, func.count()).group_by(CandidateClientRow.domain)
        with self._store.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def decide(
        self, domain: str, state: CandidateState, *, product: str | None = None, reason: str | None = None
    ) -> Candidate:
        """Put a candidate into another state, and return it as it is then.

        Args:
            product: into which it is accepted.
            reason: why it is ignored.

        Raises:
            PolicyError: there is no such candidate.
        """
        with self._store.transaction() as connection:
            before = self.find(domain)
            if before is None:
                raise PolicyError(f"there is no candidate {domain!r}")
            values = {"state": state.value, "product": product, "note": reason}
            connection.execute(update(CandidateRow).where(CandidateRow.domain == domain).values(values))
            after = self.find(domain)
            what = {CandidateState.NEW: "reopened", CandidateState.ACCEPTED: f"accepted into {product}"}
            note(connection, self._who, f"candidate {domain} {what.get(state, state.value)}", before, after)
            return before if after is None else after

    def forget(self, before: int) -> int:
        """Delete candidates that nobody looked at and that were not seen since `before`; return how many.

        Of those that stay since someone decided on them, who asked goes.
        """
        with self._store.transaction() as connection:
            connection.exec_driver_sql(
                "DELETE FROM candidate_client WHERE domain IN (SELECT domain FROM candidate WHERE last < ?)", (before,)
            )
            gone = connection.exec_driver_sql(
                "DELETE FROM candidate WHERE state = ? AND last < ?", (CandidateState.NEW.value, before)
            )
            return int(gone.rowcount)


def add_sightings(
    connection: Connection, sightings: Iterable[Sighting], client_text: Callable[[str], str], most: int = MAX_WAITING
) -> None:
    """Count sightings, within the transaction of `connection`.

    What is at or below a domain that is known counts for that one.

    Args:
        client_text: what is stored of a client's address; empty for nothing.
        most: domains that may wait.
    """
    for sighting in sightings:
        domain = _home(connection, sighting.domain)
        known = connection.execute(_ROWS.where(CandidateRow.domain == domain)).mappings().one_or_none()
        if known is None:
            connection.execute(insert(CandidateRow), _row(sighting))
        else:
            values = _added(_candidate(known), sighting)
            connection.execute(update(CandidateRow).where(CandidateRow.domain == domain).values(values))
        _add_clients(connection, domain, [text for client in sighting.clients if (text := client_text(client))])
    _trim(connection, most)


def _trim(connection: Connection, most: int) -> None:
    """Delete those that were answered the least: of too many below one registered domain, then of all."""
    query = select(CandidateRow.domain).where(CandidateRow.state == CandidateState.NEW.value)
    waiting = connection.execute(query.order_by(CandidateRow.count.desc(), CandidateRow.last.desc())).scalars()
    kept: Counter[str] = Counter()
    gone: list[tuple[str]] = []
    for number, domain in enumerate(waiting):
        owned = registrable_domain(domain) or domain
        if kept[owned] >= MAX_OF_ONE or number - len(gone) >= most:
            gone.append((domain,))
        else:
            kept[owned] += 1
    if gone:
        connection.exec_driver_sql("DELETE FROM candidate WHERE domain = ?", gone)


def _home(connection: Connection, domain: str) -> str:
    labels = domain.split(".")
    above = [".".join(labels[at:]) for at in range(len(labels))]
    query = select(CandidateRow.domain).where(CandidateRow.domain.in_(above))
    return min(connection.execute(query).scalars(), key=len, default=domain)


def _row(sighting: Sighting) -> dict[str, object]:
    return {
        "domain": sighting.domain, "state": CandidateState.NEW.value, "reasons": _json(sighting.reasons),
        "examples": _json(sighting.examples[:MAX_EXAMPLES]), "count": sighting.count, "first": sighting.first,
        "last": sighting.last, "is_by_name": sighting.is_by_name,
    }  # fmt: skip


def _added(known: Candidate, sighting: Sighting) -> dict[str, object]:
    return {
        "reasons": _json(tuple(dict.fromkeys((*known.reasons, *sighting.reasons)))[:_MAX_REASONS]),
        "examples": _json(tuple(dict.fromkeys((*known.examples, *sighting.examples)))[:MAX_EXAMPLES]),
        "count": known.count + sighting.count,
        "first": min(known.first, sighting.first),
        "last": max(known.last, sighting.last),
        "is_by_name": known.is_by_name or (sighting.is_by_name and sighting.domain == known.domain),
    }


def _add_clients(connection: Connection, domain: str, clients: Sequence[str]) -> None:
    if not clients:
        return
    query = select(func.count()).select_from(CandidateClientRow).where(CandidateClientRow.domain == domain)
    room = MAX_CLIENTS - connection.execute(query).scalar_one()
    for client in clients[: max(0, room)]:
        connection.exec_driver_sql(
            "INSERT INTO candidate_client (domain, client) VALUES (?, ?) ON CONFLICT DO NOTHING", (domain, client)
        )


def _candidate(row: RowMapping) -> Candidate:
    return Candidate(
        domain=row["domain"], state=CandidateState(row["state"]), reasons=tuple(json.loads(row["reasons"])),
        examples=tuple(json.loads(row["examples"])), count=row["count"], first=row["first"], last=row["last"],
        is_by_name=bool(row["is_by_name"]), product=row["product"], note=row["note"],
    )  # fmt: skip


def _json(texts: Sequence[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=False)
