"""Waits are measured as they were, of the questions that were wanted."""

import socket
import threading
import time

import pytest

from bench import native
from bench.arrivals import arrivals

pytestmark = pytest.mark.skipif(
    native.compiler() is None, reason="arrivals are measured by a program in C; no compiler"
)
HELD = 0.02
"""Seconds that a held answer waits."""


@pytest.fixture
def server():
    """A server on loopback that answers names; held ones late, refused ones with a code, lost ones not at all."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    asked = []

    def serve():
        while (got := sock.recvfrom(512))[0] != b"stop":
            wire, client = got
            asked.append(wire[12:])
            word = wire[13 : 13 + wire[12]]
            if word == b"held":
                time.sleep(HELD)
            if word != b"lost":
                sock.sendto(wire[:2] + (b"\x81\x85" if word == b"refused" else b"\x81\x80") + wire[4:], client)

    thread = threading.Thread(target=serve)
    thread.start()
    yield sock.getsockname()[1], asked
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"stop", sock.getsockname())
    thread.join(5)
    sock.close()


def test_questions_are_those_of_the_file(server, tmp_path):
    port, asked = server
    file = tmp_path / "asked.txt"
    file.write_text("a.example A\nlonger.name.example A\n")
    took = arrivals(port, 200, 0.5, file)
    assert set(asked) == {b"\x01a\x07example\0\0\1\0\1", b"\x06longer\x04name\x07example\0\0\1\0\1"}
    assert took.answered == len(asked)
    assert (took.lost, took.refused) == (0, 0)


def test_waits_codes_and_losses_are_told(server, tmp_path):
    port, asked = server
    file = tmp_path / "asked.txt"
    file.write_text("held.example A\nrefused.example A\nlost.example A\n")
    took = arrivals(port, 20, 1.5, file)
    assert took.p99_ms >= HELD * 1000
    assert took.lost == sum(b"lost" in one for one in asked) > 0
    assert took.refused == sum(b"refused" in one for one in asked) > 0


@pytest.mark.parametrize("line", ["a..example A", f"{'x' * 64}.example A"])
def test_what_is_no_name_is_refused(server, tmp_path, line):
    file = tmp_path / "asked.txt"
    file.write_text(f"{line}\n")
    with pytest.raises(SystemExit, match="no name"):
        arrivals(server[0], 100, 0.1, file)
