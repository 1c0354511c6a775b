"""The value of `$dnsrewrite`: AdGuard's short and full forms, to the text of an answer and back.

The text is `RCODE` (`NOERROR`, `NXDOMAIN`, `REFUSED` …), or a type and its data (`A 192.0.2.1`, `CNAME x.example`).
"""

import ipaddress
import re
from typing import Final

from sinkhole.errors import FormError
from sinkhole.feeds.hostname import read_name
from sinkhole.feeds.row import RowError
from sinkhole.protocol.types import qtype_from_text, qtype_to_text

_SHORT_RCODES: Final = ("NOERROR", "SERVFAIL", "NXDOMAIN", "REFUSED")
_RCODES: Final = (*_SHORT_RCODES, "FORMERR", "NOTIMP", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE")
_BLOCKS: Final = (*_SHORT_RCODES, "A 0.0.0.0", "AAAA ::")
_IS_KEYWORD = re.compile(r"[A-Z]+\Z").match
_FIELDS_BEFORE_NAME: Final = {"CNAME": 0, "PTR": 0, "MX": 1, "SRV": 3, "HTTPS": 1, "SVCB": 1}
"""How many numbers stand before the name in the data of a type."""


def is_plain_block(rewrite: str) -> bool:
    """Return whether a rewrite tells the client nothing but that it is blocked."""
    return rewrite in _BLOCKS


def read_rewrite(value: str, column: int) -> str:
    """Return the text of the answer that `value` asks for; empty for the empty value.

    Raises:
        RowError: it is of neither form, or its data do not fit its type.
    """
    parts = value.split(";", 2)
    if len(parts) == 2:
        raise RowError("dnsrewrite is a value, or RCODE;TYPE;VALUE", column)
    return _read_short(value, column) if len(parts) == 1 else _read_full(*parts, column=column)


def print_rewrite(rewrite: str) -> str:
    """Return the value of `$dnsrewrite` that `read_rewrite` reads as `rewrite`."""
    rtype, blank, data = rewrite.partition(" ")
    return f"NOERROR;{rtype};{data}" if blank else rewrite + ";;" if rewrite else ""


def _read_short(value: str, column: int) -> str:
    if not value or value in _SHORT_RCODES:
        return value
    if _IS_KEYWORD(value):
        raise RowError(f"dnsrewrite knows no keyword {value!r}", column)
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return "CNAME " + read_name(value, column, wide=True)
    return f"{'A' if address.version == 4 else 'AAAA'} {address}"


def _read_full(rcode: str, rtype: str, data: str, *, column: int) -> str:
    rcode = rcode.upper()
    if rcode not in _RCODES:
        raise RowError(f"dnsrewrite knows no response code {rcode!r}", column)
    if rcode != "NOERROR" or not (rtype or data):
        return rcode
    try:
        rtype = qtype_to_text(qtype_from_text(rtype.upper()))
    except FormError:
        raise RowError(f"dnsrewrite knows no type {rtype!r}", column) from None
    return f"{rtype} {_read_data(rtype, data, column)}"


def _read_data(rtype: str, data: str, column: int) -> str:
    if rtype in ("A", "AAAA"):
        try:
            wanted = ipaddress.IPv4Address if rtype == "A" else ipaddress.IPv6Address
            return str(wanted(data))
        except ValueError:
            raise RowError(f"{data!r} is not the address of an {rtype} record", column) from None
    if rtype == "TXT":
        return data
    before = _FIELDS_BEFORE_NAME.get(rtype)
    if before is None:
        raise RowError(f"dnsrewrite cannot answer with {rtype} records here", column)
    fields = data.split()
    numbers, rest = fields[:before], fields[before:]
    if not rest or not all(n.isdecimal() and n.isascii() and int(n[:6]) <= 0xFFFF for n in numbers):
        raise RowError(f"{data!r} is not the data of a {rtype} record", column)
    name = rest[0] if rest[0] == "." else read_name(rest[0], column, wide=True)
    return " ".join([*numbers, name, *rest[1:]])
