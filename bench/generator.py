"""The load: questions from a core of their own, and what came back."""

import re
import subprocess
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from bench import servers
from bench.native import compiled

CLIENTS = "8"
OUTSTANDING = "160"
"""Questions open: 193 fit into the socket of a server that leaves its buffer as Linux has it; more are lost at once."""


@dataclass(frozen=True, slots=True)
class Load:
    """One run. `rate` is answers a second, `lost` a share of the questions, `rcodes` answers by response code."""

    rate: float
    answered: int
    lost: float
    seconds: float
    rcodes: dict[str, int]


def run(
    port: int,
    questions: Path,
    seconds: float,
    *,
    passes: int | None = None,
    clients: str = CLIENTS,
    cores: str | None = None,
) -> Load:
    """Ask over UDP for so many seconds, or so often through the file if that is over before.

    By `load.c`, since dnsperf gets 170,000 answers a second at most from one core; by dnsperf where nothing compiles.

    Args:
        port: where to, on loopback.
        questions: the file.
        seconds: the longest time.
        passes: through the file; None: as often as there is time.
        clients: sockets.
        cores: where it runs; None: on the core of the load.
    """
    program = compiled("load")
    if program is None:
        return dnsperf(port, questions, ceil(seconds), "-c", clients, *(("-n", str(passes)) if passes else ()))[0]
    words = [str(port), str(questions), str(seconds), str(passes or 0), clients, OUTSTANDING]
    return read(said_by([str(program), *words], seconds, cores))


def dnsperf(port: int, questions: Path, seconds: int, *words: str) -> tuple[Load, str]:
    """Run dnsperf, with more words if need be; return the result and all that it printed."""
    command = ["dnsperf", "-s", servers.HOST, "-p", str(port), "-d", str(questions), "-l", str(seconds), "-t", "2"]
    said = said_by([*command, "-c", CLIENTS, "-q", OUTSTANDING, *words], seconds)
    return read(said), said


def said_by(command: list[str], seconds: float, cores: str | None = None) -> str:
    """Run a load to its end, and return what it printed.

    Args:
        command: what to run.
        seconds: it takes.
        cores: where it runs; None: on the core of the load.

    Raises:
        SystemExit: it failed.
    """
    pinned = ["taskset", "-c", cores or servers.LOAD_CORE, *command]
    done = subprocess.run(pinned, capture_output=True, text=True, check=False, timeout=seconds + 60)
    if done.returncode:
        raise SystemExit(f"{Path(command[0]).name}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def read(text: str) -> Load:
    """Read the summary that dnsperf and `load.c` end with."""
    sent = int(_find(r"Queries sent:\s+(\d+)", text))
    answered = int(_find(r"Queries completed:\s+(\d+)", text))
    codes = _find(r"Response codes:[ \t]*(.*)", text)
    rcodes = {name: int(count) for name, count in re.findall(r"([A-Z]\w+) (\d+) \(", codes)}
    seconds = float(_find(r"Run time \(s\):\s+([\d.]+)", text))
    return Load(answered / seconds if seconds else 0.0, answered, (sent - answered) / max(sent, 1), seconds, rcodes)


def _find(pattern: str, text: str) -> str:
    if (found := re.search(pattern, text)) is None:
        raise SystemExit(f"the load printed nothing like {pattern!r}: {text[-500:]}")
    return found[1]
