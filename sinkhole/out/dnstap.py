"""Bring hits to a dnstap receiver: Frame Streams in both directions, over a Unix socket or TCP.

We say READY, the receiver ACCEPT, we START; then come data frames; STOP ends them and FINISH answers it.
"""

import asyncio
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from enum import IntEnum
from typing import Final

from sinkhole.out.dnstap_message import to_dnstap
from sinkhole.out.event import Event, HitEvent
from sinkhole.out.sender import CONNECT_WITHIN, SEND_WITHIN, WaitError, why
from sinkhole.out.target import Address

CONTENT_TYPE: Final = b"protobuf:dnstap.Dnstap"
_LONGEST_CONTROL: Final = 512
_CONTENT_TYPE_FIELD: Final = 1
_FINISH_WITHIN: Final = 1.0

_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Control(IntEnum):
    """Control frames."""

    ACCEPT = 1
    START = 2
    STOP = 3
    READY = 4
    FINISH = 5


class Dnstap:
    """Send over a connection that is kept, and made again when it is gone.

    Args:
        address: where.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._identity = socket.gethostname().encode()
        self._stream: _Stream | None = None

    async def send(self, events: Sequence[Event]) -> None:
        """Send a frame for each hit; raises WaitError."""
        payloads = [to_dnstap(event, self._identity) for event in events if isinstance(event, HitEvent)]
        try:
            reader, writer = await self._connected()
            async with asyncio.timeout(SEND_WITHIN):
                writer.write(b"".join(struct.pack("!I", len(payload)) + payload for payload in payloads))
                await writer.drain()
                await asyncio.sleep(0)
            if reader.at_eof() or writer.is_closing():
                raise ConnectionResetError(104, "")
        except (OSError, asyncio.IncompleteReadError) as error:
            self._abort()
            raise WaitError(f"{self._address}: {_explain(error)}") from error
        except WaitError:
            self._abort()
            raise
        except asyncio.CancelledError:
            self._abort()  # a frame may be half sent
            raise

    async def close(self) -> None:
        """Say that no more comes, and end the connection."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        reader, writer = stream
        with suppress(OSError, asyncio.IncompleteReadError, WaitError):
            async with asyncio.timeout(_FINISH_WITHIN):
                writer.write(control_frame(Control.STOP))
                await self._expect(reader, Control.FINISH)
        writer.transport.abort()

    def _abort(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream[1].transport.abort()

    async def _connected(self) -> _Stream:
        if self._stream is not None and (self._stream[0].at_eof() or self._stream[1].is_closing()):
            self._abort()
        if self._stream is None:
            async with asyncio.timeout(CONNECT_WITHIN):
                self._stream = await self._connect()
                reader, writer = self._stream
                writer.write(control_frame(Control.READY))
                await self._expect(reader, Control.ACCEPT)
                writer.write(control_frame(Control.START))
        return self._stream

    async def _connect(self) -> _Stream:
        if self._address.scheme == "unix":
            return await asyncio.open_unix_connection(self._address.host)
        return await asyncio.open_connection(self._address.host, self._address.port)

    async def _expect(self, reader: asyncio.StreamReader, wanted: Control) -> None:
        """Read a control frame; raises WaitError for another, or for one that does not take dnstap."""
        escape, length = struct.unpack("!II", await reader.readexactly(8))
        if escape or not 4 <= length <= _LONGEST_CONTROL:
            raise WaitError(f"{self._address}: it does not speak Frame Streams")
        frame = await reader.readexactly(length)
        (kind,) = struct.unpack_from("!I", frame)
        if kind != wanted:
            raise WaitError(f"{self._address}: wanted the frame {wanted.name}; found {kind}")
        if wanted is Control.ACCEPT and CONTENT_TYPE not in frame:
            raise WaitError(f"{self._address}: it does not take dnstap")


def control_frame(kind: Control) -> bytes:
    """Return a control frame: an escape of zeros, its length, its kind, and the content type if it has one."""
    body = struct.pack("!I", kind)
    if kind in (Control.READY, Control.START, Control.ACCEPT):
        body += struct.pack("!II", _CONTENT_TYPE_FIELD, len(CONTENT_TYPE)) + CONTENT_TYPE
    return struct.pack("!II", 0, len(body)) + body


def _explain(error: OSError | asyncio.IncompleteReadError) -> str:
    return why(error) if isinstance(error, OSError) else "it closed the connection"
