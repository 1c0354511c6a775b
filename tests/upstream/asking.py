"""Short ways to make forwarders and questions for the tests of this folder."""

import asyncio
import struct
from collections.abc import Callable

from sinkhole.protocol.message import Message
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.svcb import address_to_text
from sinkhole.protocol.types import QType
from sinkhole.upstream import Forwarder
from sinkhole.upstream.ask import Ask, Budget, Packets
from tests.fakes import Handler, Script, reply

NAME = "www.Example.org"
ADDRESS = "192.0.2.1"
MakeForwarder = Callable[..., Forwarder]


def question(name: str = NAME, qtype: int = QType.A) -> Question:
    """Return a question of class IN."""
    return Question(name_from_text(name), qtype, 1)


def asking(name: str = NAME, qtype: int = QType.A) -> Ask:
    """Return an ask."""
    return Ask(question(name, qtype))


def budget(packets: int = 20, seconds: float = 5.0) -> Budget:
    """Return what a query may cost."""
    return Budget(Packets(packets), seconds)


async def resolve(forwarder: Forwarder, name: str = NAME, qtype: int = QType.A, client: str = "192.0.2.99") -> Message:
    """Ask a forwarder for a name."""
    return await forwarder.resolve(question(name, qtype), do=False, cd=False, client=client)


def addresses(message: Message) -> list[str]:
    """Return the addresses in an answer."""
    return [address_to_text(record.rdata) for record in message.answer if record.rtype in (QType.A, QType.AAAA)]


def good(query: bytes, address: str = ADDRESS) -> bytes:
    """Answer with one address, the owner in the letter case that was asked."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += query[at] + 1
    return reply(query, f"{'.'.join(labels)}. 300 IN A {address}")


def says(address: str = ADDRESS, delay: float = 0.0) -> Handler:
    """Return a handler that answers every A query with one address, and others with nothing."""

    def handle(query: bytes) -> Script:
        is_a = query[12:].split(b"\0", 1)[1][:2] == b"\0\1"
        return [(delay, good(query, address) if is_a else reply(query))]

    return handle


def fails(rcode: str) -> Handler:
    """Return a handler that answers with a response code alone."""
    return lambda query: [(0, reply(query, rcode=rcode))]


def frame(wire: bytes) -> bytes:
    """Put the length before a message."""
    return struct.pack("!H", len(wire)) + wire


async def soon(condition: Callable[[], bool], timeout: float = 5.0) -> None:
    """Return once a condition holds."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.005)
