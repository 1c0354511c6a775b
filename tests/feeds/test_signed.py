"""What a syncer does about signed feeds: it fetches the signature, asks the judge it was given, refuses old content."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sinkhole.errors import FeedError
from sinkhole.feeds.guard import Guard
from sinkhole.feeds.signed import Signers, refuse_older, signature_url
from sinkhole.feeds.snapshot import Meta
from sinkhole.policy.feed import FeedStatus
from tests.feeds.list_server import ListServer
from tests.feeds.rig import Rig, names, rows


def judge(body: Path, signature: Path, key: str) -> int:
    """Take what is signed with the key, spelled out; the signature is `KEY NUMBER`."""
    word, number = signature.read_text().split()
    if word != key:
        raise FeedError(f"signed with {word}, wanted {key}")
    assert body.exists()
    return int(number)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with ListServer() as server:
        rig = Rig(server, tmp_path)
        rig.configure(key="k1")
        rig.syncer = rig.make_syncer(signers=Signers(judge, Guard(["ai3.example.org"])))
        yield rig


async def publish(rig: Rig, number: int, count: int = 20, key: str = "k1"):
    rig.server.serve(rows(names(count, number)))
    rig.server.serve(f"{key} {number}", "list.minisig")
    return await rig.sync()


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("https://example.org/catalogue.json", "https://example.org/catalogue.json.minisig"),
        ("https://example.org/c.json?raw=1", "https://example.org/c.json.minisig?raw=1"),
        ("https://example.org/c.json#sha256=00", "https://example.org/c.json.minisig"),
        ("https://example.org/%C3%BC.json", "https://example.org/%C3%BC.json.minisig"),
        ("file:catalogue.json", "file:catalogue.json.minisig"),
        ("file:///lists/catalogue.json", "file:///lists/catalogue.json.minisig"),
    ],
)
def test_signature_stands_beside_the_file(url, signature):
    assert signature_url(url) == signature


async def test_signed_feed_is_taken_and_kept_with_its_signature(rig):
    result = await publish(rig, 5)
    assert (result.state.status, result.state.version) == (FeedStatus.UPDATED, 1)
    meta = rig.snapshots.verify("list", 1)
    assert (meta.publication, meta.key) == (5, "k1")
    assert set(meta.checksums) == {"body", "rules", "rejections.json", "signature"}
    assert (rig.snapshots.path("list", 1) / "signature").read_text() == "k1 5"


async def test_guard_is_that_of_signed_feeds(rig):
    result = await publish(rig, 0)
    assert result.report is not None
    assert (result.report.rules, result.report.protected) == (19, 1)


async def test_list_of_the_administrator_is_guarded_too_when_it_is_signed(rig):
    (rig.folder / "lists" / "own.txt").write_bytes(rows(names(20)))
    (rig.folder / "lists" / "own.txt.minisig").write_text("k1 1")
    rig.configure(url="file:own.txt", local=True)
    assert (await rig.sync()).state.rules == 19


async def test_what_the_judge_refuses_changes_nothing(rig):
    await publish(rig, 5)
    result = await publish(rig, 6, key="k2")
    assert (result.state.status, result.state.message) == (FeedStatus.KEPT, "signed with k2, wanted k1")
    assert rig.snapshots.versions("list") == [1]


async def test_missing_signature(rig):
    rig.server.serve(rows(names(20)))
    result = await rig.sync()
    assert result.state.status is FeedStatus.FAILED
    assert (result.state.message or "").startswith("the signature: lists.example.org answered with HTTP status 404")


async def test_huge_signature(rig):
    """Its own limit, long before that of lists."""
    rig.server.serve(rows(names(20)))
    rig.server.serve(b"x" * 20_000, "list.minisig")
    result = await rig.sync()
    assert result.state.message == "the signature: the body has 20000 octets; at most 16384 are fetched"


async def test_older_is_refused_and_so_is_another_of_the_same_number(rig):
    await publish(rig, 5)
    result = await publish(rig, 4)
    assert (result.state.status, result.state.message) == (
        FeedStatus.KEPT, "version 4 is older than 5, which is in force",
    )  # fmt: skip
    result = await publish(rig, 5, count=21)
    assert result.state.message == "version 5 is in force with other content; a new one needs a higher version"
    assert rig.state.version == 1
    assert (await publish(rig, 6)).state.version == 2


async def test_older_is_refused_from_another_place_too(rig):
    """The URL may change; the key is who publishes."""
    await publish(rig, 5)
    rig.configure(url=rig.server.url("mirror"))
    rig.server.serve(rows(names(20)), "mirror")
    rig.server.serve("k1 4", "mirror.minisig")
    assert "is older than 5" in ((await rig.sync()).state.message or "")


async def test_another_key_begins_anew(rig):
    await publish(rig, 5)
    rig.configure(key="k2")
    result = await publish(rig, 1, key="k2")
    assert (result.state.status, result.state.version) == (FeedStatus.UPDATED, 2)


async def test_older_is_refused_though_what_is_in_force_is_broken(rig):
    await publish(rig, 5)
    (rig.snapshots.path("list", 1) / "rules").write_bytes(b"")
    assert "is older than 5" in ((await publish(rig, 4)).state.message or "")
    assert (await publish(rig, 5)).state.version == 2  # the same again mends it


async def test_same_content_needs_no_signature_again(rig):
    await publish(rig, 5)
    rig.server.serve("gone", "list.minisig", status=404)
    assert (await rig.sync()).state.status is FeedStatus.UNCHANGED


async def test_signed_feed_without_a_judge(rig):
    rig.syncer = rig.make_syncer()
    assert (await publish(rig, 5)).state.message == "signed feeds cannot be synced here"


def test_nothing_in_force_has_no_age():
    refuse_older(1, "x", "k1", None)
    plain = Meta("", "y", {}, "", "domains", 1, 1, 0, 0)
    refuse_older(1, "x", "k1", plain)
