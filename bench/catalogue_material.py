"""What the catalogue is measured with, and the policy of a fresh installation to measure."""

import datetime as dt
import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sinkhole.catalogue.load import Catalogue
from sinkhole.feeds.guard import Guard
from sinkhole.feeds.parse import parse
from sinkhole.policy.default import default_statements
from sinkhole.policy.engine import Policy
from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.rule import Match, Rule
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, Verdict
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType

NOON = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)
FIRST = 1000
"""The names of the benign list that everybody uses: none of them may be hit."""
FEEDS = {
    "v2fly-ai": ("clash/metacubex-category-ai-!cn.list", "clash", True),
    "v2fly-ai-cn": ("clash/metacubex-category-ai-cn.list", "clash", True),
    "doh": ("doh/dibdot-doh-domains.txt", "domains", False),
}
"""Default feeds that the material holds as they were fetched: file, format, whether the rows are part of `ai`."""
ADGUARD = "adguard-services"
SOURCES = {
    "v2fly": "v2fly domain list", ADGUARD: "AdGuard services", "models.dev": "models.dev", "portkey": "Portkey gateway",
    "gpt4free": "gpt4free", "fmhy-ai": "FMHY directory", "csdznwrk": "csdznwrk blocklist",
    "dns.malw.link": "dns.malw.link", "sukka-ai": "SukkaW rules", "iab0x00-ai": "iab0x00 rules",
    "mahseema-awesome": "Awesome AI Tools", "filipecalegario-awesome": "Awesome Generative AI",
    "laylavish-noai": "HUGE AI Blocklist", "free-chatgpt-mirrors": "Awesome Free ChatGPT",
    "acl4ssr-ai": "ACL4SSR rules", "dler-ai-suite": "dler-io rules", "szkane-ai": "szkane rules",
}  # fmt: skip
EXACTNESS = Path(__file__).parents[1] / "tests" / "catalogue" / "exactness.toml"
ARGUED = Path(__file__).parents[1] / "tests" / "catalogue" / "argued.toml"


@dataclass(frozen=True, slots=True)
class Seen:
    """A name that public lists call AI: whose it may be (id, may be none), which sources name it, and its class."""

    name: str
    vendor: str
    sources: tuple[str, ...]
    kind: str


class Material:
    """The measuring material in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def benign(self) -> list[str]:
        """Well-known names without AI, the best known first."""
        return list(_names(self._folder / "catalogue" / "benign.txt"))

    @cached_property
    def must_not_block(self) -> list[str]:
        """Names that nothing may block."""
        return list(_names(self._folder / "catalogue" / "must-not-block.txt"))

    @cached_property
    def visible(self) -> list[Seen]:
        """Names that public lists call AI."""
        lines = (self._folder / "catalogue" / "visible.tsv").read_text().splitlines()
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        return [Seen(row[0], row[1], tuple(row[2].split(",")), row[3]) for row in rows]

    @cached_property
    def lookalikes(self) -> list[str]:
        """Names that imitated DeepSeek, each with a list that says so."""
        rows = json.loads((self._folder / "catalogue" / "deepseek.json").read_text())["lookalikes_with_list_source"]
        return [row["domain"] for row in rows]

    def feeds(self, guard: Guard) -> Iterator[FeedRules]:
        """Yield the default feeds, with what the veto leaves of them."""
        for name, (file, list_format, part_of_ai) in FEEDS.items():
            with (self._folder / "feeds" / file).open("rb") as lines:
                rules = [row for row in parse(lines, list_format) if isinstance(row, Rule)]
            kept = [rule for rule in rules if guard.objection(rule) is None]
            yield FeedRules(Feed(name, f"file:{file}", part_of_ai=part_of_ai), kept)
        rows = [Rule(Match.SUFFIX, seen.name, line=n) for n, seen in enumerate(self.visible) if ADGUARD in seen.sources]
        kept = [rule for rule in rows if guard.objection(rule) is None]
        yield FeedRules(Feed("adguard-ai", "file:services.json", part_of_ai=True), kept)


class Judge:
    """The policy of a fresh installation, over the catalogue alone or with the default feeds."""

    def __init__(self, catalogue: Catalogue, feeds: Iterable[FeedRules] = ()) -> None:
        listed = list(feeds)
        index = NameIndex.from_rules(
            listed, catalogue.vendors, catalogue.never_block, catalogue.bypass, catalogue.brand_book
        )
        own = [f.feed.name for f in listed if not f.feed.part_of_ai]
        more = [Statement(1000 + n, Subject.from_text(f"feed:{name}"), Action.BLOCK) for n, name in enumerate(own)]
        self._policy = Policy(index, (*default_statements(catalogue.bypass), *more), (), BlockAnswer(), 1)
        self._index = index
        self._scope = self._policy.scope_of("192.0.2.1")

    def verdict(self, name: str) -> Verdict:
        """Return what happens to a name."""
        return self._policy.decide(name_from_text(name), QType.A, self._scope, NOON)

    def blocks(self, name: str) -> bool:
        """Return whether a name is blocked."""
        return self.verdict(name).action is Action.BLOCK

    def knows(self, name: str) -> bool:
        """Return whether any row is about a name, whether it is blocked at first or not."""
        found = self._index.find(name_from_text(name))
        return found is not None and bool(found.entries or found.rows)


def _names(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        if name := line.partition("#")[0].strip():
            yield name


def exactness() -> list[tuple[str, str, str]]:
    """Return pairs of neighbours: parent, a name that is blocked, a name that is not."""
    pairs = tomllib.loads(EXACTNESS.read_text())
    return [(parent, blocked, free) for parent, rows in pairs.items() for blocked, free in rows]


def argued() -> dict[str, str]:
    """Return names of the benign list that are blocked all the same, with the reason."""
    return tomllib.loads(ARGUED.read_text())
