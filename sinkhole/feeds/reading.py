"""Read and vet a fetched list into the files of a snapshot; run as a process of its own (R-L14).

    python -m sinkhole.feeds.reading < job.json > report.json

A million rows take seconds of pure computing: in another process they stall neither the event loop nor the control
process, and whatever a list does to its reader, it does to that process alone.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from sinkhole.errors import FeedError
from sinkhole.feeds.detect import HEAD_OCTETS, detect
from sinkhole.feeds.diff import Diff, compare
from sinkhole.feeds.guard import Guard
from sinkhole.feeds.parse import ParseLimits, parse
from sinkhole.feeds.print_rule import print_rule
from sinkhole.feeds.row import SAMPLE_LENGTH, printable
from sinkhole.feeds.rule_row import rule_key
from sinkhole.feeds.snapshot_files import BODY, REJECTIONS, RULES
from sinkhole.policy.rule import Rejection, Rule

SAMPLES: Final = 20
"""Rejections that a report tells; the snapshot keeps `KEPT_REJECTIONS`."""
KEPT_REJECTIONS: Final = 1000
INCLUDES: Final = "includes"
_CALM: Final = 10


@dataclass(frozen=True, slots=True)
class Job:
    """What to read, and how.

    `folder` holds the body (and what it includes) and takes the rules; `previous` is the rules file in force.
    `whole` reads all names of a catalogue, not only those that a list of it would block.
    """

    folder: str
    format: str
    match: str
    local: bool
    max_rows: int
    never_block: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    previous: str | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a list holds.

    Attributes:
        format: as detected.
        rules: that differ.
        rejected: rows that were not accepted, `protected` ones among them.
        protected: rows that would have blocked a protected name.
        samples: some rejections, the protected first.
        diff: from the version in force.
    """

    format: str
    rules: int
    rejected: int
    protected: int
    samples: tuple[Rejection, ...]
    diff: Diff

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Return the report that the process wrote."""
        samples = tuple(Rejection(**row) for row in found.pop("samples"))
        return cls(samples=samples, diff=Diff.from_json(found.pop("diff")), **found)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return {
            "format": self.format,
            "rules": self.rules,
            "rejected": self.rejected,
            "protected": self.protected,
            "samples": [asdict(row) for row in self.samples],
            "diff": self.diff.to_json(),
        }


def read_list(job: Job) -> Report:
    """Read the list of a job and write its rules and rejections beside it.

    Raises:
        FeedError: it is no list, or none of its rows can be used.
    """
    folder = Path(job.folder)
    with (folder / BODY).open("rb") as body:
        list_format = detect(body.read(HEAD_OCTETS)) if job.format == "auto" else job.format
        body.seek(0)
        reader = _Reader(None if job.local else Guard(job.never_block, job.hosts, job.addresses))
        limits = ParseLimits(rows=job.max_rows)
        include = _Includes(folder / INCLUDES).find
        found = parse(body, list_format, job.match, local=job.local, limits=limits, include=include, whole=job.whole)
        with (folder / RULES).open("w", encoding="utf-8", newline="\n") as rules:
            for row in reader.rows(found):
                rules.write(row)
    if not reader.keys:
        raise FeedError(f"the list has no usable row: {_why_empty(reader.rejections)}")
    report = Report(
        list_format,
        len(reader.keys),
        reader.rejected,
        reader.protected,
        tuple(reader.rejections[:SAMPLES]),
        compare(_keys(job.previous), reader.keys, SAMPLES),
    )
    (folder / REJECTIONS).write_text(json.dumps([asdict(row) for row in reader.rejections], indent=0))
    return report


class _Reader:
    """Sorts what the parser yields into rules, each once, and rejections."""

    def __init__(self, guard: Guard | None) -> None:
        self._guard = guard
        self.keys: set[str] = set()
        self.rejected = 0
        self.protected = 0
        self._rejections: list[Rejection] = []
        self._protected: list[Rejection] = []

    @property
    def rejections(self) -> list[Rejection]:
        """The protected rows, then the others, as many as are kept."""
        return [*self._protected, *self._rejections][:KEPT_REJECTIONS]

    def rows(self, found: Iterable[Rule | Rejection]) -> Iterator[str]:
        """Yield the lines of the rules file."""
        for item in found:
            if isinstance(item, Rejection):
                self.rejected += 1
                if len(self._rejections) < KEPT_REJECTIONS:
                    self._rejections.append(item)
                continue
            key = rule_key(item)
            if key in self.keys:
                continue
            why = self._guard.objection(item) if self._guard else None
            if why is None:
                self.keys.add(key)
                yield f"{item.line}\t{key}\n"
                continue
            self.rejected += 1
            self.protected += 1
            if len(self._protected) < KEPT_REJECTIONS:
                text = printable(print_rule(item)[:SAMPLE_LENGTH])
                self._protected.append(Rejection(item.line, 1, why, text))


class _Includes:
    """The lists beside the body that it includes; they were fetched with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str) -> list[bytes] | None:
        """Return the rows of the list `name`, None when it was not fetched."""
        path = self._folder / name
        if path.parent != self._folder or not path.is_file():
            return None
        return path.read_bytes().splitlines()


def _keys(rules: str | None) -> Iterator[str]:
    if rules is None:
        return
    with Path(rules).open(encoding="utf-8", newline="\n") as rows:
        for row in rows:
            yield row.rstrip("\n").partition("\t")[2]


def _why_empty(rejections: list[Rejection]) -> str:
    return f"{rejections[0]}" if rejections else "it is empty, or all of it is comments"


def main() -> int:
    """Read the job on standard input, write its report, or the reason of its failure, on standard output."""
    os.nice(_CALM)  # whoever asks for a name comes first
    try:
        job = Job(**json.load(sys.stdin))
        answer = read_list(job).to_json()
    except (FeedError, OSError) as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
