"""The servers under test: each starts on a loopback port, pinned to one core, with the same blocked names."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query

SERVER_CORE = "0"
LOAD_CORE = "1"


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def process(command: Sequence[str], core: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command pinned to `core`; end it, and only it, after."""
    with unpinned(["taskset", "-c", core, *command], log) as child:
        yield child


@contextmanager
def unpinned(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command; end it, and only it, after."""
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=output, env=environment())
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(8)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def environment() -> dict[str, str]:
    """Our environment without settings of whoever runs the benchmark."""
    return {key: value for key, value in os.environ.items() if not key.startswith("SINKHOLE_")}


def wait_for_answer(port: int, name: str, expected: str, seconds: float = 60) -> None:
    """Wait until the server on `port` gives the expected address; answers are checked, not only counted."""
    deadline = time.monotonic() + seconds
    found = "nothing"
    while time.monotonic() < deadline:
        try:
            reply = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=port, timeout=0.5)
            found = " ".join(str(item) for rrset in reply.answer for item in rrset)
            if found == expected:
                return
        except (dns.exception.Timeout, OSError):
            time.sleep(0.1)
    raise SystemExit(f"port {port}: {name}: wanted {expected}, found {found}")


@contextmanager
def unbound(folder: Path, names: Sequence[str], upstream: int) -> Iterator[int]:
    """Run Unbound with a local zone for each name, one thread."""
    program = shutil.which("unbound", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise SystemExit("unbound is not installed (Debian package unbound)")
    port = free_port()
    zones = "".join(f'local-zone: "{n}" redirect\nlocal-data: "{n} 10 IN A 0.0.0.0"\n' for n in names)
    (folder / "zones.conf").write_text("server:\n" + zones)
    (folder / "unbound.conf").write_text(
        f"""server:
  directory: "{folder}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  interface: 127.0.0.1@{port}
  num-threads: 1
  so-reuseport: no
  do-not-query-localhost: no
  module-config: "iterator"
  msg-cache-size: 64m
  rrset-cache-size: 64m
include: "{folder}/zones.conf"
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
"""
    )
    with process([program, "-d", "-c", str(folder / "unbound.conf")], SERVER_CORE, folder / "unbound.log"):
        yield port


@contextmanager
def sinkhole(folder: Path, names: Sequence[str], upstream: int) -> Iterator[int]:
    """Run Sinkhole with a local list of the same names, one worker; hits are stored."""
    port = free_port()
    data = folder / "data"
    (data / "lists").mkdir(parents=True)
    (data / "lists" / "bench.txt").write_text("".join(f"{name}\n" for name in names))
    base = [sys.executable, "-m", "sinkhole"]
    place = ["--data-dir", str(data)]
    quiet = {"stdout": subprocess.DEVNULL, "env": environment(), "check": True}
    add = ["feeds", "add", "file:bench.txt", "--name", "bench", "--format", "domains", "--match", "suffix"]
    subprocess.run([*base, *add, *place], **quiet)  # type: ignore[call-overload]
    subprocess.run([*base, "sync", "bench", *place], **quiet)  # type: ignore[call-overload]
    command = [*base, "serve", *place, "--listen", f"127.0.0.1:{port}", "--upstream", f"udp://127.0.0.1:{upstream}"]
    with process(command, SERVER_CORE, folder / "sinkhole.log"):
        yield port
