"""Keep what whole spans add up to: a report that is asked for again counts only what has come since."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

MOST_WEIGHT = 300_000
"""Rows and, ten to one, clients of rows that are kept: some 60 MB."""

MOST_TEXTS = 50_000
"""Texts of words that are kept, some 5 MB."""


@dataclass(slots=True)
class Sum:
    """What was done of something in a time; `clients` are words of those who began an attempt. Times: epoch seconds."""

    attempts: int = 0
    hits: int = 0
    blocked: int = 0
    coached: int = 0
    first: int = 2**62
    last: int = 0
    clients: set[int] = field(default_factory=set)
    is_shared: bool = field(default=False, compare=False)
    """Whether the clients are also those of another sum, and so must not be changed in place."""

    def add(self, attempts: int, hits: int, blocked: int, coached: int, first: int, last: int) -> None:
        """Add counts of another part of the time."""
        self.attempts += attempts
        self.hits += hits
        self.blocked += blocked
        self.coached += coached
        if first < self.first:
            self.first = first
        if last > self.last:
            self.last = last

    def join(self, other: "Sum") -> None:
        """Add another sum."""
        self.add(other.attempts, other.hits, other.blocked, other.coached, other.first, other.last)
        self.meet(other.clients)

    def meet(self, clients: Iterable[int]) -> None:
        """Add clients."""
        if self.is_shared:
            self.clients, self.is_shared = set(self.clients), False
        self.clients.update(clients)

    def copy(self) -> "Sum":
        """Return one like it; its clients are copied when there come more."""
        return Sum(self.attempts, self.hits, self.blocked, self.coached, self.first, self.last, self.clients, True)


Sums = dict[tuple[int, int], Sum]
"""By key and part, both ids of words but for `By.ALL` and `By.CATEGORY`."""


class SpanCache:
    """The sums asked for last, by what they are made of; threads may share one."""

    def __init__(self, most: int = MOST_WEIGHT) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._weight = 0
        self._kept: OrderedDict[Hashable, tuple[int, Sums]] = OrderedDict()
        self._texts: tuple[Hashable, dict[int, str]] = (None, {})

    def get(self, key: Hashable) -> Sums | None:
        """Return what is kept under a key, or None; `copied`, before any of it is changed."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
        return found[1]

    def put(self, key: Hashable, sums: Sums) -> None:
        """Keep sums, which nobody changes any more; those that were asked for longest ago go."""
        weight = len(sums) + sum(len(one.clients) for one in sums.values()) // 10
        with self._lock:
            if weight > self._most or key in self._kept:
                return
            self._kept[key] = (weight, sums)
            self._weight += weight
            while self._weight > self._most:
                _, (gone, _) = self._kept.popitem(last=False)
                self._weight -= gone

    def texts(
        self, store: Hashable, numbers: Iterable[int], find: Callable[[Iterable[int]], dict[int, str]]
    ) -> dict[int, str]:
        """Return the texts of words; `find` those that are not kept. No number is ever given to another text.

        Args:
            store: whose words they are.
        """
        wanted = set(numbers)
        whose, known = self._texts
        if whose != store or len(known) > MOST_TEXTS:
            known = {}
        if missing := wanted.difference(known):
            known = known | find(missing)
            self._texts = (store, known)
        return {number: known[number] for number in wanted if number in known}


def copied(sums: Sums) -> Sums:
    """Return sums that may be changed, while the others are not any more."""
    return {pair: one.copy() for pair, one in sums.items()}
