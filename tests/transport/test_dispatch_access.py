import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import pytest

from tests.transport.asking import question
from tests.transport.serving import HOME, Serving, ask, say


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


async def test_stranger_is_not_served_from_the_packet_cache():
    """R-P01: nor on the fast path, however often it asks what others have asked."""
    serving = Serving()
    wire = question().to_wire()
    for is_stream in (False, True):
        assert await say(serving, wire, is_stream=is_stream)
        for _ in range(3):
            reply = dns.message.from_wire(await say(serving, wire, "192.0.2.7", is_stream=is_stream))
            assert (reply.rcode(), reply.answer) == (dns.rcode.REFUSED, [])


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
    """R-P02: burst of 500: some answered, each second of the others TC=1 within the same limit, the rest dropped."""
    serving = Serving(access={"rate": 10, "burst": 100, "rate_exempt": []})
    replies = [await say(serving, question(use_edns=0).to_wire()) for _ in range(500)]
    messages = [dns.message.from_wire(reply) for reply in replies if reply is not None]
    truncated = [message for message in messages if message.flags & dns.flags.TC]

    assert len(messages) - len(truncated) == 100
    assert len(truncated) == 100
    assert all(not message.answer and message.edns == 0 for message in truncated)
    assert (await ask(serving, question(), is_stream=True)).answer
    serving.clock.now += 1
    assert (await ask(serving, question())).answer


async def test_flood_over_the_limit_is_dropped_before_it_is_read_and_seldom_answered():
    """R-P02: 50,000 datagrams cost the answers of one burst, the same again in TC=1, and nothing else."""
    serving = Serving(access={"rate": 10, "burst": 100, "rate_exempt": []})
    wires = [question(f"x{number}.example.org").to_wire() for number in range(100)]
    for wire in wires:
        await say(serving, wire)
    answers = [reply for _ in range(500) for wire in wires if (reply := await say(serving, wire)) is not None]

    assert len(answers) == 100
    assert all(reply[2] & 0x02 for reply in answers)
    assert len(serving.handler.queries) == 100
    assert (await ask(serving, question(), "127.0.0.2")).answer


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
    serving = Serving(access={"rate": 1, "burst": 2, "rate_exempt": [], "slip": 1})
    for _ in range(2):
        await say(serving, question().to_wire(), host)

    assert await say(serving, question().to_wire()[:14], host) is None
    assert (await say(serving, question().to_wire(), host) is None) == (host == "192.0.2.1")
