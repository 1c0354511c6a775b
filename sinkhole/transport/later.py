"""Replies that are on their way: what is done when there is an answer, or the addresses alone."""

from collections.abc import Callable
from typing import Any

from sinkhole.errors import UpstreamError
from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.question import read_query
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import Rcode
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.query import Query
from sinkhole.resolver.steps import Done
from sinkhole.resolver.straight import Course
from sinkhole.transport.finisher import Finisher
from sinkhole.transport.packet_cache import Table
from sinkhole.transport.plain_forms import PlainForm


class Later:
    """A reply that is on its way through the chain.

    Attributes:
        send: takes the reply; to be set before the event loop has its next turn.
    """

    __slots__ = ("_asked", "_finisher", "_period", "_table", "_wire", "send")

    def __init__(self, finisher: Finisher, wire: bytes, asked: Query | None, period: int, table: Table) -> None:
        self._finisher = finisher
        self._wire = wire
        self._asked = asked
        self._period = period
        self._table = table
        self.send: Callable[[bytes], Any]

    def done(self, answer: Answer | None, error: Exception | None) -> None:
        """Make the reply of an answer, and send it."""
        finisher, asked = self._finisher, self._asked
        if asked is None:
            raise AssertionError("an answer to no question")
        try:
            if answer is None:
                raise error or AssertionError("neither answer nor error")
            reply = finisher.finish(self._wire, asked, answer, self._period, self._table)
        except UpstreamError:
            reply = finisher.fit(asked.message, ReplyBody(Rcode.SERVFAIL), asked.is_stream)
        except Exception:
            reply = finisher.failed(asked)
        self.send(reply)


class StraightLater(Later):
    """A reply that is on the straight path, and goes the long way where that does not lead to the end.

    Args:
        finisher: makes the reply.
        wire: the query.
        table: where its reply may be kept.
        end: offset after its question.
        form: of the query.
        begin: begins the long way.
    """

    __slots__ = ("_begin", "_end", "_form")

    def __init__(
        self, finisher: Finisher, wire: bytes, table: Table, end: int, form: PlainForm,
        begin: Callable[[Query, Done], Answer | None],
    ) -> None:  # fmt: skip
        super().__init__(finisher, wire, None, finisher.period, table)
        self._end = end
        self._form = form
        self._begin = begin

    def landed(self, course: Course) -> None:
        """Make the reply of what came, and send it; or go on."""
        finisher = self._finisher
        try:
            found = course.take()
            if found is not None:
                if isinstance(found, AddressSet):
                    reply = finisher.finish_addresses(self._wire, self._end, self._form, course, found, self._table)
                else:
                    reply = finisher.finish_body(self._wire, self._form, course, found, self._table)
                self.send(reply)
                return
            self._asked = self._long_way(course)
            answer = self._begin(self._asked, self.done)
        except Exception:
            self.send(finisher.failed(self._asked or self._long_way(course)))
        else:
            if answer is not None:
                self.done(answer, None)

    def _long_way(self, course: Course) -> Query:
        query = Query(read_query(self._wire), course.client, False, course.when, ahead=course.ahead)
        policy = course.changed_policy()
        return query if policy is None else query.under(policy)
