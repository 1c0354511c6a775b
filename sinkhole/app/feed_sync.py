"""Wire the sync of feeds: its guard, its fetcher, and a way to look up hosts that does not lead through ourselves."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.data_dir import LISTS
from sinkhole.app.state import State
from sinkhole.config.schema import Settings
from sinkhole.errors import FeedError, UpstreamError
from sinkhole.feeds.fetch import Fetcher
from sinkhole.feeds.guard import Guard
from sinkhole.feeds.sync import Syncer, feed_hosts
from sinkhole.policy.feed import Feed
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import address_to_text
from sinkhole.protocol.types import QType
from sinkhole.upstream.address import parse_upstream
from sinkhole.upstream.forwarder import Forwarder

_LOCALHOST = {"localhost": ["127.0.0.1", "::1"]}


@asynccontextmanager
async def open_syncer(settings: Settings, state: State, feeds: Iterable[Feed]) -> AsyncIterator[Syncer]:
    """Give a syncer for the feeds of a state; its look-ups go to the configured upstreams (R-F11)."""
    forwarder = Forwarder(settings.upstream, listen=settings.server.listen)
    upstream_hosts = [parse_upstream(text).host for text in settings.upstream.servers]
    hosts = feed_hosts(feeds) | {host for host in upstream_hosts if host.strip("0123456789.:")}
    guard = Guard(shipped_catalogue().never_block, hosts)
    lists = settings.feeds.list_dir or state.folder / LISTS
    fetcher = Fetcher(settings.feeds, _resolver(forwarder), lists)
    try:
        yield Syncer(state.snapshots, fetcher, settings.feeds, guard)
    finally:
        await forwarder.close()


def _resolver(forwarder: Forwarder) -> Callable[[str], Awaitable[list[str]]]:
    async def resolve(host: str) -> list[str]:
        if host in _LOCALHOST:
            return _LOCALHOST[host]
        name = name_from_text(host)
        addresses: list[str] = []
        for qtype in (QType.A, QType.AAAA):
            try:
                message = await forwarder.resolve(Question(name, qtype), do=False, cd=False, client="feeds")
            except UpstreamError as error:
                if not addresses:
                    raise FeedError(str(error)) from error
                continue
            addresses += [address_to_text(record.rdata) for record in message.answer if record.rtype == qtype]
        return addresses

    return resolve
