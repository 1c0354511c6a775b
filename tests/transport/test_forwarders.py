"""EDNS options of trusted forwarders name the client; from anyone else they say nothing."""

import dns.edns
import dns.message
import pytest

from sinkhole.config.schema import AccessSettings
from sinkhole.policy.identity import Identity
from sinkhole.policy.statement import Group
from sinkhole.resolver.who import Who
from sinkhole.transport.dispatch import Dispatch
from sinkhole.transport.gate import ClientGate
from tests.transport.serving import Counting, Serving, make_policy, say

MAC = "aa:bb:cc:dd:ee:ff"
GROUPS = (
    Group("boss", (f"mac:{MAC}",)), Group("branch", ("10.0.0.1",)), Group("seven", ("10.9.9.7",)),
    Group("cpe", ("id:LAPTOP-7",)),
)  # fmt: skip
FORWARDER, STRANGER = "10.0.0.1", "10.0.0.2"


def query(*options, name="a.example"):
    return dns.message.make_query(name, "A", use_edns=0, options=list(options)).to_wire()


def mac(text=MAC):
    return dns.edns.GenericOption(65001, bytes.fromhex(text.replace(":", "")))


def cpe_id(text):
    return dns.edns.GenericOption(65074, text.encode())


def subnet(address, bits=32):
    return dns.edns.ECSOption(address, bits)


@pytest.fixture
def asked():
    """A dispatch that trusts one forwarder, and the handler behind it."""
    serving = Serving(Counting(), policy=make_policy(groups=GROUPS))
    known = {"10.9.9.7": Identity("00:00:00:00:00:01", (), ("LAPTOP-7",))}
    who = Who(serving.box, known.get)
    gate = ClientGate(
        AccessSettings(), serving.box.current.scope_of, clock=serving.clock, who=who, forwarders=(f"{FORWARDER}/32",)
    )
    serving.dispatch = Dispatch(
        gate, serving.cache, serving.handler, serving.box, serving.hits, serving.settings,
        clock=serving.clock, wall=serving.wall,
    )  # fmt: skip
    serving.gate = gate
    return serving


@pytest.mark.parametrize(
    ("options", "client", "groups"),
    [
        ([mac()], f"mac:{MAC}", ("boss", "branch")),
        ([mac("00:00:00:00:00:02")], "mac:00:00:00:00:00:02", ("branch",)),
        ([subnet("10.9.9.7")], "10.9.9.7", ("cpe", "seven")),
        ([subnet("10.9.9.8")], "10.9.9.8", ()),
        ([subnet("10.9.9.7"), mac()], "10.9.9.7", ("cpe", "boss", "seven")),
        ([cpe_id("laptop-7")], "id:laptop-7", ("cpe", "branch")),
        ([subnet("10.9.9.0", 24)], FORWARDER, ("branch",)),
        ([dns.edns.GenericOption(10, b"12345678")], FORWARDER, ("branch",)),
        ([], FORWARDER, ("branch",)),
    ],
)
async def test_trusted_forwarder_names_the_client(asked, options, client, groups):
    await say(asked, query(*options), FORWARDER)
    who = asked.handler.queries[0].client
    assert (who.address, who.scope.groups) == (client, groups)
    assert who.scope_under(asked.box.current) == who.scope


async def test_nobody_else_is_believed(asked):
    await say(asked, query(mac(), subnet("10.9.9.7"), cpe_id("LAPTOP-7")), STRANGER)
    who = asked.handler.queries[0].client
    assert (who.address, who.scope.groups) == (STRANGER, ())


async def test_streams_are_read_the_same_way(asked):
    await say(asked, query(mac()), FORWARDER, is_stream=True)
    assert asked.handler.queries[0].client.address == f"mac:{MAC}"


async def test_no_packet_cache_entry_is_shared_with_another_scope(asked):
    """Equal octets of the forwarder and of a stranger, and a query without options, each get their own answer."""
    for _ in range(2):
        for host, options in (
            (FORWARDER, (mac(),)),
            (STRANGER, (mac(),)),
            (FORWARDER, ()),
            (FORWARDER, (mac("00:00:00:00:00:02"),)),
        ):
            await say(asked, query(*options), host)
    clients = [one.client.address for one in asked.handler.queries]
    # With options nothing is kept; without, the forwarder's own answer is kept for its own scope.
    assert clients == [
        f"mac:{MAC}",
        STRANGER,
        FORWARDER,
        "mac:00:00:00:00:00:02",
        f"mac:{MAC}",
        STRANGER,
        "mac:00:00:00:00:00:02",
    ]


async def test_queries_count_for_whom_they_were_asked(asked):
    for options in ((mac(),), (mac(),), (), ()):
        await say(asked, query(*options), FORWARDER)
    asked.dispatch.flush_hits()
    counted = {one.client: one.queries for one in asked.gate.count_activities(10, at_once=True)}
    assert counted == {f"mac:{MAC}": 2, FORWARDER: 2}


async def test_hits_are_recorded_for_whom_they_were_asked(asked):
    """Those of the packet cache; what the chain answers it counts itself, by `Query.client`."""
    for options in ((mac(),), (), (), (mac(),)):
        await say(asked, query(*options), FORWARDER)
    asked.dispatch.flush_hits()
    assert [(row.client, row.count) for row in asked.hits.drain(10)] == [(FORWARDER, 1)]


async def test_client_that_is_another_now_is_looked_up_anew(asked):
    state = asked.gate.admit(FORWARDER)
    options = [(8, b"\0\1\x20\0\x0a\x09\x09\x07")]
    before = asked.gate.named(state, options)
    assert asked.gate.named(state, options) is before
    asked.gate.forget({"10.9.9.7"})
    assert asked.gate.named(state, options) is not before
