"""`python -m bench.seed FOLDER`: a data folder as after 90 days of 2,000 clients and 300 vendors, the same for a seed.

    python -m bench.seed /tmp/five-million --rows 5000000

Hits go through the recorder in batches as workers hand them over; groups, statements, exceptions and names that wait
for review come with them. The folder must be new; five million rows take some four minutes and 0.7 GB.
"""

import argparse
import json
import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.traffic import CLIENTS, DAYS, GROUPS, Traffic
from sinkhole.app.data_dir import prepare
from sinkhole.app.exception_changes import Request, put_exception, request_exception
from sinkhole.app.group_changes import Answering, add_to_group
from sinkhole.app.state import State, open_state
from sinkhole.app.statement_changes import Wish, read_wish, store_statement
from sinkhole.app.summing import sum_up
from sinkhole.config.schema import Settings
from sinkhole.policy.identity import Identity
from sinkhole.policy.sighting import Sighting
from sinkhole.policy.verdict import Action
from sinkhole.store.client_store import ClientStore
from sinkhole.store.daily import sum_days
from sinkhole.store.recorder import HitBatch, Recorder

BATCH = 20_000
CONFIG = "sinkhole.toml"
CANDIDATES = 2_000
_DAY = 86_400


def settings_of(folder: Path, **sections: dict[str, object]) -> Settings:
    """Return settings for a data folder: hits are kept as long as the store is made for, and no list is fetched."""
    server = {"data_dir": folder, **sections.pop("server", {})}
    return Settings.model_validate({"server": server, "record": {"days": 3650, "max_mib": 100_000}, **sections})


def seed(
    folder: Path, rows: int, number: int = 1, days: int = DAYS, clients: int = CLIENTS, *, is_summed: bool = True
) -> int:  # fmt: skip
    """Fill a new data folder; return how many rows of hits it has.

    Args:
        rows: how many, about.
        number: the same gives the same rows, but for the day on which they end, which is yesterday.
        days, clients: over how many, and how many there are.
        is_summed: count days and hours, as a server would have.
    """
    settings = settings_of(folder)
    prepare(folder)
    with closing(open_state(settings, "seed")) as state:
        traffic = Traffic(state.catalogue().catalogue, int(time.time()) // _DAY, rows, number, days, clients)
        _policy(state, traffic)
        stored = _record(state, traffic)
        _identities(state, traffic)
        if is_summed:
            deque(sum_days(state.store, settings.record.attempt_window, time.time()), 0)
            deque(sum_up(state, time.time()), 0)
    return stored


def _record(state: State, traffic: Traffic) -> int:
    recorder, seq, stored = Recorder(state.store, str), 0, 0
    for day in traffic.days:
        rows = traffic.day(day)
        stored += len(rows)
        is_recent = day >= traffic.days.stop - 14
        for at in range(0, len(rows), BATCH):
            seq += 1
            batch = tuple(rows[at : at + BATCH])
            seen = tuple(traffic.activities(batch)) if is_recent else ()
            recorder.write(HitBatch("seed", seq, batch, clients=seen))
    recorder.write(HitBatch("seed", seq + 1, (), sightings=tuple(_sightings(traffic))))
    return stored


def _sightings(traffic: Traffic) -> list[Sighting]:
    last = traffic.days.stop * _DAY - 60
    return [
        Sighting(
            f"ai-{n}-chat.example", ("the name says ai, chat",), 3 + n % 50, last - n * 600, last,
            (f"api.ai-{n}-chat.example",), True,
        )
        for n in range(min(CANDIDATES, len(traffic.clients)))
    ]  # fmt: skip


def _policy(state: State, traffic: Traffic) -> None:
    none = Answering()
    for group in GROUPS:
        members = [client for client in traffic.clients if traffic.group_of[client] == group]
        add_to_group(state, group, members, None, none)
    for subject, action, group, reason in (
        ("vendor:deepseek", Action.BLOCK, None, "DPO decision 2026/14"),
        ("vendor:anthropic", Action.ALLOW, "engineering", "contract with zero retention"),
        ("jurisdiction:US", Action.COACH, "marketing", "until the training is held"),
    ):
        store_statement(state, read_wish(state, Wish(subject, action, group, reason, "it-security", "SEC-112")))
    end = datetime.now(UTC) + timedelta(days=30)
    for n, (vendor, _) in enumerate(traffic.vendors[:40]):
        wish = Request(
            f"vendor:{vendor.id}", end, f"trial {n}", traffic.clients[n * 7 % len(traffic.clients)], owner="m.weber"
        )
        if n % 2:
            put_exception(state, wish)
        else:
            request_exception(state, wish)


def _identities(state: State, traffic: Traffic) -> None:
    known = [
        (client, Identity(f"02:00:00:00:{n // 256:02x}:{n % 256:02x}", (f"pc-{n:04d}.corp.example",)), None)
        for n, client in enumerate(traffic.clients)
    ]
    ClientStore(state.store, str).note_identities(known)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill the folder that is named."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m bench.seed", description=__doc__, formatter_class=form)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000, metavar="N", help="rows of hits (5000000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    options = parser.parse_args(arguments)
    if not 0 < options.rows <= 20_000_000:
        parser.error("--rows: wanted a number from 1 to 20000000")
    if options.folder.exists() and any(options.folder.iterdir()):
        parser.error(f"{options.folder}: is not empty")
    options.folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    stored = seed(options.folder.resolve(), options.rows, options.seed)
    print(json.dumps({"rows": stored, "seconds": round(time.monotonic() - began)}))


if __name__ == "__main__":
    main()
