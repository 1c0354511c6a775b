"""Sinkhole itself: a local list of the same names, hits stored in SQLite."""

import os
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.peers.peer import Setting


@dataclass(frozen=True, slots=True)
class Sinkhole:
    """Makes the command of a Sinkhole.

    Args:
        record: the setting `record.queries`.
        workers: how many.
        groups: groups of clients, each with a statement of its own.
        config: more settings, as TOML.
        base: how it is called.
    """

    record: str = "blocked"
    workers: int = 1
    groups: int = 0
    config: str = ""
    base: Sequence[str] = servers.INSTALLED

    def __call__(self, setting: Setting) -> list[str]:
        """Add and compile the list; return the command."""
        lists = setting.folder / "data" / "lists"
        lists.mkdir(parents=True)
        (lists / "bench.txt").write_text("".join(f"{name}\n" for name in setting.names))
        config = setting.folder / "sinkhole.toml"
        config.write_text(f'record.queries = "{self.record}"\nserver.workers = {self.workers}\n{self.config}')
        run(setting, "feeds", "add", "file:bench.txt", "--name", "bench", "--format", "domains", "--match", "suffix")
        run(setting, "sync", "bench")
        if self.groups:
            _add_groups(setting, self.groups)
        upstream = setting.upstream if isinstance(setting.upstream, str) else f"udp://127.0.0.1:{setting.upstream}"
        listen = f"127.0.0.1:{setting.port}"
        return [*self.base, "serve", *_place(setting), "--listen", listen, "--upstream", upstream]


def _add_groups(setting: Setting, count: int) -> None:
    """Add groups to the policy, each with a network of loopback and a statement of its own."""
    policy = setting.folder / "policy.toml"
    group = '[[groups]]\nname = "group{0}"\nmembers = ["127.0.{0}.0/24"]\n'
    statement = '[[statements]]\nsubject = "domain:only{0}.example.org"\naction = "block"\ngroup = "group{0}"\n'
    more = "".join(part.format(number) for part in (group, statement) for number in range(count))
    policy.write_text(run(setting, "policy", "export") + more)
    run(setting, "policy", "apply", str(policy), "--yes")


def run(setting: Setting, *words: str) -> str:
    """Run a command on the data folder to its end; return what it said."""
    command = [*servers.INSTALLED, *words, *_place(setting)]
    done = subprocess.run(command, capture_output=True, text=True, env=servers.environment(), check=False)
    if done.returncode:
        raise SystemExit(f"sinkhole {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def _place(setting: Setting) -> list[str]:
    return ["--data-dir", str(setting.folder / "data"), "--config", str(setting.folder / "sinkhole.toml")]


def pids(folder: Path) -> dict[str, int]:
    """Return the newest process of each name, as the log tells, once all are ready."""
    deadline = time.monotonic() + 30
    while "server.ready" not in (log := (folder / "output.log").read_text()):
        if time.monotonic() > deadline:
            raise SystemExit(f"sinkhole is not ready: {log}")
        time.sleep(0.02)
    return pids_in(log)


def pids_in(log: str) -> dict[str, int]:
    """Return the newest process of each name that a log tells of."""
    return {name: int(pid) for name, pid in re.findall(r"process\.ready process=(\S+) pid=(\d+)", log)}


def part(setting: Setting, _pid: int) -> None:
    """Move the control process to the core of the load generator."""
    pin(pids(setting.folder)["control"], servers.LOAD_CORE)


def pin(pid: int, core: str) -> None:
    """Move a process with all its threads to a core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {int(core)})
