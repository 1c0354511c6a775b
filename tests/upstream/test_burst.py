import asyncio
import gc
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sinkhole.protocol.message import Message
from sinkhole.upstream.burst import MOST
from sinkhole.upstream.failure import UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.flight import Flight
from sinkhole.upstream.ready import ready_of
from sinkhole.upstream.turn import TURN
from sinkhole.upstream.udp import Datagrams
from tests.fakes import FakeUpstream, Script, silent
from tests.upstream.asking import ADDRESS, addresses, asking, budget, good, says
from tests.upstream.test_ready import Told

To = Callable[..., Datagrams]
needs_proc = pytest.mark.skipif(not Path("/proc/self/net/udp").exists(), reason="needs Linux, which tells of sockets")


@pytest.fixture
def to() -> Iterator[To]:
    made: list[Datagrams] = []

    def to(up: FakeUpstream, *, randomize_case: bool = True) -> Datagrams:
        made.append(Datagrams(up.port, randomize_case=randomize_case))
        return made[-1]

    yield to
    for datagrams in made:
        datagrams.close()


def begin(datagrams: Datagrams, up: FakeUpstream, *names: str, timeout: float = 2.0) -> list[Flight]:
    return [datagrams.begin(asking(name), up.host, budget(), timeout=timeout) for name in names]


def numbered(count: int) -> list[str]:
    return [f"n{number}.example.org" for number in range(count)]


async def landed(flight: Flight) -> Message:
    return await flight


async def test_queries_of_one_turn_leave_through_a_few_fresh_ports(to: To) -> None:
    """R-C03: at most `MOST` share a port, each with an id of its own, and never with those of another turn."""
    async with FakeUpstream(says()) as up:
        datagrams = to(up)
        for _ in range(2):
            flights = begin(datagrams, up, *numbered(2 * MOST + 1))
            for message in await asyncio.gather(*map(landed, flights)):
                assert addresses(message) == [ADDRESS]
    ports = [seen.peer[1] for seen in up.seen]
    shared = [ports.count(port) for port in dict.fromkeys(ports)]
    assert sorted(shared) == sorted([MOST, MOST, 1] * 2)
    for port in set(ports):
        ids = [query[:2] for query, other in zip(up.queries, ports, strict=True) if other == port]
        assert len(set(ids)) == len(ids)


def open_ports(up: FakeUpstream) -> set[int]:
    """Return the local ports of sockets that are connected to an upstream, as the kernel tells."""
    return open_ports_to(up.port)


def open_ports_to(port: int) -> set[int]:
    """As `open_ports`, by the port of the upstream."""
    rows = [line.split() for line in Path("/proc/self/net/udp").read_text().splitlines()[1:]]
    ends = [(int(row[1].split(":")[1], 16), int(row[2].split(":")[1], 16)) for row in rows]
    return {local for local, remote in ends if remote == port}


async def ask_one(datagrams: Datagrams, up: FakeUpstream) -> int:
    """Ask once and wait; return the port that was asked from."""
    [flight] = begin(datagrams, up, "one.example.org")
    assert addresses(await flight) == [ADDRESS]
    await asyncio.sleep(0.01)  # the socket is closed behind the answer
    return up.seen[-1].peer[1]


@needs_proc
async def test_socket_of_the_next_burst_is_open_before_its_query(to: To) -> None:
    async with FakeUpstream(says()) as up:
        datagrams = to(up)
        ports = [await ask_one(datagrams, up)]
        for _ in range(5):
            [spare] = open_ports(up)
            assert spare not in ports
            ports.append(await ask_one(datagrams, up))
            assert ports[-1] == spare
        datagrams.close()
        assert not open_ports(up)


@needs_proc
async def test_socket_that_has_been_open_for_long_is_not_used(to: To) -> None:
    """R-C03: who looks for an open port has no longer to find it than he would have anyway."""
    async with FakeUpstream(says()) as up:
        datagrams = to(up)
        await ask_one(datagrams, up)
        [old] = open_ports(up)
        await asyncio.sleep(0.2)
        assert await ask_one(datagrams, up) != old
        assert len(open_ports(up)) == 1
        assert old not in open_ports(up)


@needs_proc
@pytest.mark.parametrize("forged", [b"", b"\0", b"x" * 5000])
async def test_socket_at_which_something_waits_before_its_query_left_is_not_used(to: To, forged: bytes) -> None:
    """R-C01: who forges many answers in advance would have all the time he wants for it."""
    async with FakeUpstream(says()) as up:
        datagrams = to(up)
        await ask_one(datagrams, up)
        [spare] = open_ports(up)
        with socket.socket(fileno=os.dup(up.fileno())) as sock:  # event loops send nothing that is empty
            sock.sendto(forged, ("127.0.0.1", spare))
        assert await ask_one(datagrams, up) != spare
        assert spare not in open_ports(up)


@needs_proc
async def test_socket_at_which_something_comes_before_there_is_a_query_is_closed(to: To) -> None:
    async with FakeUpstream(says()) as up:
        datagrams = to(up)
        await ask_one(datagrams, up)
        [spare] = open_ports(up)
        up.send(b"x", ("127.0.0.1", spare))
        async with asyncio.timeout(5):
            while open_ports(up):
                await asyncio.sleep(0.01)
        assert await ask_one(datagrams, up) != spare
        assert len(open_ports(up)) == 1


async def begin_by_hand(datagrams: Datagrams, up: socket.socket) -> tuple[Flight, bytes, tuple[str, int]]:
    """Ask a socket that answers nothing by itself; return the flight, the query, and where it came from."""
    flight = datagrams.begin(asking(), "127.0.0.1", budget(), timeout=2.0)
    await asyncio.sleep(0)
    return flight, *up.recvfrom(512)


async def test_an_answer_that_is_awaited_is_read_before_others_are_looked_for() -> None:
    ready, heard = ready_of(asyncio.get_running_loop()), []
    near, far = socket.socketpair(type=socket.SOCK_DGRAM)
    with socket.socket(type=socket.SOCK_DGRAM) as up, near, far:
        up.settimeout(5)
        up.bind(("127.0.0.1", 0))
        datagrams = Datagrams(up.getsockname()[1], randomize_case=True)
        flight, query, asker = await begin_by_hand(datagrams, up)
        ready.watch(near.fileno(), Told(lambda: heard.append(near.recv(9))))
        up.sendto(good(query), asker)
        far.send(b"x")
        ready.deadlines.vigil.awaited = flight.carrier
        TURN.run(ready._take)
        assert (flight.outcome is not None, heard) == (True, [])
        TURN.run(ready._take)
        assert heard == [b"x"]
        ready.forget(near.fileno())
        datagrams.close()


async def ask_overlapping(datagrams: Datagrams, up: FakeUpstream) -> set[int]:
    """Ask twice, the second time before the first is answered, and wait; return the ports that were asked from."""
    [one] = begin(datagrams, up, "one.example.org")
    await asyncio.sleep(0)
    [two] = begin(datagrams, up, "two.example.org")
    assert [addresses(await flight) for flight in (one, two)] == [[ADDRESS]] * 2
    await asyncio.sleep(0.01)
    return {seen.peer[1] for seen in up.seen[-2:]}


@needs_proc
async def test_two_sockets_are_open_where_queries_overlap(to: To) -> None:
    async with FakeUpstream(says()) as up:
        datagrams = to(up)
        await ask_one(datagrams, up)
        for wanted in (1, 2, 2):  # of the first two queries, the second has to open a socket
            spares = open_ports(up)
            ports = await ask_overlapping(datagrams, up)
            assert (len(spares), len(ports)) == (wanted, 2)
            assert spares <= ports
        both = open_ports(up)
        assert not both & ports
        assert {await ask_one(datagrams, up), await ask_one(datagrams, up)} == both, "none grows old"
        datagrams.close()
        assert not open_ports(up)


@needs_proc
async def test_one_socket_is_open_where_queries_come_seldom(to: To) -> None:
    async with FakeUpstream(says()) as up:
        datagrams = to(up)
        await ask_overlapping(datagrams, up)
        old = open_ports(up)
        assert len(old) == 2
        await asyncio.sleep(0.2)
        assert await ask_one(datagrams, up) not in old
        assert len(open_ports(up) - old) == len(open_ports(up)) == 1


@needs_proc
async def test_what_an_answer_leaves_to_do_waits_for_another_that_is_awaited() -> None:
    ready = ready_of(asyncio.get_running_loop())
    with socket.socket(type=socket.SOCK_DGRAM) as up:
        up.settimeout(5)
        up.bind(("127.0.0.1", 0))
        datagrams = Datagrams(up.getsockname()[1], randomize_case=True)

        one, query, asker = await begin_by_hand(datagrams, up)
        two, other_query, other = await begin_by_hand(datagrams, up)
        ready.deadlines.vigil.awaited = two.carrier
        up.sendto(good(query), asker)
        TURN.run(ready._take)
        assert one.outcome is not None
        assert open_ports_to(up.getsockname()[1]) == {asker[1], other[1]}
        up.sendto(good(query), asker)  # once more, behind the last answer
        TURN.run(ready._take)
        assert open_ports_to(up.getsockname()[1]) == {other[1]}
        up.sendto(good(other_query), other)
        TURN.run(ready._take)
        assert two.outcome is not None
        assert other[1] not in open_ports_to(up.getsockname()[1]), "nobody is awaited any more"
        datagrams.close()


@needs_proc
async def test_no_other_socket_is_open_while_an_answer_is_waited_for(to: To) -> None:
    """It would keep what comes in between from being seen."""
    async with FakeUpstream(silent) as up:
        flights = begin(to(up), up, "one.example.org")
        await asyncio.sleep(0.05)
        assert len(open_ports(up)) == 1
        flights[0].carrier.forget(flights[0])
        assert not open_ports(up)


@needs_proc
async def test_what_comes_while_a_query_is_put_in_is_no_answer_to_it(to: To) -> None:
    async with FakeUpstream(says()) as up:
        datagrams = to(up, randomize_case=False)
        await ask_one(datagrams, up)
        [spare] = open_ports(up)
        [flight] = begin(datagrams, up, "two.example.org")
        forged = flight.id + good(up.queries[0], "192.0.2.66")[2:].replace(b"\3one", b"\3two")
        with socket.socket(fileno=os.dup(up.fileno())) as sock:
            sock.sendto(forged, ("127.0.0.1", spare))
        assert addresses(await flight) == [ADDRESS]
        assert up.seen[-1].peer[1] != spare


@needs_proc
async def test_closed_ones_send_what_comes_later_without_keeping_a_socket(to: To) -> None:
    async with FakeUpstream(says()) as up:
        datagrams = to(up)
        datagrams.close()
        await ask_one(datagrams, up)
        assert not open_ports(up)


async def test_answers_go_to_their_questions_in_any_order(to: To) -> None:
    def handle(query: bytes) -> Script:
        number = int(query[14 : 13 + query[12]])
        return [((7 - number) / 100, good(query, f"192.0.2.{number}"))]

    async with FakeUpstream(handle) as up:
        flights = begin(to(up), up, *numbered(8))
        found = [addresses(message) for message in await asyncio.gather(*map(landed, flights))]
    assert found == [[f"192.0.2.{number}"] for number in range(8)]


async def test_answer_to_another_question_of_the_burst_is_dropped(to: To) -> None:
    """R-C01: the right port and an id that is in use are not enough (RFC 5452, section 9.1)."""
    sent: list[bytes] = []

    def handle(query: bytes) -> Script:
        sent.append(query)
        if len(sent) < 2:
            return []
        first, second = sent
        crossed = [(0.0, second[:2] + good(first, "192.0.2.66")[2:]), (0.0, first[:2] + good(second, "192.0.2.66")[2:])]
        return [*crossed, (0.1, good(first)), (0.1, good(second))]

    async with FakeUpstream(handle) as up:
        flights = begin(to(up), up, "one.example.org", "two.example.org")
        found = [addresses(message) for message in await asyncio.gather(*map(landed, flights))]
    assert found == [[ADDRESS], [ADDRESS]]


async def test_silence_about_one_question_is_no_end_for_the_others(to: To) -> None:
    def handle(query: bytes) -> Script:
        return [] if query[13:15].lower() == b"n1" else [(0.15, good(query))]

    async with FakeUpstream(handle) as up:
        datagrams = to(up, randomize_case=False)
        short = datagrams.begin(asking("n1.example.org"), up.host, budget(), timeout=0.05)
        long = datagrams.begin(asking("n2.example.org"), up.host, budget(), timeout=2)
        with pytest.raises(UpstreamTimeout):
            await short
        assert addresses(await long) == [ADDRESS]


async def test_one_that_is_given_up_leaves_the_others_and_no_socket_behind(to: To) -> None:
    async with FakeUpstream(says(delay=0.05)) as up:
        flights = begin(to(up), up, "one.example.org", "two.example.org")
        first, second = (asyncio.ensure_future(landed(flight)) for flight in flights)
        await up.wait_for(2)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert addresses(await second) == [ADDRESS]
    gc.collect()  # a socket that is left open is a warning, and a warning is an error


async def test_one_that_is_given_up_before_it_left_is_not_sent(to: To) -> None:
    async with FakeUpstream(says()) as up:
        flights = begin(to(up), up, "one.example.org", "two.example.org")
        flights[0].carrier.forget(flights[0])
        assert addresses(await flights[1]) == [ADDRESS]
        assert len(up.queries) == 1


async def test_closed_port_fails_all_at_once(to: To) -> None:
    async with FakeUpstream(silent) as up:
        pass
    flights = begin(to(up), up, *numbered(3))
    outcomes = await asyncio.gather(*map(landed, flights), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UpstreamFailure] * 3


async def test_another_address_of_the_upstream_gets_a_burst_of_its_own(to: To) -> None:
    async with FakeUpstream(says()) as up, FakeUpstream(says(), host="127.0.0.2", port=up.port) as other:
        datagrams = to(up)
        flights = [datagrams.begin(asking(), host, budget(), timeout=2) for host in (up.host, other.host, up.host)]
        await asyncio.gather(*map(landed, flights))
        assert (len(up.queries), len(other.queries)) == (2, 1)
        assert len({seen.peer[1] for seen in up.seen}) == 2


async def test_one_whose_end_fails_takes_no_other_along(to: To, caplog: pytest.LogCaptureFixture) -> None:
    async with FakeUpstream(says()) as up:
        first, *others = begin(to(up), up, *numbered(4))

        def fail(flight: Flight) -> None:
            raise ZeroDivisionError

        first.wake = fail
        for message in await asyncio.wait_for(asyncio.gather(*map(landed, others)), 1):
            assert addresses(message) == [ADDRESS]
    assert "answer.failed" in caplog.text


async def test_flood_of_forged_answers_hides_the_true_one_from_nobody(to: To) -> None:
    def handle(query: bytes) -> Script:
        forged = [(0.0, (int.from_bytes(query[:2]) ^ number).to_bytes(2) + query[2:]) for number in range(1, 100)]
        return [*forged, (0.01, good(query))]

    async with FakeUpstream(handle) as up:
        for count in (1, 3):
            for message in await asyncio.gather(*map(landed, begin(to(up), up, *numbered(count)))):
                assert addresses(message) == [ADDRESS]
