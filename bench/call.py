"""What all measurements of one call share."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bench import servers
from bench.native import authority, compiled
from bench.peers.peer import Peer, Running, running
from bench.queries import Questions, blocked_names
from bench.results import Figure, Results, Session

BY_PYTHON = "no C compiler: the authority is the one in Python, the load that of dnsperf; they bound what is measured"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of `python -m bench`.

    Args:
        folder: scratch.
        stack: ends what was started.
        peers: to compare.
        names: how many are blocked.
        seconds: of a run.
        rounds: of a workload.
        session: who we are in the results.
        results: where they go.
        upstream: port of the authority.
    """

    folder: Path
    stack: ExitStack
    peers: tuple[Peer, ...]
    names: int
    seconds: int
    rounds: int
    session: Session
    results: Results
    upstream: int

    def within(self, stack: ExitStack) -> "Call":
        """Return the same call, whose servers another stack ends."""
        return replace(self, stack=stack)

    def questions(self) -> Questions:
        """Return the questions about this call's names."""
        return Questions(self.folder, blocked_names(self.names), self.seconds)

    def start(self, peers: Sequence[Peer], upstream: int | str | None = None) -> list[Running]:
        """Start servers that run until the end of the call."""
        names = blocked_names(self.names)
        place = self.upstream if upstream is None else upstream
        return [self.stack.enter_context(running(peer, self.folder / peer.name, names, place)) for peer in peers]

    def add(self, what: str, of: str, server: str, value: float, unit: str) -> None:
        """Keep a figure and print it."""
        self.results.figures.append(Figure(self.session.ident, what, of, server, value, unit))
        print(f"{what} | {of} | {server}: {value:.3g} {unit}", flush=True)


def start_authority(folder: Path, stack: ExitStack) -> int:
    """Run the authority on the core of the load; return its port."""
    if compiled("reflector") is None:
        print(BY_PYTHON, flush=True)
    port = servers.free_port()
    stack.enter_context(servers.process(authority(port), servers.LOAD_CORE, folder / "authority.log"))
    return port
