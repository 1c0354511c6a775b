"""Sort the rules of another resolver: statements on domains where they are one domain, else rows of local lists."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sinkhole.catalogue.host_name import name_mistake
from sinkhole.feeds.formats.adblock import AdblockReader
from sinkhole.feeds.print_rule import print_rule
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.foreign.model import Foreign, ForeignRule, Scope
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.policy.schedule import Schedule

MOST_STATEMENTS = 100
"""Rules that become statements; where there are more, all are rows of lists, which do not slow policy down."""
_NAMED = (Match.EXACT, Match.SUFFIX, Match.BELOW)
_READER = AdblockReader(ReadOptions(local=True, regexes=True))


@dataclass(frozen=True, slots=True)
class LocalList:
    """A list file that is written: for whom it holds and when, and its rules in their order."""

    scope: Scope
    schedule: Schedule | None
    rules: tuple[Rule, ...]

    def rows(self) -> list[str]:
        """Return its rules as rows in adblock form."""
        return [print_rule(rule) for rule in self.rules]


@dataclass(frozen=True, slots=True)
class SortedRules:
    """Rules that are statements, each with the one scope it is for, and the rest in lists."""

    statements: tuple[tuple[ForeignRule, Scope], ...]
    lists: tuple[LocalList, ...]


def sort_rules(foreign: Foreign) -> SortedRules:
    """Sort the rules, so that what went before what there still does here.

    A statement goes before every list, and the longer domain before the shorter. So a rule is one only where no other
    rule that touches its domain would have gone before it.
    """
    judge = _Judge(foreign)
    statements: list[tuple[ForeignRule, Scope]] = []
    rows: dict[tuple[Scope, Schedule | None], dict[Rule, None]] = {}
    for one in foreign.rules:
        for scope in one.scopes:
            if judge.may_be_statement(one, scope):
                statements.append((one, scope))
            elif (rule := _as_row(one, foreign)) is not None:
                rows.setdefault((scope, one.schedule), {})[rule] = None
    lists = [LocalList(scope, schedule, tuple(rules)) for (scope, schedule), rules in rows.items()]
    return SortedRules(tuple(statements), tuple(lists))


class _Judge:
    """Knows which domains rules touch that a statement might overrule."""

    def __init__(self, foreign: Foreign) -> None:
        rules = [one.rule for one in foreign.rules]
        self._is_off = foreign.is_off
        self._has_outside = bool(foreign.outside)
        self._are_few = sum(map(_is_whole_domain, rules)) <= MOST_STATEMENTS
        self._allowing = _Touched(rule for rule in rules if rule.action is RuleAction.ALLOW)
        self._stronger = _Touched(rule for rule in rules if _beats_exceptions(rule))
        self._cancelled = {replace(rule, disables=False, line=0) for rule in rules if rule.disables}

    def may_be_statement(self, one: ForeignRule, scope: Scope) -> bool:
        """Return whether a rule may become a statement for a scope."""
        rule = one.rule
        # What holds for everybody save some is a list's matter: only a list can be lifted for them as a whole.
        is_for_some = scope is None and self._has_outside
        if self._is_off or is_for_some or not self._are_few or not _is_whole_domain(rule):
            return False
        if replace(rule, line=0) in self._cancelled or name_mistake(rule.name):
            return False
        return not (self._stronger if rule.action is RuleAction.ALLOW else self._allowing).touches(rule.name)


class _Touched:
    """The domains that some rules touch: those they name, those above, and those below."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._names: set[str] = set()
        self._above: set[str] = set()
        self._anything = False
        for rule in rules:
            if rule.match in _NAMED:
                self._names.add(rule.name)
                self._above.update(_parents(rule.name))
            else:
                self._anything = True

    def touches(self, name: str) -> bool:
        """Return whether one of them may be about the domain, a part of it, or what it is a part of."""
        return (
            self._anything
            or name in self._names
            or name in self._above
            or any(parent in self._names for parent in _parents(name))
        )


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _is_whole_domain(rule: Rule) -> bool:
    return (
        rule.match is Match.SUFFIX
        and rule.condition is None
        and rule.rewrite is None
        and not rule.disables
        and not (rule.important and rule.action is RuleAction.BLOCK)
    )


def _beats_exceptions(rule: Rule) -> bool:
    """Return whether a rule goes before one that allows: it is important, or chooses an answer."""
    return rule.rewrite is not None or (rule.important and rule.action is RuleAction.BLOCK)


def _as_row(one: ForeignRule, foreign: Foreign) -> Rule | None:
    """Return the rule as it is read back from its row; None, with a note, where the row would mean something else."""
    rule = replace(one.rule, line=0)
    text = print_rule(rule)
    try:
        if text.isprintable() and list(_READER.read(text, 0)) == [rule]:
            return rule
    except RowError:
        pass  # the note says so
    foreign.leave_out(one.place, text, "cannot be written as a row of a list")
    return None
