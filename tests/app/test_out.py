"""Receivers follow the store: nothing lost, nothing twice after a restart, nobody waited for."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from sinkhole.app.alert_watch import AlertWatch
from sinkhole.app.out import Out
from sinkhole.app.out_streams import StoredStream
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.out_schema import OutSettings
from sinkhole.config.schema import Settings
from sinkhole.out import delivery
from sinkhole.policy.default import default_statements
from sinkhole.store.alert_store import AlertStore
from sinkhole.store.out_store import OutStore
from sinkhole.store.recorder import HitBatch
from tests.store.rows import batch, row


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(delivery, "LOOK_INTERVAL", 0.02)


def settings_with(folder, *outs, **more):
    return Settings.model_validate({"server": {"data_dir": folder}, "out": outs, **more})


def receiver(tmp_path, name="lines", **fields):
    return {"name": name, "kind": "file", "target": str(tmp_path / f"{name}.jsonl")} | fields


def events(tmp_path, name="lines"):
    path = tmp_path / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def until(found, seconds=10):
    async with asyncio.timeout(seconds):
        while not found():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(folder, settings, seal_every=0.05):
    keeper = StoreKeeper(settings)
    task = asyncio.ensure_future(Out(settings, keeper, seal_every).run())
    try:
        yield keeper
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await keeper.close()


async def cursors(keeper):
    return {one.receiver: one for one in await keeper.do(lambda state: OutStore(state.store).cursors())}


async def begun(keeper, number):
    """Wait until receivers have their cursors, so that what comes then is theirs."""
    for _ in range(500):
        if len(await cursors(keeper)) >= number:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("no cursors")


async def noted(keeper, position):
    """Return the only cursor once it is there: whoever is stopped between sending and noting it sends again."""
    for _ in range(500):
        (cursor,) = (await cursors(keeper)).values()
        if cursor.position >= position:
            return cursor
        await asyncio.sleep(0.02)
    raise AssertionError(f"the cursor stays at {cursor.position}")


async def test_hits_are_sent_as_they_are_stored_and_a_restart_goes_on(tmp_path, folder):
    settings = settings_with(folder, receiver(tmp_path))
    async with running(folder, settings) as keeper:
        await begun(keeper, 1)
        await keeper.record(batch(row(count=2), row(name="b.example.org")))
        await noted(keeper, 2)
    async with running(folder, settings) as keeper:
        await begun(keeper, 1)
        await keeper.record(batch(row(name="c.example.org"), seq=2))
        cursor = await noted(keeper, 3)
    assert [(event["name"], event["count"]) for event in events(tmp_path)] == [
        ("chat.example.org", 2), ("b.example.org", 1), ("c.example.org", 1),
    ]  # fmt: skip
    assert [event["uid"] for event in events(tmp_path)] == ["hit-1", "hit-2", "hit-3"]
    assert cursor.failing is None


async def test_what_was_sent_never_changes_and_counts_add_up(tmp_path, folder):
    """A row that left is not added to: what comes later of the same minute is a row of its own."""
    async with running(folder, settings_with(folder, receiver(tmp_path))) as keeper:
        await begun(keeper, 1)
        for seq in range(1, 4):
            await keeper.record(batch(row(count=5), seq=seq))
            await until(lambda: sum(event["count"] for event in events(tmp_path)) == 5 * seq)  # noqa: B023
        stored = await keeper.do(lambda state: state.store)
        with stored.reading() as connection:
            rows = connection.exec_driver_sql("SELECT id, count FROM hit ORDER BY id").fetchall()
    assert [(f"hit-{number}", count) for number, count in rows] == [(e["uid"], e["count"]) for e in events(tmp_path)]


async def test_a_row_that_still_grows_waits(tmp_path, folder):
    async with running(folder, settings_with(folder, receiver(tmp_path)), seal_every=3600) as keeper:
        await begun(keeper, 1)
        await keeper.record(batch(row()))
        stream = StoredStream(keeper, OutSettings(**receiver(tmp_path)), "hits", lambda: 0, str)
        assert await stream.next() is None
        assert events(tmp_path) == []


async def test_a_dead_receiver_holds_up_neither_the_recorder_nor_another(tmp_path, folder):
    dead = {"name": "dead", "kind": "syslog", "target": "tcp://127.0.0.1:1"}
    async with running(folder, settings_with(folder, dead, receiver(tmp_path))) as keeper:
        await begun(keeper, 2)
        for seq in range(1, 30):
            assert await keeper.record(batch(row(name=f"n{seq}.example.org"), seq=seq))
        await until(lambda: len(events(tmp_path)) == 29)
        while not (cursor := (await cursors(keeper))["dead"]).failing:  # it may not have been tried yet
            await asyncio.sleep(0.02)
        assert cursor.position == 0
        assert "Connection refused" in cursor.why
        assert await keeper.do(lambda state: OutStore(state.store).behind(cursor)) == 29


async def test_groups_are_left_out_and_clients_are_told_as_set(tmp_path, folder):
    outs = [
        receiver(tmp_path, "some", skip_groups=["board"]),
        receiver(tmp_path, "masked", clients="pseudonym"),
        receiver(tmp_path, "none", clients="none"),
    ]
    async with running(folder, settings_with(folder, *outs)) as keeper:
        await begun(keeper, 3)
        await keeper.record(batch(row(group="board"), row(group="staff", client="192.0.2.9"), row(group=None)))
        await until(lambda: all(len(events(tmp_path, name)) >= 2 for name in ("some", "masked", "none")))
        await until(lambda: len(events(tmp_path, "none")) == 3)
    assert [event["group"] for event in events(tmp_path, "some")] == ["staff", None]
    told = {event["client"] for event in events(tmp_path, "masked")}
    assert len(told) == 2
    assert all(client.startswith("p-") for client in told)
    assert {event["client"] for event in events(tmp_path, "none")} == {None}


async def test_the_audit_log_follows_too(tmp_path, folder):
    async with running(folder, settings_with(folder, receiver(tmp_path, what=["audit"]))) as keeper:
        await begun(keeper, 1)
        statement = default_statements([])[0]
        await keeper.do(lambda state: state.policy.put(statement))
        await until(lambda: events(tmp_path))
    assert events(tmp_path)[0]["event"] == "audit"
    assert events(tmp_path)[0]["what"].startswith("policy ")


async def test_a_new_receiver_begins_with_what_comes(tmp_path, folder):
    async with running(folder, settings_with(folder)) as keeper:
        await keeper.until_open()
        await keeper.record(batch(row()))
    async with running(folder, settings_with(folder, receiver(tmp_path))) as keeper:
        await begun(keeper, 1)
        await keeper.record(batch(row(name="new.example.org"), seq=2))
        await until(lambda: events(tmp_path))
    assert [event["name"] for event in events(tmp_path)] == ["new.example.org"]


async def test_what_was_deleted_before_it_was_taken_is_counted(tmp_path, folder, caplog):
    settings = settings_with(folder, receiver(tmp_path))
    async with running(folder, settings) as keeper:
        await begun(keeper, 1)
    keeper = StoreKeeper(settings)
    await keeper.until_open()
    await keeper.record(HitBatch("w", 1, tuple(row(name=f"n{n}.example.org") for n in range(10))))
    store = await keeper.do(lambda state: state.store)
    with store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM hit WHERE id <= 7")
    await keeper.close()
    async with running(folder, settings) as keeper:
        cursor = await noted(keeper, 10)
    assert len(events(tmp_path)) == 3
    assert cursor.lost == 7
    assert "out.lost receiver=lines what=hits events=7" in caplog.text


async def test_a_receiver_that_cannot_be_made_stops_no_other(tmp_path, folder, caplog):
    broken = {"name": "tls", "kind": "syslog", "target": "tls://siem.example.org", "ca_file": str(tmp_path / "none")}
    async with running(folder, settings_with(folder, broken, receiver(tmp_path))) as keeper:
        await begun(keeper, 1)
        await keeper.record(batch(row()))
        await until(lambda: events(tmp_path))
    assert "out.not_started receiver=tls" in caplog.text


@pytest.mark.parametrize("clients", ["recorded", "none"])
async def test_alerts_tell_no_more_of_clients_than_hits(tmp_path, folder, clients):
    outs = [receiver(tmp_path, what=["alerts"], clients=clients)]
    async with running(folder, settings_with(folder, *outs)) as keeper:
        await begun(keeper, 1)
        await until_watched(keeper)
        await keeper.record(batch(row(vendor="deepseek")))
        await AlertWatch(settings_with(folder, *outs), keeper).look()
        await until(lambda: events(tmp_path))
    (alert,) = events(tmp_path)
    assert (alert["kind"], alert["cause"]) == ("new-vendor", "deepseek")
    assert alert["facts"].get("client") == ("192.0.2.1" if clients == "recorded" else "")


async def until_watched(keeper):
    for _ in range(500):
        if await keeper.do(lambda state: AlertStore(state.store).remembered("place")):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody watches")
