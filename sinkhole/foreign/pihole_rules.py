"""Domains and expressions of a Pi-hole as rules: exact, wildcard and regular, with what may follow an expression."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from sinkhole.errors import FormError
from sinkhole.feeds.row import RowError
from sinkhole.foreign.names import expression_rule, name_rule
from sinkhole.policy.rule import Condition, Match, Rule, RuleAction
from sinkhole.protocol.types import qtype_from_text

ALLOW_EXACT, DENY_EXACT, ALLOW_REGEX, DENY_REGEX = range(4)
"""Types of the rows of `domainlist`."""
_REPLIES: Final = {"nodata": "NOERROR", "nxdomain": "NXDOMAIN", "refused": "REFUSED"}


def pihole_rule(kind: int, text: str) -> Rule:
    """Return the rule of a row of `domainlist`.

    Raises:
        RowError: it has no counterpart.
    """
    action = RuleAction.ALLOW if kind in (ALLOW_EXACT, ALLOW_REGEX) else RuleAction.BLOCK
    if kind in (ALLOW_EXACT, DENY_EXACT):
        return name_rule(text, Match.EXACT, action)
    if kind not in (ALLOW_REGEX, DENY_REGEX):
        raise RowError(f"a row of type {kind}, which is not known")
    expression, *options = text.split(";")
    rule = expression_rule(expression, action)
    for option in options:
        word, _, value = option.partition("=")
        read = _OPTIONS.get(word.strip().lower())
        if read is None:
            raise RowError(f"the option {option[:60]!r} of an expression is not known")
        rule = read(rule, value.strip())
    return rule


def _querytype(rule: Rule, value: str) -> Rule:
    is_negated = value.startswith("!")
    try:
        qtypes = tuple(qtype_from_text(word.strip().upper()) for word in value.removeprefix("!").split(","))
    except FormError as error:
        raise RowError(f"querytype: {error}") from None
    return replace(rule, condition=Condition(not_qtypes=qtypes) if is_negated else Condition(qtypes=qtypes))


def _reply(rule: Rule, value: str) -> Rule:
    if rule.action is RuleAction.ALLOW:
        raise RowError("an answer for what is allowed")
    answer = _REPLIES.get(value.lower())
    if answer is None:
        try:
            address = ip_address(value)
        except ValueError:
            raise RowError(f"the answer {value[:60]!r} is none that a list can give") from None
        answer = f"{'A' if address.version == 4 else 'AAAA'} {address}"
    return replace(rule, action=RuleAction.REWRITE, rewrite=answer)


def _invert(rule: Rule, value: str) -> Rule:
    raise RowError("an inverted expression, which is about every name but some; there is none here")


_OPTIONS: Final[dict[str, Callable[[Rule, str], Rule]]] = {
    "querytype": _querytype,
    "reply": _reply,
    "invert": _invert,
}
