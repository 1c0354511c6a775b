"""The front inside the control process: TLS, a port that is taken, the first link, an end in a moment."""

import asyncio
import socket
import ssl
import time

import httpx
import pytest

from sinkhole.app import data_dir
from sinkhole.app.control import Control
from sinkhole.app.state import compile_state, open_state
from sinkhole.config.schema import AdminSettings, ServerSettings, Settings
from sinkhole.log import configure
from sinkhole.web import front
from tests.feeds.certificate import self_signed


def told():
    return {"started": time.time(), "listen": ["127.0.0.1:5300"], "generation": 1, "store": "open", "workers": []}


async def opened():
    """The store is open."""


@pytest.fixture
def settings(tmp_path, capsys):
    found = Settings(server=ServerSettings(data_dir=tmp_path / "data"), admin=AdminSettings(listen=("127.0.0.1:0",)))
    data_dir.prepare(tmp_path / "data")
    state = open_state(found)
    compile_state(state)
    state.close()
    configure("info")
    return found


def with_admin(settings, **admin):
    return settings.model_copy(update={"admin": settings.admin.model_copy(update=admin)})


async def line_with(capsys, word, said):
    for _ in range(500):
        said.append(capsys.readouterr().err)
        found = [line for line in "".join(said).splitlines() if word in line]
        if found:
            return found[-1]
        await asyncio.sleep(0.01)
    raise AssertionError(f"{word} never came: {said}")


async def test_tls_and_the_first_link(settings, capsys, tmp_path):
    _, trusting = self_signed(tmp_path, "localhost")
    pem = tmp_path / "localhost.pem"
    settings = with_admin(settings, certificate=pem, key=pem, hosts=("localhost",))
    task = asyncio.create_task(front.serve(settings, told, opened))
    said: list[str] = []
    link = await line_with(capsys, "admin.first_link", said)
    assert "url=https://localhost:" in link
    url = link.split("url=")[1].split("/setup")[0]
    async with httpx.AsyncClient(verify=trusting, base_url=url) as client:
        answer = await client.get("/login")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        made = await client.get(link.split("url=")[1].split()[0])
        assert "role <strong>manage</strong>" in made.text
    began = time.monotonic()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert time.monotonic() - began < 1.0


def test_old_tls_is_not_spoken(settings, tmp_path):
    """ASVS 9.1.3."""
    self_signed(tmp_path, "localhost")
    pem = tmp_path / "localhost.pem"
    context = front._tls(with_admin(settings, certificate=pem, key=pem).admin)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_port_that_is_taken_is_tried_again(settings, capsys, monkeypatch):
    monkeypatch.setattr(front, "_FIRST_WAIT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        task = asyncio.create_task(front.serve(with_admin(settings, listen=(f"127.0.0.1:{port}",)), told, opened))
        said: list[str] = []
        assert "holds the port" in await line_with(capsys, "admin.not_served", said)
    await line_with(capsys, "admin.ready", said)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_certificate_that_is_none_is_said_so(settings, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(front, "_FIRST_WAIT", 5.0)
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    task = asyncio.create_task(front.serve(with_admin(settings, certificate=wrong, key=wrong), told, opened))
    assert "wrong.pem: wanted a PEM file of a certificate" in await line_with(capsys, "admin.not_served", [])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_fault_of_it_ends_nothing_else(settings, capsys, monkeypatch):
    """Not even one that keeps it from being loaded."""
    monkeypatch.setattr("sinkhole.app.control._ADMIN", "sinkhole.web.none_such")
    await Control(settings)._serve_admin()
    assert "admin.failed" in capsys.readouterr().err


async def test_connections_are_bounded(settings, capsys, monkeypatch):
    """Loopback leaves one place in eight to others: of eight it has seven."""
    monkeypatch.setattr(front, "MOST", 8)
    task = asyncio.create_task(front.serve(settings, told, opened))
    line = await line_with(capsys, "admin.ready", [])
    port = int(line.split("listen=127.0.0.1:")[1].split()[0])
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(held[-1][0].read(1), 5)
    held[0][1].write(b"GET /login HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert b"200" in await asyncio.wait_for(held[0][0].readline(), 5)
    for _, writer in held:
        writer.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
