"""Bring events to a syslog receiver: UDP (RFC 5426), TCP with octet counting (RFC 6587), TLS (RFC 5425)."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress

from sinkhole.out.event import Event
from sinkhole.out.sender import CONNECT_WITHIN, SEND_WITHIN, WaitError, why
from sinkhole.out.target import Address

LONGEST_DATAGRAM = 60_000
"""Octets; a longer message is cut, as RFC 5424, section 6.1, permits."""


class SyslogDatagrams:
    """Send over UDP, which tells nothing of what arrives.

    Args:
        address: where.
        write: makes the message of an event.
    """

    def __init__(self, address: Address, write: Callable[[Event], bytes]) -> None:
        self._address = address
        self._write = write

    async def send(self, events: Sequence[Event]) -> None:
        """Send a datagram for each; raises WaitError."""
        loop = asyncio.get_running_loop()
        socket = _Datagrams()
        try:
            async with asyncio.timeout(SEND_WITHIN):
                address = (self._address.host, self._address.port)
                transport, _ = await loop.create_datagram_endpoint(lambda: socket, remote_addr=address)
                try:
                    for event in events:
                        await socket.room.wait()
                        transport.sendto(_cut(self._write(event)))
                    await asyncio.sleep(0)  # so that a port nobody listens on can tell
                finally:
                    transport.close()
        except OSError as error:
            raise WaitError(f"{self._address}: {why(error)}") from error
        if socket.error is not None:
            raise WaitError(f"{self._address}: {why(socket.error)}")

    async def close(self) -> None:
        """Have nothing to release."""


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.error: OSError | None = None
        self.room = asyncio.Event()
        self.room.set()

    def error_received(self, exc: Exception) -> None:
        self.error = exc if isinstance(exc, OSError) else None

    def pause_writing(self) -> None:
        self.room.clear()

    def resume_writing(self) -> None:
        self.room.set()


def _cut(message: bytes) -> bytes:
    """Return what fits into a datagram, whole characters of UTF-8."""
    if len(message) <= LONGEST_DATAGRAM:
        return message
    return message[:LONGEST_DATAGRAM].decode("utf-8", "ignore").encode()


class SyslogStream:
    """Send over a connection that is kept, and made again when it is gone.

    TCP tells when the receiver is gone, not what it has read: what was under way at that moment may be lost.

    Args:
        address: where.
        write: makes the message of an event.
        tls: None for plain TCP.
    """

    def __init__(self, address: Address, write: Callable[[Event], bytes], tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._write = write
        self._tls = tls
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, events: Sequence[Event]) -> None:
        """Send a frame for each; raises WaitError."""
        frames = b"".join(b"%d %b" % (len(message), message) for message in map(self._write, events))
        try:
            reader, writer = await self._connected()
            async with asyncio.timeout(SEND_WITHIN):
                writer.write(frames)
                await writer.drain()
                await asyncio.sleep(0)
            if reader.at_eof() or writer.is_closing():
                raise ConnectionResetError(104, "")
        except OSError as error:
            self._abort()
            raise WaitError(f"{self._address}: {why(error)}") from error
        except asyncio.CancelledError:
            self._abort()  # a frame may be half sent
            raise

    async def close(self) -> None:
        """End the connection."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream[1].close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await stream[1].wait_closed()

    def _abort(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream[1].transport.abort()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._stream is not None and (self._stream[0].at_eof() or self._stream[1].is_closing()):
            await self.close()
        if self._stream is None:
            name = self._address.host if self._tls else None
            async with asyncio.timeout(CONNECT_WITHIN):
                self._stream = await asyncio.open_connection(
                    self._address.host, self._address.port, ssl=self._tls, server_hostname=name
                )
        return self._stream
