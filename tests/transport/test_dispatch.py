import struct
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import pytest

from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.protocol.reply import Ede, ReplyBody
from sinkhole.resolver.answer import Answer
from sinkhole.transport.packet_cache import PacketCache
from tests.transport.serving import BLOCKED, Counting, Serving, address, make_policy, question, text

HOME = "127.0.0.1"


async def say(serving: Serving, wire: bytes, host: str = HOME, *, is_stream: bool = False) -> bytes | None:
    """Hand over one message as a listener does."""
    serving.dispatch.tick()
    if not is_stream:
        reply = serving.dispatch.cached(wire, host)
        if reply is not None:
            return reply
    outcome = serving.dispatch.stream(wire, host) if is_stream else serving.dispatch.datagram(wire, host)
    return await outcome if isinstance(outcome, Coroutine) else outcome


async def ask(serving: Serving, query: dns.message.Message, host: str = HOME, **options: bool) -> dns.message.Message:
    wire = await say(serving, query.to_wire(), host, **options)
    assert wire is not None
    reply = dns.message.from_wire(wire)
    assert query.is_response(reply)
    return reply


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


@pytest.mark.parametrize("first_is_stream", [False, True])
async def test_sizes_are_applied_on_output_whatever_filled_the_cache(first_is_stream):
    """R-C18, R-T07: filled by TCP and read by UDP and back; EDNS size never limits TCP."""

    async def handler(query):
        return Answer(ReplyBody(0, answer=(text(query, 58_000),)), None, 60)

    serving = Serving(handler)
    query = question(qtype="TXT", use_edns=0, payload=512)
    for is_stream in (first_is_stream, not first_is_stream) * 2:
        reply = await ask(serving, query, is_stream=is_stream)
        assert bool(reply.flags & dns.flags.TC) == (not is_stream)
        assert bool(reply.answer) == is_stream


async def test_equal_query_is_answered_from_the_packet_cache_with_its_own_id_and_case():
    """R-C18: what changes an answer is in the key."""
    serving = Serving()
    for name in ("example.org", "example.org", "eXample.org", "eXample.org"):
        reply = await ask(serving, question(name))
        assert reply.question[0].name.to_text(omit_final_dot=True) == name
    for query in (question(use_edns=0), question(use_edns=0, want_dnssec=True), question(flags=dns.flags.CD)):
        await ask(serving, query)
        await ask(serving, query)

    assert len(serving.handler.queries) == 5


async def test_cached_reply_ages_each_second_and_ends():
    """R-C14 at the packet cache: TTLs count down, nothing is served beyond its time."""
    serving = Serving(Counting(ttl=10.0))
    ttls = []
    for second in (0, 0.5, 1, 3.7, 9.9):
        serving.clock.now = 1000.0 + second
        ttls.append((await ask(serving, question())).answer[0].ttl)
    assert ttls == [300, 300, 299, 297, 291]
    assert len(serving.handler.queries) == 1

    serving.clock.now = 1010.0
    assert (await ask(serving, question())).answer[0].ttl == 300
    assert len(serving.handler.queries) == 2


@pytest.mark.parametrize("ttl", [None, 0])
async def test_answer_that_may_not_be_kept_is_not(ttl):
    serving = Serving(Counting(ttl=ttl))
    await ask(serving, question())
    await ask(serving, question())

    assert len(serving.handler.queries) == 2


async def test_query_with_options_is_not_kept():
    """A cookie makes each query different: keeping the replies would only push out others."""
    serving = Serving()
    query = question(use_edns=0, options=[dns.edns.GenericOption(10, b"12345678")])
    await ask(serving, query)

    assert len(serving.cache) == 0


async def test_new_policy_is_obeyed_at_once():
    """R-C21: a swap replaces the packet cache whole."""
    serving = Serving()
    await ask(serving, question())
    await ask(serving, question(), is_stream=True)
    serving.box.current = make_policy(generation=2)
    await ask(serving, question())
    await ask(serving, question(), is_stream=True)

    assert len(serving.handler.queries) == 4


async def test_answer_judged_by_an_old_policy_is_not_kept():
    """R-C21: the policy changed while the query waited."""
    serving = Serving()

    async def handler(query):
        serving.box.current = make_policy(generation=2)
        return Answer(ReplyBody(0, answer=(address(query),)), None, 300)

    serving.dispatch._handler = handler
    await ask(serving, question())

    assert len(serving.cache) == 0


async def test_expiry_of_a_statement_ends_what_was_judged_before_it():
    """R-C21: evaluated at match time, not by a timer; the next expiry counts, not one that is past."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    statements = [
        Statement(number, Subject.from_text("ai"), Action.ALLOW, expires=noon + timedelta(seconds=seconds))
        for number, seconds in enumerate((-60, 5, 20))
    ]
    serving = Serving(policy=make_policy(*statements))
    asked = []
    for seconds in (0, 4, 5, 6, 19, 20, 21, 1000):
        serving.wall.now = noon.timestamp() + seconds
        await ask(serving, question())
        asked.append(len(serving.handler.queries))

    assert asked == [1, 1, 2, 2, 2, 3, 3, 3]


async def test_groups_do_not_share_replies():
    """Equal octets from clients of different groups may deserve different answers."""
    staff = Group("staff", ("127.0.0.2/32",))
    serving = Serving(policy=make_policy(groups=(staff,)))
    for host in (HOME, "127.0.0.3", "127.0.0.2", "127.0.0.2"):
        await ask(serving, question(), host)

    assert [query.client.scope.groups for query in serving.handler.queries] == [(), ("staff",)]


async def test_client_that_moves_to_another_group_is_seen():
    serving = Serving()
    await ask(serving, question())
    serving.box.current = make_policy(groups=(Group("staff", ("127.0.0.0/8",)),), generation=2)
    await ask(serving, question())

    assert serving.handler.queries[-1].client.scope.groups == ("staff",)


async def test_replies_of_the_packet_cache_are_counted():
    """R-D: nothing is answered without being seen; equal hits become one row."""
    serving = Serving(Counting(verdict=BLOCKED), record={"queries": "blocked"})
    for _ in range(5):
        await ask(serving, question("Chat.example.org"))
    for _ in range(3):
        await ask(serving, question("chat.example.org"), is_stream=True)
    serving.dispatch.flush_hits()
    (row,) = serving.hits.drain(10)

    assert (row.client, row.name, row.qtype, row.action) == (HOME, "chat.example.org", 1, "block")
    # The first of each spelling and transport is the chain's to count, and this chain has no such stage.
    assert row.count == 4 + 2


async def test_what_is_not_recorded_is_not_counted():
    serving = Serving(Counting(), record={"queries": "blocked"})
    for is_stream in (False, False, True, True):
        await ask(serving, question(), is_stream=is_stream)
    serving.dispatch.flush_hits()

    assert serving.hits.drain(10) == []


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7"])
async def test_stranger_is_refused_and_logged_once(host, caplog):
    """R-P01: not an open resolver; refused, at most one line a minute."""
    serving = Serving()
    await ask(serving, question())
    for _ in range(5):
        reply = await ask(serving, question(use_edns=0), host)
        assert reply.rcode() == dns.rcode.REFUSED
        assert [int(option.code) for option in reply.options] == [18]

    assert [record.message for record in caplog.records] == [f"client.refused client={host} help=access.allow"]
    assert len(serving.handler.queries) == 1


async def test_stranger_is_refused_over_streams_too():
    """R-P01: on every transport."""
    serving = Serving()

    assert (await ask(serving, question(), "192.0.2.7", is_stream=True)).rcode() == dns.rcode.REFUSED
    assert serving.dispatch.admit_stream("192.0.2.7") is None
    assert serving.dispatch.admit_stream(HOME) == HOME


async def test_refused_address_stays_out_of_the_log_where_privacy_asks(caplog):
    serving = Serving(log_clients=False)
    await ask(serving, question(), "192.0.2.7")

    assert "192.0.2.7" not in caplog.text


async def test_burst_is_limited_with_truncated_slips():
    """R-P02: burst of 500: some answered, each second of the others TC=1, the rest dropped."""
    serving = Serving(access={"rate": 10, "burst": 100, "rate_exempt": []})
    replies = [await say(serving, question(use_edns=0).to_wire()) for _ in range(500)]
    messages = [dns.message.from_wire(reply) for reply in replies if reply is not None]
    truncated = [message for message in messages if message.flags & dns.flags.TC]

    assert len(messages) - len(truncated) == 100
    assert len(truncated) == 200
    assert all(not message.answer and message.edns == 0 for message in truncated)
    assert (await ask(serving, question(), is_stream=True)).answer
    serving.clock.now += 1
    assert (await ask(serving, question())).answer


async def test_limit_slows_neither_others_nor_exempt_clients():
    """R-P02: per client, allow list."""
    serving = Serving(access={"rate": 1, "burst": 1, "rate_exempt": ["127.0.0.9/32"]})

    assert (await ask(serving, question(), "127.0.0.1")).answer
    assert await say(serving, question().to_wire(), "127.0.0.1") is None
    assert (await ask(serving, question(), "127.0.0.2")).answer
    for _ in range(10):
        assert (await ask(serving, question(), "127.0.0.9")).answer


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
async def test_over_the_limit_what_is_malformed_or_not_ours_gets_silence(host):
    """R-P02: a forger gains nothing."""
    serving = Serving(access={"rate": 1, "burst": 1, "rate_exempt": [], "slip": 1})
    await say(serving, question().to_wire(), host)

    assert await say(serving, question().to_wire()[:14], host) is None
    assert (await say(serving, question().to_wire(), host) is None) == (host == "192.0.2.1")


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


async def test_cache_of_no_entries_keeps_nothing():
    serving = Serving(cache=PacketCache(max_entries=0))
    await ask(serving, question())
    await ask(serving, question())

    assert len(serving.handler.queries) == 2


async def test_client_the_gate_has_moved_aside_is_found_again():
    """R-P04: bounded memory must not cost an old client its replies."""
    serving = Serving()
    await ask(serving, question())
    serving.dispatch._gate.clients._half = 2
    for number in range(1, 4):
        await ask(serving, question(), f"127.0.1.{number}")
    await ask(serving, question())

    assert len(serving.handler.queries) == 1
