"""The modifiers of an adblock rule, what follows its `$`: all of them understood, or the row refused (R-L06, R-L07)."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sinkhole.errors import FormError
from sinkhole.feeds.formats.rewrite import is_plain_block, read_rewrite
from sinkhole.feeds.hostname import read_name
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.policy.rule import Condition, RuleAction
from sinkhole.protocol.types import qtype_from_text

_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_UNESCAPED_BAR = re.compile(r"(?<!\\)\|")
_UNESCAPED_DOLLAR = re.compile(r"(?<!\\)\$(?!\Z)")
_QUOTES: Final = ("'", '"')


@dataclass(frozen=True, slots=True)
class Modifiers:
    """What the modifiers of one rule say together; `rewrite` is empty text for `$dnsrewrite` without a value."""

    important: bool = False
    disables: bool = False
    condition: Condition | None = None
    rewrite: str | None = None

    def action(self, is_exception: bool) -> RuleAction:
        """Return the action of the rule: an exception with a rewrite lifts that rewrite, not a block."""
        if is_exception:
            return RuleAction.ALLOW
        return RuleAction.BLOCK if self.rewrite is None else RuleAction.REWRITE


def split_modifiers(body: str) -> tuple[str, str | None]:
    """Return the pattern of a rule and the text of its modifiers, None where it has none.

    As AdGuard does: the last `$` divides, unless it is escaped or the last character; a row that begins and ends with
    `/` is an expression as a whole.
    """
    if len(body) > 1 and body.startswith("/") and body.endswith("/"):
        return body, None
    dollars = [found.start() for found in _UNESCAPED_DOLLAR.finditer(body)]
    if not dollars:
        return body, None
    return body[: dollars[-1]], body[dollars[-1] + 1 :].replace("\\$", "$")


def read_modifiers(text: str, column: int, options: ReadOptions, is_exception: bool) -> Modifiers:
    """Return what `text`, the part after `$`, says.

    Raises:
        RowError: a modifier is unknown, belongs to browsers, has a bad value, or is not for remote lists.
    """
    modifiers = Modifiers()
    for item in _UNESCAPED_COMMA.split(text):
        name, equals, value = item.replace("\\,", ",").partition("=")
        read = _READERS.get(name)
        if read is None:
            raise RowError(f"the modifier {name!r} is not one of DNS lists, so the row is ignored", column)
        if bool(equals) != (name in _WITH_VALUE) and name != "dnsrewrite":
            raise RowError(f"the modifier {name} {'takes no' if equals else 'needs a'} value", column)
        modifiers = read(modifiers, value, column, options)
        column += len(item) + 1
    return _for_remote(modifiers, column, is_exception) if not options.local else _for_local(modifiers, is_exception)


def _for_local(modifiers: Modifiers, is_exception: bool) -> Modifiers:
    if modifiers.rewrite == "" and not is_exception:
        raise RowError("the modifier dnsrewrite needs a value")
    return modifiers


def _for_remote(modifiers: Modifiers, column: int, is_exception: bool) -> Modifiers:
    """Let a remote list's rewrite pass only as the block it amounts to: it never chooses an answer (R-F08)."""
    if modifiers.rewrite is None:
        return modifiers
    if is_exception or not is_plain_block(modifiers.rewrite):
        raise RowError("a remote list may not choose answers (dnsrewrite)", column)
    return replace(modifiers, rewrite=None)


def _read_important(modifiers: Modifiers, value: str, column: int, options: ReadOptions) -> Modifiers:
    return replace(modifiers, important=True)


def _read_badfilter(modifiers: Modifiers, value: str, column: int, options: ReadOptions) -> Modifiers:
    return replace(modifiers, disables=True)


def _read_dnstype(modifiers: Modifiers, value: str, column: int, options: ReadOptions) -> Modifiers:
    wanted: list[int] = []
    unwanted: list[int] = []
    for item in value.split("|"):
        try:
            qtype = qtype_from_text(item.removeprefix("~").upper())
        except FormError:
            raise RowError(f"dnstype knows no type {item!r}", column) from None
        (unwanted if item.startswith("~") else wanted).append(qtype)
    condition = replace(_condition(modifiers), qtypes=tuple(wanted) or None, not_qtypes=tuple(unwanted))
    return replace(modifiers, condition=condition)


def _read_client(modifiers: Modifiers, value: str, column: int, options: ReadOptions) -> Modifiers:
    if not options.local:
        raise RowError("a remote list may not single out clients", column)
    clients = []
    for item in _UNESCAPED_BAR.split(value):
        mark = "~" if item.startswith("~") else ""
        clients.append(mark + _read_one_client(item[len(mark) :], column))
    return replace(modifiers, condition=replace(_condition(modifiers), clients=tuple(clients)))


def _read_one_client(text: str, column: int) -> str:
    """Return an address or network in its usual form, or the name of a client without quotes and escapes."""
    if len(text) > 1 and text[0] in _QUOTES and text[0] == text[-1]:
        text = text[1:-1].replace("\\" + text[0], text[0])
    text = text.replace("\\|", "|")
    if not text:
        raise RowError("an empty client", column)
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return text
    return str(network) if "/" in text else str(network.network_address)


def _read_denyallow(modifiers: Modifiers, value: str, column: int, options: ReadOptions) -> Modifiers:
    names = value.split("|")
    if any(name.startswith("~") for name in names):
        raise RowError("denyallow takes no ~", column)
    names_not_meant = tuple(read_name(name, column, wide=True) for name in names)
    return replace(modifiers, condition=replace(_condition(modifiers), denyallow=names_not_meant))


def _read_dnsrewrite(modifiers: Modifiers, value: str, column: int, options: ReadOptions) -> Modifiers:
    return replace(modifiers, rewrite=read_rewrite(value, column))


def _read_ctag(modifiers: Modifiers, value: str, column: int, options: ReadOptions) -> Modifiers:
    raise RowError("client tags are not known here, so the row is ignored", column)


def _condition(modifiers: Modifiers) -> Condition:
    return modifiers.condition or Condition()


_WITH_VALUE: Final = frozenset({"dnstype", "client", "denyallow", "ctag"})
_READERS: Final[dict[str, Callable[[Modifiers, str, int, ReadOptions], Modifiers]]] = {
    "important": _read_important,
    "badfilter": _read_badfilter,
    "dnstype": _read_dnstype,
    "client": _read_client,
    "denyallow": _read_denyallow,
    "dnsrewrite": _read_dnsrewrite,
    "ctag": _read_ctag,
}
