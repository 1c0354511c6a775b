"""Putting a change in force: by compiling here, or through the server that runs on the folder."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sinkhole.app import data_dir
from sinkhole.app.apply import Applied, NoAnswerError, apply, request
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.control_server import ControlServer
from sinkhole.app.local_socket import bind_control
from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.errors import PolicyError, SinkholeError, StoreError
from sinkhole.policy.document import load_document

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


@pytest.fixture
def state(tmp_path):
    data_dir.prepare(tmp_path)
    found = open_state(load_settings(None, {}, {"server.data_dir": tmp_path}))
    yield found
    found.close()


@contextmanager
def answering(folder: Path, answer: Answer) -> Iterator[None]:
    """Hold the folder and answer on its socket, as a server does, in a thread with a loop of its own."""
    held, sock = data_dir.lock(folder), bind_control(folder)
    loop, ready = asyncio.new_event_loop(), threading.Event()
    end = asyncio.Event()

    async def take(worker: str, message: dict[str, Any]) -> bool:
        return True

    async def serve() -> None:
        async with await ControlServer(take, answer).serve(sock):
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(5)
        loop.close()
        os.close(held)


def test_without_a_server_it_is_compiled_here(state, tmp_path):
    applied = apply(state)
    assert applied == Applied(1, None)
    assert load_document(compiled_folder(tmp_path)).generation == 1
    assert str(applied) == "stored as generation 1; no server runs on this data folder"
    assert apply(state) == Applied(1, None)  # the same inputs make no new generation


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (0, "in force as generation 4"),
        (1, "published as generation 4, but 1 worker has not taken it in yet"),
        (2, "published as generation 4, but 2 workers have not taken it in yet"),
    ],
)
def test_running_server_is_asked_and_says_who_is_late(state, tmp_path, late, said):
    async def answer(message: dict[str, Any]) -> dict[str, Any]:
        assert message == {"op": "apply"}
        return {"generation": 4, "late": late}

    with answering(tmp_path, answer):
        assert str(apply(state)) == said
    assert not (compiled_folder(tmp_path) / "policy.json").exists()


def test_feeds_that_the_server_holds_back_are_told(state, tmp_path):
    async def answer(message: dict[str, Any]) -> dict[str, Any]:
        return {"generation": 4, "late": 0, "refused": {"ours": "feed ours: version 2 is held back"}}

    with answering(tmp_path, answer):
        assert apply(state) == Applied(4, 0, {"ours": "feed ours: version 2 is held back"})


def test_refusal_of_the_server_is_told(state, tmp_path):
    async def answer(message: dict[str, Any]) -> dict[str, Any]:
        raise PolicyError("statement 9 is wrong")

    with answering(tmp_path, answer), pytest.raises(SinkholeError, match="statement 9 is wrong"):
        apply(state)


def test_absent_control_process_loses_no_change(state, tmp_path):
    held = data_dir.lock(tmp_path)
    try:
        with pytest.raises(StoreError, match="does not answer; the change is stored and comes into force when"):
            apply(state)
        with pytest.raises(NoAnswerError, match=r"^the control process of the server does not answer$"):
            request(tmp_path, {"op": "status"})
    finally:
        os.close(held)


def test_server_that_hangs_up_does_not_answer(tmp_path):
    sock = bind_control(tmp_path)
    thread = threading.Thread(target=lambda: hang_up(sock))
    thread.start()
    with pytest.raises(NoAnswerError):
        request(tmp_path, {"op": "status"})
    thread.join(5)
    sock.close()


def hang_up(sock) -> None:
    sock.setblocking(True)
    connection, _ = sock.accept()
    connection.recv(1000)
    connection.close()
