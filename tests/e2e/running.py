"""A sinkhole as its users run it: the installed command, as processes of its own, asked by strangers."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode

COMMAND = (sys.executable, "-m", "sinkhole")
HOST = "127.0.0.1"


def clean_environment() -> dict[str, str]:
    """The environment of the test run, without settings of whoever runs it.

    The admin side is off: its port would be the same for all servers of a run; tests that are about it turn it on.
    """
    plain = {key: value for key, value in os.environ.items() if not key.startswith("SINKHOLE_")}
    return plain | {"SINKHOLE_ADMIN_ENABLED": "false"}


def sinkhole(*words: str | Path, data_dir: Path | None = None, check: bool = True, timeout: float = 60) -> Any:
    """Run one command to its end; return the completed process with its text."""
    place = ("--data-dir", str(data_dir)) if data_dir else ()
    done = subprocess.run(
        [*COMMAND, *map(str, words), *place],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=clean_environment(),
        check=False,
    )
    assert not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def sinkhole_json(*words: str, data_dir: Path) -> Any:
    """Run one command that prints JSON; return the value."""
    return json.loads(sinkhole(*words, "--json", data_dir=data_dir).stdout)


class Server:
    """A running `sinkhole serve`; `log` is what it has said so far; `prefix` is a command that executes it."""

    def __init__(
        self,
        data_dir: Path,
        *words: str | Path,
        upstream: int | str | None = None,
        prefix: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self._environment = clean_environment() | (environment or {})
        asked = f"udp://{HOST}:{upstream}" if isinstance(upstream, int) else upstream
        upstreams = ("--upstream", asked) if asked else ()
        place = ("--listen", f"{HOST}:0") if "--listen" not in words else ()
        serve = [*COMMAND, "serve", "--data-dir", str(data_dir), *upstreams, *place, *map(str, words)]
        self._command = [*prefix, *serve]
        self.log = ""

    def start(self, ready_within: float = 20) -> None:
        """Start it and wait until it says that it is ready."""
        self.process = subprocess.Popen(
            self._command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=self._environment
        )
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            ready = self.wait_for(r"server\.ready listen=\S*:(\d+)", ready_within)
        except AssertionError:
            self.stop()
            raise
        self.port = int(ready[1])

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                with self._news:
                    self.log += line
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(self, pattern: str, seconds: float = 10, start: int = 0) -> re.Match[str]:
        """Wait until the log, from `start` on, has a line that matches."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                if found := re.search(pattern, self.log[start:]):
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not (self._reader.is_alive() or self._news.wait(0.2)):
                    raise AssertionError(f"{pattern!r} never came in {seconds} s; log:\n{self.log}")
                self._news.wait(left)

    def ask(self, name: str, qtype: str = "A", *, tcp: bool = False, timeout: float = 5, **options: Any) -> Any:
        """Ask one question; return dnspython's message."""
        query = dns.message.make_query(name, qtype, **options)
        if tcp:
            return dns.query.tcp(query, HOST, timeout=timeout, port=self.port)
        return dns.query.udp(query, HOST, timeout=timeout, port=self.port)

    def addresses(self, name: str, qtype: str = "A", **options: Any) -> list[str]:
        """Ask for addresses; return them."""
        return sorted(str(item) for rrset in self.ask(name, qtype, **options).answer for item in rrset)

    def pids(self) -> dict[str, int]:
        """Return the newest process of each name, as the log tells."""
        return {name: int(pid) for name, pid in re.findall(r"process\.ready process=(\S+) pid=(\d+)", self.log)}

    def cli(self, *words: str | Path, check: bool = True) -> Any:
        """Run a command on this server's data folder."""
        return sinkhole(*words, data_dir=self.data_dir, check=check)

    def stop(self, number: int = signal.SIGTERM, within: float = 6) -> int:
        """End it and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(within)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._reader.join(5)


@contextmanager
def running(
    data_dir: Path,
    *words: str | Path,
    upstream: int | str | None = None,
    environment: dict[str, str] | None = None,
) -> Iterator[Server]:
    """Give a server that is ready, and end it after."""
    server = Server(data_dir, *words, upstream=upstream, environment=environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def rcode_of(reply: dns.message.Message) -> str:
    """Return the name of the response code."""
    return dns.rcode.to_text(reply.rcode())
