"""Ask an upstream over UDP.

Every query has a socket of its own, connected, so the kernel drops what comes from another address or port. The port
is the kernel's choice: Linux draws it at random from `ip_local_port_range` and keeps clear of reserved ports, which a
bind of our own would not. With 28,000 ports by default, 16 bits of id and one bit for each letter of the name, a
forger has to hit one of 2^31 and more (RFC 5452, section 9.2).
"""

import asyncio
import secrets
import socket
from dataclasses import replace

from sinkhole.errors import FormError, UpstreamError
from sinkhole.protocol.message import Message, read_message
from sinkhole.upstream.ask import Ask, Budget, mix_case
from sinkhole.upstream.failure import AnswerTruncated, CaseChanged, EdnsRefused, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.matching import Match, is_truncated, match, with_name

GRACE = 0.5
"""Seconds the wait goes on after a message that nearly fits: long enough for the true answer to overtake a forgery."""

_BUFFER = 4096
_DRAIN = 16
"""Datagrams read in one go, so that a flood at one socket does not hold up the others."""


async def ask_udp(ask: Ask, host: str, port: int, budget: Budget, *, timeout: float, randomize_case: bool) -> Message:
    """Send one datagram and wait for its answer; whatever else arrives is dropped and the wait goes on.

    Args:
        ask: the question.
        host: IP address of the upstream.
        port: its port.
        budget: what the client's query may still cost.
        timeout: seconds to wait.
        randomize_case: mix the letter case of the name and insist on getting it back.

    Raises:
        AnswerTruncated: the answer has TC=1.
        CaseChanged: only an answer in other letter case came.
        EdnsRefused: only an error without question came, to a query with EDNS.
        UpstreamTimeout: nothing came.
        UpstreamFailure: the network says no, or only garbage came.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    name = mix_case(ask.question.name) if randomize_case else ask.question.name
    sent = replace(ask, question=replace(ask.question, name=name)).to_wire(secrets.randbits(16))
    seconds = budget.time_for(timeout)
    budget.spend()
    loop = asyncio.get_running_loop()
    try:
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.connect((host, port))
            sock.send(sent)
            wait = _Wait(sock, ask, sent, seconds)
            # By number: of a socket object, asyncio writes the repr on every call, which costs more than the call.
            loop.add_reader(sock.fileno(), wait.readable)
            try:
                return await wait.answer
            finally:
                loop.remove_reader(sock.fileno())
                wait.stop()
    except OSError as error:
        raise UpstreamFailure("the network gave an error") from error


class _Wait:
    """Wait for the answer at one socket."""

    def __init__(self, sock: socket.socket, ask: Ask, sent: bytes, timeout: float) -> None:
        self._sock = sock
        self._ask = ask
        self._sent = sent
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + timeout
        self._outcome: UpstreamError = UpstreamTimeout("no answer in time")
        self._timer = self._loop.call_at(self._end, self._expire)
        self.answer: asyncio.Future[Message] = self._loop.create_future()

    def readable(self) -> None:
        """Take what has arrived."""
        for _ in range(_DRAIN):
            if self.answer.done():
                return
            try:
                got = self._sock.recv(_BUFFER)
            except BlockingIOError:
                return
            except OSError as error:
                # Port unreachable, as a rule: no use to wait for the time-out.
                self.answer.set_exception(error)
                return
            self._take(got)

    def stop(self) -> None:
        """Forget the time-out."""
        self._timer.cancel()

    def _take(self, got: bytes) -> None:
        name = self._ask.question.name
        verdict = match(self._sent, len(name), got)
        if verdict is Match.ANSWER:
            if is_truncated(got):
                self.answer.set_exception(AnswerTruncated("the answer is truncated"))
                return
            try:
                self.answer.set_result(read_message(with_name(got, name)))
            except FormError:
                self._wait_a_little(UpstreamFailure("an answer could not be read"))
        elif verdict is Match.CASE:
            self._wait_a_little(CaseChanged("the letter case of the question was changed"))
        elif verdict is Match.BARE and self._ask.edns:
            self._wait_a_little(EdnsRefused("an error without a question"))

    def _wait_a_little(self, outcome: UpstreamError) -> None:
        self._outcome = outcome
        end = min(self._end, self._loop.time() + GRACE)
        if end < self._end:
            self._end = end
            self._timer.cancel()
            self._timer = self._loop.call_at(end, self._expire)

    def _expire(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(self._outcome)
