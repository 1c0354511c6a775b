"""Queries are counted per client, and none is counted twice or lost when a client is forgotten."""

from sinkhole.config.schema import AccessSettings
from sinkhole.policy.activity import Activity
from sinkhole.policy.groups import Scope
from sinkhole.policy.identity import Identity
from sinkhole.resolver.query import Client
from sinkhole.transport.activities import GATHER_EVERY, MAX_NEW, Activities
from sinkhole.transport.gate import ClientGate
from tests.transport.serving import Clock


class Who:
    """Says who is at an address as a test tells it."""

    def __init__(self, known=()):
        self.known = dict(known)

    def at(self, address):
        identity = self.known.get(address)
        return Client(address, Scope(("lab",), (0,)) if identity else Scope(), identity)

    def is_wanted(self, address):
        return address not in self.known


def gate_of(who, clock, **rest):
    activities = Activities(wall=lambda: 7200.0 + clock.now, clock=clock, **rest)
    return ClientGate(AccessSettings(), lambda _: Scope(), clock=clock, who=who, activities=activities)


def test_counts_are_gathered_now_and_then():
    clock = Clock(0.0)
    gate = gate_of(Who({"10.0.0.1": Identity("aa:bb:cc:dd:ee:ff")}), clock)
    gate.admit("10.0.0.1").queries += 3
    assert gate.count_activities(10) == []
    clock.now = GATHER_EVERY
    assert gate.count_activities(10) == [Activity("10.0.0.1", 7205, 7205, 3, ("lab",))]
    gate.admit("10.0.0.1").queries += 1
    assert gate.count_activities(10) == []
    assert gate.count_activities(10, at_once=True) == [Activity("10.0.0.1", 7205, 7205, 1, ("lab",))]
    assert gate.count_activities(10, at_once=True) == []


def test_rows_are_limited_and_the_rest_follows():
    clock = Clock(0.0)
    gate = gate_of(Who(), clock)
    for low in range(5):
        gate.admit(f"10.0.0.{low}").queries += 1
    assert [len(gate.count_activities(2, at_once=True)) for _ in range(4)] == [2, 2, 1, 0]


def test_hours_are_rows_of_their_own():
    clock = Clock(0.0)
    gate = gate_of(Who(), clock)
    gate.admit("10.0.0.1").queries += 1
    gate.activities.gather(gate.clients.values())
    clock.now = 3600.0
    gate.admit("10.0.0.1").queries += 2
    assert [(one.last // 3600, one.queries) for one in gate.count_activities(10, at_once=True)] == [(2, 1), (3, 2)]


def test_what_a_forgotten_client_asked_is_counted():
    """A new policy, another identity, and more clients than are remembered."""
    clock = Clock(0.0)
    gate = gate_of(Who(), clock)
    gate.admit("10.0.0.1").queries += 1
    gate.forget_scopes()
    gate.admit("10.0.0.1").queries += 1
    gate.forget({"10.0.0.1"})
    gate.admit("10.0.0.1").queries += 1
    assert [one.queries for one in gate.count_activities(10, at_once=True)] == [3]
    few = ClientGate(AccessSettings(), lambda _: Scope(), max_clients=10, activities=Activities(wall=lambda: 7200.0))
    for low in range(100):
        few.admit(f"10.0.0.{low}").queries += 1
    assert sum(one.queries for one in few.count_activities(1000, at_once=True)) == 100


def test_flood_of_clients_is_bounded():
    clock = Clock(0.0)
    gate = gate_of(Who(), clock, max_rows=10)
    for low in range(100):
        gate.admit(f"10.0.0.{low}").queries += 1
    assert len(gate.count_activities(1000, at_once=True)) == 10


def test_new_clients_are_reported_once_and_bounded():
    clock = Clock(0.0)
    gate = gate_of(Who({"10.0.0.1": Identity("aa:bb:cc:dd:ee:ff")}), clock)
    for host in ("10.0.0.1", "10.0.0.2", "10.0.0.2", "192.0.2.1"):
        gate.admit(host)
    assert gate.activities.take_new(10) == ["10.0.0.2"]  # one is known, one may not ask
    assert gate.activities.take_new(10) == []
    for number in range(MAX_NEW + 10):
        gate.activities.note_new(str(number))
    assert len(gate.activities.take_new(MAX_NEW + 10)) == MAX_NEW


def test_forgotten_client_gets_its_new_scope():
    who = Who()
    gate = gate_of(who, Clock(0.0))
    state, other = gate.admit("::ffff:10.0.0.1"), gate.admit("10.0.0.2")
    who.known["10.0.0.1"] = Identity("aa:bb:cc:dd:ee:ff")
    gate.forget({"10.0.0.1"})
    assert gate.admit("::ffff:10.0.0.1").client.scope.groups == ("lab",)
    assert gate.admit("::ffff:10.0.0.1") is not state
    assert gate.admit("10.0.0.2") is other
