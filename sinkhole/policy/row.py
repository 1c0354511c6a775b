"""How rules are written into the compiled names: 8 octets each, and JSON for what does not fit."""

import json
from typing import Any, Final

from sinkhole.policy.rule import Condition, Match, Rule, RuleAction

PROTECTED: Final = 0
CATALOGUE: Final = 1
FIRST_FEED: Final = 2
"""Sources of an entry; feed number n of the image is source n + 2."""
MAX_FEEDS: Final = 0xFFFF - FIRST_FEED

EXACT, SUFFIX, BELOW, MASK, REGEX = range(5)
"""How an entry is compared with a name, as numbers: looking up members of an enum costs too much here."""
_MATCHES: Final = (Match.EXACT, Match.SUFFIX, Match.BELOW, Match.MASK, Match.REGEX)
_ACTIONS: Final = (RuleAction.BLOCK, RuleAction.ALLOW, RuleAction.REWRITE)
_MATCH_CODE: Final = {match: code for code, match in enumerate(_MATCHES)}
_ACTION_CODE: Final = {action: code << 3 for code, action in enumerate(_ACTIONS)}
_IMPORTANT: Final = 1 << 5
_DETAILED: Final = 1 << 6
_MAX_VALUE: Final = 0xFFFFFFFF

ALL_BUT_LINE: Final = 0xFFFFFFFF
"""Mask of an entry."""


def pack(source: int, value: int = 0, flags: int = 0) -> int:
    """Return an entry: 16 bits of source, 16 of flags, 32 of value (line, or index of a catalogue entry or detail)."""
    return source | flags << 16 | value << 32


def source_of(entry: int) -> int:
    """Return who brought the entry."""
    return entry & 0xFFFF


def value_of(entry: int) -> int:
    """Return the line or index of the entry."""
    return entry >> 32


def match_of(entry: int) -> int:
    """Return how the entry is compared with a name: EXACT, SUFFIX, BELOW, MASK or REGEX."""
    return entry >> 16 & 7


def is_detailed(entry: int) -> bool:
    """Return whether the value is the index of a detail, not a line."""
    return bool(entry >> 16 & _DETAILED)


def pack_rule(source: int, rule: Rule, detail: int | None) -> int:
    """Return the entry of a rule; `detail` is the index of its JSON form, where `needs_detail` asked for one."""
    flags = _MATCH_CODE[rule.match] | _ACTION_CODE[rule.action] | (_IMPORTANT if rule.important else 0)
    if detail is None:
        return pack(source, min(rule.line, _MAX_VALUE), flags)
    return pack(source, detail, flags | _DETAILED)


def unpack_rule(entry: int, name: str) -> Rule:
    """Return the rule of an entry that has no detail."""
    flags = entry >> 16
    return Rule(
        _MATCHES[flags & 7], name, _ACTIONS[flags >> 3 & 3], bool(flags & _IMPORTANT), None, None, False, entry >> 32
    )


def needs_detail(rule: Rule) -> bool:
    """Return whether a rule says more than fits into an entry."""
    return (
        rule.condition is not None
        or rule.rewrite is not None
        or rule.disables
        or rule.match is Match.MASK
        or rule.match is Match.REGEX
    )


def rule_to_json(rule: Rule) -> bytes:
    """Return a rule as one JSON list."""
    condition = rule.condition
    row: list[Any] = [
        rule.match.value, rule.name, rule.action.value, rule.important, rule.rewrite, rule.disables, rule.line,
        condition and [condition.qtypes, condition.not_qtypes, condition.clients, condition.denyallow],
    ]  # fmt: skip
    return json.dumps(row, separators=(",", ":")).encode()


def rule_from_json(data: bytes) -> Rule:
    """Read what `rule_to_json` wrote."""
    match, name, action, important, rewrite, disables, line, condition = json.loads(data)
    return Rule(
        match=Match(match),
        name=name,
        action=RuleAction(action),
        important=important,
        condition=_condition(condition) if condition else None,
        rewrite=rewrite,
        disables=disables,
        line=line,
    )


def rule_text(rule: Rule) -> str:
    """Return what a rule matches, in words."""
    if rule.match is Match.SUFFIX:
        return f"{rule.name} and below"
    if rule.match is Match.BELOW:
        return f"below {rule.name}"
    return f"/{rule.name}/" if rule.match is Match.REGEX else rule.name


def _condition(row: list[Any]) -> Condition:
    qtypes, not_qtypes, clients, denyallow = row
    return Condition(None if qtypes is None else tuple(qtypes), tuple(not_qtypes), tuple(clients), tuple(denyallow))
