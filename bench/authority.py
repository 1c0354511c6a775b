"""A loopback upstream for benchmarks: answers every A question with one address and a TTL of an hour."""

import socket
import struct
import sys

ANSWER = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\xc0\x00\x02\x01"
"""Pointer to the question's name, A, IN, 3600 s, 192.0.2.1."""


def question_end(query: bytes) -> int:
    """Return the offset after the question."""
    at = 12
    while query[at]:
        at += query[at] + 1
    return at + 5


def serve(port: int) -> None:
    """Answer until killed."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))
    while True:
        query, client = sock.recvfrom(2048)
        end = question_end(query)
        is_address = query[end - 4 : end - 2] == b"\x00\x01"
        header = query[:2] + b"\x85\x80" + struct.pack("!4H", 1, int(is_address), 0, 0)
        sock.sendto(header + query[12:end] + (ANSWER if is_address else b""), client)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
