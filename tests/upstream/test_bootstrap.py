import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sinkhole.protocol.message import read_message
from sinkhole.upstream import UpstreamFailure, parse_upstream
from sinkhole.upstream.bootstrap import RETRY_AFTER, SHORTEST_LIFE, Bootstrap, addresses_in
from sinkhole.upstream.server import Server, plain_client
from tests.fakes import FakeUpstream, Script, answers, reply, silent
from tests.upstream.asking import ADDRESS, MakeForwarder, addresses, asking, fails, resolve, says, soon
from tests.upstream.certificates import Authority

HOST = "dns.example.org"
From = Callable[..., Bootstrap]


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def bootstrap_from() -> Iterator[From]:
    made: list[Server] = []

    def bootstrap_from(clock: Clock, *ups: FakeUpstream) -> Bootstrap:
        servers = []
        for up in ups:
            address = parse_upstream(up.url)

            async def locate(host: str = up.host) -> str:
                return host

            servers.append(Server(address, plain_client(address, locate, randomize_case=True)))
        made.extend(servers)
        return Bootstrap(lambda: servers, 0.3, clock)

    yield bootstrap_from
    for server in made:
        server.rest()


async def test_host_is_looked_up_once_while_its_ttl_lasts(bootstrap_from: From) -> None:
    """R-C26: cached with the TTL, equal look-ups share one flight."""
    clock = Clock()
    records = {(HOST, "A"): ["192.0.2.1"], (HOST, "AAAA"): ["2001:db8::1"]}
    async with FakeUpstream(answers(records, ttl=300)) as up:
        bootstrap = bootstrap_from(clock, up)
        found = await asyncio.gather(*(bootstrap.addresses_of(HOST) for _ in range(10)))
        assert set(found) == {("192.0.2.1", "2001:db8::1")}
        clock.now += 299
        await bootstrap.addresses_of(HOST)
        assert len(up.queries) == 2
        clock.now += 1
        await bootstrap.addresses_of(HOST)
        await up.wait_for(4)
        await bootstrap.close()


async def test_old_addresses_serve_on_when_no_new_ones_are_to_be_had(bootstrap_from: From) -> None:
    """R-C26: a known upstream survives the loss of its bootstrap resolver."""
    clock = Clock()
    async with FakeUpstream(answers({(HOST, "A"): ["192.0.2.1"]}, ttl=1)) as up:
        bootstrap = bootstrap_from(clock, up)
        assert await bootstrap.addresses_of(HOST) == ("192.0.2.1",)
        up.handler = fails("SERVFAIL")
        for turn in range(2, 5):
            clock.now += SHORTEST_LIFE
            assert await bootstrap.addresses_of(HOST) == ("192.0.2.1",)
            await up.wait_for(2 * turn)
            await soon(lambda: not bootstrap._flights)
        up.handler = answers({(HOST, "A"): ["192.0.2.2"]})
        async with asyncio.timeout(3):
            while await bootstrap.addresses_of(HOST) != ("192.0.2.2",):
                clock.now += RETRY_AFTER
                await asyncio.sleep(0.01)
        await bootstrap.close()


async def test_failure_is_remembered_for_a_second_only(bootstrap_from: From) -> None:
    clock = Clock()
    async with FakeUpstream(fails("REFUSED")) as up:
        bootstrap = bootstrap_from(clock, up)
        for _ in range(5):
            with pytest.raises(UpstreamFailure, match="could not be looked up"):
                await bootstrap.addresses_of(HOST)
        assert len(up.queries) == 2
        up.handler = answers({(HOST, "A"): ["192.0.2.1"]})
        clock.now += RETRY_AFTER
        assert await bootstrap.addresses_of(HOST) == ("192.0.2.1",)


async def test_second_resolver_is_asked_when_the_first_fails(bootstrap_from: From) -> None:
    async with FakeUpstream(silent) as dead, FakeUpstream(answers({(HOST, "A"): ["192.0.2.1"]})) as up:
        assert await bootstrap_from(Clock(), dead, up).addresses_of(HOST) == ("192.0.2.1",)


async def test_nobody_to_ask_is_a_failure(bootstrap_from: From) -> None:
    with pytest.raises(UpstreamFailure):
        await bootstrap_from(Clock()).addresses_of(HOST)


def test_addresses_follow_aliases_and_nothing_else() -> None:
    query = asking(HOST).to_wire(1)
    wire = reply(
        query,
        f"{HOST}. 300 IN CNAME real.example.org.",
        "real.example.org. 100 IN A 192.0.2.1",
        "real.example.org. 200 IN TXT x",
        "stray.example.org. 5 IN A 192.0.2.66",
    )
    assert addresses_in(read_message(wire), asking(HOST).question) == (["192.0.2.1"], 100)


async def test_named_upstream_is_reached_through_bootstrap_only(forward: MakeForwarder, tmp_path: Path) -> None:
    """R-C26: the host name is asked at the bootstrap resolver, never at the upstream itself."""
    authority = Authority(tmp_path)
    async with (
        FakeUpstream(answers({(HOST, "A"): ["127.0.0.1"]})) as resolver,
        FakeUpstream(says(), tls=authority.server(HOST)) as up,
    ):
        forwarder = forward(
            f"tls://{HOST}:{up.port}", ca_file=authority.ca_file, bootstrap=[parse_upstream(resolver.url)]
        )
        assert addresses(await resolve(forwarder)) == [ADDRESS]
        assert addresses(await resolve(forwarder)) == [ADDRESS]
        assert len(resolver.queries) == 2
        assert len(up.queries) == 2


async def test_start_without_network_recovers(forward: MakeForwarder) -> None:
    """R-C26: nothing is looked up at the start, and a failure is soon forgotten."""
    clock = Clock()
    async with FakeUpstream(silent) as resolver, FakeUpstream(says()) as up:
        forwarder = forward(
            f"udp://{HOST}:{up.port}", bootstrap=[parse_upstream(resolver.url)], timeout=0.2, tries=1, clock=clock
        )
        started = time.monotonic()
        with pytest.raises(UpstreamFailure):
            await resolve(forwarder)
        assert time.monotonic() - started < 2
        resolver.handler = answers({(HOST, "A"): ["127.0.0.1"]})
        async with asyncio.timeout(5):
            while True:
                clock.now += RETRY_AFTER
                try:
                    assert addresses(await resolve(forwarder)) == [ADDRESS]
                    break
                except UpstreamFailure:
                    continue


async def test_name_that_leads_back_to_us_is_not_asked(forward: MakeForwarder) -> None:
    """R-C26: no loop through a host name."""

    def handle(query: bytes) -> Script:
        return answers({(HOST, "A"): ["127.0.0.1"]})(query)

    async with FakeUpstream(handle) as resolver, FakeUpstream(says()) as up:
        forwarder = forward(
            f"udp://{HOST}:{up.port}", bootstrap=[parse_upstream(resolver.url)], listen=[f"0.0.0.0:{up.port}"]
        )
        with pytest.raises(UpstreamFailure, match="leads back"):
            await resolve(forwarder)
        assert up.queries == []


async def test_other_address_of_a_host_is_tried_after_a_failure(forward: MakeForwarder) -> None:
    async with FakeUpstream(answers({(HOST, "A"): ["127.0.0.2", "127.0.0.1"]})) as resolver, FakeUpstream(says()) as up:
        forwarder = forward(f"tcp://{HOST}:{up.port}", bootstrap=[parse_upstream(resolver.url)])
        assert addresses(await resolve(forwarder)) == [ADDRESS]


async def test_system_resolvers_look_up_names_without_bootstrap(forward: MakeForwarder, tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    forwarder = forward(f"udp://{HOST}:1", resolv_conf=path, tries=1, timeout=0.2)
    with pytest.raises(UpstreamFailure, match="could not be looked up"):
        await resolve(forwarder)
