import asyncio
import socket

import dns.message
import pytest

from sinkhole.log import Log
from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer import Answer
from sinkhole.transport import udp as udp_module
from sinkhole.transport.addresses import IP_PKTINFO, ListenAddress, bind_udp
from sinkhole.transport.datagram import BATCH, AddressSocket, WildcardSocket, wrap_socket
from sinkhole.transport.quiet import QuietLog
from tests.transport.asking import LONG, RawClient, question
from tests.transport.serving import BLOCKED, Clock, Counting, Serving, address


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::"])
async def test_queries_are_answered_on_both_families(host):
    """R-T01: UDP and TCP both served on each address, IPv4 and IPv6."""
    async with Serving(host=host) as serving:
        for ask in (serving.udp, serving.udp, serving.tcp, serving.tcp):
            reply = await ask(question())
            assert reply.answer[0][0].address == "192.0.2.1"
    assert [query.is_stream for query in serving.handler.queries] == [False, True]


@pytest.mark.parametrize(("host", "asked"), [("0.0.0.0", "127.0.0.2"), ("127.0.0.2", "127.0.0.2"), ("::", "::1")])
@pytest.mark.parametrize("ttl", [None, 300])
async def test_reply_leaves_from_the_address_that_was_asked(host, asked, ttl):
    """R-T09: a connected socket sees nothing else (IP_PKTINFO); fresh and from the cache."""
    async with Serving(Counting(ttl=ttl), host=host) as serving:
        with RawClient("::1" if ":" in asked else "127.0.0.1", (asked, serving.port)) as client:
            for _ in range(2):
                query = question()
                reply = dns.message.from_wire(await client.exchange(query.to_wire()))
                assert query.is_response(reply)


async def test_many_addresses_do_not_fill_the_memory_of_a_wildcard_socket(monkeypatch):
    """R-T09, R-P04: each address of 127.0.0.0/8 is ours."""
    monkeypatch.setattr("sinkhole.transport.datagram._REMEMBERED", 3)
    async with Serving(host="0.0.0.0") as serving:
        for number in range(1, 9):
            with RawClient("127.0.0.1", (f"127.0.0.{number}", serving.port)) as client:
                assert await client.exchange(question().to_wire())
        assert len(serving.udp_listener._socket._controls) <= 3


async def test_runts_and_responses_get_silence_and_the_server_lives(caplog):
    """R-W02, R-W03: silence, then a good query is answered; nothing in the log."""
    async with Serving() as serving:
        with serving.datagram_client() as client:
            for length in range(12):
                client.send(bytes(length))
            client.send(dns.message.make_response(question()).to_wire())
            query = question()
            query.id = 4711
            assert len(await client.drain(query.to_wire())) == 1
    assert not caplog.records


async def test_slow_query_holds_up_nobody():
    gate = asyncio.Event()

    async def handler(query):
        if query.question.key.startswith(b"\x04slow"):
            await gate.wait()
        return Answer(ReplyBody(0, answer=(address(query),)), None, None)

    async with Serving(handler) as serving:
        slow = asyncio.create_task(serving.udp(question("slow.example.org")))
        assert (await serving.udp(question("fast.example.org"))).answer
        assert not slow.done()
        gate.set()
        assert (await slow).answer


@pytest.mark.parametrize("is_stream", [False, True])
async def test_answers_under_load_are_right(is_stream):
    """R-B19, R-C05: 200 concurrent mixed queries, none wrong."""

    async def handler(query):
        number = int(query.question.key[1 : 1 + query.question.key[0]])
        await asyncio.sleep(number % 7 / 1000)
        octets = bytes((10, 0, number >> 8, number & 255))
        return Answer(ReplyBody(0, answer=(address(query, octets),)), None, 300 if number % 2 else None)

    async with Serving(handler, settings={"tcp_connections_per_client": 300}) as serving:

        async def ask(number):
            query = question(f"{number}.example.org", use_edns=-1 if number % 3 else 0)
            reply = await (serving.tcp(query) if is_stream else serving.udp(query))
            assert reply.answer[0][0].address == f"10.0.{number >> 8}.{number & 255}"

        for _ in range(2):
            await asyncio.gather(*(ask(number) for number in range(200)))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_burst_longer_than_a_turn_is_answered_completely(host):
    async with Serving(host=host) as serving:
        await serving.udp(question())
        with serving.datagram_client() as client:
            wire = question().to_wire()[2:]
            for number in range(BATCH * 5):
                client.send(number.to_bytes(2, "big") + wire)
            got = {int.from_bytes((await client.receive())[:2], "big") for _ in range(BATCH * 5)}
    assert got == set(range(BATCH * 5))


async def test_drain_answers_what_is_in_hand_and_counts_what_was_served():
    opened = asyncio.Event()
    asked = asyncio.Event()

    async def handler(query):
        asked.set()
        await opened.wait()
        return Answer(ReplyBody(0, answer=(address(query),)), BLOCKED, 300)

    async with Serving(handler) as serving:
        reply = asyncio.create_task(serving.udp(question()))
        await asked.wait()
        serving.udp_listener.stop()
        serving.udp_listener.stop()
        draining = asyncio.create_task(serving.udp_listener.drain(LONG))
        opened.set()
        assert (await reply).answer
        await draining
        serving.udp_listener.start()
        await serving.udp(question())
        serving.udp_listener.stop()
        await serving.udp_listener.drain(LONG)
    assert sum(row.count for row in serving.hits.drain(10)) == 1


async def test_drain_gives_up_in_time():
    asked = asyncio.Event()

    async def handler(_):
        asked.set()
        await asyncio.Event().wait()

    async with Serving(handler) as serving:
        with serving.datagram_client() as client:
            client.send(question().to_wire())
            await asked.wait()
            serving.udp_listener.stop()
            await asyncio.wait_for(serving.udp_listener.drain(0.01), LONG)


async def test_number_of_waiting_queries_is_bounded(monkeypatch, caplog):
    """R-P04: memory stays bounded whatever else fails; cached replies go on."""
    monkeypatch.setattr(udp_module, "_MAX_WAITING", 3)
    never = asyncio.Event()

    async def handler(query):
        if query.question.key.startswith(b"\x04slow"):
            await never.wait()
        return Answer(ReplyBody(0, answer=(address(query),)), None, 300)

    async with Serving(handler) as serving:
        await serving.udp(question())
        with serving.datagram_client() as client:
            for _ in range(10):
                client.send(question("slow.example.org").to_wire())
            assert len(await client.drain(question().to_wire())) == 1
        assert len(serving.udp_listener._waiting) == 3
    assert "udp.too_many_waiting" in caplog.text


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_reply_the_system_refuses_is_lost_and_logged_once(host, caplog):
    """R-P06, R-P07: a forged source port 0, a full buffer: the server goes on."""
    with bind_udp(ListenAddress(host, 0)) as sock:
        wrapped = wrap_socket(sock, QuietLog(Log("transport"), Clock(0.0)))
        wrapped.send([(b"reply", ("127.0.0.1", 0), ())] * 3 + [(bytes(70_000), ("127.0.0.1", 9), ())])

    assert [record.message.split()[0] for record in caplog.records] == [
        "udp.send_failed.einval", "udp.send_failed.emsgsize",
    ]  # fmt: skip


@pytest.mark.parametrize("form", [AddressSocket, WildcardSocket])
def test_failing_receive_ends_the_batch_with_one_log(form, caplog):
    """R-P06."""
    log = QuietLog(Log("transport"), Clock(0.0))
    with bind_udp(ListenAddress("127.0.0.1", 0)) as sock:
        wrapped = form(sock, log)
        sock.close()
        assert wrapped.receive() == []
        assert wrapped.receive() == []

    assert [record.message.split()[0] for record in caplog.records] == ["udp.receive_failed"]


def test_socket_without_address_information_still_answers():
    """A socket of another maker: without the option the kernel chooses the source."""
    with bind_udp(ListenAddress("0.0.0.0", 0)) as sock:
        wrapped = WildcardSocket(sock, QuietLog(Log("transport"), Clock(0.0)))
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 0)
        with RawClient("127.0.0.1", ("127.0.0.1", sock.getsockname()[1])) as client:
            client.send(b"query")
            ((data, source, control),) = wrapped.receive()
            assert (data, control) == (b"query", ())
            wrapped.send([(b"reply", source, control)])
            assert client._sock.recv(100) == b"reply"
