"""Lists that a v2fly list includes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sinkhole.feeds.includes import MAX_INCLUDES
from sinkhole.policy.feed import FeedStatus
from tests.feeds.list_server import ListServer
from tests.feeds.rig import Rig
from tests.shared_data import SHARED, needs_shared


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with ListServer() as server:
        made = Rig(server, tmp_path)
        made.configure(format="v2fly", url=server.url("data/category-ai"))
        yield made


async def test_included_lists_are_fetched_from_beside_the_list(rig: Rig) -> None:
    rig.server.serve("a.example.org\ninclude:one # AI\n  include:two-!cn @cn\n", "data/category-ai")
    rig.server.serve("b.example.org\ninclude:three\n", "data/one")
    rig.server.serve("c.example.org @cn\n", "data/two-!cn")
    rig.server.serve("d.example.org\ninclude:category-ai\n", "data/three")
    result = await rig.sync()
    assert result.state.status is FeedStatus.UPDATED
    assert sorted(set(rig.blocked())) == [f"{letter}.example.org" for letter in "abcd"]


async def test_change_in_an_included_list_is_noticed(rig: Rig) -> None:
    """R-F09: the server's 304 for the list itself would hide it."""
    rig.server.serve_conditionally(b"a.example.org\ninclude:one\n", '"1"', "data/category-ai")
    rig.server.serve("b.example.org\n", "data/one")
    await rig.sync()
    assert (await rig.sync()).state.status is FeedStatus.UNCHANGED
    rig.server.serve("c.example.org\n", "data/one")
    assert (await rig.sync()).state.status is FeedStatus.UPDATED
    assert rig.blocked() == ["a.example.org", "c.example.org"]


async def test_included_list_that_fails_keeps_the_last_good_rules(rig: Rig) -> None:
    """R-F01: half a list is none."""
    rig.server.serve("a.example.org\ninclude:one\n", "data/category-ai")
    rig.server.serve("b.example.org\n", "data/one")
    await rig.sync()
    rig.server.serve("", "data/one", status=500)
    result = await rig.sync()
    assert result.state.status is FeedStatus.KEPT
    assert "the included list 'one': " in (result.state.message or "")
    assert rig.blocked() == ["a.example.org", "b.example.org"]


async def test_number_of_included_lists_is_limited(rig: Rig) -> None:
    """R-F03."""
    rig.server.serve("".join(f"include:l{n}\n" for n in range(MAX_INCLUDES + 1)), "data/category-ai")
    for n in range(MAX_INCLUDES + 1):
        rig.server.serve(f"{n}.example.org\n", f"data/l{n}")
    result = await rig.sync()
    assert result.state.message == f"the list includes more than {MAX_INCLUDES} others"


async def test_size_of_all_is_limited(rig: Rig) -> None:
    """R-F03."""
    rig.syncer = rig.make_syncer(max_bytes=2048)
    rig.server.serve("include:one\ninclude:two\n", "data/category-ai")
    rig.server.serve("# " + "x" * 1500, "data/one")
    rig.server.serve("# " + "x" * 1500, "data/two")
    assert (await rig.sync()).state.message == "the list has more than 2048 octets with all it includes"


async def test_only_v2fly_lists_include(rig: Rig) -> None:
    rig.configure(format="domains")
    rig.server.serve("a.example.org\ninclude:one\n", "data/category-ai")
    assert (await rig.sync()).state.rules == 1
    assert len(rig.server.seen) == 1


@needs_shared
async def test_real_lists_are_read_from_the_list_folder(rig: Rig) -> None:
    """R-F05: and so are their neighbours; the format is detected."""
    (rig.folder / "lists" / "v2fly").symlink_to(rig.folder / "copy")
    (rig.folder / "copy").mkdir()
    for path in (SHARED / "feeds" / "v2fly").iterdir():
        (rig.folder / "copy" / path.name).write_bytes(path.read_bytes())
    rig.configure(url="file:v2fly/category-ai-cn", format="auto")
    assert "outside the list folder" in ((await rig.sync()).state.message or "")
    (rig.folder / "lists" / "v2fly").unlink()
    (rig.folder / "copy").rename(rig.folder / "lists" / "v2fly")
    result = await rig.sync()
    assert result.state.status is FeedStatus.UPDATED
    assert {"deepseek.com", "doubao.com"} <= set(rig.blocked())


async def test_included_names_cannot_lead_elsewhere(rig: Rig) -> None:
    rig.server.serve("a.example.org\ninclude:../secret\ninclude:x/y\n", "data/category-ai")
    result = await rig.sync()
    assert len(rig.server.seen) == 1
    assert result.report is not None
    assert result.report.rejected == 2
