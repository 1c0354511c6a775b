"""Count what is accepted and refused in every file of the shared lists, as they would be synced from a remote host.

`python -m tests.feeds.count_rules > tests/feeds/expected_counts.toml` writes the expectation anew; read the difference,
reason by reason, before it is committed. Reasons stand without what they quote.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sinkhole.errors import FeedFormatError
from sinkhole.feeds.detect import HEAD_OCTETS, detect
from sinkhole.feeds.parse import parse
from sinkhole.policy.rule import Rule
from tests.shared_data import SHARED

FOLDER = SHARED / "feeds"
FORMATS = {"doh": "domains", "wildcard": "domains", "big": "auto", "other": "auto", "synthetic": "auto"}
"""The format of a folder whose name is not that of a format."""

_QUOTED = re.compile(r"'[^']*'|/.*/|in [^,]+, line \d+: |has \d+|U\+\w+|: expression is not taken.*")


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of one file; `refused` is why the whole of it was, `detected` what its rows look like."""

    detected: str
    refused: str
    accepted: int
    rejected: int
    reasons: dict[str, int]


def shared_lists() -> Iterator[Path]:
    """Yield every list, in a stable order."""
    for path in sorted(FOLDER.glob("*/*")):
        if path.is_file():
            yield path


def count(path: Path) -> Counts:
    """Parse one file as a remote list of its folder's format."""
    reasons: Counter[str] = Counter()
    accepted = 0
    refused = ""
    try:
        with path.open("rb") as lines:
            for row in parse(lines, FORMATS.get(path.parent.name, path.parent.name), include=_include):
                if isinstance(row, Rule):
                    accepted += 1
                else:
                    reasons[_QUOTED.sub("…", row.why)] += 1
    except FeedFormatError as error:
        refused = str(error)
    return Counts(_detect(path), refused, accepted, reasons.total(), dict(reasons.most_common()))


def _detect(path: Path) -> str:
    with path.open("rb") as file:
        try:
            return detect(file.read(HEAD_OCTETS))
        except FeedFormatError:
            return "none"


def _include(name: str) -> list[bytes] | None:
    path = FOLDER / "v2fly" / name
    return path.read_bytes().splitlines() if path.is_file() else None


def _print_all() -> None:
    print("# Made by `python -m tests.feeds.count_rules`; every reason has been read against the rows it refuses.")
    for path in shared_lists():
        counts = count(path)
        print(f'\n["{path.relative_to(FOLDER)}"]')
        print(f'detected = "{counts.detected}"')
        if counts.refused:
            print(f"refused = {counts.refused!r}")
        print(f"accepted = {counts.accepted}")
        print(f"rejected = {counts.rejected}")
        if counts.reasons:
            print("[" + f'"{path.relative_to(FOLDER)}".reasons]')
        for reason, number in counts.reasons.items():
            print(f'"{reason}" = {number}')


if __name__ == "__main__":
    _print_all()
