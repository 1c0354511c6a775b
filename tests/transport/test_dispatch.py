import struct

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import pytest

from sinkhole.protocol.reply import Ede, ReplyBody
from sinkhole.resolver.answer import Answer
from tests.transport.asking import question
from tests.transport.serving import HOME, Serving, ask, say, text


@pytest.mark.parametrize("length", range(12))
@pytest.mark.parametrize("is_stream", [False, True])
async def test_runt_gets_silence(length, is_stream, caplog):
    """R-W03: 0 to 11 octets: silence, no exception in the log."""
    serving = Serving()

    assert await say(serving, bytes(length), is_stream=is_stream) is None
    assert not caplog.records


@pytest.mark.parametrize("is_stream", [False, True])
async def test_response_gets_silence(is_stream):
    """R-W02: QR=1 is dropped, or two servers could talk for ever."""
    serving = Serving()
    response = dns.message.make_response(question())

    assert await say(serving, response.to_wire(), is_stream=is_stream) is None
    assert (await ask(serving, question(), is_stream=is_stream)).rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
@pytest.mark.parametrize("is_stream", [False, True])
async def test_other_opcodes_are_not_implemented_and_not_forwarded(opcode, is_stream):
    """R-W09: NOTIMP, opcode echoed, never forwarded."""
    serving = Serving()
    wire = bytearray(question().to_wire())
    wire[2] = wire[2] & 0x87 | opcode << 3

    reply = await say(serving, bytes(wire), is_stream=is_stream)

    assert reply is not None
    assert reply[3] & 0xF == dns.rcode.NOTIMP
    assert reply[2] >> 3 & 0xF == opcode
    assert serving.handler.queries == []


@pytest.mark.parametrize("qtype", ["AXFR", "IXFR", "TKEY", "TSIG", "MAILA", "MAILB", "OPT", "TYPE128"])
@pytest.mark.parametrize("is_stream", [False, True])
async def test_types_that_are_no_data_are_refused_at_once(qtype, is_stream):
    """R-W10: an error at once, over every transport."""
    serving = Serving()

    reply = await ask(serving, question(qtype=qtype, use_edns=0), is_stream=is_stream)

    assert reply.rcode() in (dns.rcode.REFUSED, dns.rcode.FORMERR)
    assert serving.handler.queries == []


async def test_query_signed_with_an_unknown_key_is_not_taken_for_authentic():
    """R-W10: TSIG (RFC 8945, section 5.2)."""
    serving = Serving()
    query = question()
    query.use_tsig(dns.tsig.Key("key.example.org.", "c2VjcmV0c2VjcmV0"))

    wire = await say(serving, query.to_wire())

    assert wire is not None
    assert wire[3] & 0xF == dns.rcode.NOTAUTH
    assert serving.handler.queries == []


@pytest.mark.parametrize("name", ["version.bind", "VERSION.server", "hostname.bind", "id.server", "example.org"])
async def test_chaos_is_refused_unless_a_version_is_set(name):
    """R-W11: class CH is answered locally."""
    reply = await ask(Serving(), question(name, "TXT", rdclass="CH"))

    assert reply.rcode() == dns.rcode.REFUSED


async def test_version_that_is_set_is_told():
    """R-W11, and the setting transport.chaos_version."""
    serving = Serving(settings={"chaos_version": "sinkhole ü"})

    told = await ask(serving, question("Version.Bind", "TXT", rdclass="CH"))
    other_type = await ask(serving, question("version.bind", "A", rdclass="CH"))
    other_name = await ask(serving, question("hostname.bind", "TXT", rdclass="CH"))

    assert told.answer[0][0].strings == ("sinkhole ü".encode(),)
    assert (other_type.rcode(), other_type.answer) == (dns.rcode.NOERROR, [])
    assert other_name.rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize("qclass", [0, 2, 3, 4, 254, 255, 1234, 65535])
async def test_other_classes_are_refused_and_not_forwarded(qclass):
    """R-W11: other classes never crash."""
    serving = Serving()
    wire = question().to_wire()

    reply = await say(serving, wire[:-2] + struct.pack("!H", qclass))

    assert reply is not None
    assert reply[3] & 0xF == dns.rcode.REFUSED
    assert serving.handler.queries == []


@pytest.mark.parametrize("options", [{}, {"use_edns": 0}, {"use_edns": 0, "want_dnssec": True}])
async def test_error_answers_are_hardly_longer_than_the_query(options):
    """R-W25: at most about 100 octets more."""

    async def fail(_):
        return Answer(ReplyBody(dns.rcode.SERVFAIL, ede=(Ede(22),)), None, None)

    serving = Serving(fail)
    queries = [
        (question(**options).to_wire(), HOME),
        (question(**options).to_wire(), "192.0.2.1"),
        (question(qtype="AXFR", **options).to_wire(), HOME),
        (question(**options).to_wire()[:14], HOME),
        (question(**options).to_wire() + b"junk", HOME),
        (bytes(12), HOME),
    ]
    for wire, host in queries:
        reply = await say(serving, wire, host)
        assert reply is not None
        assert len(reply) <= len(wire) + 100


@pytest.mark.parametrize(
    ("payload", "limit"),
    [(None, 512), (0, 512), (511, 512), (512, 512), (1232, 1232), (4096, 1232), (65535, 1232)],
)
async def test_datagrams_fit_the_client_and_our_cap(payload, limit):
    """R-W18: min(client size, own cap), 512 without OPT, less than 512 counts as 512."""

    async def handler(query):
        return Answer(ReplyBody(0, answer=(text(query, 3072),)), None, 60)

    query = question(qtype="TXT") if payload is None else question(qtype="TXT", use_edns=0, payload=payload)

    reply = await ask(Serving(handler), query)

    assert reply.flags & dns.flags.TC
    assert reply.answer == []
    assert len(reply.to_wire()) <= limit
    assert (reply.edns == 0) == (payload is not None)


async def test_cap_is_a_setting():
    """R-W18: configurable."""

    async def handler(query):
        return Answer(ReplyBody(0, answer=(text(query, 1500),)), None, 60)

    query = question(qtype="TXT", use_edns=0, payload=4096)

    assert (await ask(Serving(handler), query)).flags & dns.flags.TC
    reply = await ask(Serving(handler, settings={"max_payload": 4096}), query)
    assert not reply.flags & dns.flags.TC
    assert reply.payload == 4096


@pytest.mark.parametrize("is_stream", [False, True])
async def test_handler_that_raises_ends_in_servfail_and_one_log(is_stream, caplog):
    """R-P06, R-P07: a query's edge catches everything, counts it, logs at a limited rate and escaped."""

    async def broken(_):
        raise ZeroDivisionError

    serving = Serving(broken)
    for _ in range(100):
        reply = await ask(serving, question("a\\010b.example.org"), is_stream=is_stream)
        assert reply.rcode() == dns.rcode.SERVFAIL

    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].message
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("is_stream", [False, True])
async def test_fault_before_the_chain_costs_that_query_alone(is_stream, caplog):
    """R-P06: no crash by any packet."""
    serving = Serving()
    outcome = serving.dispatch.stream if is_stream else serving.dispatch.datagram

    assert outcome(question().to_wire(), "not an address") is None
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert (await ask(serving, question(), is_stream=is_stream)).answer


async def test_keepalive_is_told_to_who_asks_over_a_stream_only():
    """R-T10: RFC 7828: two octets, units of 100 ms, ignored over UDP."""
    serving = Serving(settings={"tcp_idle_timeout": 7.5})
    asking = question(use_edns=0, options=[dns.edns.GenericOption(11, b"")])

    (option,) = (await ask(serving, asking, is_stream=True)).options
    assert (option.otype, bytes(option.to_wire())) == (11, b"\x00\x4b")
    assert (await ask(serving, asking)).options == ()
    assert (await ask(serving, question(use_edns=0), is_stream=True)).options == ()
    assert (await ask(serving, question(), is_stream=True)).edns == -1
