"""One HTTP/2 connection to an upstream, whose streams carry a query and its answer each (RFC 8484, RFC 9113); no I/O.

Frames and their rules are the library's (h2).
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from sinkhole.errors import FormError
from sinkhole.protocol.addresses import read_addresses
from sinkhole.upstream.deadlines import Deadlines
from sinkhole.upstream.exchange import Exchange, Rest, Write
from sinkhole.upstream.failure import UpstreamFailure
from sinkhole.upstream.flight import Flight, Landed, settle
from sinkhole.upstream.http_answers import MAX_OCTETS, MEDIA_TYPE, TOO_LONG, age_of, fault_of, read_aged
from sinkhole.upstream.turn import TURN

_NUMBER_OCTETS: Final = 8
_SETTINGS: Final = {
    h2.settings.SettingCodes.ENABLE_PUSH: 0,
    h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100,
    h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: 65536,
}
_ASSUMED: Final = 100
"""Streams at once before an upstream has told how many it takes; it should be no fewer (RFC 9113, section 6.5.2)."""
_MOST: Final = 256
"""Streams at once: the library walks through all of them for each."""
_WINDOW: Final = 2**20
"""Octets of answers that may be on their way beyond the first 65535."""
_NO_MORE: Final = "the upstream took no more queries"
_STATUS_OCTETS: Final = 3
_NO_ID: Final = b"\0\0"
"""Makes requests alike to HTTP caches (RFC 8484, section 4.1)."""


class _Stream:
    """A response that is on its way."""

    __slots__ = ("age", "body", "flight")

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.body = bytearray()
        self.age = 0


class Http2Exchange(Exchange):
    """Queries as requests of one connection.

    Args:
        loop, deadlines, write, rest: as of `Exchange`.
        authority: host and port, as the URL has them.
        path: of the URL.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deadlines: Deadlines, write: Write, rest: Rest, authority: str, path: str
    ) -> None:  # fmt: skip
        super().__init__(loop, deadlines, write, rest)
        self._http = h2.connection.H2Connection(
            # What is odd about fields that nobody looks at is no reason to do without the answer.
            h2.config.H2Configuration(
                client_side=True, header_encoding=None, validate_outbound_headers=False,
                normalize_outbound_headers=False, validate_inbound_headers=False, normalize_inbound_headers=False,
            )
        )  # fmt: skip
        self._fields = [
            (b":method", b"POST"), (b":scheme", b"https"), (b":authority", authority.encode()),
            (b":path", path.encode()), (b"accept", MEDIA_TYPE.encode()), (b"content-type", MEDIA_TYPE.encode()),
            (b"accept-encoding", b"identity"),
        ]  # fmt: skip
        self._waiting: deque[Flight] = deque()
        self._streams: dict[int, _Stream] = {}
        self._numbers: dict[bytes, int] = {}
        self._refused: set[bytes] = set()
        self._most = _ASSUMED
        self._count = 0
        self._is_due = False

    def begin(self) -> None:
        """Send the preface and our settings."""
        self._http.local_settings = h2.settings.Settings(client=True, initial_values=_SETTINGS)
        self._http.initiate_connection()
        self._http.increment_flow_control_window(_WINDOW)
        self._flush()

    def put(self, flight: Flight, head: bytes, tail: bytes, seconds: float) -> None:
        """Send a query at the end of this turn, or when the upstream takes one more."""
        self._count += 1
        sent = b"".join((_NO_ID, head, flight.name, tail))
        self.enter(flight, self._count.to_bytes(_NUMBER_OCTETS), sent, seconds)
        if not self._is_due:
            self._is_due = True
            TURN.later(self)
        self._waiting.append(flight)

    def finish(self) -> None:
        """Send what was put in."""
        self._is_due = False
        self._send_waiting()
        self._flush()
        if self.is_retired and not self.flights:
            self.come_to_rest()

    def feed(self, data: bytes) -> None:
        """Take in what has arrived."""
        had_any = bool(self.flights)
        try:
            events = self._http.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            self._flush()  # tells the other side why
            raise FormError("HTTP/2: the upstream does not keep to it") from error
        for event in events:
            self._take(event)
        self._send_waiting()
        self._flush()
        if not self.flights and (had_any or self.is_retired):
            self.come_to_rest()

    def fail(self) -> None:
        """Tell everyone who waits that there will be no answer on this connection."""
        self._waiting.clear()
        self._streams.clear()
        self._numbers.clear()
        self._refused.clear()
        super().fail()

    def given_up(self, flight: Flight) -> None:
        """Tell the upstream that nobody wants an answer any more."""
        self._refused.discard(flight.id)
        number = self._numbers.pop(flight.id, None)
        if number is not None:
            del self._streams[number]
            self._reset(number)
            self._send_waiting()
            self._flush()

    def _send_waiting(self) -> None:
        http, waiting = self._http, self._waiting
        while waiting:
            flight = waiting[0]
            if flight.id not in self.flights:  # given up before it left
                waiting.popleft()
                continue
            if len(self._streams) >= min(self._most, http.remote_settings.max_concurrent_streams):
                return
            window = min(http.outbound_flow_control_window, http.remote_settings.initial_window_size)
            if window < len(flight.sent):
                return
            waiting.popleft()
            try:
                number = http.get_next_available_stream_id()
                http.send_headers(number, [*self._fields, (b"content-length", b"%d" % len(flight.sent))])
                http.send_data(number, flight.sent, end_stream=True)
            except h2.exceptions.ProtocolError:  # the connection is over, or has no more numbers
                self.is_retired = True
                for unsent in (flight, *waiting):
                    self._land(unsent, self.ended(unsent, _NO_MORE))
                waiting.clear()
                return
            self._streams[number] = _Stream(flight)
            self._numbers[flight.id] = number

    def _flush(self) -> None:
        octets = self._http.data_to_send()
        if octets:
            self._write(octets)

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived():
                self._take_head(event)
            case h2.events.DataReceived():
                self._take_body(event)
            case h2.events.StreamEnded():
                self._end(event.stream_id)
            case h2.events.StreamReset():
                self._take_reset(event)
            case h2.events.RemoteSettingsChanged():
                self._most = _MOST
            case h2.events.ConnectionTerminated():
                self.is_retired = True
                self.fail()

    def _take_reset(self, event: h2.events.StreamReset) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is None:
            return
        if event.error_code != h2.errors.ErrorCodes.REFUSED_STREAM:
            self._close(event.stream_id, UpstreamFailure("the upstream gave up an answer"))
            return
        # It was not looked at, since so many were open already (RFC 9113, section 8.7).
        flight = stream.flight
        if flight.id in self._refused:
            self._close(event.stream_id, self.ended(flight, _NO_MORE))
            return
        self._refused.add(flight.id)
        del self._streams[event.stream_id], self._numbers[flight.id]
        self._most = max(1, min(self._most, len(self._streams)))
        self._waiting.appendleft(flight)

    def _take_head(self, event: h2.events.ResponseReceived) -> None:
        number = event.stream_id
        stream = self._streams.get(number)
        if stream is None:
            return
        self.answers += 1
        fields = {bytes(name).lower(): bytes(said).strip().decode("latin-1") for name, said in event.headers}
        said = fields.get(b":status", "")
        status = int(said) if said.isascii() and said.isdigit() and len(said) == _STATUS_OCTETS else None
        fault = fault_of(status, fields.get(b"content-type", ""), fields.get(b"content-encoding", "identity"))
        if fault is not None:
            self._refuse(number, fault)
        else:
            stream.age = age_of(fields.get(b"age", "0"))

    def _take_body(self, event: h2.events.DataReceived) -> None:
        number = event.stream_id
        if event.flow_controlled_length:
            self._http.acknowledge_received_data(event.flow_controlled_length, number)
        stream = self._streams.get(number)
        if stream is None:
            return
        stream.body += event.data
        if len(stream.body) > MAX_OCTETS:
            self._refuse(number, TOO_LONG)

    def _end(self, number: int) -> None:
        stream = self._streams.get(number)
        if stream is not None:
            self._close(number, _read(stream))

    def _refuse(self, number: int, why: str) -> None:
        self._reset(number)
        self._close(number, UpstreamFailure(why))

    def _reset(self, number: int) -> None:
        with suppress(h2.exceptions.ProtocolError):  # it ended meanwhile
            self._http.reset_stream(number, h2.errors.ErrorCodes.CANCEL)

    def _close(self, number: int, outcome: Landed) -> None:
        stream = self._streams.pop(number, None)
        if stream is not None:
            self._numbers.pop(stream.flight.id, None)
            self._land(stream.flight, outcome)

    def _land(self, flight: Flight, outcome: Landed) -> None:
        self._refused.discard(flight.id)
        if self.flights.pop(flight.id, None) is not None:
            settle(flight, outcome)


def _read(stream: _Stream) -> Landed:
    """Return what a response says to a query."""
    flight, got = stream.flight, bytes(stream.body)
    is_plain = flight.plain_end and not stream.age and got[: len(_NO_ID)] == _NO_ID
    if is_plain and (addresses := read_addresses(flight.sent, flight.plain_end, got)) is not None:
        return addresses
    try:
        return read_aged(flight.sent, flight.name, got, stream.age)
    except UpstreamFailure as error:
        return error
