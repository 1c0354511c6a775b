"""A loopback upstream for benchmarks: answers every A question with one address and a TTL of an hour.

    python -m bench.authority PORT [tcp]

Over UDP `reflector.c` does the same with less; over TCP this one is there for servers that forward as they were asked.
"""

import socket
import socketserver
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


def reply_to(query: bytes) -> bytes:
    """Return the reply to a query."""
    end = question_end(query)
    is_address = query[end - 4 : end - 2] == b"\x00\x01"
    header = query[:2] + b"\x85\x80" + struct.pack("!4H", 1, int(is_address), 0, 0)
    return header + query[12:end] + (ANSWER if is_address else b"")


def serve(port: int) -> None:
    """Answer over UDP until killed."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))
    while True:
        query, client = sock.recvfrom(2048)
        sock.sendto(reply_to(query), client)


class Stream(socketserver.StreamRequestHandler):
    """Answers one connection, in the order of its questions."""

    def handle(self) -> None:
        """Answer until the other side closes."""
        while len(size := self.rfile.read(2)) == 2:
            reply = reply_to(self.rfile.read(int.from_bytes(size, "big")))
            self.wfile.write(len(reply).to_bytes(2, "big") + reply)


def serve_streams(port: int) -> None:
    """Answer over TCP until killed."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Stream) as server:
        server.daemon_threads = True
        server.serve_forever()


if __name__ == "__main__":
    (serve_streams if sys.argv[2:] == ["tcp"] else serve)(int(sys.argv[1]))
