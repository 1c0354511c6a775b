import asyncio
import socket
from contextlib import ExitStack
from random import Random

import dns.message
import pytest

from sinkhole.errors import ListenError
from sinkhole.log import Log
from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer import Answer
from sinkhole.transport import udp as udp_module
from sinkhole.transport.addresses import IP_PKTINFO, ListenAddress, bind_udp
from sinkhole.transport.border import wrap_socket
from sinkhole.transport.datagram import BATCH, AddressSocket, WildcardSocket
from sinkhole.transport.mmsg import BatchSocket
from sinkhole.transport.quiet import QuietLog
from sinkhole.upstream import batch
from sinkhole.upstream.turn import TURN
from tests.transport.asking import LONG, RawClient, question
from tests.transport.serving import BLOCKED, Clock, Serving, address

LENGTHS = (0, 0, 0, 245, 246, 247, 500, 1400)
FORMS = pytest.mark.parametrize("form", ["batch", "single"])


@FORMS
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::"])
async def test_queries_are_answered_on_both_families(host, form):
    """R-T01: UDP and TCP both served on each address, IPv4 and IPv6."""
    async with Serving(host=host, settings={"datagrams": form}) as serving:
        assert serving.udp_listener.form == form
        for ask in (serving.udp, serving.udp, serving.tcp, serving.tcp):
            reply = await ask(question())
            assert reply.answer[0][0].address == "192.0.2.1"
    assert [query.is_stream for query in serving.handler.queries] == [False, True]


@pytest.mark.parametrize(("host", "asked"), [("0.0.0.0", "127.0.0.2"), ("127.0.0.2", "127.0.0.2"), ("::", "::1")])
@FORMS
@pytest.mark.parametrize("is_slow", [True, False])
async def test_reply_leaves_from_the_address_that_was_asked(host, asked, form, is_slow):
    """R-T09: a connected socket sees nothing else (IP_PKTINFO); fresh, later and from the cache."""

    async def handler(query):
        await asyncio.sleep(0.001 * is_slow)
        return Answer(ReplyBody(0, answer=(address(query),)), None, 300)

    async with Serving(handler, host=host, settings={"datagrams": form}) as serving:
        with RawClient("::1" if ":" in asked else "127.0.0.1", (asked, serving.port)) as client:
            for _ in range(2):
                query = question()
                reply = dns.message.from_wire(await client.exchange(query.to_wire()))
                assert query.is_response(reply)


@pytest.mark.interpreted
async def test_many_addresses_do_not_fill_the_memory_of_a_wildcard_socket(monkeypatch):
    """R-T09, R-P04: each address of 127.0.0.0/8 is ours."""
    monkeypatch.setattr("sinkhole.transport.datagram._REMEMBERED", 3)
    async with Serving(host="0.0.0.0", settings={"datagrams": "single"}) as serving:
        for number in range(1, 9):
            with RawClient("127.0.0.1", (f"127.0.0.{number}", serving.port)) as client:
                assert await client.exchange(question().to_wire())
        assert len(serving.udp_listener._socket._controls) <= 3


@FORMS
async def test_runts_and_responses_get_silence_and_the_server_lives(caplog, form):
    """R-W02, R-W03: silence, then a good query is answered; nothing in the log."""
    async with Serving(settings={"datagrams": form}) as serving:
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


@pytest.mark.parametrize(("is_stream", "form"), [(False, "batch"), (False, "single"), (True, "auto")])
async def test_answers_under_load_are_right(is_stream, form):
    """R-B19, R-C05: 200 concurrent mixed queries, none wrong."""

    async def handler(query):
        number = int(query.question.key[1 : 1 + query.question.key[0]])
        await asyncio.sleep(number % 7 / 1000)
        octets = bytes((10, 0, number >> 8, number & 255))
        return Answer(ReplyBody(0, answer=(address(query, octets),)), None, 300 if number % 2 else None)

    async with Serving(handler, settings={"tcp_connections_per_client": 300, "datagrams": form}) as serving:

        async def ask(number):
            query = question(f"{number}.example.org", use_edns=-1 if number % 3 else 0)
            reply = await (serving.tcp(query) if is_stream else serving.udp(query))
            assert reply.answer[0][0].address == f"10.0.{number >> 8}.{number & 255}"

        for _ in range(2):
            await asyncio.gather(*(ask(number) for number in range(200)))


@FORMS
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_burst_longer_than_a_turn_is_answered_completely(host, form):
    async with Serving(host=host, settings={"datagrams": form}) as serving:
        await serving.udp(question())
        with serving.datagram_client() as client:
            wire = question().to_wire()[2:]
            for number in range(BATCH * 5):
                client.send(number.to_bytes(2, "big") + wire)
            got = {int.from_bytes((await client.receive())[:2], "big") for _ in range(BATCH * 5)}
    assert got == set(range(BATCH * 5))


@FORMS
@pytest.mark.parametrize(("others", "is_first"), [(0, True), (1, True), (2, False)])
async def test_of_few_datagrams_those_with_a_reply_at_hand_do_not_wait_for_the_others(form, others, is_first):
    done = []

    def begin(query, _):
        name = query.question.key
        if name.startswith(b"\x05known"):
            return Answer(ReplyBody(0, answer=(address(query),)), None, 300)
        done.append(client.has_got_something())
        return None

    async with Serving(begin=begin, settings={"datagrams": form}) as serving:
        with serving.datagram_client() as client:
            await client.exchange(question("known.example.org").to_wire())
            serving.udp_listener.stop()
            for name in ("one", "two", *(["known"] * (1 + others))):
                client.send(question(f"{name}.example.org").to_wire())
            serving.udp_listener._turn()
    assert done == [is_first, is_first]


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


@pytest.mark.interpreted
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


@FORMS
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_late_reply_the_system_refuses_is_lost_and_logged_once(host, form, caplog):
    """R-P06, R-P07: a forged source port 0, a reply that no datagram can hold: the server goes on."""
    with (
        bind_udp(ListenAddress(host, 0)) as sock,
        RawClient("127.0.0.1", ("127.0.0.1", sock.getsockname()[1])) as client,
    ):
        wrapped = wrap_socket(sock, QuietLog(Log("transport"), Clock(0.0)), form)
        place = place_of(wrapped, client)
        for _ in range(3):
            wrapped.send(b"reply", without_port(place, form))
        wrapped.send(bytes(65_530), place)
        wrapped.send(b"the last", place)
        await asyncio.sleep(0)
        assert await client.receive() == b"the last"

    assert [record.message.split()[0] for record in caplog.records] == [
        "udp.send_failed.einval", "udp.send_failed.emsgsize",
    ]  # fmt: skip


@FORMS
async def test_reply_of_a_batch_that_the_system_refuses_takes_no_other_with_it(form, caplog):
    with bind_udp(ListenAddress("127.0.0.1", 0)) as sock, RawClient("127.0.0.1", sock.getsockname()) as client:
        wrapped = wrap_socket(sock, QuietLog(Log("transport"), Clock(0.0)), form)
        for number in range(5):
            client.send(b"%d-query" % number)
        assert taken_in(wrapped) == [b"query"] * 5
        wrapped.answer([b"a", None, bytes(65_530), None, b"e"])
        assert [await client.receive() for _ in range(2)] == [b"0-a", b"4-e"]
    assert [record.message.split()[0] for record in caplog.records] == ["udp.send_failed.emsgsize"]


@FORMS
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
def test_whoever_of_a_batch_has_a_reply_gets_his_own(host, form):
    """Whichever of a batch wait for theirs, in each batch anew."""
    random = Random(3)
    with bind_udp(ListenAddress(host, 0)) as sock, ExitStack() as stack:
        wrapped = wrap_socket(sock, QuietLog(Log("transport"), Clock(0.0)), form)
        to = ("::1" if host == "::" else "127.0.0.1", sock.getsockname()[1])
        clients = [stack.enter_context(socket.socket(sock.family, socket.SOCK_DGRAM)) for _ in range(12)]
        for _ in range(60):
            asking = random.sample(clients, random.randint(1, len(clients)))
            # Of any length: what a batch is received into has two parts.
            queries = [b"%04d query" % client.fileno() + bytes(random.choice(LENGTHS)) for client in asking]
            queries[0] = queries[0][: random.choice((0, 1, 2, 3, 4000))]
            for client, query in zip(asking, queries, strict=True):
                client.sendto(query, to)
            tails = taken_in(wrapped)
            assert [wrapped.wire(number) for number in range(len(queries))] == queries
            assert tails == [query[2:] for query in queries]
            replies = [random.choice([None, tail + b"!" * random.randint(0, 300)]) for tail in tails]
            if len(queries[0]) < 2:
                replies[0] = None  # without an id there is nothing to reply to
            late = [wrapped.place(number) for number in range(len(queries))]
            if random.random() < 0.5:
                wrapped.answer(replies)
            else:
                for number, reply in enumerate(replies):
                    if reply is not None:
                        wrapped.answer_one(number, reply)
            for client, query, reply in zip(asking, queries, replies, strict=True):
                if reply is not None:
                    assert client.recv(2048, socket.MSG_DONTWAIT) == query[:2] + reply
                with pytest.raises(BlockingIOError):
                    client.recv(2048, socket.MSG_DONTWAIT)
            TURN.begin()
            for number, reply in enumerate(replies):
                if reply is None:
                    wrapped.send(b"late %d" % number, late[number])
            TURN.end()
            for number, (client, reply) in enumerate(zip(asking, replies, strict=True)):
                if reply is None:
                    assert client.recv(2048, socket.MSG_DONTWAIT) == b"late %d" % number


@pytest.mark.parametrize("form", [AddressSocket, WildcardSocket, BatchSocket])
def test_failing_receive_ends_the_batch_with_one_log(form, caplog):
    """R-P06."""
    log = QuietLog(Log("transport"), Clock(0.0))
    with bind_udp(ListenAddress("127.0.0.1", 0)) as sock:
        wrapped = form(sock, log)
        sock.close()
        assert taken_in(wrapped) == []
        assert taken_in(wrapped) == []

    assert [record.message.split()[0] for record in caplog.records] == ["udp.receive_failed"]


@FORMS
async def test_socket_without_address_information_still_answers(form):
    """A socket of another maker: without the option the kernel chooses the source."""
    with bind_udp(ListenAddress("0.0.0.0", 0)) as sock:
        wrapped = wrap_socket(sock, QuietLog(Log("transport"), Clock(0.0)), form)
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 0)
        with RawClient("127.0.0.1", ("127.0.0.1", sock.getsockname()[1])) as client:
            place = place_of(wrapped, client)
            wrapped.answer([b" at once"])
            wrapped.send(b"later", place)
            assert [await client.receive() for _ in range(2)] == [b"qu at once", b"later"]
            sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            place = place_of(wrapped, client)
            assert place[1]  # what was missing once is not missing for ever
            wrapped.answer([None])


def test_batches_are_refused_where_the_system_has_none(monkeypatch):
    monkeypatch.setattr("sinkhole.transport.border.is_supported", lambda: False)
    log = QuietLog(Log("transport"), Clock(0.0))
    with bind_udp(ListenAddress("127.0.0.1", 0)) as sock:
        assert isinstance(wrap_socket(sock, log), AddressSocket)
        with pytest.raises(ListenError, match="set it to auto"):
            wrap_socket(sock, log, "batch")


@pytest.mark.interpreted
def test_a_system_with_other_calls_has_no_batches(monkeypatch):
    class Bare:
        def sizeof(self, kind):
            return {"void *": 8, "struct numbered": 64}[kind]

    monkeypatch.setattr(batch, "FFI", Bare())
    monkeypatch.setattr(batch, "LIBRARY", object())
    assert not batch.is_supported()
    monkeypatch.setattr(Bare, "sizeof", lambda self, kind: 4)
    assert not batch.is_supported()


def taken_in(wrapped):
    """Take a batch in; return of each datagram what follows its id."""
    count = wrapped.receive()
    keys, hosts = wrapped.batch()
    assert len(keys) == len(hosts) == count
    assert keys == [wrapped.key(number) for number in range(count)]
    assert hosts == [wrapped.host(number) for number in range(count)]
    return keys


def place_of(wrapped, client):
    """Return where a client is, as the socket has it."""
    client.send(b"query")
    assert (taken_in(wrapped), wrapped.wire(0)) == ([b"ery"], b"query")
    return wrapped.place(0)


def without_port(place, form):
    """Return the same place with port 0, which a forger may send from and nobody can send to."""
    source, control = place
    return (source[:2] + bytes(2) + source[4:] if form == "batch" else (source[0], 0), control)
