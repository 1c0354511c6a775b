"""Replies that are on their way: what is done when there is an answer, or the addresses alone."""

from collections.abc import Callable
from datetime import datetime

from mypy_extensions import mypyc_attr

from sinkhole.errors import UpstreamError
from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.question import HEADER, TYPE_AND_CLASS, read_query
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import Rcode
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.query import Client, Query
from sinkhole.resolver.steps import Done
from sinkhole.resolver.straight import Course
from sinkhole.transport.datagram import Place
from sinkhole.transport.finisher import Finisher
from sinkhole.transport.plain_forms import PlainForm
from sinkhole.transport.table import Table
from sinkhole.upstream.turn import TURN


@mypyc_attr(allow_interpreted_subclasses=True)
class Returner:
    """Who sends replies that were not ready at once."""

    def give_back(self, reply: bytes, place: Place) -> None:
        """Send a reply to where its query came from."""
        raise NotImplementedError


class Later:
    """A reply that is on its way through the chain.

    Attributes:
        returner: takes the reply; to be set before the event loop has its next turn.
        place: where the reply goes.
    """

    __slots__ = ("_asked", "_finisher", "_period", "_table", "_wire", "place", "returner")

    def __init__(self, finisher: Finisher, wire: bytes, asked: Query, period: int, table: Table) -> None:
        self._finisher = finisher
        self._wire = wire
        self._asked = asked
        self._period = period
        self._table = table
        self.returner: Returner
        self.place: Place

    def go_to(self, returner: Returner, place: Place) -> None:
        """Say who takes the reply, and where it goes."""
        self.returner, self.place = returner, place

    def done(self, answer: Answer | None, error: Exception | None) -> None:
        """Make the reply of an answer, and send it."""
        finisher, asked = self._finisher, self._asked
        try:
            if answer is None:
                raise error or AssertionError("neither answer nor error")
            reply = finisher.finish(self._wire, asked, answer, self._period, self._table)
        except UpstreamError:
            reply = finisher.fit(asked.message, ReplyBody(Rcode.SERVFAIL), asked.is_stream)
        except Exception:
            reply = finisher.failed(asked)
        self.returner.give_back(reply, self.place)


class StraightLater(Course):
    """A reply that is on the straight path, and goes the long way where that does not lead to the end.

    Args:
        finisher: makes the reply.
        wire: the query.
        key: what of it is after the id.
        end: offset after its question.
        form: of the query.
        table: where its reply may be kept.
        client: who asks.
        when: UTC.
        begin: begins the long way.

    Attributes:
        returner, place: as of `Later`.
    """

    __slots__ = (
        "_begin", "_end", "_finisher", "_form", "_found", "_key", "_period", "_reply", "_table", "_wire", "place",
        "returner",
    )  # fmt: skip

    def __init__(
        self, finisher: Finisher, wire: bytes, key: bytes, end: int, form: PlainForm, table: Table, client: Client,
        when: datetime, begin: Callable[[Query, Done], Answer | None],
    ) -> None:  # fmt: skip
        super().__init__(wire[HEADER : end - TYPE_AND_CLASS], form.qtype, client, when, form.most - end)
        self._finisher = finisher
        self._period = finisher.period
        self._wire = wire
        self._key = key
        self._end = end
        self._form = form
        self._table = table
        self._begin = begin
        self._found: AddressSet
        self._reply: bytes
        self.returner: Returner
        self.place: Place

    def go_to(self, returner: Returner, place: Place) -> None:
        """Say who takes the reply, and where it goes."""
        self.returner, self.place = returner, place

    def landed(self) -> None:
        """Make the reply of what came, and send it; or go on."""
        finisher = self._finisher
        asked: Query | None = None
        try:
            found = self.take()
            if isinstance(found, AddressSet):
                self._found = found
                self._reply = self._form.reply(self._wire, self._end, found)
                self.returner.give_back(self._reply, self.place)
                TURN.behind(self)
                return
            if found is not None:
                reply = finisher.finish_body(self._wire, self._key, self._form, self, found, self._table)
                self.returner.give_back(reply, self.place)
                return
            asked = self._long_way()
            later = Later(finisher, self._wire, asked, self._period, self._table)
            later.go_to(self.returner, self.place)
            answer = self._begin(asked, later.done)
        except Exception:
            self.returner.give_back(finisher.failed(asked or self._long_way()), self.place)
        else:
            if answer is not None:
                later.done(answer, None)

    def finish(self) -> None:
        """Keep what came, and the reply."""
        self._finisher.keep_addresses(self._key, self._reply, self._form, self, self._found, self._table)

    def _long_way(self) -> Query:
        query = Query(read_query(self._wire), self.client, False, self.when, ahead=self.ahead)
        policy = self.changed_policy()
        return query if policy is None else query.under(policy)


Begun = StraightLater | Later
"""What was begun without a task: it ends with a call of its returner."""
