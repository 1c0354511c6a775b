"""Who is at which address, from all sources together; nothing is guessed."""

from sinkhole.clients.known import Fact, Known, Remembered, known_clients
from sinkhole.clients.lease import Lease
from sinkhole.clients.neighbours import Neighbour
from sinkhole.policy.identity import Identity

MAC, OTHER = "aa:bb:cc:dd:ee:ff", "aa:bb:cc:dd:ee:00"
LEASE = Lease("192.0.2.7", MAC, b"\0LAPTOP-7", "laptop-7", 100.0)
IDS = ("00:4c:41:50:54:4f:50:2d:37", "LAPTOP-7")


def known(neighbours=(), leases=(), names=None, now=50.0):
    found = {one.address: one for one in neighbours}
    return known_clients(found, [("/leases", {one.address: one for one in leases})], names or {}, now)


def test_sources_add_up():
    found = known(
        [Neighbour("192.0.2.7", MAC, is_alive=True)],
        [LEASE],
        {"192.0.2.7": ("pc7.lab.example",), "192.0.2.8": ("x.example",)},
    )
    assert found["192.0.2.7"] == Known(
        Identity(MAC, ("pc7.lab.example",), IDS),
        "laptop-7",
        (
            Fact("mac", MAC, "neighbour table"),
            Fact("name", "pc7.lab.example", "reverse name, verified"),
            Fact("id", IDS[0], "lease in /leases"),
            Fact("id", "LAPTOP-7", "lease in /leases"),
            Fact("host", "laptop-7", "lease in /leases; decides nothing"),
        ),
        is_alive=True,
    )
    assert found["192.0.2.8"].identity == Identity(names=("x.example",))


def test_host_name_that_a_client_gives_itself_decides_nothing():
    assert known(leases=[LEASE])["192.0.2.7"].identity.names == ()


def test_lease_of_another_mac_address_does_not_count():
    """Somebody else uses the address: neither client-id nor host name are that one's."""
    found = known([Neighbour("192.0.2.7", OTHER, is_alive=False)], [LEASE])["192.0.2.7"]
    assert (found.identity, found.host, found.is_alive) == (Identity(OTHER), None, False)
    assert found.facts[1] == Fact("mac", MAC, "lease of another MAC address, not counted (/leases)")


def test_lease_that_has_ended_does_not_count():
    assert known(leases=[LEASE], now=100.0) == {}


def test_neighbour_is_remembered_for_a_while():
    memory = Remembered(keep=10)
    one = Neighbour("192.0.2.7", MAC, is_alive=True)
    assert memory.note([one], 0.0) == {"192.0.2.7": one}
    assert memory.note([], 5.0) == {"192.0.2.7": Neighbour("192.0.2.7", MAC, is_alive=False)}
    assert memory.note([], 10.0)
    assert memory.note([], 10.1) == {}


def test_another_mac_address_counts_at_once():
    memory = Remembered(keep=10)
    memory.note([Neighbour("192.0.2.7", MAC, is_alive=True)], 0.0)
    assert memory.note([Neighbour("192.0.2.7", OTHER, is_alive=True)], 1.0)["192.0.2.7"].mac == OTHER
