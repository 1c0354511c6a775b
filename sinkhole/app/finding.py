"""What a check of `doctor` finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from sinkhole.config.schema import Settings


class Grade(IntEnum):
    """How bad a finding is; the worst is the exit status."""

    GOOD = 0
    WARNING = 1
    FAILURE = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    grade: Grade
    text: str


Check = Callable[[Settings], Iterator[tuple[Grade, str]]]
