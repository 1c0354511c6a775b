"""What was measured: written as JSON by each call, and read again to make one page of several calls."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MAY_LOSE = 0.01


@dataclass(frozen=True, slots=True)
class Session:
    """One call of the command: only what was measured in the same session is compared."""

    ident: str
    when: str
    commit: str
    machine: str
    versions: dict[str, str]
    names: int
    seconds: int
    questions_open: int = 200
    """Those of calls that do not say so."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one workload on one server.

    Args:
        session: in which.
        round: of that session and workload.
        workload: what was asked.
        server: who was asked.
        rate: answers a second.
        lost: share of the questions.
        rcodes: answers by response code.
        sampled: answers that were looked at; None where a server only shows what the machine can do.
        wrong: what was wrong with some of them.
        cpu_s: seconds that the server, with all its processes, was on a processor meanwhile.
    """

    session: str
    round: int
    workload: str
    server: str
    rate: float
    lost: float
    rcodes: dict[str, int]
    sampled: int | None
    wrong: list[str]
    cpu_s: float | None = None

    @property
    def per_cpu_second(self) -> float | None:
        """Return the answers for each second that the server was on a processor."""
        return sum(self.rcodes.values()) / self.cpu_s if self.cpu_s else None

    @property
    def is_good(self) -> bool:
        """Tell whether it counts: rarely anything lost, every answer with the right code, every sample right."""
        is_answered = self.lost <= MAY_LOSE and set(self.rcodes) == {"NOERROR"}
        return is_answered and self.sampled != 0 and not self.wrong

    def faults(self) -> str:
        """Tell what speaks against it."""
        seen = "nothing was sampled" if self.sampled == 0 else "; ".join(self.wrong) or "samples good"
        codes = ", ".join(f"{name} {count}" for name, count in self.rcodes.items()) or "no answer"
        return f"lost {self.lost:.2%}; {codes}; {seen}"


@dataclass(frozen=True, slots=True)
class Figure:
    """Any other measured value.

    Args:
        session: in which.
        what: the kind of figure, such as `latency p99`.
        of: the case it belongs to, such as a number of names.
        server: on which.
        value: in `unit`.
        unit: such as ms.
    """

    session: str
    what: str
    of: str
    server: str
    value: float
    unit: str


@dataclass(slots=True)
class Results:
    """All of them."""

    sessions: list[Session] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write them as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def read(paths: Iterable[Path]) -> Results:
    """Read and merge the files of several calls.

    Raises:
        SystemExit: a file is missing or is none of ours; the text says which.
    """
    merged = Results()
    for path in paths:
        try:
            found = json.loads(path.read_text())
            merged.sessions += [Session(**row) for row in rows(found, "sessions")]
            merged.runs += [Run(**row) for row in rows(found, "runs")]
            merged.figures += [Figure(**row) for row in rows(found, "figures")]
        except OSError as error:
            raise SystemExit(f"{path}: {error.strerror}") from error
        except (ValueError, TypeError, KeyError) as error:
            raise SystemExit(f"{path}: no results of python -m bench --json: {error!r}") from error
    if len({session.ident for session in merged.sessions}) < len(merged.sessions):
        raise SystemExit("the same call's results are given twice")
    return merged


def rows(found: Any, kind: str) -> list[dict[str, Any]]:
    """Return the rows of a kind."""
    listed: list[dict[str, Any]] = found[kind]
    return listed
