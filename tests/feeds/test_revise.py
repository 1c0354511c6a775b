"""Approving, going back, and what is in force."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sinkhole.errors import FeedError
from sinkhole.feeds.in_force import rules_in_force
from sinkhole.feeds.revise import approve, hold_back, roll_back
from sinkhole.policy.feed import FeedState, FeedStatus
from tests.feeds.list_server import ListServer
from tests.feeds.rig import Rig, names, rows


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with ListServer() as server:
        yield Rig(server, tmp_path)


async def test_held_version_comes_into_force_when_approved(rig: Rig) -> None:
    """R-F06."""
    await rig.sync_list(names(20))
    rig.server.serve(rows(names(5)), ETag='"small"')
    await rig.sync()
    rig.state = approve(rig.snapshots, "list", rig.state, rig.now)
    assert (rig.state.status, rig.state.version, rig.state.pending_version) == (FeedStatus.UPDATED, 2, None)
    assert (rig.state.rules, rig.state.etag, rig.state.changed_at) == (5, '"small"', rig.now)
    assert rig.state.message == "version 2 was approved"
    assert rig.blocked() == names(5)
    assert (await rig.sync()).state.status is FeedStatus.UNCHANGED


async def test_nothing_to_approve_is_an_error(rig: Rig) -> None:
    await rig.sync_list(names(20))
    with pytest.raises(FeedError, match="feed list has no version that waits for approval"):
        approve(rig.snapshots, "list", rig.state, rig.now)


async def test_broken_version_cannot_be_approved(rig: Rig) -> None:
    """R-F10."""
    await rig.sync_list(names(20))
    await rig.sync_list(names(5))
    (rig.snapshots.path("list", 2) / "rules").write_text("")
    with pytest.raises(FeedError, match="version 2 is broken"):
        approve(rig.snapshots, "list", rig.state, rig.now)
    rig.state = (await rig.sync()).state
    assert (rig.state.status, rig.state.pending_version) == (FeedStatus.QUARANTINED, 3)


async def test_rollback_goes_to_the_version_before(rig: Rig) -> None:
    for n in range(3):
        await rig.sync_list(names(20, n))
    rig.state = roll_back(rig.snapshots, "list", rig.state, rig.now)
    assert (rig.state.version, rig.state.message) == (2, "rolled back from version 3 to 2")
    assert rig.blocked() == names(20, 1)


async def test_content_that_was_gone_back_from_does_not_return(rig: Rig) -> None:
    """The next sync finds the same bad content, and must not undo what someone decided."""
    for n in range(3):
        await rig.sync_list(names(20, n))
    rig.state = roll_back(rig.snapshots, "list", rig.state, rig.now, 1)
    result = await rig.sync()
    assert result.state.status is FeedStatus.KEPT
    assert result.state.message == "its content is still that of version 3, which was rolled back"
    assert (result.state.failures, result.is_changed) == (0, False)
    assert rig.blocked() == names(20)
    assert (await rig.sync_list(names(20, 1))).state.status is FeedStatus.KEPT
    assert (await rig.sync_list(names(21))).state.version == 4


async def test_rollback_can_be_taken_back(rig: Rig) -> None:
    await rig.sync_list(names(20))
    await rig.sync_list(names(20, 1))
    rig.state = roll_back(rig.snapshots, "list", rig.state, rig.now)
    rig.state = roll_back(rig.snapshots, "list", rig.state, rig.now, 2)
    assert rig.blocked() == names(20, 1)
    assert (await rig.sync()).state.status is FeedStatus.UNCHANGED


async def test_rollback_passes_over_versions_that_were_never_in_force(rig: Rig) -> None:
    await rig.sync_list(names(20))
    await rig.sync_list(names(2))
    await rig.sync_list(names(20, 1))
    assert rig.snapshots.versions("list") == [1, 2, 3]
    rig.state = roll_back(rig.snapshots, "list", rig.state, rig.now)
    assert rig.state.version == 1


@pytest.mark.parametrize(
    ("version", "why"), [(None, "no older version"), (1, "version 1 is in force"), (7, "no version 7")]
)
async def test_rollback_that_leads_nowhere_is_an_error(rig: Rig, version: int | None, why: str) -> None:
    await rig.sync_list(names(20))
    with pytest.raises(FeedError, match=why):
        roll_back(rig.snapshots, "list", rig.state, rig.now, version)
    assert not rig.snapshots.is_refused("list", 1)


async def test_rules_in_force_have_a_fingerprint_of_their_content(rig: Rig) -> None:
    assert rules_in_force(rig.snapshots, rig.feed, FeedState()) is None
    prints = []
    for n in (0, 1):
        await rig.sync_list(names(20, n))
        found = rules_in_force(rig.snapshots, rig.feed, rig.state)
        assert found is not None
        prints.append(found.fingerprint)
    assert prints[0] != prints[1]


async def test_older_version_serves_while_the_present_one_is_broken(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """R-F10: loudly, and until the next sync."""
    await rig.sync_list(names(20))
    await rig.sync_list(names(20, 1))
    (rig.snapshots.path("list", 2) / "rules").write_text("")
    with caplog.at_level(logging.ERROR, "sinkhole.feeds"):
        assert rig.blocked() == names(20)
    assert "feed.snapshot_broken feed=list version=2 instead=1" in caplog.text
    await rig.sync()
    assert rig.blocked() == names(20, 1)


async def test_version_that_is_held_back_waits_and_the_one_before_is_in_force(rig: Rig) -> None:
    """R-F06: with the reason, and the same content is not taken over by the next sync."""
    await rig.sync_list(names(20))
    first = rig.state
    await rig.sync_list(names(20, 1))
    rig.state = hold_back(rig.snapshots, "list", rig.state, 1, ("it does harm",))
    assert (rig.state.status, rig.state.version, rig.state.pending_version) == (FeedStatus.QUARANTINED, 1, 2)
    assert (rig.state.rules, rig.state.sha256, rig.state.etag) == (first.rules, first.sha256, first.etag)
    assert rig.state.message == "version 2 waits for approval: it does harm"
    assert rig.blocked() == names(20)
    again = (await rig.sync()).state
    assert (again.status, again.version, again.pending_version) == (FeedStatus.QUARANTINED, 1, 2)
    assert again.message == "version 2 waits for approval: it does harm"
    rig.state = approve(rig.snapshots, "list", again, rig.now)
    assert (rig.state.version, rig.blocked()) == (2, names(20, 1))


async def test_first_version_that_is_held_back_leaves_none_in_force(rig: Rig) -> None:
    await rig.sync_list(names(20))
    due = rig.state.next_due
    rig.state = hold_back(rig.snapshots, "list", rig.state, 0, ("it does harm",))
    assert (rig.state.status, rig.state.version, rig.state.pending_version) == (FeedStatus.QUARANTINED, 0, 1)
    assert (rig.state.rules, rig.state.next_due) == (0, due)


async def test_rollback_that_is_held_back_is_undone(rig: Rig) -> None:
    for n in range(2):
        await rig.sync_list(names(20, n))
    back = roll_back(rig.snapshots, "list", rig.state, rig.now)
    rig.state = hold_back(rig.snapshots, "list", back, 2, ("it does harm",))
    assert (rig.state.version, rig.state.pending_version) == (2, 1)
    assert not rig.snapshots.is_refused("list", 2)


async def test_nothing_is_held_back_for_a_version_that_is_gone(rig: Rig) -> None:
    await rig.sync_list(names(20))
    await rig.sync_list(names(20, 1))
    with pytest.raises(FeedError, match="has no version 7"):
        hold_back(rig.snapshots, "list", rig.state, 7, ("it does harm",))
    assert rig.snapshots.meta("list", 2).held == ()
