"""Keep answers and give them again, fresh, ahead of their end, or stale when there is no other.

It stands behind the filter, so what it gives is judged when it is served: it needs to know nothing of policy, and a
swap does not empty it. It prefetches and refreshes only names that have just passed the filter, so a name that is
blocked now never leaves the server because it was popular before. It stands before coalesce, so that clients that
wait for a refresh and those that miss share one flight.

TTLs are counted on a monotonic clock: the wall clock may jump (R-D10).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sinkhole.config.schema import CacheSettings
from sinkhole.log import Log
from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.reply import Ede, ReplyBody
from sinkhole.protocol.types import EdeCode, Rcode
from sinkhole.resolver.answer import Answer, Source
from sinkhole.resolver.answer_store import AddressEntry, AnswerStore, Entry, Kept, Key, key_of
from sinkhole.resolver.background import Background
from sinkhole.resolver.cache_budget import CacheBudget
from sinkhole.resolver.failures import FailureMemory
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.lifetime import aged, limit, with_ttl
from sinkhole.resolver.query import Query

Clock = Callable[[], float]
"""Monotonic seconds."""

PREFETCH_SHARE: Final = 0.1
"""An answer that is asked for in this last part of its life is popular, and is refreshed."""

PREFETCH_LIFE: Final = 10.0
"""Seconds that an answer must live to be worth a refresh ahead of its end."""


@dataclass(frozen=True, slots=True)
class _Refresh:
    task: asyncio.Task[Answer | None]
    began: float


class Cache:
    """The stage.

    Args:
        settings: bounds and lifetimes.
        clock: monotonic seconds.
        background: where refreshes run.
        budget: the octets it may have.
    """

    def __init__(self, settings: CacheSettings, clock: Clock, background: Background, budget: CacheBudget) -> None:
        self._settings = settings
        self._min_ttl, self._max_ttl = settings.min_ttl, settings.max_ttl
        self._prefetches = settings.prefetch
        self._clock = clock
        self._background = background
        self._store = AnswerStore(settings.entries, budget)
        self._failures = FailureMemory()
        self._refreshes: dict[Key, _Refresh] = {}
        self._log = Log("resolver")

    async def __call__(self, query: Query, forward: Handler) -> Answer:
        """Answer from what is kept, or by `forward`, whose answer is then kept."""
        key, now = key_of(query), self._clock()
        entry = self._store.get(key)
        if entry is not None and now < entry.expires:
            if self._is_due(entry, now):
                self._refresh(key, query, forward)
            return self._fresh(entry, now)
        if entry is not None and now >= entry.expires + self._settings.stale:
            self._store.drop(key)
            entry = None
        # Within the life of a failure upstreams are left alone, also where a stale answer is given instead
        # (RFC 8767, section 5, "failure recheck timer"; RFC 9520, section 3.2).
        failed = self._failures.find(key, now)
        if failed is not None:
            return failed if entry is None else self._stale(entry)
        if entry is None:
            return await self._fetch(key, query, forward)
        return await self._refreshed_or_stale(key, entry, query, forward)

    def is_unknown(self, key: Key, now: float) -> bool:
        """Return whether nothing is kept for a question, neither an answer nor a failure."""
        return not self._store.holds(key) and self._failures.find(key, now) is None

    def may_keep(self, addresses: AddressSet) -> bool:
        """Return whether TTLs are within the limits, so that they need not be changed."""
        return 0 < addresses.ttl >= self._min_ttl and addresses.most_ttl <= self._max_ttl

    def keep_addresses(self, key: Key, name: bytes, qtype: int, addresses: AddressSet) -> float:
        """Keep a set of addresses that `may_keep` let through; return how long the reply may be repeated."""
        now = self._clock()
        expires = now + addresses.ttl
        self._store.put(key, AddressEntry(name, qtype, addresses, now, expires))
        return self._reusable_at_first(addresses.ttl)

    def keep(self, key: Key, body: ReplyBody) -> tuple[ReplyBody, float]:
        """Keep what an upstream said; return it with its TTLs limited, and how long the reply may be repeated."""
        now = self._clock()
        self._failures.forget(key)
        body, life = limit(body, self._settings)
        if life > 0:
            self._store.put(key, Entry(body, now, now + life))
        else:
            self._store.drop(key)  # what was kept there has been replaced, by something that must not be kept
        return body, self._reusable_at_first(life)

    async def _fetch(self, key: Key, query: Query, forward: Handler) -> Answer:
        answer = await forward(query)
        if answer.source is Source.ERROR:
            self._failures.remember(key, answer, self._clock())
            return answer
        body, reusable = self.keep(key, answer.body)
        return Answer(body, answer.verdict, reusable, answer.stale, answer.source)

    def _refresh(self, key: Key, query: Query, forward: Handler) -> _Refresh:
        """Begin a refresh of `key`, or return the one that is under way."""
        refresh = self._refreshes.get(key)
        if refresh is None:
            task = self._background.start(self._fetch_quietly(key, query, forward))
            refresh = self._refreshes[key] = _Refresh(task, self._clock())
        return refresh

    async def _fetch_quietly(self, key: Key, query: Query, forward: Handler) -> Answer | None:
        try:
            return await self._fetch(key, query, forward)
        except Exception:  # the edge of a task that nobody may be waiting for
            self._log.exception("cache.refresh_failed")
            return None
        finally:
            del self._refreshes[key]

    async def _refreshed_or_stale(self, key: Key, entry: Kept, query: Query, forward: Handler) -> Answer:
        """Wait for a refresh as long as a client should, then give what is there (RFC 8767, section 5)."""
        refresh = self._refresh(key, query, forward)
        patience = refresh.began + self._settings.stale_after - self._clock()
        await asyncio.wait({refresh.task}, timeout=max(0.0, patience))
        answer = refresh.task.result() if refresh.task.done() else None
        if answer is None or answer.source is Source.ERROR:
            return self._stale(entry)
        return answer

    def _is_due(self, entry: Kept, now: float) -> bool:
        return self._prefetches and now >= self._due_time(entry.born, entry.expires)

    def _due_time(self, born: float, expires: float) -> float:
        life = expires - born
        return expires if life < PREFETCH_LIFE else expires - life * PREFETCH_SHARE

    def _fresh(self, entry: Kept, now: float) -> Answer:
        return Answer(
            aged(entry.body, int(now - entry.born)),
            None,
            self._reusable(now, entry.born, entry.expires),
            source=Source.CACHE,
        )

    def _stale(self, entry: Kept) -> Answer:
        is_denial = entry.body.rcode == Rcode.NXDOMAIN
        ede = Ede(EdeCode.STALE_NXDOMAIN if is_denial else EdeCode.STALE_ANSWER)
        body = replace(with_ttl(entry.body, self._settings.stale_ttl), ede=(ede,), ad=False)
        return Answer(body, None, None, stale=True, source=Source.STALE)

    def _reusable_at_first(self, life: float) -> float:
        """Return the same for an answer that has just come and lives so long."""
        return life if life < PREFETCH_LIFE or not self._prefetches else life * (1 - PREFETCH_SHARE)

    def _reusable(self, now: float, born: float, expires: float) -> float:
        """Return how long the packet cache may repeat the answer before this stage must see the question again."""
        if not self._prefetches:
            return expires - now
        due = self._due_time(born, expires)
        return due - now if now < due else min(1.0, expires - now)
