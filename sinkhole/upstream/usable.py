"""Which answers are used, and the first of several. Not compiled: what waits in a `finally` must not be."""

import asyncio
from collections.abc import Mapping
from typing import Final

from sinkhole.protocol.message import Message
from sinkhole.protocol.types import QType, Rcode
from sinkhole.upstream.flight import Outcome
from sinkhole.upstream.server import Server

_USABLE: Final = frozenset((Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.YXDOMAIN))


async def race(tasks: Mapping[asyncio.Future[Outcome], Server]) -> list[tuple[Server, Outcome]]:
    """Wait for the first usable answer, which then is the last of the list, and end the other tasks."""
    outcomes: list[tuple[Server, Outcome]] = []
    waiting = set(tasks)
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            outcomes += [(tasks[task], task.result()) for task in done]
            usable = [pair for pair in outcomes if isinstance(pair[1], Message) and is_usable(pair[1])]
            if usable:
                return usable
        return outcomes
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def is_usable(message: Message) -> bool:
    """Say whether an answer is the answer, and no sign that someone else should be asked.

    A referral, as a server without recursion gives it, answers nothing.
    """
    if message.rcode not in _USABLE:
        return False
    if message.answer or message.rcode != Rcode.NOERROR or message.ra or message.aa:
        return True
    types = {record.rtype for record in message.authority}
    return QType.NS not in types or QType.SOA in types
