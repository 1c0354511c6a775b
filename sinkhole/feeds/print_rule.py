"""Rules back to text: the adblock row that means just this rule, whatever format it came in (R-L16)."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from sinkhole.feeds.formats.rewrite import print_rewrite
from sinkhole.feeds.formats.rpz_address import write_network
from sinkhole.policy.rule import Condition, Match, Rule, RuleAction
from sinkhole.protocol.types import qtype_to_text

_FRAMES: Final = {
    Match.EXACT: "|{}^",
    Match.SUFFIX: "||{}^",
    Match.BELOW: "||*.{}^",
    Match.MASK: "{}",
    Match.REGEX: "/{}/",
}


def print_rule(rule: Rule) -> str:
    """Return the row that a local list in format `adblock` is read back from as the same rule, save its line.

    Adblock rows know no addresses: a rule about those becomes a row of a policy zone.
    """
    if rule.match is Match.ADDRESS:
        return f"{write_network(rule.name)} CNAME {'rpz-passthru.' if rule.action is RuleAction.ALLOW else '.'}"
    mark = "@@" if rule.action is RuleAction.ALLOW else ""
    modifiers = ",".join(_print_modifiers(rule))
    return mark + _FRAMES[rule.match].format(rule.name) + (f"${modifiers}" if modifiers else "")


def _print_modifiers(rule: Rule) -> Iterator[str]:
    if rule.condition is not None:
        yield from _print_condition(rule.condition)
    if rule.rewrite is not None:
        value = print_rewrite(rule.rewrite).replace(",", "\\,").replace("$", "\\$")
        yield f"dnsrewrite={value}" if value else "dnsrewrite"
    if rule.important:
        yield "important"
    if rule.disables:
        yield "badfilter"


def _print_condition(condition: Condition) -> Iterator[str]:
    if condition.clients:
        yield "client=" + "|".join(_print_client(client) for client in condition.clients)
    if condition.denyallow:
        yield "denyallow=" + "|".join(condition.denyallow)
    if condition.qtypes or condition.not_qtypes:
        wanted = [qtype_to_text(qtype) for qtype in condition.qtypes or ()]
        yield "dnstype=" + "|".join([*wanted, *("~" + qtype_to_text(qtype) for qtype in condition.not_qtypes)])


def _print_client(client: str) -> str:
    mark, name = ("~", client[1:]) if client.startswith("~") else ("", client)
    try:
        ipaddress.ip_network(name)
    except ValueError:
        escaped = name.replace("'", "\\'").replace(",", "\\,").replace("|", "\\|").replace("$", "\\$")
        return f"{mark}'{escaped}'"
    return client
