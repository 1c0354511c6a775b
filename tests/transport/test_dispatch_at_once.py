import dns.rcode

from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer import Answer, Source
from sinkhole.transport.dispatch import Dispatch
from sinkhole.transport.gate import ClientGate
from tests.transport.asking import question
from tests.transport.serving import HOME, Counting, Serving


def dispatch_of(serving: Serving, at_once) -> Dispatch:
    gate = ClientGate(serving.access, serving.box.current.scope_of, clock=serving.clock)
    return Dispatch(
        gate, serving.cache, serving.handler, serving.box, serving.hits, serving.settings,
        at_once=at_once, clock=serving.clock, wall=serving.wall,
    )  # fmt: skip


async def test_what_needs_no_waiting_is_a_reply_and_not_a_coroutine():
    serving = Serving(Counting())
    answer = Answer(ReplyBody(dns.rcode.NXDOMAIN), None, 10.0, source=Source.BLOCKED)
    dispatch = dispatch_of(serving, lambda query: answer)
    dispatch.tick()
    wire = question().to_wire()

    first = dispatch.datagram(wire, HOME)

    assert isinstance(first, bytes)
    assert first[3] & 0xF == dns.rcode.NXDOMAIN
    assert serving.handler.queries == []
    assert dispatch.at_hand([wire[2:]], [HOME]) == ([first[2:]], [])


async def test_a_failure_at_once_is_servfail_and_logged(caplog):
    serving = Serving(Counting())

    def fail(query):
        raise ZeroDivisionError

    reply = dispatch_of(serving, fail).datagram(question().to_wire(), HOME)

    assert isinstance(reply, bytes)
    assert reply[3] & 0xF == dns.rcode.SERVFAIL
    assert "query.failed" in caplog.text
