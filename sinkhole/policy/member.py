"""Members of a group: an address, a network, a MAC address or its first octets, a reverse name, a client-id.

They are written the same way everywhere: `192.0.2.0/24`, `mac:aa:bb:cc:dd:ee:ff`, `mac:aa:bb:cc`,
`name:*.lab.example`, `id:LAPTOP-7`. A bare MAC address is one too.
"""

import re
from dataclasses import dataclass
from enum import Enum

from sinkhole.errors import PolicyError
from sinkhole.policy.address import parse_network
from sinkhole.policy.glob import literals_of

_MAC_OCTETS = 6
_LONGEST_NAME = 253
_LONGEST_ID = 255
_is_mac = re.compile(r"(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}").fullmatch
_is_prefix = re.compile(r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){1,3}").fullmatch
_is_glob = re.compile(r"[a-z0-9_*.-]+").fullmatch


class MemberKind(Enum):
    """By what a client is recognised; the value is the word before the colon, and that of the store."""

    NETWORK = "network"
    MAC = "mac"
    NAME = "name"
    ID = "id"


WORDS = tuple(kind.value for kind in MemberKind if kind is not MemberKind.NETWORK)
"""What a member that is no address begins with, before a colon."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member; `value` in the one spelling in which members are compared, an id as it was written."""

    kind: MemberKind
    value: str

    def __str__(self) -> str:
        return self.value if self.kind is MemberKind.NETWORK else f"{self.kind.value}:{self.value}"

    @property
    def specificity(self) -> tuple[int, int]:
        """How specific it is, the lower the more: what of two members of different groups counts for a client.

        Client-id, whole MAC address, single address, name (more literal characters first), first octets of a MAC
        address (more first), network (longer prefix first).
        """
        match self.kind:
            case MemberKind.ID:
                return (0, 0)
            case MemberKind.MAC if len(self.value) == 3 * _MAC_OCTETS - 1:
                return (1, 0)
            case MemberKind.MAC:
                return (4, -len(self.value))
            case MemberKind.NAME:
                return (3, -literals_of(self.value))
            case _:
                network = parse_network(self.value)
                host_bits = network.max_prefixlen - network.prefixlen
                return (5, host_bits) if host_bits else (2, 0)


def member_from_text(text: str) -> Member:
    """Read a member.

    Raises:
        PolicyError: it is none.
    """
    written = text.strip()
    word, colon, value = written.partition(":")
    if mac := mac_from_text(written):
        return Member(MemberKind.MAC, mac)
    if colon and word.lower() in WORDS:
        kind = MemberKind(word.lower())
        return Member(kind, _READERS[kind](value.strip(), text))
    return Member(MemberKind.NETWORK, network_text(written))


def network_text(text: str) -> str:
    """Return an address or network as it is compared: host bits gone, an address without a prefix length.

    Raises:
        PolicyError: it is neither.
    """
    try:
        network = parse_network(text)
    except ValueError as error:
        raise PolicyError(f"{text!r} is no address and no network such as 192.0.2.0/24 or 2001:db8::/32") from error
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def mac_from_text(text: str) -> str | None:
    """Return a whole MAC address as `aa:bb:cc:dd:ee:ff`, however it is separated; None for another text."""
    lower = text.lower()
    return _with_colons(lower) if _is_mac(lower) else None


def mac_from_octets(octets: bytes) -> str | None:
    """Return a MAC address of six octets, not all of them zero; None for anything else."""
    return octets.hex(":") if len(octets) == _MAC_OCTETS and any(octets) else None


def is_id(text: str) -> bool:
    """Return whether a text may be a client-id: printable, without space at its ends, and not too long."""
    return 0 < len(text) <= _LONGEST_ID and text.isprintable() and text == text.strip()


def _with_colons(text: str) -> str:
    digits = re.sub(r"[:.-]", "", text)
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


def _read_mac(value: str, text: str) -> str:
    lower = value.lower()
    if mac := mac_from_text(lower):
        return mac
    if _is_prefix(lower):
        return _with_colons(lower)
    raise PolicyError(f"{text!r}: wanted a MAC address such as mac:aa:bb:cc:dd:ee:ff, or its first 3 to 5 octets")


def _read_name(value: str, text: str) -> str:
    glob = re.sub(r"\*+", "*", value.lower().rstrip("."))
    if not _is_glob(glob) or ".." in glob or glob.startswith(".") or len(glob) > _LONGEST_NAME:
        raise PolicyError(f"{text!r}: wanted a host name such as name:pc7.lab.example, or with * name:*.lab.example")
    return glob


def _read_id(value: str, text: str) -> str:
    if not is_id(value):
        raise PolicyError(f"{text!r}: wanted a client-id such as id:LAPTOP-7 or id:01:aa:bb:cc:dd:ee:ff")
    return value


_READERS = {MemberKind.MAC: _read_mac, MemberKind.NAME: _read_name, MemberKind.ID: _read_id}
