"""Files that are turned over by size, standard output in all its kinds, dead letters."""

import asyncio
import json
import os
import socket
import stat

import pytest

from sinkhole.errors import OutError
from sinkhole.out.cef import to_cef
from sinkhole.out.dead_letter import DeadLetters
from sinkhole.out.json_format import to_json
from sinkhole.out.line_file import LineFile, StandardOutput
from sinkhole.out.sender import WaitError
from tests.out.events import HOSTILE_EVENTS, alert, hit
from tests.store.disk import limited_files


def uids(path):
    return [json.loads(line)["uid"] for line in path.read_text().splitlines()]


async def test_lines_are_appended_and_the_file_is_for_its_owner(tmp_path):
    path = tmp_path / "hits.jsonl"
    sender = LineFile(path, to_json, 1_000_000, 3)
    await sender.send([hit(1), *HOSTILE_EVENTS])
    await sender.send([hit(2)])
    assert uids(path) == ["hit-1", "hit-1", "alert-1", "audit-1", "hit-2"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_file_is_turned_over_by_size_and_the_oldest_goes(tmp_path):
    path = tmp_path / "hits.jsonl"
    size = len(to_json(hit(1))) + 1
    sender = LineFile(path, to_json, 2 * size, 2)
    for number in range(1, 8):
        await sender.send([hit(number)])
    found = {file.name: uids(file) for file in tmp_path.iterdir()}
    assert found == {
        "hits.jsonl": ["hit-7"], "hits.jsonl.1": ["hit-5", "hit-6"], "hits.jsonl.2": ["hit-3", "hit-4"],
    }  # fmt: skip


async def test_a_batch_larger_than_a_file_is_written_all_the_same(tmp_path):
    path = tmp_path / "hits.jsonl"
    await LineFile(path, to_json, 10, 1).send([hit(1), hit(2)])
    assert uids(path) == ["hit-1", "hit-2"]


async def test_a_full_disk_leaves_no_half_line(tmp_path):
    path = tmp_path / "hits.jsonl"
    sender = LineFile(path, to_json, 1_000_000, 1)
    await sender.send([hit(1)])
    with limited_files(path.stat().st_size + 50), pytest.raises(WaitError, match="cannot be written"):
        await sender.send([hit(2)])
    await sender.send([hit(3)])
    assert uids(path) == ["hit-1", "hit-3"]


async def test_what_is_no_file_is_told(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, said in (("none/x", "No such file"), ("pipe", "No such device|no regular file"), ("", "Is a directory")):
        with pytest.raises(WaitError, match=said):
            await LineFile(tmp_path / name, to_json, 1000, 1).send([hit()])


async def test_standard_output_may_be_a_pipe_that_is_read_slowly():
    read, write = os.pipe()
    try:
        task = asyncio.ensure_future(StandardOutput(to_cef, write).send([alert(text="x" * 900)] * 200))
        await asyncio.sleep(0.01)
        assert not task.done(), "the pipe is full, and nobody but this task waits"
        data = b""
        while data.count(b"\n") < 200:
            data += await asyncio.to_thread(os.read, read, 65536)
        await task
        assert os.get_blocking(write), "others who have it are not told not to block"
        assert set(data.decode().splitlines()) == {to_cef(alert(text="x" * 900))}
    finally:
        os.close(read)
        os.close(write)


async def test_a_line_that_was_cut_off_is_finished_first():
    read, write = os.pipe()
    try:
        out = StandardOutput(to_json, write)
        events = [alert(text="x" * 5000)] * 30
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await out.send(events)
        data = await asyncio.to_thread(os.read, read, 1_000_000)
        task = asyncio.ensure_future(out.send([hit(1)]))
        await task
        data += await asyncio.to_thread(os.read, read, 1_000_000)
        assert {json.loads(line)["uid"] for line in data.splitlines()} == {"alert-1", "hit-1"}
    finally:
        os.close(read)
        os.close(write)


async def test_standard_output_may_be_a_file_or_a_socket(tmp_path):
    with (tmp_path / "out").open("wb") as file:
        await StandardOutput(to_json, file.fileno()).send([hit(1)])
    assert uids(tmp_path / "out") == ["hit-1"]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        await StandardOutput(to_json, ours.fileno()).send([hit(2)])
        assert json.loads(theirs.recv(65536))["uid"] == "hit-2"


async def test_standard_output_that_is_gone_is_told():
    read, write = os.pipe()
    os.close(read)
    with pytest.raises(WaitError, match=r"standard output cannot be written: (Broken pipe|No such)"):
        await StandardOutput(to_json, write).send([hit()])
    os.close(write)


def test_dead_letters_are_bounded_and_say_why(tmp_path):
    dead = DeadLetters(tmp_path / "out" / "hook.jsonl", 4000)
    for number in range(30):
        dead.put([hit(number)], "it said 400")
    assert dead.octets <= 4000
    letter = json.loads(dead.path.read_text().splitlines()[-1])
    assert letter["why"] == "it said 400"
    assert [event["uid"] for event in letter["events"]] == ["hit-29"]
    assert stat.S_IMODE(dead.path.stat().st_mode) == 0o600
    assert dead.path.with_name("hook.jsonl.1").exists()


def test_dead_letters_that_cannot_be_written_are_told(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutError, match="cannot be written"):
        DeadLetters(tmp_path / "out" / "x.jsonl", 100).put([hit()], "no")
