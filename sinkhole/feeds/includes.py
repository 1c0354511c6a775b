"""Fetch what a v2fly list includes: its neighbours of those names, each within the limits of a list of its own."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote, urldefrag, urljoin

from sinkhole.errors import FeedError
from sinkhole.feeds.detect import HEAD_OCTETS, detect
from sinkhole.feeds.fetch import Fetcher
from sinkhole.feeds.fetched import Fetched
from sinkhole.feeds.reading import INCLUDES
from sinkhole.policy.feed import Feed

MAX_INCLUDES: Final = 100
_FORMAT: Final = "v2fly"
_ROW: Final = re.compile(rb"^[ \t]*include:([A-Za-z0-9][A-Za-z0-9!_-]{0,63})(?=[\s#]|$)", re.MULTILINE)


async def fetch_includes(feed: Feed, fetched: Fetched, fetcher: Fetcher, max_octets: int) -> str:
    """Fetch the lists that the fetched one includes, and those that they include, into a folder beside it.

    Returns:
        The SHA-256 of all of it; that of the body alone when it includes nothing.

    Raises:
        FeedError: one of them cannot be fetched, or there are too many.
    """
    if not _is_v2fly(feed, fetched.body):
        return fetched.sha256
    folder = fetched.body.parent / INCLUDES
    found: dict[str, Fetched] = {}
    wanted = _names(fetched.body)
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        if len(found) == MAX_INCLUDES:
            raise FeedError(f"the list includes more than {MAX_INCLUDES} others")
        folder.mkdir(exist_ok=True)
        found[name] = await _fetch_one(feed, name, folder, fetcher)
        if sum(one.size for one in found.values()) + fetched.size > max_octets:
            raise FeedError(f"the list has more than {max_octets} octets with all it includes")
        wanted |= _names(found[name].body)
    if not found:
        return fetched.sha256
    parts = [fetched.sha256, *(f"{name} {found[name].sha256}" for name in sorted(found))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


async def _fetch_one(feed: Feed, name: str, folder: Path, fetcher: Fetcher) -> Fetched:
    base = urldefrag(feed.url).url
    scheme, _, path = base.partition(":")
    # urljoin leaves relative file: URLs alone
    url = f"file:{urljoin(path, quote(name))}" if scheme == "file" else urljoin(base, quote(name))
    try:
        answer = await fetcher.fetch(replace(feed, url=url), folder / name)
    except FeedError as error:
        raise FeedError(f"the included list {name!r}: {error}") from error
    if not isinstance(answer, Fetched):
        raise AssertionError("a fetch without validators returns a body or raises")
    return answer


def _is_v2fly(feed: Feed, body: Path) -> bool:
    if feed.format != "auto":
        return feed.format == _FORMAT
    with body.open("rb") as file:
        return detect(file.read(HEAD_OCTETS)) == _FORMAT


def _names(body: Path) -> set[str]:
    return {name.decode() for name in _ROW.findall(body.read_bytes())}
