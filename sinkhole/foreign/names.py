"""Names, expressions and addresses of other programs, as rules and records."""

import re
from ipaddress import ip_address

from sinkhole.errors import FormError, PolicyError
from sinkhole.feeds.hostname import read_name
from sinkhole.feeds.row import RowError
from sinkhole.policy.pattern import check_expression
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.protocol.rdata import records_from_text

_LABELS = r"(?:[a-z0-9_-]+\\?\.)*[a-z0-9_-]+"
_WILDCARD = re.compile(rf"(?:\(\\\.\|\^\)|\(\^\|\\\.\)|\(\?:\^\|\\\.\))({_LABELS})\$", re.IGNORECASE).fullmatch
_WHOLE = re.compile(rf"\^({_LABELS})\$", re.IGNORECASE).fullmatch
_UNESCAPED_DOT = re.compile(r"(?<!\\)\.").search


def name_rule(text: str, match: Match, action: RuleAction) -> Rule:
    """Return the rule on a name.

    Raises:
        RowError: it is none.
    """
    return Rule(match, read_name(text.strip(), wide=True), action)


def expression_rule(text: str, action: RuleAction) -> Rule:
    r"""Return the rule that an expression amounts to: of `(\.|^)x\.org$` that on a name and all below it.

    Raises:
        RowError: the engine does not take it.
    """
    for form, match in ((_WILDCARD, Match.SUFFIX), (_WHOLE, Match.EXACT)):
        found = form(text)
        # A dot that is not escaped stands for any character, so it is no name.
        if found and not _UNESCAPED_DOT(found[1]):
            return name_rule(found[1].replace("\\.", "."), match, action)
    try:
        check_expression(text)
    except PolicyError as error:
        raise RowError(f"a regular expression: {error}") from None
    if not text or not text.isprintable():
        raise RowError("a regular expression with nothing, or with control characters, in it")
    return Rule(Match.REGEX, text, action)


def address_lines(name: str, addresses: list[str], *, with_reverse: bool) -> list[str]:
    """Return the records of a name with these addresses, and of the way back from each to the name.

    Raises:
        FormError: it is no name, or one of them no address.
    """
    star = "*." if name.startswith("*.") else ""
    try:
        name = star + read_name(name.removeprefix(star), wide=True)
    except RowError as error:
        raise FormError(f"{name[:120]!r}: {error}") from None
    lines = []
    for text in addresses:
        try:
            address = ip_address(text.strip().partition("%")[0])
        except ValueError:
            raise FormError(f"{text.strip()[:60]!r} is no address") from None
        lines.append(checked_line(f"{name} {'A' if address.version == 4 else 'AAAA'} {address}"))
        if with_reverse:
            lines.append(checked_line(f"{address.reverse_pointer} PTR {name}"))
    return lines


def checked_line(line: str) -> str:
    """Return a line with one record.

    Raises:
        FormError: it is none.
    """
    if not line.isprintable():
        raise FormError("a record has no control characters")
    if not records_from_text(line):
        raise FormError("wanted NAME TYPE DATA")
    return line
