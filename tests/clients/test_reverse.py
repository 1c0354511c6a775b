"""Reverse names count only when they lead back to the address; they are bounded in number and time."""

import asyncio

import pytest

from sinkhole.clients.reverse import AT_ONCE, FORGOTTEN_AFTER, NONE_FOR, OLD_FOR, RATE, TRIED_AGAIN_AFTER, ReverseNames
from sinkhole.protocol.names import name_to_text
from sinkhole.protocol.rdata import records_from_text
from sinkhole.protocol.types import qtype_to_text


class Zone:
    """Answers from lines; names in `failing` get no answer; counts questions."""

    def __init__(self, *lines: str) -> None:
        self.records = [record for line in lines for record in records_from_text(line)]
        self.failing: set[str] = set()
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, name, qtype):
        text = name_to_text(name)
        self.asked.append(f"{text} {qtype_to_text(qtype)}")
        await self.gate.wait()
        if text in self.failing:
            return None
        return tuple(record for record in self.records if record.owner == name and record.rtype == qtype)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def reverse_names(zone, clock, *, public_too=False, changes=None):
    changed = (lambda: None) if changes is None else (lambda: changes.append(1))
    return ReverseNames(zone, public_too=public_too, changed=changed, clock=clock)


async def settled(names):
    while names._running:
        await asyncio.gather(*names._running.values())
    return names.names()


POINTER = "7.2.0.10.in-addr.arpa 600 PTR PC7.lab.example"


async def test_name_that_leads_back_counts(clock):
    changes = []
    names = reverse_names(Zone(POINTER, "pc7.lab.example 600 A 10.0.2.7"), clock, changes=changes)
    names.want(["10.0.2.7"])
    assert await settled(names) == {"10.0.2.7": ("pc7.lab.example",)}
    assert changes == [1]


async def test_name_that_leads_elsewhere_does_not(clock):
    """Whoever owns the reverse zone alone cannot take a name."""
    names = reverse_names(Zone(POINTER, "pc7.lab.example 600 A 10.0.2.8"), clock)
    names.want(["10.0.2.7"])
    assert await settled(names) == {}


async def test_ipv6(clock):
    reverse = "7" + ".0" * 23 + ".0.0.0.0.0.0.d.f.ip6.arpa"
    zone = Zone(f"{reverse} 600 PTR pc7.lab.example", "pc7.lab.example 600 AAAA fd00::7")
    names = reverse_names(zone, clock)
    names.want(["fd00::7"])
    assert await settled(names) == {"fd00::7": ("pc7.lab.example",)}


async def test_public_addresses_are_asked_for_only_if_told(clock):
    zone = Zone("1.2.0.192.in-addr.arpa 600 PTR a.example", "a.example 600 A 192.0.2.1")
    names = reverse_names(zone, clock)
    names.want(["192.0.2.1", "mac:aa:bb:cc:dd:ee:ff"])
    assert await settled(names) == {}
    assert zone.asked == []
    told = reverse_names(zone, clock, public_too=True)
    told.want(["192.0.2.1"])
    assert await settled(told) == {"192.0.2.1": ("a.example",)}


async def test_name_is_kept_by_its_ttl_and_a_minute_at_least(clock):
    zone = Zone("7.2.0.10.in-addr.arpa 1 PTR pc7.lab.example", "pc7.lab.example 5 A 10.0.2.7")
    names = reverse_names(zone, clock)
    names.want(["10.0.2.7"])
    await settled(names)
    clock.now = 59.0
    names.look()
    await settled(names)
    assert len(zone.asked) == 2
    clock.now = 60.0
    zone.records = []
    names.look()
    assert await settled(names) == {}
    clock.now = 60.0 + NONE_FOR - 1
    names.look()
    await settled(names)
    assert len(zone.asked) == 3


async def test_name_counts_on_for_an_hour_while_nobody_answers(clock):
    zone = Zone(POINTER, "pc7.lab.example 600 A 10.0.2.7")
    names = reverse_names(zone, clock)
    names.want(["10.0.2.7"])
    await settled(names)
    zone.failing = {"7.2.0.10.in-addr.arpa"}
    clock.now = 600.0
    names.look()
    assert await settled(names) == {"10.0.2.7": ("pc7.lab.example",)}
    clock.now = 600.0 + TRIED_AGAIN_AFTER
    names.look()
    await settled(names)
    assert len(zone.asked) == 4
    clock.now = 600.0 + OLD_FOR
    assert names.names() == {}


async def test_failing_name_does_not_hide_another(clock):
    zone = Zone(POINTER, "7.2.0.10.in-addr.arpa 600 PTR other.example", "pc7.lab.example 600 A 10.0.2.7")
    zone.failing = {"other.example"}
    names = reverse_names(zone, clock)
    names.want(["10.0.2.7"])
    assert await settled(names) == {"10.0.2.7": ("pc7.lab.example",)}


async def test_number_in_a_second_is_bounded(clock):
    zone = Zone()
    clock.now = 100.0
    names = reverse_names(zone, clock)
    names.want([f"10.0.0.{low}" for low in range(100)])
    await settled(names)
    assert len(zone.asked) == AT_ONCE + 1
    clock.now += 2 / RATE
    async with asyncio.timeout(5):
        while len(zone.asked) < AT_ONCE + 3:
            await asyncio.sleep(0.01)
    await settled(names)
    assert len(zone.asked) == AT_ONCE + 3
    await names.close()


async def test_number_under_way_is_bounded():
    zone = Zone()
    zone.gate.clear()
    names = ReverseNames(zone, public_too=False, changed=lambda: None, rate=1e6)
    names.want([f"10.0.0.{low}" for low in range(100)])
    await asyncio.sleep(0)
    assert len(zone.asked) == AT_ONCE
    zone.gate.set()
    await settled(names)
    assert len(zone.asked) == 100


async def test_client_that_asks_no_more_is_forgotten(clock):
    zone = Zone(POINTER, "pc7.lab.example 600 A 10.0.2.7")
    names = reverse_names(zone, clock)
    names.want(["10.0.2.7"])
    await settled(names)
    clock.now = FORGOTTEN_AFTER + 1
    names.look()
    assert await settled(names) == {}
    assert len(zone.asked) == 2
    names.want(["10.0.2.7"])
    assert await settled(names)


async def test_failure_of_the_program_is_logged_and_survived(clock, caplog):
    async def broken(name, qtype):
        raise RuntimeError("broken")

    names = reverse_names(broken, clock)
    names.want(["10.0.2.7"])
    assert await settled(names) == {}
    assert "reverse_name.failed" in caplog.text


async def test_close_ends_what_runs(clock):
    zone = Zone()
    zone.gate.clear()
    names = reverse_names(zone, clock)
    names.want(["10.0.2.7"])
    await asyncio.sleep(0)
    await names.close()
    assert names.names() == {}


async def test_names_are_taken_over_after_a_restart(clock):
    """They count at once, and end with the next answer that says otherwise."""
    zone = Zone()
    names = reverse_names(zone, clock)
    names.remember({"10.0.2.7": ("pc7.lab.example",), "192.0.2.7": ("public.example",)})
    assert names.names() == {"10.0.2.7": ("pc7.lab.example",)}
    names.look()
    assert await settled(names) == {}
