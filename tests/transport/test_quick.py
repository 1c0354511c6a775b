"""What of a batch is answered at once, and what is left to others."""

from random import Random

import dns.message
import dns.rcode
import pytest

from sinkhole.transport.blocked_replies import form_of, measure
from tests.transport.asking import question
from tests.transport.serving import Counting, Serving, ask, say
from tests.transport.test_blocked_replies import Rig, policy

HOME, OTHER = "192.168.1.9", "192.168.1.8"


def keys_of(*queries):
    return [query.to_wire()[2:] for query in queries]


def queries_of(serving):
    """Return how many queries of each client were counted."""
    return {host: serving.dispatch._gate.admit(host).queries for host in (HOME, OTHER)}


def test_replies_of_pieces_are_at_hand_and_others_are_told_with_what_was_found_out():
    rig = Rig(policy())
    assert rig.dispatch.at_hand(keys_of(question("x.ads.example")), [HOME]) == ([None], [(0, None)])
    rig.say(question("x.ads.example"))
    chain_asked = rig.chain_asked
    keys = keys_of(question("y.ads.example"), question("allowed.example.org"), question("y.ads.example"))
    tails, missed = rig.dispatch.at_hand(keys, [HOME, HOME, OTHER])
    assert dns.message.from_wire(b"\0\0" + tails[0]).answer[0][0].address == "192.0.2.53"
    assert tails[1:] == [None, None]
    measured = measure(keys[1])
    assert missed == [(1, (form_of(keys[1], measured[0]), measured)), (2, None)], "nobody knows the other client"
    assert rig.chain_asked == chain_asked
    assert [(row.name, row.count) for row in rig.rows()] == [("x.ads.example", 1), ("y.ads.example", 1)]


def test_what_was_found_out_spares_nothing_but_time():
    """The reply to a query is the same, with or without."""
    rig, alone, plain = Rig(policy()), Rig(policy()), Rig(policy())
    for name in (
        "ads.example",
        "x.ads.example",
        "y.x.ads.example",
        "deepseek.example",
        "a.deepseek.example",
        "ads.example",
    ):
        query = question(name)
        wire = query.to_wire()
        (tail,), missed = rig.dispatch.at_hand([wire[2:]], [HOME])
        given = wire[:2] + tail if tail is not None else rig.dispatch.datagram(wire, HOME, missed[0][1])
        found = alone.dispatch.one_at_hand(wire[2:], HOME)
        assert found == (tail if tail is not None else missed[0][1])
        if tail is None:
            alone.dispatch.datagram(wire, HOME, found)
        assert given == plain.dispatch.datagram(wire, HOME)
    assert rig.rows() == alone.rows() == plain.rows()


async def test_one_datagram_is_answered_and_counted_as_in_a_batch():
    random = Random(3)
    one, batch = (Serving(Counting(ttl=10.0), access={"rate": 4, "burst": 9}) for _ in range(2))
    kinds = set()
    for _ in range(300):
        query, host = question(random.choice(["www.example.org", "mail.example.org"])), random.choice([HOME, OTHER])
        key = query.to_wire()[2:]
        passed = random.choice([0.0, 0.1, 0.5])
        for serving in (one, batch):
            serving.clock.now += passed
            serving.dispatch.tick()
        (tail,), missed = batch.dispatch.at_hand([key], [host])
        given = one.dispatch.one_at_hand(key, host)
        assert given == (tail if tail is not None else missed[0][1])
        kinds.add(type(given))
        for serving in (one, batch):
            if missed:
                await say(serving, query.to_wire(), host)
            serving.dispatch.settle()
    assert one.dispatch.given == batch.dispatch.given
    assert queries_of(one) == queries_of(batch)
    assert kinds == {bytes, type(None)}, "some replies were at hand, some were not"


def test_a_flood_of_blocked_names_is_limited_as_any_other():
    rig = Rig(policy(), access={"rate": 1, "burst": 5})
    queries = [question(f"x{number}.ads.example") for number in range(20)]
    rig.say(queries[0])
    tails, missed = rig.dispatch.at_hand(keys_of(*queries[1:]), [HOME] * 19)
    assert sum(tail is not None for tail in tails) == 4
    outcomes = [rig.dispatch.datagram(queries[1 + place].to_wire(), HOME, asked) for place, asked in missed]
    replies = [dns.message.from_wire(outcome) for outcome in outcomes if outcome is not None]
    assert 0 < len(replies) < len(missed)
    assert all(not reply.answer for reply in replies), "who asks too much is told to come by TCP, or nothing"
    assert sum(row.count for row in rig.rows()) == 5


def test_what_is_no_query_finds_nothing_at_hand():
    rig = Rig(policy())
    rig.say(question("x.ads.example"))
    whole = question("y.ads.example").to_wire()[2:]
    answer = bytes((whole[0] | 0x80, *whole[1:]))
    for key in [answer, *(whole[:length] for length in range(len(whole)))]:
        (tail,), ((_, asked),) = rig.dispatch.at_hand([key], [HOME])
        assert tail is None
        reply = rig.dispatch.datagram(b"id" + key, HOME, asked)
        if key is answer or len(key) < 10:
            assert reply is None
        else:
            assert dns.message.from_wire(reply).rcode() == dns.rcode.FORMERR


@pytest.mark.interpreted
def test_who_asks_too_much_costs_no_look_at_the_name(monkeypatch):
    rig = Rig(policy(), access={"rate": 1, "burst": 2})
    looked = []
    monkeypatch.setattr(rig.box.current, "spot", lambda name, *_: looked.append(name))
    rig.say(question("x.ads.example"))
    rig.dispatch.at_hand(keys_of(*(question(f"y{number}.ads.example") for number in range(50))), [HOME] * 50)
    looked.clear()
    while rig.gate.admit(HOME).bucket.take(rig.clock()):
        pass
    keys = keys_of(question(f"{'a.' * 100}ads.example"), question("allowed.example.org"))
    assert rig.dispatch.at_hand(keys, [HOME, HOME]) == ([None, None], [(0, None), (1, None)])
    assert looked == []


@pytest.mark.interpreted
def test_a_query_that_fails_takes_none_of_its_batch_along(monkeypatch, caplog):
    rig = Rig(policy())
    rig.say(question("x.ads.example"))
    count = rig.hits.add_new

    def add_new(client, name, *rest):
        if name.startswith(b"\x01z"):
            raise ZeroDivisionError
        count(client, name, *rest)

    monkeypatch.setattr(rig.hits, "add_new", add_new)
    keys = keys_of(*(question(f"{name}.ads.example") for name in ("a", "z", "b")))
    tails, missed = rig.dispatch.at_hand(keys, [HOME] * 3)
    assert [tail is not None for tail in tails] == [True, False, True]
    assert missed == []
    assert "query.failed" in caplog.text


@pytest.mark.interpreted
def test_one_datagram_that_fails_has_no_reply(monkeypatch, caplog):
    rig = Rig(policy())
    rig.say(question("x.ads.example"))

    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(rig.hits, "add_new", fail)
    assert rig.dispatch.one_at_hand(question("y.ads.example").to_wire()[2:], HOME) == b""
    assert "query.failed" in caplog.text


def test_pieces_learned_in_a_batch_are_used_in_it():
    rig = Rig(policy())
    rig.say(question("x.ads.example"))
    queries = [question(f"x{number:02}.deepseek.example") for number in range(20)]
    _, missed = rig.dispatch.at_hand(keys_of(*queries), [HOME] * 20)
    assert len(missed) == 20
    before = rig.chain_asked
    for place, asked in missed:
        rig.dispatch.datagram(queries[place].to_wire(), HOME, asked)
    assert rig.chain_asked == before + 1


async def test_a_reply_whose_second_is_over_is_at_hand_counted_down_until_its_time_is_over():
    serving = Serving(Counting(ttl=10.0))
    await ask(serving, question(), HOME)
    keys = keys_of(question())
    for second, ttl in ((0.5, 300), (1.0, 299), (9.9, 291)):
        serving.clock.now = 1000.0 + second
        serving.dispatch.tick()
        (tail,), missed = serving.dispatch.at_hand(keys, [HOME])
        assert (dns.message.from_wire(b"\0\0" + tail).answer[0].ttl, missed) == (ttl, [])
    serving.clock.now = 1010.0
    serving.dispatch.tick()
    (tail,), missed = serving.dispatch.at_hand(keys, [HOME])
    assert (tail, len(missed)) == (None, 1)
    assert len(serving.handler.queries) == 1


async def test_who_asks_too_much_does_not_keep_replies_alive():
    serving = Serving(Counting(ttl=10.0), access={"rate": 1, "burst": 2})
    for _ in range(2):
        await ask(serving, question(), HOME)
    serving.clock.now = 1001.0
    await ask(serving, question("other.example.org"), HOME)
    for _ in range(2):
        assert serving.dispatch.at_hand(keys_of(question()), [HOME]) == ([None], [(0, None)])
    assert len(serving.cache) == 2, "one was taken for asked again"


@pytest.mark.interpreted
async def test_a_reply_that_cannot_be_counted_down_takes_none_of_its_batch_along(monkeypatch, caplog):
    serving = Serving(Counting(ttl=10.0))
    for name in ("good.example.org", "bad.example.org"):
        await ask(serving, question(name), HOME)
    serving.clock.now = 1001.0
    renewed = serving.cache.renewed

    def fail(table, key, entry, now):
        if b"bad" in key:
            raise ValueError
        return renewed(table, key, entry, now)

    monkeypatch.setattr(serving.cache, "renewed", fail)
    serving.dispatch.tick()
    tails, missed = serving.dispatch.at_hand(
        keys_of(question("bad.example.org"), question("good.example.org")), [HOME] * 2
    )
    assert [tail is not None for tail in tails] == [False, True]
    assert [place for place, _ in missed] == [0]
    assert "query.failed" in caplog.text
