"""`sinkhole doctor`: what each check says of a good installation and of a bad one."""

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.servers import free_port
from sinkhole.app import data_dir
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.doctor import CHECKS, examine
from sinkhole.app.finding import Finding, Grade
from sinkhole.app.state import compile_state, open_state
from sinkhole.config.load import load_settings
from sinkhole.config.schema import Settings
from sinkhole.policy.exception import PolicyException
from sinkhole.policy.expectation import Expectation
from sinkhole.policy.feed import FeedState, FeedStatus
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.recorder import HitBatch, Recorder
from tests.app.test_apply import answering
from tests.e2e.conftest import UpstreamThread
from tests.fakes import FakeUpstream, answers, reply, silent
from tests.store.disk import mounted

LOCALHOST = ("localhost", "A")


def settings_of(folder: Path, **more: Any) -> Settings:
    return load_settings(None, {}, {"server.data_dir": folder, **{k.replace("__", "."): v for k, v in more.items()}})


def findings(settings: Settings, check: str) -> list[tuple[Grade, str]]:
    return [(found.grade, found.text) for found in examine(settings, (check,))]


@pytest.fixture
def settings(tmp_path) -> Settings:
    """A folder as after a first start."""
    data_dir.prepare(tmp_path)
    found = settings_of(tmp_path)
    state = open_state(found)
    compile_state(state)
    state.close()
    return found


def test_fresh_folder_is_no_failure_but_for_the_server(tmp_path):
    found = settings_of(tmp_path / "none", server__listen=("127.0.0.1:0",), upstream__servers=["127.0.0.1:9"])
    grades = {finding.check: finding.grade for finding in examine(found)}
    assert set(grades) == set(CHECKS)
    assert {check for check, grade in grades.items() if grade is Grade.FAILURE} == {"upstreams", "query", "canary"}


def test_port(settings, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        text = f"127.0.0.1:{taken.getsockname()[1]}"
        busy = settings_of(tmp_path, server__listen=(text,))
        ((grade, said),) = findings(busy, "port")
        assert (grade, text in said) == (Grade.FAILURE, True)
    assert findings(busy, "port") == [
        (Grade.WARNING, f"no server runs on this data folder; {text} is free to listen on")
    ]
    held = data_dir.lock(tmp_path)
    assert findings(busy, "port") == [(Grade.GOOD, "a server runs on this data folder")]
    os.close(held)


def test_permissions(settings, tmp_path):
    """R-D08: state that others may read is told of, with what to do."""
    tmp_path.chmod(0o700)
    assert findings(settings, "permissions") == [(Grade.GOOD, f"{tmp_path} is for its owner alone")]
    tmp_path.chmod(0o755)
    assert findings(settings, "permissions") == [
        (Grade.WARNING, f"others may read {tmp_path}; run: chmod go= {tmp_path}")
    ]
    ((grade, said),) = findings(settings_of(tmp_path / "none"), "permissions")
    assert (grade, "does not exist yet" in said) == (Grade.WARNING, True)


def test_disk(settings, tmp_path):
    assert findings(settings_of(tmp_path / "none"), "disk")[0][0] is Grade.WARNING
    ((grade, said),) = findings(settings, "disk")
    assert (grade, f"MiB are free on the disk of {tmp_path}" in said) == (Grade.GOOD, True)
    for mib, bad in ((16, Grade.WARNING), (1, Grade.FAILURE)):
        with mounted(tmp_path / f"small-{mib}", mib) as small:
            ((grade, said),) = findings(settings_of(small), "disk")
        assert (grade, said.startswith(f"{mib} MiB are free")) == (bad, True)
    assert "nothing can be recorded or changed" in said


def test_recorder(settings, tmp_path):
    assert findings(settings, "recorder") == [(Grade.GOOD, "no query was lost that was to be recorded")]
    state = open_state(settings)
    Recorder(state.store, str).write(HitBatch("w", 1, (), dropped=1234))
    state.close()
    assert findings(settings, "recorder") == [
        (Grade.WARNING, "1,234 queries could not be recorded since the store was made")
    ]
    assert findings(settings_of(tmp_path / "none"), "recorder")[0][0] is Grade.GOOD


def test_store(settings, tmp_path):
    assert findings(settings, "store") == [(Grade.GOOD, "the store is sound")]
    assert findings(settings_of(tmp_path / "none"), "store")[0][0] is Grade.WARNING
    path = tmp_path / data_dir.STORE
    path.unlink()
    path.mkdir()
    assert findings(settings, "store")[0][0] is Grade.FAILURE


@pytest.mark.parametrize(
    ("handler", "grade", "said"),
    [
        (answers({}), Grade.GOOD, "they answer NXDOMAIN within "),
        (lambda wire: [(0, reply(wire, rcode="SERVFAIL"))], Grade.FAILURE, "they answer SERVFAIL"),
        (silent, Grade.FAILURE, "no upstream answers: "),
    ],
)
def test_upstreams(tmp_path, handler, grade, said):
    with UpstreamThread(FakeUpstream(handler)) as upstream:
        found = settings_of(tmp_path, upstream__servers=[upstream.url], upstream__timeout=0.2)
        ((how, text),) = findings(found, "upstreams")
    assert (how, text[: len(said)]) == (grade, said)


def test_catalogue(settings):
    ((grade, said),) = findings(settings, "catalogue")
    assert grade is Grade.GOOD
    assert "vendors, last looked at " in said
    assert "domains not confirmed for half a year" in said


def test_older_installation_is_told_of_new_defaults(settings):
    assert findings(settings_of(settings.server.data_dir / "none"), "defaults")[0][0] is Grade.GOOD
    state = open_state(settings)
    with state.store.transaction() as connection:  # as if it had been filled before there was such a subject
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        for (name,) in connection.exec_driver_sql(triggers).fetchall():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("DELETE FROM audit WHERE what LIKE '%lookalikes%'")
    state.close()
    ((grade, said),) = findings(settings, "defaults")
    assert (grade, said.rpartition(": ")[2]) == (Grade.WARNING, "sinkhole policy monitor lookalikes")


def test_feeds(settings, tmp_path):
    assert findings(settings_of(tmp_path / "none"), "feeds")[0][0] is Grade.WARNING
    state = open_state(settings)
    every = [feed for feed, _ in state.feeds.all() if feed.enabled]
    assert len(every) > 4
    assert all("has no rules: not synced yet" in said for _, said in findings(settings, "feeds"))
    now = datetime.now(UTC)
    fresh = FeedState(FeedStatus.UPDATED, 1, fetched_at=now, rules=5)
    for feed in every:
        state.feeds.put_state(feed.name, fresh)
    assert findings(settings, "feeds") == [(Grade.GOOD, f"{len(every)} feeds are fresh")]
    held = FeedState(FeedStatus.QUARANTINED, 1, pending_version=2, fetched_at=now)
    old = FeedState(FeedStatus.KEPT, 1, fetched_at=now - timedelta(days=20), message="no answer")
    never = FeedState(FeedStatus.KEPT, 1)
    failed = FeedState(FeedStatus.FAILED, message="404 Not Found")
    for feed, known in zip(every, (held, old, never, failed), strict=False):
        state.feeds.put_state(feed.name, known)
    state.close()
    told = dict(zip([feed.name for feed in every], [said for _, said in findings(settings, "feeds")], strict=False))
    names = list(told)
    assert told == {
        names[0]: f"{names[0]}: version 2 waits for: sinkhole feeds approve {names[0]}",
        names[1]: f"{names[1]}: was last reached 20 days ago: no answer",
        names[2]: f"{names[2]}: was never reached",
        names[3]: f"{names[3]}: has no rules: 404 Not Found",
    }


def test_policy(settings, tmp_path):
    ((grade, said),) = findings(settings, "policy")
    assert (grade, said.startswith("generation 1 is sound, ")) == (Grade.GOOD, True)
    assert findings(settings_of(tmp_path / "none"), "policy")[0][0] is Grade.WARNING
    (image,) = compiled_folder(tmp_path).glob("names-*.img")
    octets = bytearray(image.read_bytes())
    octets[1000] ^= 0xFF
    image.write_bytes(octets)
    assert findings(settings, "policy")[0][0] is Grade.FAILURE


@pytest.mark.parametrize(
    ("workers", "said"),
    [
        ([{"generation": 1}], None),
        ([{"generation": 1}, {"generation": 0}], "1 of 2 workers do not answer by it"),
        ([], "0 of 0 workers do not answer by it"),
    ],
)
def test_policy_of_the_workers(settings, tmp_path, workers, said):
    async def status(message: dict[str, Any]) -> dict[str, Any]:
        return {"workers": workers, "listen": []}

    with answering(tmp_path, status):
        failures = [text for grade, text in findings(settings, "policy") if grade is Grade.FAILURE]
    assert failures == ([said] if said else [])


@pytest.mark.parametrize(
    ("handler", "grade", "said"),
    [
        (answers({LOCALHOST: ["127.0.0.1"]}), Grade.GOOD, "a server answers on "),
        (answers({}), Grade.FAILURE, "localhost was not answered with 127.0.0.1"),
        (lambda wire: [(0, b"nonsense")], Grade.FAILURE, ""),
    ],
)
def test_query(settings, tmp_path, handler, grade, said):
    with UpstreamThread(FakeUpstream(handler)) as server:
        ((how, text),) = findings(settings_of(tmp_path, server__listen=(server.url,)), "query")
    assert (how, text[: len(said)]) == (grade, said)


def test_query_where_no_server_is(tmp_path):
    port = free_port()
    found = settings_of(tmp_path, server__listen=(f"0.0.0.0:{port}",))
    assert findings(found, "query") == [
        (Grade.FAILURE, f"no server answers on 127.0.0.1 port {port}: Connection refused")
    ]


def sinkholed(wire: bytes) -> Any:
    import dns.edns
    import dns.message
    import dns.rrset

    query = dns.message.from_wire(wire)
    message = dns.message.make_response(query)
    message.use_edns(0, options=[dns.edns.EDEOption(15, "blocked")])
    message.answer.append(dns.rrset.from_text(query.question[0].name, 10, "IN", "A", "0.0.0.0"))
    return [(0, message.to_wire())]


def answered_truly(wire: bytes) -> Any:
    import dns.message

    name = dns.message.from_wire(wire).question[0].name
    return [(0, reply(wire, f"{name} 300 IN A 192.0.2.80"))]


@pytest.mark.parametrize(
    ("handler", "grade", "said"),
    [
        (sinkholed, Grade.GOOD, " is blocked"),
        (lambda wire: [(0, reply(wire, rcode="NXDOMAIN"))], Grade.FAILURE, " is answered, though policy blocks it"),
        (answered_truly, Grade.FAILURE, " is answered, though policy blocks it"),
    ],
)
def test_canary(settings, tmp_path, handler, grade, said):
    """A name that policy blocks is asked, and must be blocked."""
    with UpstreamThread(FakeUpstream(handler)) as server:
        ((how, text),) = findings(settings_of(tmp_path, server__listen=(server.url,)), "canary")
    assert how is grade
    assert said in text


def test_canary_where_nothing_is_blocked(settings):
    state = open_state(settings)
    state.policy.put(Statement(0, Subject.from_text("ai"), Action.MONITOR))
    compile_state(state)
    state.close()
    assert findings(settings, "canary") == [(Grade.GOOD, "policy blocks no vendor for this machine, so none was asked")]


def test_check_that_cannot_be_made_is_a_failure_of_its_own(tmp_path):
    (tmp_path / data_dir.STORE).mkdir()
    assert [type(found) for found in examine(settings_of(tmp_path), ("store", "feeds"))] == [Finding, Finding]


def test_exceptions_that_end_soon(settings):
    assert findings(settings_of(settings.server.data_dir / "none"), "exceptions") == [
        (Grade.GOOD, "there are none yet")
    ]
    assert findings(settings, "exceptions") == [(Grade.GOOD, "there are none")]
    state = open_state(settings)
    now = datetime.now(UTC)
    for days, client in ((8, None), (6, "192.0.2.7"), (1, "192.0.2.8")):
        wanted = PolicyException(Subject.from_text("ai"), now + timedelta(days=days), "why", "Ann", client)
        state.exceptions.put(wanted, now)
        if days == 8:
            assert findings(settings, "exceptions") == [(Grade.GOOD, "none of 1 ends within 7 days")]
    state.exceptions.request(PolicyException(Subject.from_text("ai"), now + timedelta(days=1), "why", "Ann"), now)
    state.close()
    found = findings(settings, "exceptions")
    assert [(grade, said.partition(", asked")[0]) for grade, said in found] == [
        (Grade.WARNING, "3 on ai for client:192.0.2.8"), (Grade.WARNING, "2 on ai for client:192.0.2.7"),
    ]  # fmt: skip
    assert ", asked for by Ann, ends 20" in found[0][1]


def test_expectations_that_are_not_met(settings):
    assert findings(settings_of(settings.server.data_dir / "none"), "expectations") == [
        (Grade.GOOD, "there are none yet")
    ]
    assert findings(settings, "expectations") == [(Grade.GOOD, "there are none")]
    state = open_state(settings)
    state.expectations.replace(
        [Expectation("chat.deepseek.com", Action.BLOCK), Expectation("example.org", Action.ALLOW)]
    )
    assert findings(settings, "expectations") == [(Grade.GOOD, "all 2 hold")]
    now = datetime.now(UTC)
    state.overrides.begin(Override(OverrideKind.PAUSE, 0, (), now + timedelta(hours=1)), now)
    compile_state(state)
    (_, (grade, said)) = findings(settings, "policy")
    assert (grade, said.partition(" until")[0]) == (Grade.WARNING, "pause 1 for all goes before statements")
    assert findings(settings, "expectations") == [(Grade.GOOD, "all 2 hold")]
    state.exceptions.put(PolicyException(Subject.from_text("ai"), now + timedelta(days=1), "why", "Ann"), now)
    compile_state(state)
    state.close()
    ((grade, said),) = findings(settings, "expectations")
    assert (grade, said) == (
        Grade.WARNING,
        "the policy in force does not meet chat.deepseek.com A for a client in no group: block; "
        "found monitor by ai for all, for chat.deepseek.com and below",
    )


@pytest.mark.parametrize(
    ("wanted", "said"), [("auto", "up to 64 come and go in one system call"), ("single", "each comes and goes in a")]
)
def test_form_of_datagrams_is_told_without_a_server(tmp_path, wanted, said):
    ((grade, text),) = findings(settings_of(tmp_path, transport__datagrams=wanted), "datagrams")
    assert grade is Grade.GOOD
    assert text.startswith(said)


@pytest.mark.parametrize("code", ["compiled", "interpreted"])
def test_code_is_told_without_a_server(tmp_path, code, monkeypatch):
    monkeypatch.setattr("sinkhole.app.doctor_server.CODE", code)
    assert code in findings(settings_of(tmp_path), "code")[0][1]
