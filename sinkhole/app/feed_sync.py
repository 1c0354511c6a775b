"""Wire the sync of feeds: its guard, its fetcher, and a way to look up hosts that does not lead through ourselves."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.data_dir import list_folder
from sinkhole.app.feed_guard import catalogue_signers, guard_of
from sinkhole.app.state import State
from sinkhole.config.schema import Settings
from sinkhole.errors import FeedError, UpstreamError
from sinkhole.feeds.fetch import Fetcher
from sinkhole.feeds.sync import Syncer
from sinkhole.policy.feed import Feed
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import address_to_text
from sinkhole.protocol.types import QType
from sinkhole.upstream.forwarder import Forwarder

_LOCALHOST = {"localhost": ["127.0.0.1", "::1"]}


@asynccontextmanager
async def open_syncer(
    settings: Settings, state: State, feeds: Iterable[Feed], vetoes: Iterable[str] = ()
) -> AsyncIterator[Syncer]:
    """Give a syncer for the feeds of a state; its look-ups go to the configured upstreams (R-F11).

    Args:
        settings: limits and upstreams.
        state: where snapshots are; its store is not asked, since this runs on an event loop.
        feeds: all there are; none may take the host of another.
        vetoes: what no list may take, of the catalogue in force; that of this installation is added.
    """
    forwarder = Forwarder(settings.upstream, listen=settings.server.listen)
    feeds = tuple(feeds)
    shipped = shipped_catalogue()
    guard = guard_of(settings, feeds, shipped.vetoes.union(vetoes))
    # A synced catalogue cannot take back what this installation never blocks; what it adds itself it may change.
    signers = catalogue_signers(guard_of(settings, feeds, shipped.never_block))
    lists = list_folder(settings)
    fetcher = Fetcher(settings.feeds, resolver_of(forwarder), lists)
    try:
        yield Syncer(state.snapshots, fetcher, settings.feeds, guard, signers=signers)
    finally:
        await forwarder.close()


def resolver_of(forwarder: Forwarder) -> Callable[[str], Awaitable[list[str]]]:
    """Return what looks up the addresses of a host by the configured upstreams."""

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
