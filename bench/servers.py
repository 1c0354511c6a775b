"""Processes of the benchmarks: each on loopback, pinned to one core, ended by its pid, and only if it is ours."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode

HOST = "127.0.0.1"
UNGIVEN = range(10_000, 32_000)
"""Ports below those that a system gives to sockets that name none (Linux: from 32,768; RFC 6335: from 49,152)."""
PYTHON = sys.executable
INSTALLED = ("env", "PYTHONSAFEPATH=1", PYTHON, "-m", "sinkhole")
"""The Sinkhole that is installed, compiled or not; never its sources, which are where benchmarks run."""
INTERPRETED = ("env", f"PYTHONPATH={Path(__file__).parent.parent}", *INSTALLED)
"""The same out of the sources."""
NO_REPLY = "no reply"
PATIENCE = 180.0
"""Seconds that a server gets to answer rightly: some read a million names for minutes."""
SERVER_CORE = "0"
LOAD_CORE = "1"


def free_port() -> int:
    """Return a port that is free now in UDP and TCP, and that no socket gets by itself before it is bound."""
    for _ in range(50):
        port = secrets.choice(UNGIVEN)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        ):
            try:
                stream.bind((HOST, port))
                datagram.bind((HOST, port))
            except OSError:
                continue
            return port
    raise SystemExit("no port of 127.0.0.1 is free in both UDP and TCP")


@contextmanager
def process(command: Sequence[str], core: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command pinned to `core`; end it, and only it, after."""
    with unpinned(["taskset", "-c", core, *command], log) as child:
        yield child


@contextmanager
def unpinned(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own, so that Ctrl-C reaches us first; end it, and only it, after."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment(), start_new_session=True
        )
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(8)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@cache
def installed_code() -> str:
    """Tell whether the installed one is `compiled` or `interpreted`; `unknown` where there is none."""
    show = [PYTHON, "-P", "-c", "from sinkhole.transport.code import CODE; print(CODE)"]
    return subprocess.run(show, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def environment() -> dict[str, str]:
    """Our environment without settings of whoever runs the benchmark."""
    return {key: value for key, value in os.environ.items() if not key.startswith("SINKHOLE_")}


def wait_for_answer(
    port: int, name: str, expected: str, seconds: float = PATIENCE, child: subprocess.Popen[bytes] | None = None
) -> None:
    """Wait until the server on `port` gives the expected address; answers are checked, not only counted.

    Raises:
        SystemExit: it did not in time, or `child`, which is the server, ended.
    """
    deadline = time.monotonic() + seconds
    timeout = 0.02  # short at first: nobody says that a port is closed, and the time to the first answer is measured
    found = NO_REPLY
    while time.monotonic() < deadline:
        found = ask(port, name, timeout)
        if found == expected:
            return
        if child is not None and child.poll() is not None:
            raise SystemExit(f"ended with status {child.returncode}")
        time.sleep(0.005)
        timeout = min(timeout * 1.02, 1.0)
    raise SystemExit(f"port {port}: {name}: wanted {expected}, found {found}")


def ask(port: int, name: str, timeout: float = 1.0) -> str:
    """Return the addresses of a name as that server tells them, else its response code, or `NO_REPLY`."""
    try:
        reply = dns.query.udp(dns.message.make_query(name, "A"), HOST, port=port, timeout=timeout)
    except (dns.exception.Timeout, OSError):
        return NO_REPLY
    except dns.exception.DNSException as error:
        return repr(error)
    return " ".join(str(item) for rrset in reply.answer for item in rrset) or dns.rcode.to_text(reply.rcode())
