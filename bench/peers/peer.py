"""What a server under test is, and how one is started."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import servers

BLOCKED = "0.0.0.0"  # the address that all give for a blocked name
TRUE = "192.0.2.1"
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a server is given.

    Args:
        folder: its own scratch folder.
        names: blocked, each with all below it.
        upstream: the port of the authority on loopback; or its URL, for those that know several transports.
        port: where to answer.
    """

    folder: Path
    names: Sequence[str]
    upstream: int | str
    port: int


@dataclass(frozen=True, slots=True)
class Peer:
    """A server to compare.

    Args:
        name: as in `--peers` and in tables.
        program: what it needs, looked for in PATH; None for what comes with us.
        package: of Debian, told where the program is missing.
        command: writes the configuration and returns the command line.
        settle: called with the setting and the pid once it answers.
        is_limit: whether it blocks nothing and only shows what the machine can do.
        is_logging: whether it writes down each query or hit.
        core: where it runs.
        is_of_use: tells whether to run it, where its program is there.
    """

    name: str
    program: str | None
    package: str
    command: Callable[[Setting], list[str]]
    settle: Callable[[Setting, int], None] = field(default=lambda _setting, _pid: None)
    is_limit: bool = False
    is_logging: bool = False
    core: str = servers.SERVER_CORE
    is_of_use: Callable[[], bool] = field(default=lambda: True)

    def is_here(self) -> bool:
        """Tell whether its program is installed."""
        return self.program is None or path_of(self.program) is not None


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    peer: Peer
    port: int
    pid: int
    ready_s: float
    """Seconds from its start to its first right answer."""


def path_of(program: str) -> str | None:
    """Return where a program is; daemons are not in everybody's PATH."""
    return shutil.which(program, path=_PATH)


@contextmanager
def running(
    peer: Peer, folder: Path, names: Sequence[str], upstream: int | str, patience: float = servers.PATIENCE
) -> Iterator[Running]:
    """Run a server pinned to its core, and wait until it answers rightly; end it after.

    Raises:
        SystemExit: it did not within so many seconds; the text says what it answered, and what it logged.
    """
    folder.mkdir(parents=True)
    setting = Setting(folder, names, upstream, servers.free_port())
    command = peer.command(setting)
    command[0] = path_of(command[0]) or command[0]
    began = time.monotonic()
    log = folder / "output.log"
    with servers.process(command, peer.core, log) as child:
        try:
            if not peer.is_limit:
                servers.wait_for_answer(setting.port, names[-1], BLOCKED, patience, child)
            ready = time.monotonic() - began
            if not peer.is_limit:
                servers.wait_for_answer(setting.port, f"below.{names[0]}", BLOCKED)
                servers.wait_for_answer(setting.port, "host1.site1.example", TRUE)
        except SystemExit as error:
            raise SystemExit(f"{peer.name}: {error}\n{log.read_text(errors='replace')[-2000:]}") from error
        peer.settle(setting, child.pid)
        yield Running(peer, setting.port, child.pid, ready)


def present(wanted: Iterable[Peer]) -> list[Peer]:
    """Return the peers that are installed; tell which are not."""
    found = []
    for peer in wanted:
        if not peer.is_of_use():
            print(f"{peer.name}: skipped, the installed Sinkhole is not compiled (SINKHOLE_COMPILE)")
        elif peer.is_here():
            found.append(peer)
        else:
            print(f"{peer.name}: skipped, {peer.program} is not installed (Debian package {peer.package})")
    return found
