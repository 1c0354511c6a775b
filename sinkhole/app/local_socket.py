"""The unix socket between the control process, the workers and the command line: `control.sock` in the data folder.

Messages are JSON objects, one a line, with a key `op`. The supervisor binds the socket and keeps it open, so that
nobody is turned away while the control process restarts: a connection waits in the backlog.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from sinkhole.errors import SinkholeError

NAME = "control.sock"
MAX_LINE = 4 * 1024 * 1024
"""Octets of one message; a batch of hits is far below."""
_BACKLOG = 128


class MessageError(SinkholeError):
    """The other side sent something that is no message."""


@contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """Give a path of the socket that fits into `sun_path` (108 octets) however deep the folder is."""
    path = str(folder / NAME)
    if len(os.fsencode(path)) < 100:
        yield path
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}/{NAME}"
    finally:
        os.close(fd)


def bind_control(folder: Path) -> socket.socket:
    """Listen on the control socket of `folder`; the caller holds the folder's lock, so an old file is a leftover."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short_path(folder) as path:
        with suppress(FileNotFoundError):
            (folder / NAME).unlink()
        old_mask = os.umask(0o177)
        try:
            sock.bind(path)
        finally:
            os.umask(old_mask)
    sock.listen(_BACKLOG)
    sock.setblocking(False)
    return sock


async def connect_control(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the control socket of `folder`.

    Raises:
        OSError: no server runs on this folder.
    """
    with ExitStack() as stack:
        sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        sock.setblocking(False)
        with _short_path(folder) as path:
            await asyncio.get_running_loop().sock_connect(sock, path)
        connection = await asyncio.open_unix_connection(sock=sock, limit=MAX_LINE)
        stack.pop_all()  # it stays open only if all went well
    return connection


async def exchange(folder: Path, message: Mapping[str, Any]) -> dict[str, Any]:
    """Send one message to the control process of `folder` and return its answer.

    Raises:
        OSError: no server runs on this folder.
        MessageError: it hung up, or said something that is no message.
    """
    reader, writer = await connect_control(folder)
    try:
        write_message(writer, message)
        async for answer in read_messages(reader):
            return answer
    finally:
        writer.close()
        await writer.wait_closed()
    raise MessageError("the server hung up")


def to_json(value: Any) -> bytes:
    """Write a message, or a part of one, as it travels."""
    return json.dumps(value, separators=(",", ":")).encode()


def write_message(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    """Queue one message."""
    writer.write(to_json(message) + b"\n")


async def read_messages(reader: asyncio.StreamReader) -> AsyncIterator[dict[str, Any]]:
    """Yield messages until the other side closes.

    Raises:
        MessageError: a line is no JSON object with an `op`, or too long.
    """
    while True:
        try:
            line = await reader.readline()
        except ValueError as error:
            raise MessageError(f"a message is longer than {MAX_LINE} octets") from error
        except ConnectionError:
            return
        if not line.endswith(b"\n"):
            return
        try:
            message = json.loads(line)
        except ValueError as error:
            raise MessageError(f"a message is not JSON: {error}") from error
        if not isinstance(message, dict) or "op" not in message:
            raise MessageError("a message is not an object with op")
        yield message
