"""What one list says of a name, from its rows that match the name (AdGuard's order of rules).

Order of rows never matters: `$badfilter` rows take the same row without that modifier away, a rewrite beats the rest
(AdGuard gives `$dnsrewrite` "higher priority than other rules"), and else `@@$important` > `$important` > `@@` > block.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sinkhole.policy.key import wire_from_text
from sinkhole.policy.rule import Condition, Rule, RuleAction
from sinkhole.protocol.names import is_at_or_below


class Outcome(NamedTuple):
    """What the list says: the action, the row that decided, and the answer of a REWRITE (`A 192.0.2.1`, …)."""

    action: RuleAction
    rule: Rule
    rewrite: tuple[str, ...] = ()


def judge(rules: Sequence[Rule], qname: bytes, qtype: int, client: str | None = None) -> Outcome | None:
    """Return what a list says of a query, or None where it says nothing.

    Args:
        rules: the rows of the list whose name, mask or expression matches `qname`.
        qname: folded wire form.
        client: address of the client, or None where it is not known: rows limited to clients then do not apply.
    """
    if len(rules) == 1:
        rule = rules[0]
        if rule.condition is None and rule.rewrite is None and not rule.disables:
            return Outcome(rule.action, rule)
    live = [rule for rule in _without_disabled(rules) if _applies(rule.condition, qname, qtype, client)]
    rewrites = _rewrites(live)
    if rewrites:
        return Outcome(RuleAction.REWRITE, rewrites[0], tuple(dict.fromkeys(r.rewrite or "" for r in rewrites)))
    plain = [rule for rule in live if rule.rewrite is None]
    if not plain:
        return None
    best = min(plain, key=_rank)
    return Outcome(best.action, best)


def _without_disabled(rules: Sequence[Rule]) -> list[Rule]:
    disabled = {replace(rule, disables=False, line=0) for rule in rules if rule.disables}
    if not disabled:
        return list(rules)
    return [rule for rule in rules if not rule.disables and replace(rule, line=0) not in disabled]


def _rank(rule: Rule) -> tuple[bool, bool, int, int, str, str, str]:
    """Order rows by strength; what follows the first two only settles which of equal rows is named."""
    is_block = rule.action is not RuleAction.ALLOW
    tie = (rule.line, rule.name, rule.match.value, repr(rule.condition))
    return (not rule.important, is_block, -len(rule.name), *tie)


def _rewrites(rules: Sequence[Rule]) -> list[Rule]:
    """Return the rewrites in force: an alias alone, else an RCODE alone, else all records.

    An ALLOW row with a rewrite takes that rewrite away, with an empty one all of them (`@@||x^$dnsrewrite`).
    """
    lifted = {rule.rewrite for rule in rules if rule.action is RuleAction.ALLOW}
    if "" in lifted:
        return []
    found = [rule for rule in rules if rule.action is RuleAction.REWRITE and rule.rewrite not in lifted]
    found.sort(key=lambda rule: (rule.rewrite or "", rule.line))
    aliases = [rule for rule in found if (rule.rewrite or "").startswith("CNAME ")]
    codes = [rule for rule in found if " " not in (rule.rewrite or "")]
    return aliases[:1] or codes[:1] or found


def _applies(condition: Condition | None, qname: bytes, qtype: int, client: str | None) -> bool:
    if condition is None:
        return True
    if condition.qtypes is not None and qtype not in condition.qtypes:
        return False
    if qtype in condition.not_qtypes or _is_below_any(qname, condition.denyallow):
        return False
    return not condition.clients or _is_client(condition.clients, client)


def _is_below_any(qname: bytes, zones: Sequence[str]) -> bool:
    return any(is_at_or_below(qname, wire_from_text(zone)) for zone in zones)


def _is_client(wanted: Sequence[str], client: str | None) -> bool:
    others = [text[1:] for text in wanted if text.startswith("~")]
    chosen = [text for text in wanted if not text.startswith("~")]
    if client is None:
        return not chosen
    return not any(_same_client(text, client) for text in others) and (
        not chosen or any(_same_client(text, client) for text in chosen)
    )


def _same_client(text: str, client: str) -> bool:
    try:
        return ipaddress.ip_address(client) in ipaddress.ip_network(text, strict=False)
    except ValueError:
        return text.casefold() == client.casefold()
