"""How long answers take at a steady rate, by the kernel's clock: python -m bench.arrivals PORT RATE SECONDS

The kernel stamps each answer as it puts it into the client's socket (SO_TIMESTAMPNS). So what is measured is the
server's and the kernel's time, and not how long this client waits for a core: on a machine of two cores it shares one
with whatever else runs, as no client of a real network does. Questions are for names that are blocked, and leave at
random moments (a Poisson process), so that no rhythm of the server's is met or missed.
"""

import json
import os
import random
import select
import socket
import struct
import sys
import time
from dataclasses import asdict, dataclass

from bench import servers

SO_TIMESTAMPNS = 35
_STAMP = struct.Struct("@qq")
_ROOM = socket.CMSG_SPACE(_STAMP.size)
_QUESTION = struct.Struct("!6H")
_NAMES = 500
_LAST_ANSWERS_S = 0.2


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Milliseconds until answers were there, and until this client had them."""

    p50_ms: float
    p99_ms: float
    p999_ms: float
    seen_p99_ms: float
    answered: int
    lost: int


class Client:
    """One socket, and when the questions left that wait for an answer on it, by id."""

    def __init__(self, port: int) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._sock.connect((servers.HOST, port))
        self._sock.setblocking(False)
        self._sent: dict[int, int] = {}
        self._number = 0
        self.arrived: list[int] = []
        self.seen: list[int] = []

    def ask(self) -> None:
        """Send one question."""
        ident = self._number & 0xFFFF
        name = b"".join(bytes((len(label),)) + label for label in (b"h%d" % (self._number % _NAMES), b"mistral", b"ai"))
        self._number += 1
        query = _QUESTION.pack(ident, 0x0100, 1, 0, 0, 0) + name + b"\0\0\1\0\1"
        self._sent[ident] = time.time_ns()
        self._sock.send(query)

    def take(self, seconds: float) -> None:
        """Take in answers for so long."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if select.select([self._sock], [], [], left)[0]:  # poll and epoll wait whole milliseconds
                self._drain()

    def _drain(self) -> None:
        while True:
            try:
                reply, ancillary, _, _ = self._sock.recvmsg(2048, _ROOM)
            except BlockingIOError:
                return
            now = time.time_ns()
            sent = self._sent.pop(int.from_bytes(reply[:2], "big"), None)
            if sent is None or not ancillary:
                continue
            whole, part = _STAMP.unpack(ancillary[0][2])
            self.arrived.append(whole * 1_000_000_000 + part - sent)
            self.seen.append(now - sent)

    @property
    def waiting(self) -> int:
        """How many answers did not come."""
        return len(self._sent)


def run(port: int, rate: int, seconds: float) -> Arrivals:
    """Ask for so long."""
    client, chance = Client(port), random.Random(1)
    began = due = time.perf_counter()
    while due < began + seconds:
        client.take(due - time.perf_counter())
        client.ask()
        due += chance.expovariate(rate)
    client.take(_LAST_ANSWERS_S)
    if not client.arrived:
        raise SystemExit(f"port {port}: no answer, or the system stamps none")
    arrived, seen = sorted(client.arrived), sorted(client.seen)
    return Arrivals(
        *(_at(arrived, share) for share in (0.5, 0.99, 0.999)), _at(seen, 0.99), len(arrived), client.waiting
    )


def _at(ordered: list[int], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6, 3)


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(servers.LOAD_CORE)})
    print(json.dumps(asdict(run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))))
