"""Rules as rows of a snapshot: one line each, `LINE TAB FLAGS TAB MORE TAB NAME`, quick to read back a million times.

FLAGS are the letters of match and action, `!` for important and `-` for disables; MORE is JSON, mostly empty. All but
LINE is the row's key: two rules are the same when their keys are.
"""

import json
from typing import Any, Final

from sinkhole.errors import FeedError
from sinkhole.policy.rule import Condition, Match, Rule, RuleAction

_MATCHES: Final = {match: match.value[0] for match in Match}
_ACTIONS: Final = {action: action.value[0] for action in RuleAction}
_MATCH_OF: Final = {letter: match for match, letter in _MATCHES.items()}
_ACTION_OF: Final = {letter: action for action, letter in _ACTIONS.items()}
_PLAIN: Final = {f"{_MATCHES[match]}b": match for match in Match}


def rule_key(rule: Rule) -> str:
    """Return the rule as text, without the line it stood on."""
    flags = _MATCHES[rule.match] + _ACTIONS[rule.action] + "!" * rule.important + "-" * rule.disables
    more = "" if rule.condition is None and rule.rewrite is None else _more(rule)
    return f"{flags}\t{more}\t{rule.name}"


def read_key(key: str, line: int = 0) -> Rule:
    """Return the rule that a key stands for.

    Raises:
        FeedError: it is no key.
    """
    try:
        flags, more, name = key.split("\t", 2)
        if not more and flags in _PLAIN:
            return Rule(_PLAIN[flags], name, line=line)
        found: dict[str, Any] = json.loads(more) if more else {}
        return Rule(
            match=_MATCH_OF[flags[0]],
            name=name,
            action=_ACTION_OF[flags[1]],
            important="!" in flags,
            condition=_condition(found["condition"]) if "condition" in found else None,
            rewrite=found.get("rewrite"),
            disables="-" in flags,
            line=line,
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise FeedError(f"not a row of a snapshot: {key[:120]!r}") from error


def read_row(row: bytes) -> Rule:
    """Return the rule of one line of a snapshot.

    Raises:
        FeedError: it is none.
    """
    line, _, key = row.rstrip(b"\n").partition(b"\t")
    try:
        return read_key(key.decode(), int(line))
    except ValueError as error:
        raise FeedError(f"not a row of a snapshot: {row[:120]!r}") from error


def _more(rule: Rule) -> str:
    found: dict[str, Any] = {}
    if rule.condition is not None:
        condition = rule.condition
        found["condition"] = [condition.qtypes, condition.not_qtypes, condition.clients, condition.denyallow]
    if rule.rewrite is not None:
        found["rewrite"] = rule.rewrite
    return json.dumps(found, separators=(",", ":"), sort_keys=True)


def _condition(found: list[Any]) -> Condition:
    qtypes, not_qtypes, clients, denyallow = found
    return Condition(None if qtypes is None else tuple(qtypes), tuple(not_qtypes), tuple(clients), tuple(denyallow))
