"""Small parts of process keeping: back-off, folder lock, notification, sockets, settings check."""

import asyncio
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from sinkhole.app import data_dir
from sinkhole.app.check_settings import mistakes_of
from sinkhole.app.child import Backoff, Child
from sinkhole.app.listeners import Listeners
from sinkhole.app.local_socket import MessageError, bind_control, connect_control, read_messages, write_message
from sinkhole.app.notify import Notifier
from sinkhole.app.privileges import drop_privileges
from sinkhole.config.load import load_settings
from sinkhole.errors import ConfigError, ListenError


def test_backoff_doubles_and_forgets():
    backoff = Backoff()
    assert [backoff.after_death(0.1) for _ in range(4)] == [0.0, 0.05, 0.1, 0.2]
    for _ in range(10):
        backoff.after_death(0.1)
    assert backoff.after_death(0.1) == 5.0
    assert backoff.after_death(1, has_served=True) == 0.4
    assert backoff.after_death(60) == 0.0


def test_child_becomes_ready_once():
    read, write = os.pipe2(os.O_NONBLOCK)
    child = Child("worker-0", 1, read, 0.0)
    assert child.read_status(1.0) is False
    os.write(write, b"r.")
    assert child.read_status(2.0) is True
    os.write(write, b".")
    assert child.read_status(3.0) is False
    assert child.last_beat == 3.0
    os.close(write)
    child.close()


def test_data_folder_is_made_and_private(tmp_path):
    """R-D08: the folder of all state is for its owner alone."""
    folder = tmp_path / "a" / "b"
    data_dir.prepare(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(folder.glob(".write-test"))


def test_lock_is_for_one(tmp_path):
    assert not data_dir.running_server(tmp_path)
    held = data_dir.lock(tmp_path)
    assert data_dir.running_server(tmp_path)
    with pytest.raises(ListenError, match=f"process {os.getpid()}"):
        data_dir.lock(tmp_path)
    os.close(held)
    assert not data_dir.running_server(tmp_path)
    os.close(data_dir.lock(tmp_path))


def test_notifications_reach_systemd(tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        notifier = Notifier({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "30000000"})
        notifier.send("READY=1")
        assert server.recv(100) == b"READY=1"
        assert notifier.watchdog_interval == 15.0


def test_notifications_without_systemd_do_nothing():
    Notifier({}).send("READY=1")
    assert Notifier({}).watchdog_interval is None
    broken = Notifier({"NOTIFY_SOCKET": "/nonexistent/socket"})
    broken.send("READY=1")
    broken.send("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0sinkhole-test-notify")
        Notifier({"NOTIFY_SOCKET": "@sinkhole-test-notify"}).send("STOPPING=1")
        assert server.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("depth", [1, 12])
async def test_control_socket_works_however_deep_the_folder(tmp_path, depth):
    folder: Path = tmp_path.joinpath(*["a-rather-long-name"] * depth)
    folder.mkdir(parents=True)
    listening = bind_control(folder)
    assert (folder / "control.sock").stat().st_mode & 0o777 == 0o600

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for message in read_messages(reader):
            write_message(writer, message)
        writer.close()

    async with await asyncio.start_unix_server(echo, sock=listening):
        reader, writer = await connect_control(folder)
        write_message(writer, {"op": "hello", "x": 1})
        assert await anext(read_messages(reader)) == {"op": "hello", "x": 1}
        writer.close()
        await writer.wait_closed()


async def test_connecting_where_no_server_is(tmp_path):
    with pytest.raises(FileNotFoundError):
        await connect_control(tmp_path)


@pytest.mark.parametrize("line", [b"nonsense\n", b"[]\n", b"{}\n", b"x" * 100 + b"\n"])
async def test_nonsense_on_the_socket_is_an_error(line):
    reader = asyncio.StreamReader(limit=64)
    reader.feed_data(line)
    reader.feed_eof()
    with pytest.raises(MessageError):
        async for _ in read_messages(reader):
            pass


async def test_half_a_message_at_the_end_is_dropped():
    reader = asyncio.StreamReader()
    reader.feed_data(b'{"op": "a"}\n{"op"')
    reader.feed_eof()
    assert [message async for message in read_messages(reader)] == [{"op": "a"}]


def test_listeners_share_the_port_that_the_system_chose():
    listeners = Listeners()
    listeners.open(("127.0.0.1:0",), 2)
    (first,), (second,) = listeners.of(0, 2), listeners.of(1, 2)
    ports = {s.getsockname()[1] for s in (first.udp, first.tcp, second.udp, second.tcp)}
    assert len(ports) == 1
    assert listeners.bound() == [f"127.0.0.1:{ports.pop()}"]
    listeners.close()


def test_sockets_of_fewer_workers_stay_served():
    """R-O01: what the system queues for a worker that is no more is answered by another."""
    listeners = Listeners()
    listeners.open(("127.0.0.1:0",), 3)
    every = {pair.udp.fileno() for pair in listeners.of(0, 1)}
    assert len(every) == 3
    assert len(listeners.of(0, 2)) == 2
    assert {pair.udp.fileno() for slot in range(2) for pair in listeners.of(slot, 2)} == every
    listeners.keep_only(())
    assert listeners.of(0, 1) == []
    listeners.close()


def test_lock_of_a_dead_server_passes_when_its_workers_end(tmp_path):
    """R-D02: workers of a killed supervisor hold its lock a moment longer; a successor waits for them."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    held = data_dir.lock(tmp_path)
    os.pwrite(held, f"{gone.pid}\n".encode(), 0)
    threading.Timer(0.1, os.close, (held,)).start()
    began = time.monotonic()
    os.close(data_dir.lock(tmp_path))
    assert 0.05 < time.monotonic() - began < 2


def test_listeners_refuse_a_port_that_another_holds():
    """R-O04: sharing a port with SO_REUSEPORT by accident is refused."""
    mine = Listeners()
    mine.open(("127.0.0.1:0",), 1)
    other = Listeners()
    with pytest.raises(ListenError):
        other.open((mine.bound()[0],), 1)
    mine.close()
    other.close()


def test_settings_are_checked_by_the_parts_that_use_them():
    flags = {"server.listen": ["x"], "upstream.servers": ["gopher://x"], "records": ["nonsense"]}
    flags["upstream.zones"] = [
        {"zone": "a..b", "servers": ["192.0.2.1"]},
        {"zone": "corp.example", "servers": ["udp://"]},
    ]
    text = "\n".join(mistakes_of(load_settings(None, {}, flags)))
    for path in ("server.listen[0]", "upstream.servers[0]", "zones[0].zone", "zones[1].servers", "records[0]"):
        assert path in text
    assert mistakes_of(load_settings(None, {}, {})) == []


def test_mistakes_of_the_schema_and_of_the_parts_come_together():
    """R-O03: bad configuration is refused with all its mistakes."""
    flags = {"server.listen": ["x"], "server.workers": 0, "upstream.servers": ["gopher://x"], "cache": 3}
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {}, flags, mistakes_of)
    text = str(caught.value)
    for path in ("server.workers", "cache", "server.listen[0]", "upstream.servers[0]"):
        assert path in text


def test_unknown_user_and_staying_who_we_are(tmp_path):
    """R-P05: privileges are given up only to a user that exists."""
    drop_privileges(None, tmp_path)
    with pytest.raises(ConfigError, match="no user"):
        drop_privileges("no-such-user-here", tmp_path)
