"""Write lines to a file that is turned over by size, or to standard output."""

import asyncio
import os
import socket
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from sinkhole.out.event import Event
from sinkhole.out.sender import WaitError

_FULL_PIPE_WAIT = 0.05


class LineFile:
    """Append to `path`; when that is too large it becomes `path.1`, that `path.2`, and the oldest goes.

    Args:
        path: the file.
        write: makes the line of an event.
        max_octets: after which a new file is begun.
        keep: files kept beside it.
    """

    def __init__(self, path: Path, write: Callable[[Event], str], max_octets: int, keep: int) -> None:
        self._path = path
        self._write = write
        self._max_octets = max_octets
        self._keep = keep

    async def send(self, events: Sequence[Event]) -> None:
        """Append a line for each; raises WaitError."""
        data = "".join(f"{self._write(event)}\n" for event in events).encode("utf-8", "backslashreplace")
        try:
            await asyncio.to_thread(self._append, data)
        except OSError as error:
            raise WaitError(f"{self._path}: cannot be written: {error.strerror}") from error

    async def close(self) -> None:
        """Have nothing to release."""

    def _append(self, data: bytes) -> None:
        self._turn(len(data))
        # Not blocking: a named pipe that nobody reads must not hold a thread for ever.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        with os.fdopen(os.open(self._path, flags, 0o600), "wb", buffering=0) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise OSError(0, "it is no regular file")
            if file.write(data) != len(data):  # a full disk took a part, of which nothing must stay
                os.ftruncate(file.fileno(), found.st_size)
                raise OSError(0, "there is no room for it")

    def _turn(self, coming: int) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return
        size = found.st_size if stat.S_ISREG(found.st_mode) else 0  # a folder or a device is not ours to rename
        if not size or size + coming <= self._max_octets:
            return
        for number in range(self._keep, 0, -1):
            older = self._named(number - 1)
            if older.exists():
                older.replace(self._named(number))

    def _named(self, number: int) -> Path:
        return self._path if number == 0 else self._path.with_name(f"{self._path.name}.{number}")


class StandardOutput:
    """Write lines to standard output, never waiting for whoever reads it longer than a batch may take.

    Args:
        write: makes the line of an event.
        fd: its descriptor.
    """

    def __init__(self, write: Callable[[Event], str], fd: int = 1) -> None:
        self._write = write
        self._fd = fd
        self._rest = b""

    async def send(self, events: Sequence[Event]) -> None:
        """Write a line for each; raises WaitError."""
        lines = [f"{self._write(event)}\n".encode("utf-8", "backslashreplace") for event in events]
        try:
            with _Unblocked(self._fd) as out:
                for line in lines:
                    await self._finish(out)  # of a line that was cut off, so that the next begins as one
                    self._rest = line
                await self._finish(out)
        except OSError as error:
            raise WaitError(f"standard output cannot be written: {error.strerror}") from error

    async def _finish(self, out: "_Unblocked") -> None:
        while self._rest:
            try:
                self._rest = self._rest[out.write(self._rest) :]
            except BlockingIOError:
                await asyncio.sleep(_FULL_PIPE_WAIT)

    async def close(self) -> None:
        """Have nothing to release."""


class _Unblocked:
    """A descriptor of our own for the same output, so that not to block concerns nobody else who has it."""

    def __init__(self, fd: int) -> None:
        self._socket: socket.socket | None = None
        if stat.S_ISSOCK(os.fstat(fd).st_mode):  # the journal of systemd; a socket cannot be opened anew
            self._socket = socket.socket(fileno=os.dup(fd))
            return
        self._fd = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> "_Unblocked":
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self._fd)

    def write(self, data: bytes) -> int:
        if self._socket is not None:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        return os.write(self._fd, data)
