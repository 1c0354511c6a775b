"""Records as text: the lines an administrator writes, and the form in which records are shown.

Types with names or strings in them are ours, since these must be 8-bit clean; the others are dnslib's.
"""

import ipaddress
import re
import struct
from typing import Any, Final

from dnslib import RDMAP, DNSBuffer, DNSError
from dnslib.bimap import BimapError
from dnslib.buffer import BufferError as DnslibBufferError
from dnslib.label import DNSLabelError

from sinkhole.errors import FormError
from sinkhole.protocol.character_strings import quote_string, read_strings, strings_from_text
from sinkhole.protocol.expansion import check_rdata
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import labels_of, name_from_text, name_to_text, read_name
from sinkhole.protocol.svcb import SVCB_TYPES, svcb_parts
from sinkhole.protocol.types import QClass, QType, qtype_from_text, qtype_to_text

DEFAULT_TTL: Final = 300
_MAX_TTL: Final = 0x7FFFFFFF
_MAX_LINE: Final = 16384
_TOKEN: Final = re.compile(r'(?:"(?:\\.|[^"\\])*"|\\.|[^\s";\\])+')
_BLANK: Final = re.compile(r"\s*(?:;.*)?")

# What stands before the one name of these types: 16-bit numbers.
_NUMBERS_BEFORE_NAME: Final[dict[int, int]] = {
    QType.NS: 0,
    QType.CNAME: 0,
    QType.PTR: 0,
    QType.DNAME: 0,
    QType.MX: 1,
    QType.SRV: 3,
}
_STRINGS: Final = frozenset((QType.TXT, QType.SPF, QType.HINFO))
_WRITABLE_BY_DNSLIB: Final = frozenset((QType.SSHFP, QType.TLSA, QType.DS, QType.LOC, QType.DNSKEY))
_LAST_NAMED_KEY: Final = 6
# dnslib has no documented error for text or data it cannot take.
_DNSLIB_ERRORS: Final = (
    DNSError,
    DNSLabelError,
    DnslibBufferError,
    BimapError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    struct.error,
)


def records_from_text(line: str) -> tuple[Record, ...]:
    r"""Read a line `NAME [TTL] [IN] TYPE DATA`, as in a zone file, where every name is absolute.

    Types: A, AAAA, CNAME, DNAME, PTR, NS, MX, SRV, TXT, CAA, HTTPS, SVCB, SSHFP, TLSA, DS, DNSKEY, LOC, and any
    type in the generic form `TYPE65300 \# 2 ABCD` (RFC 3597, section 5). The TTL is 300 where none is given.

    Returns:
        The record; none for a line that is blank or a comment.

    Raises:
        FormError: the line is wrong; the text says at which column.
    """
    tokens = _tokens(line)
    if not tokens:
        return ()
    fields = [text for _, text in tokens]
    at, ttl = 1, DEFAULT_TTL
    if len(fields) > at and fields[at].isascii() and fields[at].isdigit():
        ttl = int(fields[at]) if len(fields[at]) <= 10 else _MAX_TTL + 1
        if ttl > _MAX_TTL:
            raise FormError(f"record: column {tokens[at][0]}: a TTL is at most {_MAX_TTL}; found {fields[at][:20]}")
        at += 1
    if len(fields) > at and fields[at].upper() == "IN":
        at += 1
    if len(fields) < at + 2:
        raise FormError(f"record: column {len(line) + 1}: NAME [TTL] TYPE DATA is wanted; found {line[:80]!r}")
    place = 0
    try:
        owner = name_from_text(fields[0])
        place = at
        rtype = qtype_from_text(fields[at])
        place = at + 1
        record = Record(owner, rtype, QClass.IN, ttl, _rdata_from_text(rtype, fields[place:]))
        check_rdata(rtype, record.rdata)
        if rtype in SVCB_TYPES:
            svcb_parts(record)
    except FormError as error:
        raise FormError(f"record: column {tokens[place][0]}: {error}") from None
    return (record,)


def _tokens(line: str) -> list[tuple[int, str]]:
    """Cut a line into words, each with its column; quotes and escapes stay in them."""
    if len(line) > _MAX_LINE:
        raise FormError(f"record: column {_MAX_LINE + 1}: a line has at most {_MAX_LINE} characters")
    tokens: list[tuple[int, str]] = []
    at = 0
    while True:
        blank = _BLANK.match(line, at)
        at = blank.end() if blank else at
        if at >= len(line):
            return tokens
        word = _TOKEN.match(line, at)
        if word is None:
            raise FormError(f"record: column {at + 1}: a quote or an escape without its end")
        tokens.append((at + 1, word.group()))
        at = word.end()


def _rdata_from_text(rtype: int, fields: list[str]) -> bytes:
    if fields[0] == r"\#":
        return _generic_from_text(fields[1:])
    if rtype in (QType.A, QType.AAAA):
        return _address_from_text(rtype, fields)
    if rtype in _NUMBERS_BEFORE_NAME:
        wanted = _NUMBERS_BEFORE_NAME[rtype] + 1
        if len(fields) != wanted:
            raise FormError(f"{qtype_to_text(rtype)}: {wanted} fields are wanted; found {len(fields)}")
        return b"".join([_number(field, 2) for field in fields[:-1]]) + name_from_text(fields[-1])
    if rtype in _STRINGS:
        return strings_from_text(fields)
    if rtype == QType.CAA:
        return _caa_from_text(fields)
    if rtype in SVCB_TYPES or rtype in _WRITABLE_BY_DNSLIB:
        try:
            return _by_dnslib(rtype, fields)
        except _DNSLIB_ERRORS as error:
            raise FormError(f"{qtype_to_text(rtype)}: cannot be understood: {error}") from None
    raise FormError(f"{qtype_to_text(rtype)}: write its data in the generic form \\# LENGTH HEX")


def _address_from_text(rtype: int, fields: list[str]) -> bytes:
    version = 4 if rtype == QType.A else 6
    try:
        (field,) = fields
        return (ipaddress.IPv4Address(field) if version == 4 else ipaddress.IPv6Address(field)).packed
    except ValueError:
        raise FormError(
            f"{qtype_to_text(rtype)}: one IPv{version} address is wanted; found {' '.join(fields)}"
        ) from None


def _number(field: str, octets: int) -> bytes:
    if field.isascii() and field.isdigit() and len(field) <= 5 and int(field) < 1 << 8 * octets:
        return int(field).to_bytes(octets, "big")
    raise FormError(f"a number of at most {(1 << 8 * octets) - 1} is wanted; found {field[:20]!r}")


def _generic_from_text(fields: list[str]) -> bytes:
    try:
        data = bytes.fromhex("".join(fields[1:]))
    except ValueError:
        raise FormError("generic data: hexadecimal digits are wanted (RFC 3597, section 5)") from None
    if not fields or fields[0] != str(len(data)):
        raise FormError(f"generic data: the length must be {len(data)}; found {(fields or ['nothing'])[0][:20]}")
    return data


def _caa_from_text(fields: list[str]) -> bytes:
    """Read flags, tag and value (RFC 8659, section 4.1.1)."""
    if len(fields) != 3 or not fields[1].isascii() or not fields[1].isalnum() or len(fields[1]) > 255:
        raise FormError("CAA: flags, a tag of letters and digits, and a value are wanted")
    tag = fields[1].encode()
    return _number(fields[0], 1) + bytes((len(tag),)) + tag + read_strings(fields[2])


def _by_dnslib(rtype: int, fields: list[str]) -> bytes:
    if rtype not in SVCB_TYPES:
        value: Any = RDMAP[qtype_to_text(rtype)].fromZone(fields)
    else:
        # dnslib knows the key `ech` by the name it had in the drafts of RFC 9460, and does not sort.
        keys = [re.sub("^ech(?==)", "echconfig", field) for field in fields[2:]]
        value = RDMAP["HTTPS"].fromZone([fields[0], ".", *keys])
        value.target = labels_of(name_from_text(fields[1]))
        # It leaves the quotes and escapes of keys without a name as they are.
        params = [(key, read_strings(data.decode()) if key > _LAST_NAMED_KEY else data) for key, data in value.params]
        value.params = sorted(params, key=lambda pair: pair[0])
    buffer = DNSBuffer()
    value.pack(buffer)
    return bytes(buffer.data)


def record_to_text(record: Record) -> str:
    r"""Write a record on one line as in a zone file; data that have no other form become `\# LENGTH HEX`."""
    try:
        data = _rdata_to_text(record.rtype, record.rdata)
    except (FormError, *_DNSLIB_ERRORS):
        data = None
    # dnslib passes through what the data hold, line breaks and other scripts included.
    if data is None or not data.isascii() or not data.isprintable():
        data = f"\\# {len(record.rdata)} {record.rdata.hex().upper()}".rstrip()
    rclass = {QClass.IN: "IN", QClass.CH: "CH"}.get(record.rclass) or f"CLASS{record.rclass}"
    return f"{_absolute(record.owner)} {record.ttl} {rclass} {qtype_to_text(record.rtype)} {data}"


def _absolute(name: bytes) -> str:
    text = name_to_text(name)
    return text if text == "." else text + "."


def _rdata_to_text(rtype: int, rdata: bytes) -> str | None:
    if rtype == QType.A:
        return str(ipaddress.IPv4Address(rdata))
    if rtype == QType.AAAA:
        return str(ipaddress.IPv6Address(rdata))
    if rtype in _NUMBERS_BEFORE_NAME:
        count = _NUMBERS_BEFORE_NAME[rtype]
        name, end = read_name(rdata, 2 * count)
        numbers = struct.unpack_from(f"!{count}H", rdata)
        return " ".join([*map(str, numbers), _absolute(name)]) if end == len(rdata) else None
    if rtype == QType.SOA:
        primary, at = read_name(rdata, 0)
        mailbox, at = read_name(rdata, at)
        return " ".join([_absolute(primary), _absolute(mailbox), *map(str, struct.unpack("!5I", rdata[at:]))])
    if rtype in _STRINGS:
        return quote_string(rdata)
    name_of_type = "HTTPS" if rtype in SVCB_TYPES else qtype_to_text(rtype)
    if name_of_type not in RDMAP:
        return None
    buffer = DNSBuffer(rdata)
    value = RDMAP[name_of_type].parse(buffer, len(rdata))
    # dnslib writes the data of keys without a name as they are: only what needs no quotes may go through.
    if rtype in SVCB_TYPES and not all(key <= _LAST_NAMED_KEY or data.isalnum() for key, data in value.params):
        return None
    return str(value.toZone()).replace("echconfig=", "ech=") if not buffer.remaining() else None
