"""Feeds that are signed: the signature is fetched beside the body, and nothing of the body is read before it fits.

What a signature is, and what may be signed, is not for this package to know: the syncer is given both.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sinkhole.errors import FeedError
from sinkhole.feeds.guard import Guard
from sinkhole.feeds.snapshot import Meta
from sinkhole.feeds.snapshot_files import SIGNATURE
from sinkhole.policy.feed import Feed

if TYPE_CHECKING:  # most commands vet nothing, and the HTTP library takes longer to load than they run
    from sinkhole.feeds.fetch import Fetcher

SUFFIX: Final = ".minisig"
_MAX_OCTETS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Signers:
    """How signed feeds are judged.

    Attributes:
        admit: returns the number of the publication in a body, given it, its signature and the key; raises FeedError
            when it is not signed with the key, or may not be taken.
        guard: names that no signed feed may take.
    """

    admit: Callable[[Path, Path, str], int]
    guard: Guard


async def fetch_signature(feed: Feed, draft: Path, fetcher: "Fetcher") -> Path:
    """Fetch the signature of a feed into a draft; return its file.

    Raises:
        FeedError: there is none.
    """
    path = draft / SIGNATURE
    try:
        await fetcher.fetch(replace(feed, url=signature_url(feed.url)), path, max_octets=_MAX_OCTETS)
    except FeedError as error:
        raise FeedError(f"the signature: {error}") from error
    return path


def signature_url(url: str) -> str:
    """Return where the signature of what is at a URL is: its path with a suffix, the same query, no pin."""
    path, mark, query = url.partition("#")[0].partition("?")
    return f"{path}{SUFFIX}{mark}{query}"


def refuse_older(publication: int, source: str, key: str, last: Meta | None) -> None:
    """See that a publication is newer than the one in force, or that very one: an old one could be replayed.

    Args:
        publication: number of the one that was fetched.
        source: digest of it.
        key: it is signed with; publications of different keys are not compared.
        last: the one in force, None for none.

    Raises:
        FeedError: it is older, or another of the same number.
    """
    if last is None or last.publication is None or last.key != key:
        return
    if publication < last.publication:
        raise FeedError(f"version {publication} is older than {last.publication}, which is in force")
    if publication == last.publication and source != last.source:
        raise FeedError(f"version {publication} is in force with other content; a new one needs a higher version")
