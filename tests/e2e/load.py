"""Clients that ask all the time, retry as clients do, and look at every answer."""

import itertools
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import dns.message
import dns.rcode

from tests.e2e.conftest import TRUE_ADDRESS
from tests.e2e.running import HOST

SINKHOLE = "0.0.0.0"
RETRY_AFTER = 0.1
GIVE_UP_AFTER = 8.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and how it went. `took` is None where no answer ever came."""

    name: str
    began: float
    sent: int
    took: float | None
    addresses: tuple[str, ...] = ()


def blocked_and_allowed(number: int) -> str:
    """A blocked name of its own, an allowed name, a blocked name that is cached; in turn."""
    return (f"k{number}.deepseek.com", "example.org", "chat.deepseek.com")[number % 3]


class Load:
    """Ask from threads until stopped; used with `with`.

    Args:
        port: where to.
        rate: questions a second, all threads together.
        name_of: gives the name of question n.
        retry: whether to send again each `RETRY_AFTER` seconds; a client that does not waits 5 s.
    """

    def __init__(
        self,
        port: int,
        *,
        rate: int,
        threads: int = 4,
        name_of: Callable[[int], str] = blocked_and_allowed,
        retry: bool = True,
    ) -> None:
        self.asked: list[Asked] = []
        self._port = port
        self._interval = threads / rate
        self._name_of = name_of
        self._retry = retry
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(GIVE_UP_AFTER + 2)

    def wrong(self) -> list[Asked]:
        """Return answers that are not what policy says."""
        return [one for one in self.asked if one.took is not None and one.addresses != expected(one.name)]

    def lost(self) -> list[Asked]:
        """Return questions that nobody answered."""
        return [one for one in self.asked if one.took is None]

    def longest_wait(self, since: float = 0.0) -> float:
        """Return the longest time a question that was open at `since`, or asked later, had to wait from then on."""
        ends = [
            one.began + one.took - max(one.began, since)
            for one in list(self.asked)
            if one.took is not None and one.began + one.took > since
        ]
        return max(ends, default=0.0)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            self.asked.append(self._ask(self._name_of(next(self._numbers))))
            due = max(due + self._interval, time.monotonic() - 1.0)
            self._stop.wait(max(0.0, due - time.monotonic()))

    def _ask(self, name: str) -> Asked:
        query = dns.message.make_query(name, "A")
        wire = query.to_wire()
        began = time.monotonic()
        sent = 0
        while time.monotonic() - began < GIVE_UP_AFTER:
            sent += 1
            reply = exchange(wire, self._port, RETRY_AFTER if self._retry else 5.0)
            if reply is not None:
                message = dns.message.from_wire(reply)
                found = tuple(sorted(str(item) for rrset in message.answer for item in rrset))
                if found or message.rcode() != dns.rcode.SERVFAIL:
                    return Asked(name, began, sent, time.monotonic() - began, found)
            if not self._retry:
                break
        return Asked(name, began, sent, None)


def expected(name: str) -> tuple[str, ...]:
    """Return the addresses that the default policy gives `name`."""
    if name.endswith(".deepseek.com"):
        return (SINKHOLE,)
    return (TRUE_ADDRESS,) if name == "example.org" else ()


def exchange(wire: bytes, port: int, seconds: float) -> bytes | None:
    """Send a datagram from a new port; return the reply to it, or None after so many seconds."""
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((HOST, port))
        try:
            sock.send(wire)
            while (left := deadline - time.monotonic()) > 0:
                sock.settimeout(left)
                reply = sock.recv(4096)
                if reply[:2] == wire[:2]:
                    return reply
        except OSError:  # nobody listens, or nothing came
            time.sleep(max(0.0, deadline - time.monotonic()))
    return None
