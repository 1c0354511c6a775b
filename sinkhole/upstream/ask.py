"""One question on its way to upstreams: how it is written, and what it may cost."""

import secrets
import struct
import time
from collections.abc import Callable
from functools import cache
from typing import Final

from sinkhole.protocol.message import write_query
from sinkhole.protocol.question import HEADER, TYPE_AND_CLASS, Question
from sinkhole.protocol.value import value
from sinkhole.upstream.failure import UpstreamFailure, UpstreamTimeout

PAYLOAD: Final = 1232
"""UDP payload we offer to upstreams in octets: what passes without fragments (RFC 9715)."""

MOST_PACKETS: Final = 16
"""Messages sent for one query of a client, whatever upstreams do (R-C10); 20 with a few probes beside them."""

_TYPE_CLASS: Final = struct.Struct("!HH")
_ROOT: Final = Question(b"\0", 0)
_PADDING_OPTION: Final = 12
_PADDING_BLOCK: Final = 128
_PADDING: Final = struct.Struct("!HHH")
"""Length of the options, code and length of the one."""
_OPTION_HEADER: Final = 4
_LENGTH_OCTETS: Final = 2
_ID_OCTETS: Final = 2
_number: Final = int.from_bytes
"""Looked up once: compiled, each look-up makes a method."""
_CASE_BITS: Final = bytes(0x20 if chr(octet).isalpha() and octet < 128 else 0 for octet in range(256))


@value(frozen=True, slots=True)
class Ask:
    """A question and the flags that change its answer."""

    question: Question
    do: bool = False
    cd: bool = False
    ad: bool = False
    edns: bool = True

    def to_wire(self, message_id: int, *, is_padded: bool = False) -> bytes:
        """Write the query; padded, its length is a multiple of 128 octets (RFC 8467, section 4.1)."""
        if is_padded and self.edns:
            name = self.question.name
            head, tail = self.frame()
            return b"".join((message_id.to_bytes(_ID_OCTETS), head, name, padded(head, name, tail)))
        return write_query(
            self.question, id=message_id, rd=True, cd=self.cd, ad=self.ad, do=self.do, payload=PAYLOAD, edns=self.edns
        )

    def frame(self) -> tuple[bytes, bytes]:
        """Return what stands before the name in the query, its id apart, and what follows the name."""
        question = self.question
        head, opt = _frame(self.do, self.cd, self.ad, self.edns)
        return head, _TYPE_CLASS.pack(question.qtype, question.qclass) + opt


@cache
def _frame(do: bool, cd: bool, ad: bool, edns: bool) -> tuple[bytes, bytes]:
    """Return what stands before the name of a query, its id apart, and what follows its question."""
    wire = Ask(_ROOT, do=do, cd=cd, ad=ad, edns=edns).to_wire(0)
    return wire[2:HEADER], wire[HEADER + len(_ROOT.name) + TYPE_AND_CLASS :]


def padded(head: bytes, name: bytes, tail: bytes) -> bytes:
    """Return what follows the name in a query so that its length is a multiple of 128 octets (RFC 8467, section 4.1).

    Args:
        head: what stands before the name, its id apart.
        name: the name.
        tail: what follows the name, with an OPT record that has no options at its end.
    """
    missing = -(_ID_OCTETS + len(head) + len(name) + len(tail) + _OPTION_HEADER) % _PADDING_BLOCK
    return tail[:-_LENGTH_OCTETS] + _PADDING.pack(_OPTION_HEADER + missing, _PADDING_OPTION, missing) + bytes(missing)


class Packets:
    """The messages that one query of a client may still cause, over all names of its chain.

    They are bounded so that nobody can use us to multiply traffic (NXNSAttack, TsuNAME).
    """

    __slots__ = ("_left",)

    def __init__(self, most: int = MOST_PACKETS) -> None:
        self._left = most

    @property
    def is_spent(self) -> bool:
        """Whether none is left."""
        return self._left <= 0

    def spend(self) -> None:
        """Count one message that is about to be sent.

        Raises:
            UpstreamFailure: it would be one too many.
        """
        if self.is_spent:
            raise UpstreamFailure("gave up: too many messages for one query")
        self._left -= 1


class Budget:
    """What one question may still cost, over all upstreams, tries and transports.

    Args:
        packets: messages that may be sent; several questions of one client query share them.
        seconds: time until it must be given up.
        clock: monotonic seconds.
    """

    def __init__(self, packets: Packets, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._packets = packets
        self._clock = clock
        self._seconds = seconds
        self._end = clock() + seconds

    def charge(self, started: float) -> None:
        """Count a message that was sent before, at `started` (monotonic seconds), when the time began to run."""
        self._packets.spend()
        self._end = started + self._seconds

    def spend(self) -> None:
        """Count one message that is about to be sent.

        Raises:
            UpstreamFailure: it would be one too many.
        """
        self._packets.spend()

    def time_for(self, timeout: float) -> float:
        """Return how many of `timeout` seconds one try may take.

        Raises:
            UpstreamTimeout: none are left.
        """
        left = self._end - self._clock()
        if left <= 0:
            raise UpstreamTimeout("no answer in time")
        return min(timeout, left)


def mix_case(name: bytes) -> bytes:
    """Return the name with random letter case (draft-vixie-dnsext-dns0x20): some more bits a forger must guess."""
    return mixed_case(name, secrets.token_bytes(len(name)))


def mixed_case(name: bytes, octets: bytes) -> bytes:
    """Return the name with the letter case that as many random octets say.

    Length octets are below 64, so none of them is taken for a letter.
    """
    flips = _number(name.translate(_CASE_BITS), "big") & _number(octets, "big")
    return (_number(name, "big") ^ flips).to_bytes(len(name), "big")
