"""The default feeds."""

from pathlib import Path

import pytest

from sinkhole.errors import FeedError
from sinkhole.feeds.defaults import default_feeds
from sinkhole.feeds.parse import READERS
from sinkhole.packaged import packaged_path

GOOD = """
[[feed]]
name = "list"
url = "https://lists.example.org/list"
licence = "CC0-1.0"
homepage = "https://lists.example.org"
"""


def test_shipped_feeds_have_a_format_that_can_be_read_and_a_licence() -> None:
    feeds = default_feeds(packaged_path("blocklists"))
    assert len(feeds) >= 6
    assert all(feed.format in READERS for feed in feeds)
    assert all(feed.licence for feed in feeds)
    assert not any(feed.allow_private or feed.local for feed in feeds)


def test_bypass_feeds_are_apart_from_ai() -> None:
    """Blocking AI must not block every encrypted resolver, unless someone says so."""
    feeds = {feed.name: feed for feed in default_feeds(packaged_path("blocklists"))}
    assert feeds["ut1-ai"].part_of_ai
    for name in ("doh", "ut1-doh", "ut1-vpn", "hagezi-bypass"):
        assert not feeds[name].part_of_ai
    assert feeds["doh"].enabled
    assert not feeds["ut1-vpn"].enabled
    assert not feeds["laylavish-ai-content"].enabled


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[feed]", "feeds.toml: "),
        ("[[feed]]\nname = 'x'\n", "feed.0.url: Field required"),
        (GOOD.replace("https://lists.example.org/list", "http://lists.example.org/list"), "feed.0.url: "),
        (GOOD + "formt = 'hosts'\n", "feed.0.formt: "),
        (GOOD.replace('"list"', '"Li/st"'), "feed.0.name: "),
        (GOOD + GOOD, "more than one feed is named list"),
    ],
)
def test_mistake_in_the_file_is_named(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "feeds.toml").write_text(text)
    with pytest.raises(FeedError, match=why.replace(".", r"\.")):
        default_feeds(tmp_path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"feeds\.toml"):
        default_feeds(tmp_path)
