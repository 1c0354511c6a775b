"""The duties of section R-C towards DoT and DoH upstreams: one server, and a zone for each kind of upstream."""

import asyncio
from contextlib import ExitStack

import dns.message
import dns.rcode
import pytest

from tests.e2e.conftest import UpstreamThread
from tests.e2e.running import HOST, running
from tests.e2e.scripted import TRUE_IPV4
from tests.fakes import FakeUpstream, read_frame, reply
from tests.upstream.asking import frame
from tests.upstream.certificates import Authority
from tests.upstream.doh import DNS, FakeDoh, Response


def good(wire: bytes) -> bytes:
    return reply(wire, f"{dns.message.from_wire(wire).question[0].name} 300 IN A {TRUE_IPV4}")


async def answer_one(reader, writer):
    writer.write(frame(good(await read_frame(reader))))
    await writer.drain()


def out_of_order(wire: bytes):
    """Answer slowly what begins with `slow`."""
    return [(0.4 if b"\4slow" in wire.lower() else 0, good(wire))]


BAD_RESPONSES = {
    "status": lambda wire: Response(good(wire), status=500),
    "html": lambda wire: Response(b"<html>", headers={"content-type": "text/html"}),
    "type": lambda wire: Response(good(wire), headers={"content-type": "application/octet-stream"}),
    "huge": lambda wire: Response(good(wire) + bytes(20_000_000)),
    "question": lambda wire: Response(good(wire)[:13] + b"x" + good(wire)[14:]),
    "redirect": lambda wire: Response(b"", status=302, headers={"location": f"https://{HOST}:1/"}),
    "cut": lambda wire: Response(good(wire)[:-1], headers={"content-type": DNS}),
}


class Upstreams:
    """Every kind of encrypted upstream, by the zone that is forwarded to it."""

    def __init__(self, stack: ExitStack, authority: Authority, stranger: Authority) -> None:
        def dot(context, handler=out_of_order, **more):
            return stack.enter_context(UpstreamThread(FakeUpstream(handler, tls=context, **more)))

        def doh(handler):
            return stack.enter_context(UpstreamThread(FakeDoh(handler, authority.server(HOST, alpn=("h2",)))))

        self.fakes = {
            "right": dot(authority.server("dns.example.org", alpn=("dot",))),
            "name": dot(authority.server("other.example.org")),
            "expired": dot(authority.server("dns.example.org", days=-1)),
            "unknown": dot(stranger.server("dns.example.org")),
            "clear": stack.enter_context(UpstreamThread(FakeUpstream(out_of_order))),
            "closing": dot(authority.server("dns.example.org"), on_connection=answer_one),
            "web": doh(lambda wire: Response(good(wire))),
        }
        self.fakes |= {f"web-{how}": doh(handler) for how, handler in BAD_RESPONSES.items()}

    def config(self, authority: Authority) -> str:
        """Return the settings that forward a zone to each."""
        lines = [f'[upstream]\ntimeout = 1.0\ntries = 2\nca_file = "{authority.ca_file}"\n']
        for zone, fake in self.fakes.items():
            url = f"https://{HOST}:{fake.port}/" if "web" in zone else f"tls://{HOST}:{fake.port}#dns.example.org"
            lines.append(f'[[upstream.zones]]\nzone = "{zone}.example"\nservers = ["{url}"]\n')
        return "".join(lines)


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """A server, and the fakes by zone."""
    with ExitStack() as stack:
        authority = Authority(tmp_path_factory.mktemp("ca"))
        ups = Upstreams(stack, authority, Authority(tmp_path_factory.mktemp("stranger")))
        folder = tmp_path_factory.mktemp("secure")
        (folder / "c.toml").write_text(ups.config(authority))
        yield stack.enter_context(running(folder / "data", "--config", folder / "c.toml", upstream=1)), ups.fakes


@pytest.mark.parametrize("wrong", ["name", "expired", "unknown", "clear"])
def test_certificates_are_verified(secure, wrong):
    """R-C23: wrong name, expired, unknown authority, no TLS at all: no query arrives, SERVFAIL."""
    server, fakes = secure
    assert server.ask(f"www.{wrong}.example", timeout=9).rcode() == dns.rcode.SERVFAIL
    assert all(b"www" not in wire for wire in fakes[wrong].queries)


def test_connections_are_reused_and_queries_padded(secure):
    """R-C24: 30 queries are one connection; padded; answers matched by id; connected again after a close."""
    server, fakes = secure
    for n in range(30):
        assert server.addresses(f"n{n}.right.example") == [TRUE_IPV4]
    assert fakes["right"].connections == 1
    assert all(len(wire) % 128 == 0 for wire in fakes["right"].queries)

    async def both():
        loop = asyncio.get_running_loop()
        names = ["slow.right.example", "fast.right.example"]
        return await asyncio.gather(*(loop.run_in_executor(None, server.ask, name) for name in names))

    for got in asyncio.run(both()):
        assert got.answer[0].name == got.question[0].name
    for n in range(5):
        assert server.addresses(f"n{n}.closing.example") == [TRUE_IPV4]


def test_https_upstream(secure):
    """R-C24: over HTTPS too."""
    server, fakes = secure
    for n in range(10):
        assert server.addresses(f"n{n}.web.example") == [TRUE_IPV4]
    assert fakes["web"].connections == 1
    assert {request.body[:2] for request in fakes["web"].requests} == {b"\0\0"}  # R-C03: id 0 there, not the client's


@pytest.mark.parametrize("how", BAD_RESPONSES)
def test_https_responses_are_checked(secure, how):
    """R-C25: status, content type, size and question; redirects are not followed."""
    server, _ = secure
    assert server.ask(f"www.web-{how}.example", timeout=9).rcode() == dns.rcode.SERVFAIL
