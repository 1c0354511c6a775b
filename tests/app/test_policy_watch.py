"""Swapping in what is published, and keeping the old policy when that cannot be loaded."""

import asyncio

import pytest

from sinkhole.app.policy_watch import PolicyWatch
from sinkhole.policy.document import DOCUMENT_NAME, PolicyDocument, load_policy, publish
from sinkhole.policy.image import build_image
from sinkhole.policy.verdict import BlockAnswer
from sinkhole.resolver.policy_box import PolicyBox


def put(folder, generation: int) -> None:
    """Publish an empty policy of a generation."""
    publish(folder, PolicyDocument(generation, build_image(folder, [], [], []), (), (), BlockAnswer()))


@pytest.fixture
def box(tmp_path) -> PolicyBox:
    put(tmp_path, 1)
    return PolicyBox(load_policy(tmp_path))


def test_newer_policy_is_swapped_in(tmp_path, box):
    watch = PolicyWatch(tmp_path, box)
    assert (watch.take_newest(), watch.generation) == (1, 1)
    put(tmp_path, 2)
    before = box.current
    assert watch.take_newest() == 2
    assert box.current is not before
    again = box.current
    assert watch.take_newest() == 2
    assert box.current is again


def test_policy_published_before_the_first_look_is_found(tmp_path, box):
    put(tmp_path, 2)
    assert PolicyWatch(tmp_path, box).take_newest() == 2


@pytest.mark.parametrize("content", [b"", b"{", b'{"generation": 9}'])
def test_broken_policy_changes_nothing_and_is_reported_once(tmp_path, box, content, caplog):
    """R-F02: what was in force stays in force."""
    watch = PolicyWatch(tmp_path, box)
    before = box.current
    (tmp_path / DOCUMENT_NAME).write_bytes(content)
    assert [watch.take_newest() for _ in range(3)] == [1, 1, 1]
    assert box.current is before
    assert [record.message.split()[0] for record in caplog.records] == ["policy.refused"]
    put(tmp_path, 3)
    assert watch.take_newest() == 3


def test_policy_mended_under_the_same_number_is_taken_in(tmp_path, box):
    watch = PolicyWatch(tmp_path, box)
    watch.take_newest()
    before = box.current
    (tmp_path / DOCUMENT_NAME).write_bytes(b"garbage")
    watch.take_newest()
    put(tmp_path, 1)
    assert watch.take_newest() == 1
    assert box.current is not before


def test_vanished_policy_changes_nothing(tmp_path, box):
    watch = PolicyWatch(tmp_path, box)
    watch.take_newest()
    (tmp_path / DOCUMENT_NAME).unlink()
    assert watch.take_newest() == 1


async def test_folder_is_looked_at_without_being_told(tmp_path, box):
    """While the control process is away a policy that the command line compiled still comes in."""
    watching = asyncio.create_task(PolicyWatch(tmp_path, box).run())
    put(tmp_path, 2)
    async with asyncio.timeout(5):
        while box.current.generation != 2:
            await asyncio.sleep(0.02)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
