"""A worker's line to the control process: nothing handed over is lost or stored twice, whatever the other side does."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sinkhole.app.control_link import (
    BUSY_INTERVAL,
    BUSY_ROWS,
    LOTS_PER_BATCH,
    MAX_UNACKNOWLEDGED,
    RESEND_AFTER,
    ROWS_PER_LOT,
    ControlLink,
)
from sinkhole.app.control_server import ControlServer
from sinkhole.app.local_socket import bind_control
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.load import load_settings
from sinkhole.config.schema import AccessSettings, RecordSettings
from sinkhole.policy.engine import Policy
from sinkhole.policy.hit import rows_of_lots
from sinkhole.policy.image import NameIndex
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import BlockAnswer
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.who import Who
from sinkhole.store.recorder import HitBatch
from sinkhole.store.reports import Reports
from sinkhole.transport.gate import ClientGate
from tests.app.handover import ScriptedControl, acknowledge, count, counted
from tests.resolver.test_sightings import Discovery


@asynccontextmanager
async def linked(folder: Path, hits: Hits, load: Callable[[], int] = lambda: 7) -> AsyncIterator[ControlLink]:
    link = ControlLink(folder, hits, load, lambda: {"pid": 1, "slot": 0, "generation": 3})
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_worker_says_who_it_is_and_hands_over_once(tmp_path):
    hits = counted("a.example.org")
    async with ScriptedControl(tmp_path) as control, linked(tmp_path, hits):
        await control.until(lambda: control.batches)
        count(hits, "b.example.org")
        await control.until(lambda: len(control.batches) == 2)
        await asyncio.sleep(RESEND_AFTER + 0.5)
        assert control.heard[0]["op"] == "hello"
        assert control.heard[0]["generation"] == 3
        assert control.batches == [(1, ["a.example.org"]), (2, ["b.example.org"])]


async def test_hits_wait_for_a_control_process_that_comes_late(tmp_path):
    """R-D01: what was counted while it was away is handed over when it is there."""
    hits = counted("a.example.org")
    async with linked(tmp_path, hits):
        await asyncio.sleep(0.6)
        assert len(hits) == 0  # in a batch, waiting
        async with ScriptedControl(tmp_path) as control:
            await control.until(lambda: control.batches)
            assert control.batches == [(1, ["a.example.org"])]


async def test_batch_without_acknowledgement_is_sent_again_to_the_next_control_process(tmp_path):
    hits = counted("a.example.org")
    async with ScriptedControl(tmp_path, lambda message: None) as control, linked(tmp_path, hits):
        await control.until(lambda: control.batches)
        count(hits, "b.example.org")
        await control.until(lambda: len(control.batches) == 2)
        control.react = acknowledge
        control.hang_up()
        await control.until(lambda: len(control.batches) == 4)
        assert control.batches[2:] == control.batches[:2] == [(1, ["a.example.org"]), (2, ["b.example.org"])]
        assert [message["op"] for message in control.heard].count("hello") == 2
        assert len({message["worker"] for message in control.heard if message["op"] == "hello"}) == 1


async def test_batch_is_sent_again_when_a_store_took_too_long(tmp_path):
    """R-D04: a store that was full or locked has taken nothing; the worker tries again by itself."""
    async with ScriptedControl(tmp_path, lambda message: None) as control, linked(tmp_path, counted("a.example.org")):
        await control.until(lambda: control.batches)
        control.react = acknowledge
        await control.until(lambda: len(control.batches) == 2, RESEND_AFTER + 2)
        assert control.batches == [(1, ["a.example.org"])] * 2


async def test_rows_of_a_flood_are_taken_once_a_second(tmp_path):
    """What comes meanwhile is counted in the same rows, unless these become too many; nothing is lost."""
    hits = counted(*(f"n{number}.example.org" for number in range(BUSY_ROWS + 1)))
    async with ScriptedControl(tmp_path) as control, linked(tmp_path, hits):
        await control.until(lambda: control.batches)
        first = time.monotonic()
        for _ in range(5):
            count(hits, "again.example.org")
        await control.until(lambda: len(control.batches) == 2)
        assert BUSY_INTERVAL - 0.1 <= time.monotonic() - first <= BUSY_INTERVAL + 2
        (row,) = rows_of_lots(control.heard[-1]["rows"])
        assert (row.name, row.count) == ("again.example.org", 5)


async def test_rows_that_come_while_others_are_taken_wait_for_the_next_time(tmp_path):
    """In a flood they come as fast as they are taken."""
    hits = counted(*(f"n{number}.example.org" for number in range(2 * BUSY_ROWS)))

    async def flood() -> None:
        while len(hits) >= 2 * BUSY_ROWS:  # until the first are taken
            await asyncio.sleep(0)
        for turn in range(100):
            count(hits, *(f"m{turn}-{number}.example.org" for number in range(ROWS_PER_LOT)))
            await asyncio.sleep(0)

    async with ScriptedControl(tmp_path) as control, linked(tmp_path, hits):
        await asyncio.gather(flood(), control.until(lambda: control.batches))
        await asyncio.sleep(0.4)
        assert sum(len(names) for _, names in control.batches) == 2 * BUSY_ROWS
        await control.until(lambda: sum(len(names) for _, names in control.batches) == 2 * BUSY_ROWS + 5000)


async def test_too_many_rows_do_not_wait(tmp_path, monkeypatch):
    monkeypatch.setattr("sinkhole.app.control_link.BUSY_INTERVAL", 1000.0)
    monkeypatch.setattr("sinkhole.app.control_link.MOST_ROWS", BUSY_ROWS + 1)
    hits = counted(*(f"n{number}.example.org" for number in range(BUSY_ROWS + 1)))
    async with ScriptedControl(tmp_path) as control, linked(tmp_path, hits) as link:
        await control.until(lambda: control.batches)
        count(hits, *(f"m{number}.example.org" for number in range(BUSY_ROWS + 1)))
        await control.until(lambda: len(control.batches) == 2)
        count(hits, "last.example.org")
        await link.finish(5)
        assert control.batches[-1][1] == ["last.example.org"]


async def test_what_is_kept_is_bounded(tmp_path):
    """R-D01: beyond the bound rows stay where they are counted, and drops are told."""
    names = [f"n{number}.example.org" for number in range((MAX_UNACKNOWLEDGED + 2) * LOTS_PER_BATCH * ROWS_PER_LOT)]
    hits = counted(*names)
    async with ScriptedControl(tmp_path, lambda message: None) as control, linked(tmp_path, hits):
        await control.until(lambda: len(control.batches) >= MAX_UNACKNOWLEDGED)
        await asyncio.sleep(0.6)
        assert len(hits) == 2 * LOTS_PER_BATCH * ROWS_PER_LOT
        assert {seq for seq, _ in control.batches} == set(range(1, MAX_UNACKNOWLEDGED + 1))


async def test_dropped_queries_are_handed_over_too(tmp_path):
    hits = Hits(load_settings(None, {}, {}).record, max_rows=1)
    count(hits, "a.example.org", "b.example.org", "c.example.org")
    async with ScriptedControl(tmp_path) as control, linked(tmp_path, hits):
        await control.until(lambda: control.batches)
        assert control.heard[-1]["dropped"] == 2


async def test_announced_policy_is_loaded_and_reported(tmp_path):
    async with ScriptedControl(tmp_path) as control, linked(tmp_path, counted(), lambda: 12):
        await control.until(lambda: control.heard)
        control.say(b'{"op": "policy", "generation": 12}\n')
        await control.until(lambda: len(control.heard) == 2)
        assert control.heard[1] == {"op": "applied", "generation": 12}


async def test_nonsense_from_the_other_side_ends_that_connection_only(tmp_path):
    hits = counted()
    async with ScriptedControl(tmp_path) as control, linked(tmp_path, hits):
        await control.until(lambda: control.heard)
        control.say(b"nonsense\n")
        await control.until(lambda: len(control.heard) == 2)
        count(hits, "a.example.org")
        await control.until(lambda: control.batches)
        assert [message["op"] for message in control.heard] == ["hello", "hello", "hits"]


async def test_last_hits_are_handed_over_at_a_stop(tmp_path):
    """R-O02: what was counted right before is acknowledged before the worker ends."""
    hits = counted()
    async with ScriptedControl(tmp_path) as control, linked(tmp_path, hits) as link:
        await control.until(lambda: control.heard)
        count(hits, "last.example.org")
        await link.finish(5)
        assert control.batches == [(1, ["last.example.org"])]


async def test_rows_taken_when_the_worker_is_told_to_stop_are_handed_over(tmp_path):
    """A batch is taken in several turns; the last ones may never come."""
    names = [f"n{number}.example.org" for number in range(ROWS_PER_LOT * 3)]
    hits = counted(*names)
    link = ControlLink(tmp_path, hits, lambda: 7, lambda: {"pid": 1, "slot": 0, "generation": 3})
    taking = asyncio.create_task(link._flush())
    while len(hits) == len(names):
        await asyncio.sleep(0)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    assert 0 < len(hits) < len(names)
    async with ScriptedControl(tmp_path) as control:
        connected = asyncio.create_task(link.run())
        await control.until(lambda: control.heard)
        connected.cancel()
        await asyncio.gather(connected, return_exceptions=True)
    sent = [row for line in link._unacknowledged.values() for row in rows_of_lots(json.loads(line)["rows"])]
    taken = [*rows_of_lots([json.loads(lot) for lot in link._taken]), *link._rows]
    assert [row.name for row in (*sent, *taken, *hits.drain(9999))] == names


async def test_stop_does_not_wait_for_one_who_does_not_answer(tmp_path):
    hits = counted("a.example.org")
    async with ScriptedControl(tmp_path, lambda message: None) as control, linked(tmp_path, hits) as link:
        await control.until(lambda: control.batches)
        began = time.monotonic()
        await link.finish(0.2)
        assert 0.1 < time.monotonic() - began < 1


async def test_stop_without_a_control_process_ends_at_once(tmp_path):
    async with linked(tmp_path, counted("a.example.org")) as link:
        began = time.monotonic()
        await link.finish(5)
        assert time.monotonic() - began < 1


async def test_batch_whose_acknowledgement_was_lost_is_stored_once(tmp_path):
    """R-O11: exactly once, with the real store and the real server between."""
    settings = load_settings(None, {}, {"server.data_dir": tmp_path})
    keeper = StoreKeeper(settings)
    taken = 0
    stored = asyncio.Event()

    async def take_hits(worker: str, message: dict[str, object]) -> bool:
        nonlocal taken
        assert await keeper.record(HitBatch(worker, int(str(message["seq"])), rows_of_lots(message["rows"])))
        taken += 1
        if taken == 2:
            stored.set()
        return taken > 1  # the first acknowledgement gets lost

    async def request(message: dict[str, object]) -> dict[str, object]:
        return message

    server = ControlServer(take_hits, request)
    async with await server.serve(bind_control(tmp_path)), linked(tmp_path, counted("a.example.org", "a.example.org")):
        async with asyncio.timeout(RESEND_AFTER + 3):
            await stored.wait()
        total = await keeper.do(lambda state: sum(t.hits for t in Reports(state.store, 300).count_by("vendor")))
        assert total == 2
    await keeper.close()


async def test_sightings_travel_with_the_hits_and_by_themselves(tmp_path):
    world = Discovery()
    world.know("novel.ai")
    hits = counted("a.example.org")
    await world.ask("novel.ai A")
    link = ControlLink(
        tmp_path, hits, lambda: 7, lambda: {"pid": 1, "slot": 0, "generation": 3}, sightings=world.sightings
    )
    task = asyncio.create_task(link.run())
    async with ScriptedControl(tmp_path) as control:
        await control.until(lambda: control.batches)
        await world.ask("novel.ai A")
        await control.until(lambda: len(control.batches) == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    first, second = (m for m in control.heard if m["op"] == "hits")
    assert [row[0] for row in first["sightings"]] == [row[0] for row in second["sightings"]] == ["novel.ai"]
    assert second["rows"] == []


async def test_batch_without_sightings_says_nothing_of_them(tmp_path):
    async with ScriptedControl(tmp_path) as control, linked(tmp_path, counted("a.example.org")):
        await control.until(lambda: control.batches)
    assert all("sightings" not in message for message in control.heard)


def counting_gate() -> ClientGate:
    """A gate of which nobody is known, though a group asks for a MAC address."""
    group = Group("lab", ("mac:aa:bb:cc:dd:ee:ff",))
    box = PolicyBox(Policy(NameIndex.from_rules(()), (), (group,), BlockAnswer(), 1))
    return ClientGate(AccessSettings(), box.current.scope_of, who=Who(box, lambda address: None))


async def test_new_clients_and_counts_go_up_and_tables_come_down(tmp_path):
    gate, loaded = counting_gate(), []
    link = ControlLink(
        tmp_path, Hits(RecordSettings()), lambda: 7, dict, clients=gate, load_clients=lambda: loaded.append(1)
    )  # fmt: skip
    gate.admit("10.0.0.1").queries += 2
    async with ScriptedControl(tmp_path, lambda message: None) as control:
        task = asyncio.create_task(link.run())
        await control.until(lambda: any(m["op"] == "seen" for m in control.heard))
        assert next(m["clients"] for m in control.heard if m["op"] == "seen") == ["10.0.0.1"]
        control.say(b'{"op":"clients"}\n')
        await control.until(lambda: any(m["op"] == "hits" for m in control.heard), seconds=20)
        (batch,) = (m for m in control.heard if m["op"] == "hits")
        assert (batch["seq"], batch["rows"], [row[0] for row in batch["clients"]]) == (1, [], ["10.0.0.1"])
        # Without an acknowledgement it is sent again under its number, so the store counts it once.
        await control.until(lambda: sum(m["op"] == "hits" for m in control.heard) == 2, seconds=20)
        assert control.heard[-1] == batch
        assert loaded == [1]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_last_counts_are_handed_over_at_a_stop(tmp_path):
    gate = counting_gate()
    link = ControlLink(tmp_path, Hits(RecordSettings()), lambda: 7, dict, clients=gate)
    async with ScriptedControl(tmp_path) as control:
        task = asyncio.create_task(link.run())
        await control.until(lambda: control.heard)
        gate.admit("10.0.0.1").queries += 3
        await link.finish(5)
        assert [row[3] for m in control.heard if m["op"] == "hits" for row in m["clients"]] == [3]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_control_process_is_told_of_new_clients_and_tells_of_tables(tmp_path):
    told: list[str] = []
    server = ControlServer(_never, _never, told.extend)
    loaded = asyncio.Event()
    async with await server.serve(bind_control(tmp_path)):
        gate = counting_gate()
        gate.admit("10.0.0.1")
        link = ControlLink(
            tmp_path,
            Hits(RecordSettings()),
            lambda: 7,
            lambda: {"generation": 1},
            clients=gate,
            load_clients=loaded.set,
        )
        task = asyncio.create_task(link.run())
        async with asyncio.timeout(10):
            while not told:
                await asyncio.sleep(0.02)
        server.announce_clients()
        await asyncio.wait_for(loaded.wait(), 10)
        assert told == ["10.0.0.1"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _never(*_: object) -> Any:
    raise AssertionError("nothing is asked for")
