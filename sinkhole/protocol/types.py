"""The numbers of the DNS by name: types, classes, opcodes, response codes, option codes, EDE codes.

Plain ints and no enums: every value of a field is legal on the wire, and these are compared for every packet.
"""

from typing import Final

from sinkhole.errors import FormError

_GENERIC: Final = "TYPE"


class QType:
    """Record and question types (the IANA registry "Resource Record (RR) TYPEs")."""

    A: Final = 1
    NS: Final = 2
    MD: Final = 3
    MF: Final = 4
    CNAME: Final = 5
    SOA: Final = 6
    MB: Final = 7
    MG: Final = 8
    MR: Final = 9
    NULL: Final = 10
    WKS: Final = 11
    PTR: Final = 12
    HINFO: Final = 13
    MINFO: Final = 14
    MX: Final = 15
    TXT: Final = 16
    RP: Final = 17
    AFSDB: Final = 18
    X25: Final = 19
    ISDN: Final = 20
    RT: Final = 21
    NSAP: Final = 22
    SIG: Final = 24
    KEY: Final = 25
    PX: Final = 26
    GPOS: Final = 27
    AAAA: Final = 28
    LOC: Final = 29
    NXT: Final = 30
    SRV: Final = 33
    NAPTR: Final = 35
    KX: Final = 36
    CERT: Final = 37
    A6: Final = 38
    DNAME: Final = 39
    OPT: Final = 41
    APL: Final = 42
    DS: Final = 43
    SSHFP: Final = 44
    IPSECKEY: Final = 45
    RRSIG: Final = 46
    NSEC: Final = 47
    DNSKEY: Final = 48
    DHCID: Final = 49
    NSEC3: Final = 50
    NSEC3PARAM: Final = 51
    TLSA: Final = 52
    SMIMEA: Final = 53
    HIP: Final = 55
    CDS: Final = 59
    CDNSKEY: Final = 60
    OPENPGPKEY: Final = 61
    CSYNC: Final = 62
    ZONEMD: Final = 63
    SVCB: Final = 64
    HTTPS: Final = 65
    SPF: Final = 99
    EUI48: Final = 108
    EUI64: Final = 109
    TKEY: Final = 249
    TSIG: Final = 250
    IXFR: Final = 251
    AXFR: Final = 252
    MAILB: Final = 253
    MAILA: Final = 254
    ANY: Final = 255
    URI: Final = 256
    CAA: Final = 257
    RESINFO: Final = 261


class QClass:
    """Classes; only IN and CH are in use."""

    IN: Final = 1
    CH: Final = 3
    HS: Final = 4
    NONE: Final = 254
    ANY: Final = 255


class Opcode:
    """Kinds of message."""

    QUERY: Final = 0
    IQUERY: Final = 1
    STATUS: Final = 2
    NOTIFY: Final = 4
    UPDATE: Final = 5
    DSO: Final = 6


class Rcode:
    """Response codes; those above 15 need an OPT record (RFC 6891, section 6.1.3)."""

    NOERROR: Final = 0
    FORMERR: Final = 1
    SERVFAIL: Final = 2
    NXDOMAIN: Final = 3
    NOTIMP: Final = 4
    REFUSED: Final = 5
    YXDOMAIN: Final = 6
    YXRRSET: Final = 7
    NXRRSET: Final = 8
    NOTAUTH: Final = 9
    NOTZONE: Final = 10
    BADVERS: Final = 16
    BADCOOKIE: Final = 23


class OptionCode:
    """EDNS options that this program reads or writes."""

    ECS: Final = 8
    COOKIE: Final = 10
    KEEPALIVE: Final = 11
    PADDING: Final = 12
    EDE: Final = 15
    DNSMASQ_MAC: Final = 65001
    DEVICE_ID: Final = 65073
    CPE_ID: Final = 65074


class EdeCode:
    """Extended DNS errors (RFC 8914, section 4, and its registry)."""

    OTHER: Final = 0
    UNSUPPORTED_DNSKEY_ALGORITHM: Final = 1
    UNSUPPORTED_DS_DIGEST: Final = 2
    STALE_ANSWER: Final = 3
    FORGED_ANSWER: Final = 4
    DNSSEC_INDETERMINATE: Final = 5
    DNSSEC_BOGUS: Final = 6
    SIGNATURE_EXPIRED: Final = 7
    SIGNATURE_NOT_YET_VALID: Final = 8
    DNSKEY_MISSING: Final = 9
    RRSIGS_MISSING: Final = 10
    NO_ZONE_KEY_BIT: Final = 11
    NSEC_MISSING: Final = 12
    CACHED_ERROR: Final = 13
    NOT_READY: Final = 14
    BLOCKED: Final = 15
    CENSORED: Final = 16
    FILTERED: Final = 17
    PROHIBITED: Final = 18
    STALE_NXDOMAIN: Final = 19
    NOT_AUTHORITATIVE: Final = 20
    NOT_SUPPORTED: Final = 21
    NO_REACHABLE_AUTHORITY: Final = 22
    NETWORK_ERROR: Final = 23
    INVALID_DATA: Final = 24
    SYNTHESIZED: Final = 29


_NAMES: Final[dict[int, str]] = {v: k for k, v in vars(QType).items() if k.isupper()}
_NUMBERS: Final[dict[str, int]] = {name: number for number, name in _NAMES.items()}
_RCODE_NAMES: Final[dict[int, str]] = {v: k for k, v in vars(Rcode).items() if k.isupper()}


def qtype_to_text(number: int) -> str:
    """Name a type: `AAAA`, or `TYPE65300` where it has no name (RFC 3597, section 5)."""
    return _NAMES.get(number) or f"{_GENERIC}{number}"


def qtype_from_text(text: str) -> int:
    """Read the name of a type in either letter case, or the generic `TYPE65300`.

    Raises:
        FormError: no type has this name.
    """
    name = text.upper()
    number = _NUMBERS.get(name)
    if number is not None:
        return number
    digits = name.removeprefix(_GENERIC)
    if digits != name and digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535:
        return int(digits)
    raise FormError(f"type: a known name or TYPE0 to TYPE65535 is wanted; found {text!r}")


def rcode_to_text(number: int) -> str:
    """Name a response code: `NXDOMAIN`, or `RCODE3841` where it has no name."""
    return _RCODE_NAMES.get(number) or f"RCODE{number}"
