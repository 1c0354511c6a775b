"""R-L08, R-L09: over real and synthetic lists, exactly the rows that were judged by eye are refused."""

import time
import tomllib
from pathlib import Path

import pytest

from sinkhole.feeds.parse import parse
from tests.feeds.count_rules import FOLDER, count, shared_lists
from tests.shared_data import needs_shared

EXPECTED = tomllib.loads((Path(__file__).parent / "expected_counts.toml").read_text())


@needs_shared
def test_every_list_has_an_expectation() -> None:
    assert sorted(EXPECTED) == sorted(str(path.relative_to(FOLDER)) for path in shared_lists())


@needs_shared
@pytest.mark.parametrize("name", EXPECTED)
def test_counts(name: str) -> None:
    counts = count(FOLDER / name)
    expected = EXPECTED[name]
    assert (counts.accepted, counts.rejected) == (expected["accepted"], expected["rejected"])
    assert counts.reasons == expected.get("reasons", {})
    assert counts.refused == expected.get("refused", "")
    assert counts.detected == expected["detected"]


@needs_shared
def test_three_hundred_thousand_rows_take_seconds() -> None:
    """R-L14. Measured: under 2 s; the bound leaves room for a busy machine."""
    started = time.monotonic()
    rows = 0
    for name, kind in (("blocklistproject-combined.hosts.txt", "hosts"), ("stevenblack-2022.domains.txt", "domains")):
        with (FOLDER / "big" / name).open("rb") as lines:
            rows += sum(1 for _ in parse(lines, kind))
    assert rows > 300_000
    assert time.monotonic() - started < 15
