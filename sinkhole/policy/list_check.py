"""Judge a name by the rows of one list alone, without server, store or catalogue."""

from collections.abc import Iterable

from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.judge import Outcome, judge
from sinkhole.policy.rule import Rule
from sinkhole.protocol.names import fold


class ListCheck:
    """One list, compiled in memory as a local one, so that it may do all that a list can do."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.index = NameIndex.from_rules([FeedRules(Feed("list", "file:list", local=True), rules)])

    def judge(self, qname: bytes, qtype: int, client: str | None = None) -> Outcome | None:
        """Return what the list says of a query, or None where it says nothing."""
        name = fold(qname)
        found = self.index.find(name)
        return judge(found.rows.get(0, ()), name, qtype, client) if found is not None else None
