"""A plain client at full load: several sockets, each with a window of questions that is filled as answers come."""

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tests.e2e.running import HOST

SOCKETS = 4
WINDOW = 48
_GIVE_UP_AFTER = 5.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: the question's number, when it was sent, when the answer came, and the last four octets of that."""

    number: int
    sent: float
    came: float
    end: bytes


class Storm:
    """Asks in a thread until told to stop, or until there are no more questions.

    Args:
        port: where to.
        wires: queries; their ids are overwritten.
    """

    def __init__(self, port: int, wires: Iterator[bytes]) -> None:
        self._wires = enumerate(wires)
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SOCKETS)]
        for sock in self._sockets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
            sock.connect((HOST, port))
            sock.setblocking(False)
        self._waiting: list[dict[int, tuple[int, float]]] = [{} for _ in self._sockets]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.answered: deque[Answered] = deque()
        self.sent = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.join()
        for sock in self._sockets:
            sock.close()

    def join(self) -> None:
        """Wait until all is answered that will be."""
        self._thread.join(60)
        assert not self._thread.is_alive()

    @property
    def lost(self) -> int:
        """Questions without an answer."""
        return self.sent - len(self.answered)

    def until_more(self, count: int, seconds: float = 10) -> None:
        """Wait until so many more answers have come."""
        wanted = len(self.answered) + count
        deadline = time.monotonic() + seconds
        while len(self.answered) < wanted:
            assert time.monotonic() < deadline, f"{len(self.answered)} answers, {wanted} wanted"
            time.sleep(0.005)

    def _run(self) -> None:
        index_of = {sock.fileno(): index for index, sock in enumerate(self._sockets)}
        for index in range(SOCKETS):
            self._fill(index)
        last = time.monotonic()
        while any(self._waiting) and time.monotonic() < last + _GIVE_UP_AFTER:
            for sock in select.select(self._sockets, [], [], 0.2)[0]:
                last = time.monotonic()
                index = index_of[sock.fileno()]
                self._take(index)
                if not self._stop.is_set():
                    self._fill(index)

    def _fill(self, index: int) -> None:
        sock, waiting = self._sockets[index], self._waiting[index]
        while len(waiting) < WINDOW and (following := next(self._wires, None)) is not None:
            number, wire = following
            ident = number & 0xFFFF
            assert ident not in waiting
            waiting[ident] = (number, time.monotonic())
            sock.send(ident.to_bytes(2, "big") + wire[2:])
            self.sent += 1

    def _take(self, index: int) -> None:
        sock, waiting = self._sockets[index], self._waiting[index]
        while waiting:
            try:
                reply = sock.recv(4096)
            except BlockingIOError:
                return
            number, sent = waiting.pop(int.from_bytes(reply[:2], "big"))
            self.answered.append(Answered(number, sent, time.monotonic(), reply[-4:]))
