"""`python -m bench.soak --minutes 30`: hours of a network in little: steady mixed load, changes of policy, feed syncs.

The caches are filled before, so that what grows later is a leak. The rate is a third of what the same client gets at
most. Fails (status 1) if memory of a process grew by more than 5 % after the first fifth, if an answer was lost or
wrong, or if a process had to be started again.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import servers
from bench.steady import fill

MAY_GROW = 0.05
CAPACITY_SECONDS = 4.0
LIST = "soak.txt"


@dataclass(frozen=True, slots=True)
class Sample:
    """Resident memory in KiB by process, some seconds after the start of the load."""

    after: float
    rss: dict[str, int]


class Installation:
    """The server under test in a folder of its own, with a local list that is synced by hand."""

    def __init__(self, folder: Path, entries: int) -> None:
        self.entries = entries
        self.log = folder / "sinkhole.log"
        self._data = folder / "data"
        self._lists = self._data / "lists"
        self._config = folder / "sinkhole.toml"
        self._config.write_text(f"feeds.sync = false\ncache.entries = {entries}\n")
        self._lists.mkdir(parents=True)
        self._changes = 0
        self.write_list()
        self.run("feeds", "add", f"file:{LIST}", "--name", "soak", "--format", "domains")

    def command(self, *words: str) -> list[str]:
        """Return the command line of a command on this installation."""
        place = ["--data-dir", str(self._data), "--config", str(self._config)]
        return [*servers.INSTALLED, *words, *place]

    def run(self, *words: str) -> None:
        """Run a command to its end."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, env=servers.environment(), check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}: {done.stdout}{done.stderr}")

    def write_list(self) -> None:
        """Write the local list, another one each time."""
        (self._lists / LIST).write_text("".join(f"n{n}.list{self._changes}.example\n" for n in range(1000)))

    def change(self) -> None:
        """Change policy, or every third time the list, while the load goes on."""
        self._changes += 1
        match self._changes % 3:
            case 0:
                self.write_list()
                self.run("sync", "soak")
            case 1:
                self.run("policy", "allow", "vendor:mistral")
            case _:
                self.run("policy", "remove", "vendor:mistral")

    def pids(self) -> dict[str, int]:
        """Return the newest process of each name, as the log tells."""
        ready = re.findall(r"process\.ready process=(\S+) pid=(\d+)", self.log.read_text())
        return {name: int(pid) for name, pid in ready}

    def wait_until_ready(self) -> None:
        """Wait until all processes are there."""
        deadline = time.monotonic() + 30
        while "server.ready" not in self.log.read_text():
            if time.monotonic() > deadline:
                raise SystemExit(f"the server is not ready: {self.log.read_text()}")
            time.sleep(0.1)


def rss_kib(pid: int) -> int:
    """Return the resident memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


def growth(samples: list[Sample], seconds: float) -> dict[str, float]:
    """Return by how much each process grew from the end of the first fifth to the end."""
    early = [sample.rss for sample in samples if 0.15 * seconds <= sample.after <= 0.3 * seconds]
    late = [sample.rss for sample in samples if sample.after >= 0.85 * seconds]
    return {name: median(rss[name] for rss in late) / median(rss[name] for rss in early) - 1 for name in samples[0].rss}


def steady(port: int, rate: int, seconds: float) -> "subprocess.Popen[str]":
    """Start the client."""
    command = [sys.executable, "-m", "bench.steady", str(port), str(rate), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result_of(client: "subprocess.Popen[str]") -> dict[str, Any]:
    """Wait for a client and return its summary."""
    found: dict[str, Any] = json.loads(client.communicate()[0])
    return found


def soak(
    installation: Installation, port: int, seconds: float, most: int, server: int
) -> tuple[dict[str, Any], list[Sample]]:
    """Load, change and sample; return the client's summary and the samples."""
    fill(port, 2 * installation.entries)
    for _ in range(3):
        installation.change()  # what compiling and syncing take once is no leak
    result_of(steady(port, 0, CAPACITY_SECONDS))
    capacity = result_of(steady(port, 0, CAPACITY_SECONDS))["rate"]
    rate = min(capacity // 3, most)
    print(f"capacity {capacity} q/s as this client gets it; load {rate} q/s for {seconds:.0f} s", flush=True)
    client = steady(port, rate, seconds)
    began = time.monotonic()
    step = min(10.0, seconds / 20)
    samples: list[Sample] = []
    next_change = change_every = max(5.0, seconds / 15)
    while client.poll() is None and (passed := time.monotonic() - began) < seconds:
        pids = {"supervisor": server, **installation.pids()}
        samples.append(Sample(passed, {name: rss_kib(pid) for name, pid in pids.items()}))
        if passed > next_change:
            installation.change()
            next_change += change_every
        time.sleep(step)
    return result_of(client), samples


def verdict(found: dict[str, Any], grown: dict[str, float], log: str) -> list[str]:
    """Return what went wrong."""
    wrong = [f"{found[what]} answers {what}" for what in ("lost", "wrong") if found[what]]
    wrong += [f"{name} grew by {share:.1%}" for name, share in grown.items() if share > MAY_GROW]
    wrong += [f"the log says {sign}" for sign in ("process.died", "process.hung", "Traceback") if sign in log]
    return wrong


def main(arguments: list[str] | None = None) -> int:
    """Soak and tell; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=int, default=1_000_000, help="queries a second at most, for a busy machine")
    parser.add_argument("--entries", type=int, default=20_000, help="of the answer cache, filled before the load")
    options = parser.parse_args(arguments)
    seconds = options.minutes * 60
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        installation = Installation(folder, options.entries)
        upstream, port = servers.free_port(), servers.free_port()
        authority = [sys.executable, "-m", "bench.authority", str(upstream)]
        stack.enter_context(servers.unpinned(authority, folder / "authority.log"))
        command = installation.command("serve", "--listen", f"127.0.0.1:{port}", "--upstream", f"127.0.0.1:{upstream}")
        server = stack.enter_context(servers.unpinned(command, installation.log))
        installation.wait_until_ready()
        servers.wait_for_answer(port, "host1.allowed.example", "192.0.2.1")
        servers.wait_for_answer(port, "h1.deepseek.com", "0.0.0.0")
        found, samples = soak(installation, port, seconds, options.rate, server.pid)
        log = installation.log.read_text()
    grown = growth(samples, seconds)
    for name, share in grown.items():
        print(f"{name}: {samples[-1].rss[name] / 1024:.1f} MiB, {share:+.1%} after the first fifth")
    print(json.dumps(found))
    wrong = verdict(found, grown, log)
    print("\n".join(wrong) or "good")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
