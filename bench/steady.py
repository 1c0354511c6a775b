"""A client that asks at a steady rate from one socket, looks at every answer, and says how it went in JSON.

    python -m bench.steady PORT RATE SECONDS     (RATE 0: as fast as answers come)

Of 100 questions 30 are for blocked names, 65 for names that are cached, 5 for names that nobody asked for before.
"""

import json
import random
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

SINKHOLE = bytes(4)
TRUE = socket.inet_aton("192.0.2.1")
LOST_AFTER = 2.0
_WINDOW = 100
_TICK = 0.002
_POPULAR = 200
"""Names of each kind that are asked again and again: they fit into the smallest cache of a soak."""
_QUESTION = struct.Struct("!6H")


def names(chance: random.Random) -> tuple[str, bytes]:
    """Return the next name to ask for, and the address that is right for it."""
    draw = chance.random()
    if draw < 0.30:
        return f"h{chance.randrange(_POPULAR)}.deepseek.com", SINKHOLE
    if draw < 0.95:
        return f"host{chance.randrange(_POPULAR)}.allowed.example", TRUE
    return fresh(chance)


def fresh(chance: random.Random) -> tuple[str, bytes]:
    """Return a name that nobody asked for before, and the address that is right for it."""
    return f"{chance.getrandbits(64):x}.missed.example", TRUE


@dataclass(slots=True)
class Tally:
    """What became of the questions. Latencies are counted in steps of 10 microseconds."""

    sent: int = 0
    answered: int = 0
    wrong: int = 0
    lost: int = 0
    steps: Counter[int] = field(default_factory=Counter)

    def percentile_ms(self, share: float) -> float:
        """Return the latency that a share of the answers did not exceed."""
        left = share * self.answered
        for step in sorted(self.steps):
            left -= self.steps[step]
            if left <= 0:
                return step / 100
        return 0.0

    def to_json(self, seconds: float) -> str:
        """Return the summary."""
        return json.dumps({
            "sent": self.sent,
            "answered": self.answered,
            "wrong": self.wrong,
            "lost": self.lost,
            "rate": round(self.answered / seconds),
            "p50_ms": self.percentile_ms(0.50),
            "p99_ms": self.percentile_ms(0.99),
            "p999_ms": self.percentile_ms(0.999),
            "longest_ms": max(self.steps, default=0) / 100,
        })  # fmt: skip


class Client:
    """One socket and the questions that wait for an answer on it, by id."""

    def __init__(self, port: int, draw: Callable[[random.Random], tuple[str, bytes]] = names, seed: int = 1) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._sock.connect(("127.0.0.1", port))
        self._sock.setblocking(False)
        self._draw = draw
        self._chance = random.Random(seed)
        self._waiting: dict[int, tuple[float, bytes]] = {}
        self._next = 0
        self.tally = Tally()

    @property
    def waiting(self) -> int:
        """How many answers are due."""
        return len(self._waiting)

    def send(self) -> None:
        """Ask one question."""
        ident = self._next = (self._next + 1) & 0xFFFF
        if self._waiting.pop(ident, None) is not None:
            self.tally.lost += 1
        name, right = self._draw(self._chance)
        labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
        self._waiting[ident] = (time.perf_counter(), right)
        self.tally.sent += 1
        self._sock.send(_QUESTION.pack(ident, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1")

    def receive(self) -> None:
        """Take in the answers that are there."""
        tally = self.tally
        while True:
            try:
                reply = self._sock.recv(4096)
            except BlockingIOError:
                return
            found = self._waiting.pop(int.from_bytes(reply[:2], "big"), None)
            if found is None:
                continue
            tally.answered += 1
            tally.wrong += reply[-4:] != found[1]
            tally.steps[int((time.perf_counter() - found[0]) * 1e5)] += 1

    def finish(self) -> None:
        """Wait for the last answers; those that do not come are lost."""
        until = time.perf_counter() + LOST_AFTER
        while self._waiting and time.perf_counter() < until:
            self.receive()
            time.sleep(_TICK)
        self.tally.lost += len(self._waiting)
        self._sock.close()


def run(port: int, rate: int, seconds: float) -> str:
    """Ask for so long; return the summary."""
    client = Client(port)
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        due = passed * rate - client.tally.sent if rate else _WINDOW - client.waiting
        for _ in range(min(int(due), _WINDOW)):
            client.send()
        client.receive()
        if rate:
            time.sleep(_TICK)
    client.finish()
    return client.tally.to_json(seconds)


def fill(port: int, count: int) -> None:
    """Ask for so many fresh names, as fast as answers come."""
    client = Client(port, fresh, seed=2)
    deadline = time.perf_counter() + 2 * LOST_AFTER + count / 1000
    while client.tally.sent < count and time.perf_counter() < deadline:
        for _ in range(_WINDOW - client.waiting):
            client.send()
        client.receive()
    client.finish()


if __name__ == "__main__":
    print(run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
