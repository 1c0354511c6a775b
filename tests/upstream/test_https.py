import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import HttpVersion11, web

from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.names import name_from_text
from sinkhole.upstream import UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.ahead import Ahead, Lander
from tests.fakes import FakeUpstream, reply
from tests.upstream.asking import ADDRESS, MakeForwarder, addresses, good, resolve
from tests.upstream.certificates import Authority
from tests.upstream.doh import DNS, FakeDoh, Response


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def answer(query: bytes) -> Response:
    return Response(good(query))


@asynccontextmanager
async def http1(
    authority: Authority, handle: Callable[[web.Request], Awaitable[web.Response]], name: str = "127.0.0.1",
    *, days: int = 5, port: int = 0,
) -> AsyncIterator[int]:  # fmt: skip
    """Serve HTTP/1.1 alone on loopback; yield the port."""
    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        tls = authority.server(name, days=days, alpn=("http/1.1",))
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_query_is_a_padded_post_with_id_0_over_one_connection(
    forward: MakeForwarder, authority: Authority
) -> None:
    """R-C03: id 0 (RFC 8484, section 4.1); R-C24: one connection, padded."""
    async with FakeDoh(answer, authority.server("dns.example.org", alpn=("h2",))) as up:
        forwarder = forward(f"https://127.0.0.1:{up.port}/q?x#dns.example.org", ca_file=authority.ca_file)
        found = await asyncio.gather(*(resolve(forwarder) for _ in range(30)))
        assert up.connections == 1
    assert [addresses(message) for message in found] == [[ADDRESS]] * 30
    for request in up.requests:
        assert request.headers[":method"] == "POST"
        assert request.headers[":path"] == "/q?x"
        assert request.headers[":authority"] == f"dns.example.org:{up.port}"
        assert request.headers["content-type"] == request.headers["accept"] == DNS
        assert request.body[:2] == b"\0\0"
        assert len(request.body) % 128 == 0


BAD: dict[str, Callable[[bytes], Response]] = {
    "500": lambda q: Response(good(q), status=500),
    "redirect": lambda q: Response(b"", status=307, headers={"location": "https://127.0.0.1:1/"}),
    "HTML": lambda q: Response(b"<html>", headers={"content-type": "text/html; charset=utf-8"}),
    "no type": lambda q: Response(good(q), headers={}),
    "compressed": lambda q: Response(good(q), headers={"content-type": DNS, "content-encoding": "gzip"}),
    "20 MB": lambda q: Response(good(q) + bytes(20_000_000)),
    "empty": lambda q: Response(b""),
    "other name": lambda q: Response(good(q)[:13] + b"x" + good(q)[14:]),
    "other id": lambda q: Response(b"\1\2" + good(q)[2:]),
    "query": lambda q: Response(q),
    "TC": lambda q: Response(reply(q, flags="TC")),
    "cut": lambda q: Response(good(q)[:-1]),
    "65536 octets": lambda q: Response(good(q) + bytes(65536 - len(good(q)))),
}


@pytest.mark.parametrize("bad", BAD)
async def test_bad_response_is_refused(forward: MakeForwarder, authority: Authority, bad: str) -> None:
    """R-C25, R-C09: status, content type, size and question are checked, redirects not followed."""
    async with FakeDoh(BAD[bad], authority.server("127.0.0.1", alpn=("h2",))) as up:
        forwarder = forward(f"https://127.0.0.1:{up.port}", ca_file=authority.ca_file, tries=1)
        with pytest.raises(UpstreamFailure):
            await resolve(forwarder)
        assert len(up.requests) == 1
        up.handler = answer
        assert addresses(await resolve(forwarder)) == [ADDRESS]


async def test_age_of_a_cached_response_is_taken_off(forward: MakeForwarder, authority: Authority) -> None:
    """Account for Age (RFC 8484, section 5.1)."""
    ages = iter(["100", "400", "-7"])
    with_age = lambda q: Response(good(q), headers={"content-type": DNS, "age": next(ages)})  # noqa: E731
    async with FakeDoh(with_age, authority.server("127.0.0.1", alpn=("h2",))) as up:
        forwarder = forward(f"https://127.0.0.1:{up.port}", ca_file=authority.ca_file)
        assert [(await resolve(forwarder)).answer[0].ttl for _ in range(3)] == [200, 0, 300]


async def test_silence_is_a_timeout(forward: MakeForwarder, authority: Authority) -> None:
    """R-C11: bounded time."""
    async with FakeDoh(lambda _: None, authority.server("127.0.0.1", alpn=("h2",))) as up:
        forwarder = forward(f"https://127.0.0.1:{up.port}", ca_file=authority.ca_file, tries=2, timeout=0.3)
        started = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            await resolve(forwarder)
        assert time.monotonic() - started < 2
        up.handler = answer
        assert addresses(await resolve(forwarder)) == [ADDRESS]


async def test_connection_closed_after_each_answer_is_opened_again(
    forward: MakeForwarder, authority: Authority
) -> None:
    """R-C24: reconnect after close."""
    async with FakeDoh(answer, authority.server("127.0.0.1", alpn=("h2",)), closes=True) as up:
        forwarder = forward(f"https://127.0.0.1:{up.port}", ca_file=authority.ca_file, tries=1)
        for _ in range(5):
            assert addresses(await resolve(forwarder)) == [ADDRESS]
        assert up.connections > 1


async def test_connection_that_breaks_each_time_fails(forward: MakeForwarder, authority: Authority) -> None:
    """R-C08: bounded tries."""
    async with FakeUpstream(
        lambda _: None, on_connection=lambda _, writer: writer.transport.abort(), tls=authority.server("127.0.0.1")
    ) as up:
        with pytest.raises(UpstreamFailure):
            await resolve(forward(f"https://127.0.0.1:{up.port}", ca_file=authority.ca_file))
        assert up.connections <= 6


@pytest.mark.parametrize(("name", "days"), [("other.example.org", 5), ("dns.example.org", -1)])
async def test_wrong_certificate_gets_no_query(
    forward: MakeForwarder, authority: Authority, name: str, days: int
) -> None:
    """R-C23: name and dates are verified."""
    async with FakeDoh(answer, authority.server(name, days=days, alpn=("h2",))) as up:
        with pytest.raises(UpstreamFailure):
            await resolve(forward(f"https://127.0.0.1:{up.port}#dns.example.org", ca_file=authority.ca_file))
        assert up.requests == []


async def test_unknown_authority_gets_no_query(forward: MakeForwarder, authority: Authority) -> None:
    """R-C23: the authority is verified."""
    async with FakeDoh(answer, authority.server("127.0.0.1", alpn=("h2",))) as up:
        with pytest.raises(UpstreamFailure):
            await resolve(forward(f"https://127.0.0.1:{up.port}"))
        assert up.requests == []


async def test_upstream_without_http2_is_asked_by_http1(forward: MakeForwarder, authority: Authority) -> None:
    asked: list[bytes] = []

    async def handle(request: web.Request) -> web.Response:
        assert (request.method, request.path_qs, request.version) == ("POST", "/q?x", HttpVersion11)
        assert request.headers["host"] == f"127.0.0.1:{port}"
        asked.append(await request.read())
        return web.Response(body=good(asked[-1]), content_type=DNS)

    async with http1(authority, handle) as port:
        forwarder = forward(f"https://127.0.0.1:{port}/q?x", ca_file=authority.ca_file, tries=1)
        for _ in range(3):
            assert addresses(await resolve(forwarder)) == [ADDRESS]
    assert [query[:2] for query in asked] == [b"\0\0"] * 3
    assert {len(query) % 128 for query in asked} == {0}


@pytest.mark.parametrize(("name", "days"), [("other.example.org", 5), ("dns.example.org", -1)])
async def test_wrong_certificate_gets_no_query_by_http1(
    forward: MakeForwarder, authority: Authority, name: str, days: int
) -> None:
    """R-C23: as by HTTP/2; that it speaks HTTP/1.1 is known when the certificate changes."""
    hosts: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        hosts.append(request.headers["host"])
        return web.Response(body=good(await request.read()), content_type=DNS)

    async with http1(authority, handle, "dns.example.org") as port:
        forwarder = forward(f"https://127.0.0.1:{port}#dns.example.org", ca_file=authority.ca_file, tries=1)
        assert addresses(await resolve(forwarder)) == [ADDRESS]
    assert hosts == [f"dns.example.org:{port}"]
    async with http1(authority, handle, name, days=days, port=port):
        with pytest.raises(UpstreamFailure, match="no connection"):
            await resolve(forwarder)
    assert len(hosts) == 1


async def test_nothing_of_the_environment_comes_between_by_http1(
    forward: MakeForwarder, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would see all queries; where a redirect leads, too."""
    paths: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        paths.append(request.path)
        assert "user-agent" not in request.headers
        if request.path == "/moved":
            return web.Response(status=307, headers={"location": "/dns-query"})
        return web.Response(body=good(await request.read()), content_type=DNS)

    async with http1(authority, handle) as port:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        with pytest.raises(UpstreamFailure, match="307"):
            await resolve(forward(f"https://127.0.0.1:{port}/moved", ca_file=authority.ca_file, tries=1))
        assert addresses(
            await resolve(forward(f"https://127.0.0.1:{port}/dns-query", ca_file=authority.ca_file, tries=1))
        ) == [ADDRESS]
    assert paths == ["/moved", "/dns-query"]


@pytest.mark.parametrize("bad", BAD)
async def test_bad_response_is_refused_by_http1(forward: MakeForwarder, authority: Authority, bad: str) -> None:
    """R-C25, R-C09: as by HTTP/2; after it the next is asked as ever."""
    script = [BAD[bad], answer]

    async def handle(request: web.Request) -> web.Response:
        said = script.pop(0)(await request.read())
        return web.Response(body=said.body, status=said.status, headers=said.headers)

    async with http1(authority, handle) as port:
        forwarder = forward(f"https://127.0.0.1:{port}", ca_file=authority.ca_file, tries=1)
        with pytest.raises(UpstreamFailure):
            await resolve(forwarder)
        assert len(script) == 1
        assert addresses(await resolve(forwarder)) == [ADDRESS]


async def test_connection_kept_by_http1_and_closed_meanwhile_is_opened_again(
    forward: MakeForwarder, authority: Authority
) -> None:
    """R-C24: reconnect after close."""
    connections: list[asyncio.Transport] = []

    async def handle(request: web.Request) -> web.Response:
        assert request.transport is not None
        connections.append(request.transport)
        if len(connections) == 2:
            request.transport.abort()
        return web.Response(body=good(await request.read()), content_type=DNS)

    async with http1(authority, handle) as port:
        forwarder = forward(f"https://127.0.0.1:{port}", ca_file=authority.ca_file, tries=1)
        for _ in range(3):
            assert addresses(await resolve(forwarder)) == [ADDRESS]
    assert connections[0] is connections[1]
    assert connections[1] is not connections[2] is connections[3]


async def test_silence_by_http1_is_a_timeout(forward: MakeForwarder, authority: Authority) -> None:
    is_over = asyncio.Event()

    async def handle(_request: web.Request) -> web.Response:
        await is_over.wait()
        return web.Response()

    async with http1(authority, handle) as port:
        began = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            await resolve(forward(f"https://127.0.0.1:{port}", ca_file=authority.ca_file, timeout=0.3, tries=1))
        assert time.monotonic() - began < 2
        is_over.set()


async def test_upstream_that_learned_http2_is_asked_by_it(forward: MakeForwarder, authority: Authority) -> None:
    """What is remembered of HTTP/1.1 ends when that fails, not an hour later."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=good(await request.read()), content_type=DNS)

    async with http1(authority, handle) as port:
        forwarder = forward(f"https://127.0.0.1:{port}", ca_file=authority.ca_file, tries=1)
        assert addresses(await resolve(forwarder)) == [ADDRESS]
    async with FakeDoh(answer, authority.server("127.0.0.1", alpn=("h2",)), port=port) as up:
        with pytest.raises(UpstreamFailure):
            await resolve(forwarder)
        assert up.requests == []
        assert addresses(await resolve(forwarder)) == [ADDRESS]
        assert len(up.requests) == 1


class Land(Lander):
    """Waits for what comes of a question that was sent ahead."""

    def __init__(self) -> None:
        self.ahead: asyncio.Future[Ahead] = asyncio.get_running_loop().create_future()

    def land(self, ahead: Ahead) -> None:
        self.ahead.set_result(ahead)


@pytest.mark.interpreted  # compiled, what waits must be compiled too
async def test_question_is_sent_ahead_where_a_connection_has_answered(
    forward: MakeForwarder, authority: Authority
) -> None:
    async with FakeDoh(answer, authority.server("127.0.0.1", alpn=("h2",))) as up:
        forwarder = forward(f"https://127.0.0.1:{up.port}", ca_file=authority.ca_file)
        name = name_from_text("www.example.org")
        assert not forwarder.begin(name, name, 1, "192.0.2.9", Land(), time.monotonic())
        assert addresses(await resolve(forwarder)) == [ADDRESS]
        landers = [Land() for _ in range(50)]
        for lander in landers:
            assert forwarder.begin(name, name, 1, "192.0.2.9", lander, time.monotonic())
        for lander in landers:
            ahead = await lander.ahead
            assert isinstance(ahead.outcome, AddressSet)
        assert up.connections == 1
        assert len(up.requests) == 51
