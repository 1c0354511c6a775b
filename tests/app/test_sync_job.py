"""Feeds inside the server: looked up through the upstreams, synced when due, applied when changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from sinkhole.app import data_dir
from sinkhole.app.feed_sync import open_syncer
from sinkhole.app.state import State, open_state
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.app.sync_job import SyncJob, pick, store_result
from sinkhole.catalogue.signing_key import SigningKey
from sinkhole.config.load import load_settings
from sinkhole.config.schema import Settings
from sinkhole.errors import PolicyError
from sinkhole.feeds.sync import SyncResult
from sinkhole.policy.feed import Feed, FeedState, FeedStatus
from tests.catalogue.small import publish, small
from tests.catalogue.world import shipped
from tests.fakes import FakeUpstream, answers, silent
from tests.feeds.list_server import HOST, ListServer, hang
from tests.feeds.rig import names, rows

KNOWN = answers({(HOST, "A"): ["127.0.0.1"]})


def settings_of(folder, upstream: FakeUpstream) -> Settings:
    data_dir.prepare(folder)
    flags = {"server.data_dir": folder, "upstream.servers": [upstream.url], "upstream.timeout": 0.3}
    return load_settings(None, {}, flags)


def with_feeds(settings: Settings, *feeds: Feed) -> State:
    """Open the state with these feeds instead of those that come with the product."""
    state = open_state(settings)
    for feed, _ in state.feeds.all():
        state.feeds.remove(feed.name)
    for feed in feeds:
        state.feeds.put(feed)
    return state


@asynccontextmanager
async def world(folder, handler=KNOWN) -> AsyncIterator[tuple[ListServer, FakeUpstream, Settings]]:
    async with ListServer() as lists, FakeUpstream(handler) as upstream:
        yield lists, upstream, settings_of(folder, upstream)


async def test_host_of_a_feed_is_looked_up_through_the_upstreams(tmp_path):
    """R-F11: never through ourselves, so that a policy cannot cut off its own lists."""
    async with world(tmp_path) as (lists, upstream, settings):
        lists.serve(rows(names(5)))
        feed = Feed("ours", lists.url(), "domains", allow_private=True)
        state = with_feeds(settings, feed)
        async with open_syncer(settings, state, [feed]) as syncer:
            result = await syncer.sync(feed, FeedState())
        state.close()
        assert (result.state.status, result.state.rules) == (FeedStatus.UPDATED, 5)
        assert len(upstream.queries) == 2  # A and AAAA of one host


@pytest.mark.parametrize(
    ("handler", "said"),
    [(answers({}), "has no address"), (silent, "cannot be looked up")],
)
async def test_host_that_nobody_knows_is_the_reason(tmp_path, handler, said):
    async with world(tmp_path, handler) as (lists, _, settings):
        feed = Feed("ours", lists.url(), "domains", allow_private=True)
        state = with_feeds(settings, feed)
        async with open_syncer(settings, state, [feed]) as syncer:
            result = await syncer.sync(feed, FeedState())
        state.close()
        assert result.state.status is FeedStatus.FAILED
        assert said in (result.state.message or "")


async def test_one_family_of_addresses_is_enough(tmp_path):
    def only_a(wire: bytes):
        return KNOWN(wire) if b"\x00\x00\x01\x00\x01" in wire else None

    async with world(tmp_path, only_a) as (lists, _, settings):
        lists.serve(rows(names(5)))
        feed = Feed("ours", lists.url(), "domains", allow_private=True)
        state = with_feeds(settings, feed)
        async with open_syncer(settings, state, [feed]) as syncer:
            assert (await syncer.sync(feed, FeedState())).state.rules == 5
        state.close()


async def test_localhost_is_this_machine(tmp_path):
    async with world(tmp_path) as (lists, upstream, settings):
        lists.serve(rows(names(5)))
        feed = Feed("ours", lists.url(host="localhost"), "domains", allow_private=True)
        state = with_feeds(settings, feed)
        async with open_syncer(settings, state, [feed]) as syncer:
            assert (await syncer.sync(feed, FeedState())).state.rules == 5
        state.close()
        assert upstream.queries == []


async def test_list_cannot_take_the_hosts_that_lists_come_from(tmp_path):
    """R-F07: neither its own host nor that of another list or an upstream."""
    async with world(tmp_path) as (lists, _, settings):
        lists.serve(f"{HOST}\nother.example.org\n".encode() + rows(names(5)))
        feed = Feed("ours", lists.url(), "domains", allow_private=True)
        other = Feed("other", "https://other.example.org/list", "domains")
        state = with_feeds(settings, feed, other)
        async with open_syncer(settings, state, [feed, other]) as syncer:
            result = await syncer.sync(feed, FeedState())
        state.close()
        assert (result.state.rules, result.state.rejected) == (5, 2)


class Job:
    """A sync job on a store of its own; `applied` is set when it has rules put in force."""

    def __init__(self, settings: Settings) -> None:
        self.keeper = StoreKeeper(settings)
        self.applied = asyncio.Event()
        self.refuse = False
        self._job = SyncJob(settings, self.keeper, self._apply)

    async def _apply(self) -> None:
        self.applied.set()
        if self.refuse:
            raise PolicyError("it does not compile")

    async def states(self) -> dict[str, FeedState]:
        return {feed.name: known for feed, known in await self.keeper.do(lambda state: state.feeds.all())}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._job.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.keeper.close()


async def test_due_feeds_are_synced_and_applied(tmp_path):
    """R-F12: and a feed that hangs delays no other."""
    async with world(tmp_path) as (lists, _, settings):
        lists.serve(rows(names(5)))
        lists.answer(hang, "slow")
        ours = Feed("ours", lists.url(), "domains", allow_private=True)
        slow = Feed("slow", lists.url("slow"), "domains", allow_private=True)
        off = replace(ours, name="off", enabled=False)
        with_feeds(settings, ours, slow, off).close()
        job = Job(settings)
        async with job.running():
            async with asyncio.timeout(15):
                await job.applied.wait()
            states = await job.states()
            assert (states["ours"].status, states["ours"].rules) == (FeedStatus.UPDATED, 5)
            assert states["slow"].status is FeedStatus.NEW
            assert states["off"].status is FeedStatus.NEW
            runs = await job.keeper.do(lambda state: state.feeds.runs("ours"))
            assert [run["status"] for run in runs] == ["updated"]


async def test_rules_that_do_not_compile_end_no_job(tmp_path, caplog):
    async with world(tmp_path) as (lists, _, settings):
        lists.serve(rows(names(5)))
        with_feeds(settings, Feed("ours", lists.url(), "domains", allow_private=True)).close()
        job = Job(settings)
        job.refuse = True
        async with job.running():
            async with asyncio.timeout(15):
                await job.applied.wait()
                while not any("sync.not_applied" in record.message for record in caplog.records):
                    await asyncio.sleep(0.01)


async def test_store_that_cannot_be_opened_ends_no_job(tmp_path, caplog):
    async with world(tmp_path) as (_, _, settings):
        (tmp_path / data_dir.STORE).mkdir()
        job = Job(settings)
        async with job.running(), asyncio.timeout(15):
            while not any("sync.failed" in record.message for record in caplog.records):
                await asyncio.sleep(0.01)


async def test_result_of_a_feed_that_was_removed_meanwhile_is_dropped(tmp_path):
    async with FakeUpstream(silent) as upstream:
        state = with_feeds(settings_of(tmp_path, upstream), Feed("ours", "https://example.org/x"))
        gone = SyncResult("gone", FeedState(FeedStatus.UPDATED), True, None, 0.1)
        store_result(state, gone)
        store_result(state, replace(gone, feed="ours"))
        assert [known.status for _, known in state.feeds.all()] == [FeedStatus.UPDATED]
        assert state.feeds.runs("gone") == []
        state.close()


def test_without_names_all_that_are_on_are_picked():
    on, off = Feed("on", "https://example.org/1"), Feed("off", "https://example.org/2", enabled=False)
    feeds = [(on, FeedState()), (off, FeedState())]
    assert pick(feeds, ()) == feeds[:1]
    assert pick(feeds, ("off",)) == feeds[1:]


async def test_synced_catalogue_is_applied_by_the_server(tmp_path):
    """A signed catalogue is a feed like others to the job: fetched with its signature, stored, applied once."""
    key = SigningKey.new()
    catalogue = small(version=shipped().version + 1, published=shipped().published)
    body, signature = publish(tmp_path, catalogue, key)
    async with world(tmp_path / "data") as (lists, _, settings):
        lists.serve(body, "catalogue.json", Content_Type="application/json")
        lists.serve(signature, "catalogue.json.minisig")
        feed = Feed("cat", lists.url("catalogue.json"), "catalogue", allow_private=True, key=key.public.to_text())
        with_feeds(settings, feed).close()
        job = Job(settings)
        async with job.running(), asyncio.timeout(20):
            await job.applied.wait()
            found = await job.keeper.do(lambda state: state.catalogue())
    assert (found.catalogue.version, found.feed) == (catalogue.version, "cat")
