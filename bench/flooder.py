"""A flood of random subdomains, from an address and at a rate; what comes back is not read.

    python -m bench.flooder PORT RATE SECONDS SOURCE DOMAIN

Loopback only. Prints how many were sent.
"""

import random
import socket
import struct
import sys
import time

_TICK = 0.001
_HEX = 16
_MOST = 100_000
"""Queries a second, whatever is asked for."""


def template(domain: str) -> tuple[bytearray, int]:
    """Return a query for a name below `domain`, and where its first label is, to be overwritten."""
    labels = b"".join(bytes((len(label),)) + label.encode() for label in ("0" * _HEX, *domain.split(".")))
    return bytearray(struct.pack("!6H", 0, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"), 13


def flood(port: int, rate: int, seconds: float, source: str, domain: str, seed: int = 7) -> int:
    """Send for so long; return how many were sent. Never twice the same name."""
    if not source.startswith("127."):
        raise SystemExit(f"flooder: the source is on loopback; found {source!r}")
    wire, at = template(domain)
    getrandbits = random.Random(seed).getrandbits
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.connect(("127.0.0.1", port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        send = sock.send
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            due = int(passed * min(rate, _MOST)) - sent
            for _ in range(due):
                wire[at : at + _HEX] = b"%016x" % getrandbits(64)
                wire[0:2] = wire[at : at + 2]
                send(wire)
            sent += due
            time.sleep(_TICK)
    return sent


if __name__ == "__main__":
    print(flood(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4], sys.argv[5]))
