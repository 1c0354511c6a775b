"""What is asked: one file a workload, and names whose answers are looked at meanwhile."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers.peer import BLOCKED, TRUE

POPULAR = 1000
"""Names of a kind that are asked again and again."""
SITES = 5000
"""Registered domains below which names are asked that nobody asked for before."""
MOST = {"different": 450_000, "miss": 150_000, "mixed": 500_000}
"""Questions a second of workloads that must not begin again: more than is answered. A run that gets through is over."""


def blocked_names(count: int) -> list[str]:
    """Return the names to block."""
    return [f"name{n}.blocked{n % 977}.example" for n in range(count)]


def allowed_names() -> list[str]:
    """Return the names that are in every cache."""
    return [f"host{n}.site{n}.example" for n in range(1, POPULAR + 1)]


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of load.

    Args:
        name: as in `--workloads` and in tables.
        questions: which file of questions.
        transport: of the clients, udp or tcp.
    """

    name: str
    questions: str
    transport: str = "udp"

    @property
    def is_fresh(self) -> bool:
        """Whether names must not come twice."""
        return self.questions in MOST


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("blocked", "blocked"),
        Workload("different", "different"),
        Workload("cached", "cached"),
        Workload("miss", "miss"),
        Workload("mixed", "mixed"),
        Workload("tcp-blocked", "blocked", "tcp"),
        Workload("tcp-cached", "cached", "tcp"),
    )
}


class Questions:
    """Writes files of questions, those of fresh names for each round anew.

    Args:
        folder: where they go.
        names: blocked.
        seconds: of a run.
    """

    def __init__(self, folder: Path, names: Sequence[str], seconds: int) -> None:
        self._folder = folder
        self._names = names
        self._seconds = seconds
        self._chance = random.Random(1)
        self._blocked = self._chance.sample(names, min(POPULAR, len(names)))
        self._allowed = allowed_names()
        self._fresh = 0

    def warm(self) -> Path:
        """Return the file of all that is asked again and again, once."""
        return self._write("warm", [*self._blocked, *self._allowed])

    def of(self, workload: Workload, count: int | None = None) -> Path:
        """Write and return the file for the next round.

        Args:
            workload: what is asked.
            count: how many questions; None: more fresh ones than any server answers, or some that are asked again.
        """
        if count is None:
            count = MOST.get(workload.questions, 0) * self._seconds or 20_000
        return self._write(workload.name, self._draw(workload.questions, count))

    def sample(self, workload: Workload) -> tuple[str, str]:
        """Return one more name of a workload, and the address that is right for it."""
        kind = workload.questions
        if kind == "mixed":
            kind = self._chance.choice(("blocked", "cached", "miss"))
        (name,) = self._draw(kind, 1)
        return name, BLOCKED if kind in ("blocked", "different") else TRUE

    def _draw(self, kind: str, count: int) -> list[str]:
        chance = self._chance
        if kind == "blocked":
            return chance.choices(self._blocked, k=count)
        if kind == "cached":
            return chance.choices(self._allowed, k=count)
        first = self._fresh
        self._fresh += count
        fresh = range(first, first + count)
        if kind == "different":
            below = chance.choices(self._names, k=count)
            return [f"x{n}.{name}" for n, name in zip(fresh, below, strict=True)]
        if kind == "miss":
            return [f"m{n}.site{n % SITES}.example" for n in fresh]
        pools = (self._blocked,) * 30 + (self._allowed,) * 65 + (None,) * 5
        drawn = chance.choices(pools, k=count)
        at = chance.choices(range(min(len(self._blocked), len(self._allowed))), k=count)
        return [
            pool[i] if pool else f"m{n}.site{n % SITES}.example" for n, pool, i in zip(fresh, drawn, at, strict=True)
        ]

    def _write(self, name: str, rows: Sequence[str]) -> Path:
        path = self._folder / f"{name}.txt"
        path.write_text("".join([f"{row} A\n" for row in rows]))
        return path
