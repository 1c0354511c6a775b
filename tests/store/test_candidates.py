"""The queue: counted exactly once, bounded, aged out, and every decision in the audit log."""

from dataclasses import replace

import pytest

from sinkhole.errors import PolicyError
from sinkhole.policy.sighting import Sighting
from sinkhole.store.audit import entries
from sinkhole.store.candidates import MAX_CLIENTS, MAX_OF_ONE, CandidateState, CandidateStore, add_sightings
from sinkhole.store.database import open_store
from sinkhole.store.recorder import Recorder
from sinkhole.store.salvage import salvage
from tests.store.rows import batch, row

ONE = Sighting("novel.ai", ("its suffix .ai",), 3, 100, 200, ("www.novel.ai",), True)


def seen(**fields) -> Sighting:
    return replace(ONE, **fields)


@pytest.fixture
def queue(store):
    return CandidateStore(store, "admin")


@pytest.fixture
def add(store):
    def add(*sightings, most=2000, client_text=str):
        with store.transaction() as connection:
            add_sightings(connection, sightings, client_text, most)

    return add


def test_sightings_of_a_domain_add_up(queue, add):
    add(ONE, seen(count=2, first=50, last=150, examples=("a.novel.ai", "b.novel.ai", "c.novel.ai"), reasons=("gpt",)))
    found = queue.find("novel.ai")
    assert (found.state, found.count, found.first, found.last) == (CandidateState.NEW, 5, 50, 200)
    assert found.examples == ("www.novel.ai", "a.novel.ai", "b.novel.ai")
    assert found.reasons == ("its suffix .ai", "gpt")
    assert queue.find("other.ai") is None


def test_what_is_below_a_known_domain_counts_for_that(queue, add):
    add(ONE)
    add(seen(domain="gpt.novel.ai", is_by_name=False), seen(domain="xnovel.ai"))
    assert {one.domain: one.count for one in queue.all()} == {"novel.ai": 6, "xnovel.ai": 3}
    assert queue.find("novel.ai").is_by_name


def test_what_shows_in_answers_alone_is_told_apart(queue, add):
    add(seen(domain="helper.example", is_by_name=False), ONE)
    assert queue.domains(CandidateState.NEW) == ["helper.example", "novel.ai"]
    assert queue.domains(CandidateState.NEW, by_answer=True) == ["helper.example"]
    add(seen(domain="gpt.helper.example"))
    assert queue.domains(CandidateState.NEW, by_answer=True) == ["helper.example"]
    add(seen(domain="helper.example"))
    assert queue.domains(CandidateState.NEW, by_answer=True) == []


def test_batch_that_is_sent_twice_counts_once(store, queue):
    recorder = Recorder(store, str)
    first = replace(batch(row()), sightings=(ONE,))
    assert recorder.write(first)
    assert recorder.write(first)
    assert recorder.write(replace(batch(seq=2), sightings=(ONE,)))
    assert queue.find("novel.ai").count == 6


def test_who_owns_a_domain_cannot_fill_the_queue(queue, add):
    """One wildcard domain, asked for by one page, displaced what waited, and all that came later for 90 days."""
    add(seen(domain="novel.ai", count=1))
    add(*(seen(domain=f"gpt-{number}.evil.example", count=number) for number in range(1, 500)), most=60)
    add(seen(domain="later.ai", count=1), most=60)
    found = [one.domain for one in queue.all()]
    assert len(found) == MAX_OF_ONE + 2
    assert {"novel.ai", "later.ai", "gpt-499.evil.example", "gpt-450.evil.example"} <= set(found)


def test_queue_is_bounded_and_decisions_stay(queue, add):
    add(seen(domain="kept.ai", count=1), seen(domain="ignored.ai", count=1))
    queue.decide("ignored.ai", CandidateState.IGNORED, reason="ours")
    add(*(seen(domain=f"n{number}.ai", count=number) for number in range(2, 8)), most=3)
    assert [one.domain for one in queue.all(CandidateState.NEW)] == ["n7.ai", "n6.ai", "n5.ai"]
    assert [one.domain for one in queue.all(CandidateState.IGNORED)] == ["ignored.ai"]
    assert [one.domain for one in queue.all(min_count=7)] == ["n7.ai"]


def test_who_asked_goes_even_where_the_decision_stays(queue, add):
    add(seen(domain="ignored.ai", last=10, clients=("192.0.2.1",)), seen(domain="new.ai", clients=("192.0.2.1",)))
    queue.decide("ignored.ai", CandidateState.IGNORED)
    queue.forget(20)
    assert queue.find("ignored.ai") is not None
    assert (queue.clients("ignored.ai"), queue.clients("new.ai")) == ([], ["192.0.2.1"])


def test_old_ones_go_and_decisions_stay(queue, add):
    add(seen(domain="old.ai", last=10), seen(domain="new.ai", last=20), seen(domain="ignored.ai", last=10))
    queue.decide("ignored.ai", CandidateState.IGNORED)
    assert queue.forget(20) == 1
    assert [one.domain for one in queue.all()] == ["ignored.ai", "new.ai"]


def test_decisions_are_in_the_audit_log(store, queue, add):
    add(ONE)
    assert queue.decide("novel.ai", CandidateState.ACCEPTED, product="novel/chat").product == "novel/chat"
    assert queue.decide("novel.ai", CandidateState.NEW).product is None
    assert queue.decide("novel.ai", CandidateState.IGNORED, reason="a game").note == "a game"
    with store.reading() as connection:
        log = entries(connection)[::-1]
    assert [(entry.who, entry.what) for entry in log] == [
        ("admin", "candidate novel.ai accepted into novel/chat"),
        ("admin", "candidate novel.ai reopened"),
        ("admin", "candidate novel.ai ignored"),
    ]
    assert '"state": "new"' in log[0].before
    assert '"note": "a game"' in log[2].after
    with pytest.raises(PolicyError, match=r"there is no candidate 'other.ai'"):
        queue.decide("other.ai", CandidateState.NEW)


def test_clients_are_written_as_hits_are(queue, add):
    add(seen(clients=("192.0.2.1", "192.0.2.2")), seen(clients=("192.0.2.1",)), client_text=lambda text: f"p-{text}")
    assert queue.clients("novel.ai") == ["p-192.0.2.1", "p-192.0.2.2"]
    assert queue.client_counts() == {"novel.ai": 2}
    add(seen(domain="other.ai", clients=("192.0.2.1",)), client_text=lambda _: "")
    assert queue.clients("other.ai") == []


def test_clients_are_bounded_and_go_with_the_domain(store, queue, add):
    add(seen(clients=tuple(f"c{number}" for number in range(MAX_CLIENTS + 5))))
    add(seen(clients=("late",)))
    assert len(queue.clients("novel.ai")) == MAX_CLIENTS
    queue.forget(10**9)
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM candidate_client").scalar() == 0


def test_queue_is_taken_over_from_a_broken_store(store, queue, add, tmp_path):
    """R-D03: what people decided is worth as much as policy."""
    add(ONE)
    queue.decide("novel.ai", CandidateState.IGNORED, reason="ours")
    (tmp_path / "new").mkdir()
    new = open_store(tmp_path / "new" / "store.db")
    assert salvage(store.path, new.path)
    assert [(one.domain, one.note) for one in CandidateStore(new, "x").all()] == [("novel.ai", "ours")]
    new.close()
