"""One HTTP/2 connection, without a network: the other end is the library's server side."""

import asyncio
from collections.abc import Iterator, Sequence

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import pytest

from sinkhole.errors import FormError
from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.message import Message
from sinkhole.protocol.names import name_from_text
from sinkhole.upstream.ask import padded
from sinkhole.upstream.deadlines import Deadlines
from sinkhole.upstream.failure import ConnectionEnded, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.flight import Flight
from sinkhole.upstream.http2 import Http2Exchange
from tests.upstream.asking import ADDRESS, addresses, asking, good

DNS = [(":status", "200"), ("content-type", "application/dns-message")]


class Pair:
    """An exchange, and what it talks to."""

    def __init__(self, most: int = 100, *, is_lax: bool = False) -> None:
        self.out: list[bytes] = []
        self.rests = 0
        self.reads = True
        loop = asyncio.get_running_loop()
        self.client = Http2Exchange(loop, Deadlines(), self.out.append, self._rest, "dns.example", "/dns-query")
        said = h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8",
            validate_outbound_headers=not is_lax, normalize_outbound_headers=not is_lax,
        )  # fmt: skip
        self.server = h2.connection.H2Connection(said)
        self.server.local_settings = h2.settings.Settings(
            client=False, initial_values={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: most}
        )
        self.server.initiate_connection()
        self.client.begin()
        self.bodies: dict[int, bytes] = {}
        self.resets: list[int] = []
        self.exchange()

    def _rest(self) -> None:
        self.rests += 1

    def put(self, name: str, seconds: float = 5.0) -> Flight:
        ask = asking(name)
        head, tail = ask.frame()
        wire_name = ask.question.name
        flight = Flight(wire_name, True, 12 + len(wire_name) + 4)
        self.client.put(flight, head, padded(head, wire_name, tail), seconds)
        return flight

    async def turn(self) -> None:
        """Let the queries of this turn leave, and reach the other end."""
        await asyncio.sleep(0)
        self.exchange()

    def exchange(self) -> None:
        """Carry octets until both ends have nothing more to say."""
        while True:
            sent, self.out[:] = b"".join(self.out), []
            for event in self.server.receive_data(sent) if sent else ():
                if isinstance(event, h2.events.DataReceived):
                    self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
                    if self.reads:
                        self.server.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamReset):
                    self.resets.append(event.stream_id)
            back = self.server.data_to_send()
            if back:
                self.client.feed(back)
            if not (back or self.out):
                return

    def answer(self, number: int, body: bytes | None = None, headers: Sequence[tuple[str, str | bytes]] = DNS) -> None:
        self.server.send_headers(number, headers)
        self.server.send_data(number, good(self.bodies[number]) if body is None else body, end_stream=True)
        self.exchange()


@pytest.fixture
async def pair() -> Iterator[Pair]:
    return Pair()


async def test_queries_of_one_turn_leave_in_one_write(pair: Pair) -> None:
    flights = [pair.put(f"n{number}.example.org") for number in range(20)]
    await asyncio.sleep(0)
    assert len(pair.out) == 1
    pair.exchange()
    for number in reversed(pair.bodies):
        assert len(pair.bodies[number]) % 128 == 0
        pair.answer(number)
    for flight in flights:
        assert isinstance(flight.outcome, AddressSet)
    assert (pair.rests, pair.client.flights, pair.client.answers) == (1, {}, 20)


async def test_no_more_are_sent_than_the_upstream_takes_at_once() -> None:
    pair = Pair(most=3)
    flights = [pair.put(f"n{number}.example.org") for number in range(10)]
    await pair.turn()
    assert len(pair.bodies) == 3
    asked = set()
    while left := set(pair.bodies) - asked:
        number = min(left)
        asked.add(number)
        pair.answer(number)
        assert len(set(pair.bodies) - asked) <= 3
    assert all(isinstance(flight.outcome, AddressSet) for flight in flights)


async def test_place_of_one_that_is_given_up_is_the_next_ones() -> None:
    pair = Pair(most=1)
    flights = [pair.put(f"n{number}.example.org") for number in range(3)]
    await pair.turn()
    assert list(pair.bodies) == [1]
    pair.client.forget(flights[0])
    pair.exchange()
    assert list(pair.bodies) == [1, 3]
    pair.client.forget(flights[2])
    pair.answer(3)
    assert isinstance(flights[1].outcome, AddressSet)
    last = pair.put("last.example.org")
    await pair.turn()
    pair.answer(5)
    assert isinstance(last.outcome, AddressSet)


async def test_more_than_the_window_takes_is_sent_later(pair: Pair) -> None:
    """128 octets each, 65535 in all until the other end tells that it has read them."""
    pair.reads = False
    flights = [pair.put(f"n{number}.example.org") for number in range(700)]
    await pair.turn()
    answered = 0
    while answered < len(pair.bodies):
        pair.answer(list(pair.bodies)[answered])
        answered += 1
    assert answered == 65535 // 128
    pair.reads = True
    pair.server.increment_flow_control_window(65535 // 128 * 128)
    pair.exchange()
    while answered < len(pair.bodies):
        pair.answer(list(pair.bodies)[answered])
        answered += 1
    assert all(isinstance(flight.outcome, AddressSet) for flight in flights)


async def test_age_is_taken_off(pair: Pair) -> None:
    flight = pair.put("www.example.org")
    await pair.turn()
    pair.answer(1, headers=[*DNS, ("age", "60")])
    assert isinstance(flight.outcome, Message)
    assert addresses(flight.outcome) == [ADDRESS]
    assert [record.ttl for record in flight.outcome.answer] == [240]


@pytest.mark.parametrize(("status", "said"), [("503", "503"), ("200\x07" + "x" * 100, "none"), ("", "none")])
async def test_status_is_told_as_a_number(status: str, said: str) -> None:
    pair = Pair(is_lax=True)
    flight = pair.put("www.example.org")
    await pair.turn()
    pair.answer(1, headers=[(":status", status), *DNS[1:]])
    assert isinstance(flight.outcome, UpstreamFailure)
    assert str(flight.outcome).endswith(f"HTTP status {said}")


async def test_goodbye_ends_all_waits_and_lets_none_begin(pair: Pair) -> None:
    flights = [pair.put(f"n{number}.example.org") for number in range(3)]
    await pair.turn()
    pair.server.close_connection()
    pair.exchange()
    assert [type(flight.outcome) for flight in flights] == [ConnectionEnded] * 3
    assert pair.client.is_retired
    assert pair.rests == 1


async def test_answer_that_is_given_up_is_a_failure_of_that_one(pair: Pair) -> None:
    flights = [pair.put("one.example.org"), pair.put("two.example.org")]
    await pair.turn()
    pair.server.reset_stream(1, h2.errors.ErrorCodes.INTERNAL_ERROR)
    pair.exchange()
    assert type(flights[0].outcome) is UpstreamFailure
    assert flights[1].outcome is None
    pair.answer(3)
    assert isinstance(flights[1].outcome, AddressSet)


async def test_query_that_was_refused_unseen_waits_until_fewer_are_open(pair: Pair) -> None:
    """RFC 9113, section 8.7."""
    flights = [pair.put(f"n{number}.example.org") for number in range(3)]
    await pair.turn()
    pair.server.reset_stream(3, h2.errors.ErrorCodes.REFUSED_STREAM)
    pair.exchange()
    assert [flight.outcome for flight in flights] == [None] * 3
    assert list(pair.bodies) == [1, 3, 5]  # no more than the two it took
    pair.answer(1)
    assert list(pair.bodies) == [1, 3, 5, 7]
    pair.answer(7)
    assert isinstance(flights[1].outcome, AddressSet)
    pair.answer(5)
    assert pair.client._refused == set()


async def test_query_that_is_refused_twice_is_asked_elsewhere(pair: Pair) -> None:
    flight = pair.put("one.example.org")
    await pair.turn()
    for number in (1, 3):
        pair.server.reset_stream(number, h2.errors.ErrorCodes.REFUSED_STREAM)
        pair.exchange()
    assert isinstance(flight.outcome, ConnectionEnded)
    assert (pair.client.flights, pair.client._refused, pair.rests) == ({}, set(), 1)


async def test_few_are_sent_before_the_upstream_has_said_how_many_it_takes() -> None:
    sent: list[bytes] = []
    client = Http2Exchange(asyncio.get_running_loop(), Deadlines(), sent.append, list, "dns.example", "/dns-query")
    client.begin()
    for number in range(300):
        name = name_from_text(f"n{number}.example.org")
        client.put(Flight(name, True), b"\1\0\0\1\0\0\0\0\0\0", b"\0\1\0\1", 5.0)
    await asyncio.sleep(0)
    assert len(client._streams) == 100
    client.fail()


@pytest.mark.parametrize("field", [("x", b"caf\xe9"), ("connection", "keep-alive"), ("X-Upper", "y"), ("a", " b ")])
async def test_odd_field_that_nobody_looks_at_does_no_harm(field: tuple[str, str | bytes]) -> None:
    pair = Pair(is_lax=True)
    flight = pair.put("one.example.org")
    await pair.turn()
    pair.answer(1, headers=[*DNS, field])
    assert isinstance(flight.outcome, AddressSet)


async def test_wait_that_is_over_is_told_to_the_upstream(pair: Pair) -> None:
    flight, other = pair.put("one.example.org", 0.01), pair.put("two.example.org", 5.0)
    await pair.turn()
    assert pair.client.expire(asyncio.get_running_loop().time() + 1) == other.end
    pair.exchange()
    assert isinstance(flight.outcome, UpstreamTimeout)
    assert pair.resets == [1]
    assert pair.client.is_retired  # nobody had an answer
    pair.answer(3)
    assert isinstance(other.outcome, AddressSet)
    assert pair.rests == 1


async def test_query_that_is_given_up_before_it_leaves_does_not_leave(pair: Pair) -> None:
    flight, other = pair.put("one.example.org"), pair.put("two.example.org")
    pair.client.forget(flight)
    pair.client.forget(flight)
    await pair.turn()
    assert len(pair.bodies) == 1
    pair.client.forget(other)
    pair.exchange()
    assert pair.resets == [1]
    assert pair.rests == 1


async def test_answer_that_comes_after_it_was_given_up_harms_nobody(pair: Pair) -> None:
    flight = pair.put("one.example.org")
    await pair.turn()
    pair.server.send_headers(1, DNS)
    pair.server.send_data(1, good(pair.bodies[1]), end_stream=True)
    pair.client.forget(flight)
    late = pair.server.data_to_send()
    pair.client.feed(late)
    assert flight.outcome is None
    other = pair.put("two.example.org")
    await asyncio.sleep(0)
    pair.server.receive_data(b"".join(pair.out))
    pair.server.send_headers(3, DNS)
    pair.server.send_data(3, good(other.sent), end_stream=True)
    pair.client.feed(pair.server.data_to_send())
    assert isinstance(other.outcome, AddressSet)


@pytest.mark.parametrize("octets", [bytes(9), b"\0\0\1\1\4\0\0\0\1\xff", b"\0\0\4\3\0\0\0\0\0" + bytes(4)])
async def test_what_is_no_http2_is_refused(pair: Pair, octets: bytes) -> None:
    with pytest.raises(FormError):
        pair.client.feed(octets)
    assert pair.out  # the other end is told why


async def test_connection_whose_numbers_are_used_up_takes_no_more(pair: Pair) -> None:
    pair.client._http.highest_outbound_stream_id = 2**31 - 1
    flights = [pair.put(f"n{number}.example.org") for number in range(3)]
    await pair.turn()
    assert [type(flight.outcome) for flight in flights] == [ConnectionEnded] * 3
    assert (pair.client.is_retired, pair.client.flights) == (True, {})
