"""The control process keeps the table: it reads what groups need, publishes it, and notes it as far as permitted."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from sinkhole.app.client_sources import ClientSources
from sinkhole.app.client_watch import ClientWatch
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.data_dir import prepare
from sinkhole.app.reverse_ask import ReverseAsk
from sinkhole.app.state import compile_state, open_state
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.clients.neighbours import Neighbour, NeighbourError
from sinkhole.clients.table import NAME, identity_of_row, read_table
from sinkhole.config.load import load_settings
from sinkhole.policy.activity import Activity
from sinkhole.policy.identity import Identity
from sinkhole.policy.statement import Group
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType
from sinkhole.store.client_store import ClientStore
from sinkhole.store.recorder import HitBatch

MAC = "aa:bb:cc:dd:ee:ff"
RECORDS = ["pc7.lab.example 300 A 10.0.2.7", "7.2.0.10.in-addr.arpa 300 PTR pc7.lab.example"]


def settings_of(folder, **given):
    flags = {
        "server.data_dir": folder, "upstream.servers": ["127.0.0.1:9"], "clients.interval": 0.5, "records": RECORDS,
        **{key.replace("__", "."): value for key, value in given.items()},
    }  # fmt: skip
    return load_settings(None, {}, flags)


def with_groups(settings, *groups):
    prepare(settings.server.data_dir)
    state = open_state(settings)
    for group in groups:
        state.policy.put_group(group)
    compile_state(state)
    state.close()


class Table:
    """A neighbour table as a test tells it; counts its readings."""

    def __init__(self, *neighbours):
        self.neighbours = list(neighbours)
        self.readings = 0
        self.failure = None

    def __call__(self):
        self.readings += 1
        if self.failure:
            raise NeighbourError(self.failure)
        return self.neighbours


@asynccontextmanager
async def watching(settings, table=None, store=None):
    announced = []
    store = store or StoreKeeper(settings)
    sources = ClientSources(settings.clients, neighbours=table or Table())
    watch = ClientWatch(settings, store, lambda: announced.append(1), sources)
    task = asyncio.create_task(watch.run())
    watch.announced = announced
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()


async def until(is_so, seconds=10):
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.02)


def published(settings):
    return {a: identity_of_row(row) for a, row in read_table(compiled_folder(settings.server.data_dir)).items()}


async def test_table_has_who_a_group_asks_for_and_nobody_else(tmp_path):
    settings = settings_of(tmp_path)
    with_groups(settings, Group("lab", (f"mac:{MAC}",)))
    table = Table(
        Neighbour("192.0.2.7", MAC, is_alive=True), Neighbour("192.0.2.8", "00:00:00:00:00:01", is_alive=True)
    )
    async with watching(settings, table) as watch:
        await until(lambda: published(settings))
        assert published(settings) == {"192.0.2.7": Identity(MAC)}
        assert watch.known("192.0.2.8").identity == Identity("00:00:00:00:00:01")
        assert watch.known("192.0.2.9") is None
        table.neighbours = [Neighbour("192.0.2.9", MAC, is_alive=True)]
        await until(lambda: "192.0.2.9" in published(settings))
        assert len(watch.announced) == 2
        # What the table has forgotten is believed for `clients.keep` seconds.
        assert published(settings)["192.0.2.7"] == Identity(MAC)


@pytest.mark.parametrize(
    ("how", "members", "is_read"),
    [
        ("needed", ("192.0.2.0/24", "name:*.lab.example"), False),
        ("needed", ("mac:aa:bb:cc",), True),
        ("needed", ("id:X",), True),
        ("always", ("192.0.2.0/24",), True),
        ("never", (f"mac:{MAC}",), False),
    ],
)
async def test_neighbour_table_is_read_only_where_it_is_needed(tmp_path, how, members, is_read):
    settings = settings_of(tmp_path, clients__neighbours=how)
    with_groups(settings, Group("lab", members))
    table = Table()
    async with watching(settings, table):
        await until((compiled_folder(tmp_path) / NAME).exists)
        assert bool(table.readings) is is_read


async def test_new_policy_says_what_is_needed(tmp_path):
    settings = settings_of(tmp_path)
    with_groups(settings)
    table = Table(Neighbour("192.0.2.7", MAC, is_alive=True))
    async with watching(settings, table) as watch:
        await until((compiled_folder(tmp_path) / NAME).exists)
        assert table.readings == 0
        with_groups(settings, Group("lab", (f"mac:{MAC}",)))
        watch.take_policy()
        await until(lambda: published(settings) == {"192.0.2.7": Identity(MAC)})


async def test_reverse_name_of_a_new_client_through_own_records(tmp_path):
    """Asked only for clients that ask, and only where a group has a member by name."""
    settings = settings_of(tmp_path, clients__interval=60)
    with_groups(settings, Group("lab", ("name:*.lab.example",)))
    async with watching(settings) as watch:
        await until((compiled_folder(tmp_path) / NAME).exists)
        watch.note_new(["10.0.2.7", "10.0.2.8"])
        await until(lambda: published(settings) == {"10.0.2.7": Identity(names=("pc7.lab.example",))})


async def test_reverse_names_can_be_off(tmp_path):
    settings = settings_of(tmp_path, clients__reverse_names=False)
    with_groups(settings, Group("lab", ("name:*.lab.example",)))
    async with watching(settings) as watch:
        await until((compiled_folder(tmp_path) / NAME).exists)
        watch.note_new(["10.0.2.7"])
        watch.note_asking(["10.0.2.7"])
        await asyncio.sleep(1.0)
        assert published(settings) == {}


async def test_lease_file_that_is_replaced(tmp_path):
    leases = tmp_path / "leases"
    leases.write_text(f"1900000000 {MAC} 192.0.2.7 laptop 01:{MAC}\n")
    settings = settings_of(tmp_path / "data", clients__leases=[str(leases)])
    with_groups(settings, Group("lab", (f"id:01:{MAC}",)))
    async with watching(settings):
        await until(lambda: "192.0.2.7" in published(settings))
        new = tmp_path / "new"
        new.write_text(f"1900000000 {MAC} 192.0.2.8 laptop 01:{MAC}\n")
        new.rename(leases)
        await until(lambda: list(published(settings)) == ["192.0.2.8"])


async def test_source_that_fails_is_said_once_and_the_rest_goes_on(tmp_path, caplog):
    leases = tmp_path / "leases"
    settings = settings_of(tmp_path / "data", clients__leases=[str(leases)])
    with_groups(settings, Group("lab", (f"mac:{MAC}",)))
    table = Table()
    table.failure = "no netlink here"
    async with watching(settings, table):
        await until(lambda: table.readings > 2)
        leases.write_text(f"1900000000 {MAC} 192.0.2.7 * *\n")
        await until(lambda: published(settings))
    assert caplog.text.count("no netlink here") == 1
    assert caplog.text.count("cannot be read") == 1


async def test_failure_of_the_program_does_not_end_the_watch(tmp_path, caplog):
    settings = settings_of(tmp_path)
    with_groups(settings, Group("lab", (f"mac:{MAC}",)))

    class Broken(Table):
        def __call__(self):
            super().__call__()
            if self.readings == 1:
                raise RuntimeError("broken")
            return self.neighbours

    async with watching(settings, Broken(Neighbour("192.0.2.7", MAC, is_alive=True))):
        await until(lambda: published(settings))
    assert "clients.failed" in caplog.text


async def test_identities_are_noted_of_clients_that_asked(tmp_path):
    settings = settings_of(tmp_path)
    with_groups(settings, Group("lab", (f"mac:{MAC}",)))
    store = StoreKeeper(settings)
    seen = (Activity("192.0.2.7", 3600, 3700, 1),)
    assert await store.record(HitBatch("worker", 1, (), 0, clients=seen))
    table = Table(Neighbour("192.0.2.7", MAC, is_alive=True), Neighbour("192.0.2.8", MAC, is_alive=True))
    async with watching(settings, table, store):
        found = []
        async with asyncio.timeout(10):
            while not found or found[0].identity.mac is None:
                found = await store.do(lambda state: ClientStore(state.store, str).seen(0))
                await asyncio.sleep(0.05)
        assert [(one.text, one.identity.mac) for one in found] == [("192.0.2.7", MAC)]
        hours = await store.do(lambda state: ClientStore(state.store, str).hours(0))
        assert [one.is_alive for one in hours] == [False, True]


@pytest.mark.parametrize(("clients", "days"), [("pseudonym", 14), ("none", 14), ("full", 0)])
async def test_nothing_readable_is_noted_where_that_is_the_setting(tmp_path, clients, days):
    """R-D11."""
    settings = settings_of(tmp_path, record__clients=clients, clients__activity_days=days)
    with_groups(settings, Group("lab", (f"mac:{MAC}",)))
    store = StoreKeeper(settings)
    async with watching(settings, Table(Neighbour("192.0.2.7", MAC, is_alive=True)), store) as watch:
        watch.note_asking(["192.0.2.7"])
        await until(lambda: published(settings))
        await asyncio.sleep(0.5)

        def dump(state):
            with state.store.reading() as connection:
                return str(connection.exec_driver_sql("SELECT * FROM client").fetchall())

        found = await store.do(dump)
        assert MAC not in found
        assert "192.0.2.7" not in found


async def test_reverse_ask_tells_no_answer_from_no_records(tmp_path):
    ask = ReverseAsk(settings_of(tmp_path))
    try:
        pointer = await ask(name_from_text("7.2.0.10.in-addr.arpa"), QType.PTR)
        assert [record.rtype for record in pointer] == [QType.PTR]
        assert await ask(name_from_text("8.2.0.10.in-addr.arpa"), QType.PTR) == ()
        assert await ask(name_from_text("pc8.example.org"), QType.A) is None
    finally:
        await ask.close()


async def test_addresses_of_a_machine_are_those_of_its_mac_address(tmp_path):
    settings = settings_of(tmp_path, block_page__enabled=True, block_page__http=["127.0.0.1:0"])
    with_groups(settings)
    table = Table(
        Neighbour("10.0.2.7", MAC, is_alive=True),
        Neighbour("fd00::7", MAC, is_alive=True),
        Neighbour("10.0.2.8", "02:00:00:00:00:08", is_alive=True),
    )
    async with watching(settings, table) as watch:
        await until(lambda: watch.known("10.0.2.7") is not None)
        assert watch.machine_at("10.0.2.7") == watch.machine_at("fd00::7") == ("10.0.2.7", "fd00::7")
        assert watch.machine_at("10.0.2.8") == ("10.0.2.8",)
        assert watch.machine_at("192.0.2.1") == ("192.0.2.1",)
        assert (watch.name_of("10.0.2.7"), watch.name_of("192.0.2.1")) == (None, None)
        assert watch.announced == [1]  # no group asks, so the workers are told of nobody
        assert read_table(compiled_folder(tmp_path)) == {}


async def test_neighbours_are_not_read_for_a_page_that_is_off(tmp_path):
    settings = settings_of(tmp_path)
    with_groups(settings)
    table = Table(Neighbour("10.0.2.7", MAC, is_alive=True))
    async with watching(settings, table) as watch:
        await until(lambda: watch.announced)
        assert (table.readings, watch.machine_at("10.0.2.7")) == (0, ("10.0.2.7",))
