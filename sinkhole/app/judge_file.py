"""Judge a name by one list file alone: what a list author wants to know, without a server or a store."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sinkhole.errors import FeedError, FeedFormatError, PolicyError
from sinkhole.feeds.parse import parse
from sinkhole.policy.feed import Feed
from sinkhole.policy.groups import parse_client
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.judge import Outcome, judge
from sinkhole.policy.rule import Rejection, Rule, RuleAction
from sinkhole.protocol.names import fold, name_from_text
from sinkhole.protocol.types import qtype_from_text

_SHOWN = 20
"""Rejected rows that are printed; the rest is counted."""


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What a list file says of a name."""

    path: Path
    name: str
    outcome: Outcome | None
    rows: int
    rejections: tuple[Rejection, ...]

    @property
    def word(self) -> str:
        """BLOCK, ALLOW, NONE, or REWRITE with the answer."""
        match self.outcome:
            case None:
                return "NONE"
            case Outcome(action=RuleAction.REWRITE, rewrite=answer):
                return f"REWRITE {', '.join(answer)}"
            case Outcome(action=action):
                return action.name

    def lines(self) -> list[str]:
        """Return it as lines for people; the last is the verdict."""
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        lines = [f"{self.path}: {rows} accepted, {len(self.rejections)} not"]
        lines += [f"  {rejection}: {rejection.text}" for rejection in self.rejections[:_SHOWN]]
        if len(self.rejections) > _SHOWN:
            reasons = Counter(rejection.why for rejection in self.rejections[_SHOWN:])
            lines += [f"  and {count} more: {why}" for why, count in reasons.most_common(5)]
        if self.outcome is not None:
            rule = self.outcome.rule
            lines.append(f"  line {rule.line} decides: {rule.match.value} {rule.name}")
        return [*lines, self.word]

    def to_json(self) -> dict[str, Any]:
        """Return it as values for JSON."""
        line = self.outcome.rule.line if self.outcome else None
        rejections = [{"line": r.line, "column": r.column, "why": r.why, "text": r.text} for r in self.rejections]
        return {"name": self.name, "outcome": self.word, "line": line, "rows": self.rows, "rejections": rejections}


def judge_file(path: Path, list_format: str, name: str, qtype: str, client: str) -> FileVerdict:
    """Judge `name`, or an address that an answer has, by the list in `path`, as a list of the administrator's own.

    Raises:
        FeedError: the file cannot be read or is no list.
        FormError: the name or the type cannot be read.
    """
    number = qtype_from_text(qtype)
    rules: list[Rule] = []
    rejections: list[Rejection] = []
    try:
        with path.open("rb") as lines:
            for row in parse(lines, list_format, local=True):
                (rules if isinstance(row, Rule) else rejections).append(row)  # type: ignore[arg-type]
    except OSError as error:
        raise FeedError(f"{path}: cannot be read: {error.strerror}") from error
    except FeedFormatError as error:
        raise FeedError(f"{path}: {error}") from error
    feed = Feed("file", path.as_uri() if path.is_absolute() else str(path), format=list_format, local=True)
    try:
        index = NameIndex.from_rules([FeedRules(feed, rules)])
    except PolicyError as error:
        raise FeedError(f"{path}: {error}") from error
    outcome = _outcome(index, name, number, client)
    refused = tuple(refusal.rejection for refusal in index.refused)
    return FileVerdict(path, name, outcome, len(rules), tuple(rejections) + refused)


def _outcome(index: NameIndex, name: str, qtype: int, client: str) -> Outcome | None:
    address = parse_client(name)
    if address is not None:
        rule = index.networks.find(address).get(0)
        return Outcome(rule.action, rule) if rule else None
    qname = fold(name_from_text(name))
    found = index.find(qname)
    return judge(found.rows[0], qname, qtype, client) if found and 0 in found.rows else None
