"""Short ways to read lists in tests."""

from collections.abc import Iterable

from sinkhole.feeds.parse import parse
from sinkhole.feeds.row import Include
from sinkhole.policy.rule import Match, Rejection, Rule, RuleAction


def read(
    text: str | bytes, kind: str, match: str = "format", *, local: bool = False, include: Include | None = None
) -> list[Rule | Rejection]:
    """Parse a whole list given as one text."""
    octets = text.encode() if isinstance(text, str) else text
    return list(parse(octets.splitlines(keepends=True), kind, match, local=local, include=include))


def rules(rows: Iterable[Rule | Rejection]) -> list[Rule]:
    """Return the accepted rows."""
    return [row for row in rows if isinstance(row, Rule)]


def rejections(rows: Iterable[Rule | Rejection]) -> list[Rejection]:
    """Return the refused rows."""
    return [row for row in rows if isinstance(row, Rejection)]


def names(text: str | bytes, kind: str, *, local: bool = False) -> list[tuple[Match, str]]:
    """Return how and what each accepted row blocks; fails on a row that does something else."""
    found = rules(read(text, kind, local=local))
    assert all(rule.action is RuleAction.BLOCK for rule in found)
    return [(rule.match, rule.name) for rule in found]


def why(text: str | bytes, kind: str, *, local: bool = False) -> str:
    """Return the reason of the one row that is refused; fails when it is not the only outcome."""
    found = read(text, kind, local=local)
    assert len(found) == 1
    assert isinstance(found[0], Rejection), found[0]
    return found[0].why
