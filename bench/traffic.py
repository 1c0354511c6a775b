"""What a company of 2,000 clients asks AI vendors in 90 days, made up from the catalogue: the same for the same seed.

Few vendors and few clients do most; people work by day and on weekdays; a visit is some names of a product within some
minutes. Verdicts are those of a policy that was tightened once: what was watched is blocked for the last 30 days.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sinkhole.catalogue.load import Catalogue
from sinkhole.policy.activity import Activity
from sinkhole.policy.hit import HitRow
from sinkhole.policy.vendor import DomainMatch, Product, Vendor

CLIENTS, VENDORS, DAYS = 2_000, 300, 90
GROUPS = ("engineering", "marketing", "finance", "legal", "guests")
TIGHTENED = 30
"""Days before the end at which what was watched was blocked."""
KNOWN_FIRST = ("openai", "anthropic", "google", "microsoft", "deepseek", "mistral", "perplexity", "xai", "github")
_HOURS = (1, 1, 1, 1, 1, 2, 5, 20, 60, 80, 75, 70, 45, 65, 75, 70, 60, 40, 20, 12, 10, 8, 4, 2)
"""How much is asked in each hour of a day (UTC)."""
_WEEKEND = 0.25
_QTYPES = (1, 1, 65, 28)
_MINUTES, _DAY = 1440, 86_400
_THURSDAY = 3  # the first of January 1970


@dataclass(frozen=True, slots=True)
class _Place:
    vendor: str
    product: str
    names: tuple[str, ...]


class Traffic:
    """Queries that were recorded, day by day.

    Args:
        catalogue: whose vendors they are for.
        until_day: days since the epoch; the last day is the one before.
        rows: how many in all, about.
        seed: the same gives the same rows.
        days, clients: over how many, and how many there are.
    """

    def __init__(
        self, catalogue: Catalogue, until_day: int, rows: int, seed: int = 1, days: int = DAYS, clients: int = CLIENTS
    ) -> None:
        self._random = random.Random(seed)
        self.days = range(until_day - days, until_day)
        self.clients = [f"10.{20 + n // 400}.{n // 200 % 200}.{n % 200 + 10}" for n in range(clients)]
        self.group_of = {client: GROUPS[n * len(GROUPS) // clients] for n, client in enumerate(self.clients)}
        self.vendors = self._chosen(catalogue)
        weights = [_WEEKEND if (day + _THURSDAY) % 7 > 4 else 1.0 for day in self.days]
        self._rows_of = {day: rows * one / sum(weights) for day, one in zip(self.days, weights, strict=True)}
        self._favourites = {client: self._favourites_of() for client in self.clients}
        self._who = list(accumulate(1 / (10 + n) for n in range(clients)))
        self._order = self._random.sample(self.clients, clients)

    def day(self, day: int) -> list[HitRow]:
        """Return the rows of a day in order of time."""
        draw, found = self._random, []
        wanted = self._rows_of[day]
        while len(found) < wanted:
            client = draw.choices(self._order, cum_weights=self._who)[0]
            hour = draw.choices(range(24), _HOURS)[0]
            found += self._visit(client, day * _MINUTES + hour * 60 + draw.randrange(60), day)
        return sorted(found, key=lambda row: row.first)

    def activities(self, rows: Sequence[HitRow]) -> Iterator[Activity]:
        """Yield who asked in which hour, of rows of one day: some twenty queries to each that is recorded."""
        hours: dict[tuple[str, int], list[int]] = {}
        for row in rows:
            told = hours.setdefault((row.client, row.minute // 60), [row.first, row.last, 0])
            told[0], told[1] = min(told[0], row.first), max(told[1], row.last)
            told[2] += 20 * row.count
        for (client, _), (first, last, queries) in hours.items():
            yield Activity(client, first, last, queries, (self.group_of[client],))

    def _chosen(self, catalogue: Catalogue) -> list[tuple[Vendor, tuple[_Place, ...]]]:
        known = [catalogue.by_id[name] for name in KNOWN_FIRST if name in catalogue.by_id]
        others = [vendor for vendor in catalogue.vendors if vendor not in known]
        self._random.shuffle(others)
        found = [(vendor, tuple(_places(vendor))) for vendor in (*known, *others)]
        return [one for one in found if one[1]][:VENDORS]

    def _favourites_of(self) -> tuple[list[tuple[Vendor, tuple[_Place, ...]]], list[float]]:
        """Return the vendors of a client, some 15, those that many use first, and how often it uses each."""
        weights = [1 / (1 + n) for n in range(len(self.vendors))]
        chosen = {self._random.choices(range(len(weights)), weights)[0] for _ in range(self._random.randint(5, 40))}
        order = sorted(chosen)
        return [self.vendors[n] for n in order], list(accumulate(1 / (1 + n) for n in range(len(order))))

    def _visit(self, client: str, minute: int, day: int) -> Iterator[HitRow]:
        draw = self._random
        vendors, weights = self._favourites[client]
        vendor, places = draw.choices(vendors, cum_weights=weights)[0]
        place = draw.choice(places)
        action, subject = self._verdict(vendor, day, client)
        group = self.group_of[client]
        end = (day + 1) * _MINUTES
        for at in range(minute, min(minute + draw.randint(1, 6), end)):
            for name in draw.sample(place.names, min(len(place.names), draw.randint(1, 2))):
                first = at * 60 + draw.randrange(50)
                yield HitRow(
                    at, client, group, name, draw.choice(_QTYPES), action, place.vendor, place.product, None, subject,
                    draw.randint(1, 4), first, first + draw.randrange(10),
                )  # fmt: skip
        if draw.random() < 0.02:
            at = minute * 60 + 30
            yield HitRow(
                minute, client, group, "dns.google", 1, "block", None, None, None, "bypass:encrypted-dns", 1, at, at
            )
        if draw.random() < 0.05:
            at, name = minute * 60 + 20, f"t{draw.randrange(400)}.tracker.example"
            yield HitRow(minute, client, group, name, 1, "block", None, None, "trackers", "feed:trackers", 2, at, at)

    def _verdict(self, vendor: Vendor, day: int, client: str) -> tuple[str, str]:
        if vendor.id == "anthropic" and self.group_of[client] == "engineering":
            return "allow", "vendor:anthropic"
        if vendor.id == "deepseek":
            return ("block" if day >= self.days.stop - TIGHTENED else "monitor"), "vendor:deepseek"
        if vendor.jurisdiction.value == "US" and self.group_of[client] == "marketing":
            return "coach", "jurisdiction:US"
        return ("block" if day >= self.days.stop - TIGHTENED or len(vendor.id) % 3 else "monitor"), "ai"


def _places(vendor: Vendor) -> Iterator[_Place]:
    for product in vendor.products:
        if names := tuple(_names(product)):
            yield _Place(vendor.id, product.id, names)


def _names(product: Product) -> Iterator[str]:
    for domain in product.domains:
        if domain.match is DomainMatch.SUFFIX:
            yield domain.name
            yield f"www.{domain.name}"
        else:
            yield domain.name.replace("*", "eu")
