"""Fuzz what reads logs: queries, or the documented error."""

import datetime as dt
from contextlib import closing, suppress
from pathlib import Path

import pytest

from sinkhole.errors import LogError
from sinkhole.logs import pihole
from sinkhole.logs.reading import LogReading
from tests.fuzz.mutator import mutations
from tests.logs.databases import write_linked

COUNT, SECONDS = 2500, 1.0
SAMPLES = Path(__file__).parents[1] / "logs" / "samples"


def read(path: Path, wanted: str | None = None) -> None:
    with suppress(LogError):
        reading = LogReading(path, dt.UTC, wanted)
        with closing(reading):
            for at, client, name, was_refused in reading.queries():
                assert isinstance(at, (int, float))
                assert isinstance(client, str)
                assert isinstance(name, str)
                assert was_refused in (None, True, False)


@pytest.mark.parametrize("half", [0, 1])
def test_logs(tmp_path, half):
    seeds = [path.read_bytes() for path in sorted(SAMPLES.iterdir())[half::2]]
    path = tmp_path / "log"
    for octets in mutations(seeds, 20 + half, count=COUNT, seconds=SECONDS):
        path.write_bytes(octets)
        read(path)


def test_databases(tmp_path, monkeypatch):
    monkeypatch.setattr(pihole, "_WITHIN", 0.5)
    path = tmp_path / "x.db"
    write_linked(path).close()
    for octets in mutations([path.read_bytes()], 7, count=COUNT, seconds=SECONDS):
        path.write_bytes(octets)
        read(path)
