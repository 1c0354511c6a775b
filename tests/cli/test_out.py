"""`sinkhole out` and `sinkhole alerts`: what is told, tests from here, and sentences for what is wrong."""

import json
import socket

import pytest

from bench.servers import free_port
from sinkhole.app import data_dir
from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.noted import Alert
from sinkhole.store.alert_store import AlertStore
from sinkhole.store.out_store import OutStore
from tests.out.events import HOSTILE
from tests.store.rows import START


def configure(run, text):
    run.config.write_text(f'[upstream]\nservers = ["127.0.0.1:9"]\n{text}')


def state_of(run):
    data_dir.prepare(run.folder)
    return open_state(load_settings(None, {}, {"server.data_dir": run.folder}))


def test_nothing_is_sent_to_anybody(run):
    assert run.good("out", "list").lines == ["nothing is sent to anybody; see [[out]] in docs/out.md"]
    assert run.good("out", "list", "--json").json == []
    assert run.good("alerts", "list").lines == ["nothing takes alerts, so none are looked for"]
    assert run("out", "test", "x").sentence == "there is no receiver 'x' in the settings; add [[out]]"


def test_receivers_and_how_far_they_have_come(run, tmp_path):
    configure(
        run,
        f"""
        [[out]]
        name = "lines"
        kind = "file"
        target = "{tmp_path}/x.jsonl"
        what = ["hits", "audit"]
        [[out]]
        name = "hook"
        kind = "webhook"
        target = "https://hook.example.org/secret-path?token=secret"
    """,
    )
    state_of(run).close()
    assert "no server was started with it yet" in run.good("out", "list").out
    state = state_of(run)
    OutStore(state.store).begin("hook", "hits")
    OutStore(state.store).note_failure("hook", "hits", "hook.example.org: Connection refused")
    OutStore(state.store).begin("lines", "audit")
    OutStore(state.store).move("lines", "audit", 1, 4, 2)
    state.close()
    done = run.good("out", "list")
    assert "secret" not in done.out
    assert "https://hook.example.org/…" in done.out
    assert "Connection refused" in done.out
    rows = {(one["receiver"], one["what"]): one for one in run.good("out", "list", "--json").json}
    assert rows["lines", "audit"]["sent"] == 4
    assert rows["lines", "audit"]["lost"] == 2
    assert rows["lines", "audit"]["waiting"] > 0
    assert rows["hook", "hits"]["failing"]
    assert rows["lines", "hits"]["last"] is None


def test_a_test_is_sent_from_here(run, tmp_path):
    configure(
        run,
        f"""
        [[out]]
        name = "lines"
        kind = "file"
        target = "{tmp_path}/x.jsonl"
        what = ["hits", "alerts", "audit"]
    """,
    )
    assert run.good("out", "test", "lines").lines == [f"{tmp_path}/x.jsonl: 3 events written"]
    assert run.good("alerts", "test", "lines").lines == [f"{tmp_path}/x.jsonl: 1 event written"]
    sent = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert [one["event"] for one in sent] == ["hit", "alert", "audit", "alert"]
    assert sent[0]["name"] == "test.sinkhole.invalid"
    assert sent[3]["kind"] == "test"


@pytest.mark.parametrize(
    ("scheme", "kind", "known"),
    [
        ("udp", socket.SOCK_DGRAM, "UDP does not tell whether anything arrives, so look there"),
        ("tcp", socket.SOCK_STREAM, "which let us connect; syslog does not acknowledge, so look there"),
    ],
)
def test_what_a_test_does_not_tell_is_not_said(run, scheme, kind, known):
    """Nobody reads here, and nobody says that it was read."""
    with socket.socket(socket.AF_INET, kind) as receiver:
        receiver.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            receiver.listen()
        target = f"{scheme}://127.0.0.1:{receiver.getsockname()[1]}"
        configure(run, f'[[out]]\nname = "siem"\nkind = "syslog"\ntarget = "{target}"\nwhat = ["alerts"]\n')
        (said,) = run.good("out", "test", "siem").lines
        assert said.startswith(f"1 event sent to {target}")
        assert said.endswith(known)
        assert run.good("alerts", "test", "siem").lines == [said]


def test_what_is_wrong_is_one_sentence(run):
    port = free_port()
    configure(run, f'[[out]]\nname = "siem"\nkind = "syslog"\ntarget = "tcp://127.0.0.1:{port}"\n')
    assert run("out", "test", "siem").sentence == f"tcp://127.0.0.1:{port}: Connection refused"
    assert run("alerts", "test", "siem").sentence == "receiver siem takes no alerts: its what is hits"
    assert run("out", "test", "sim").sentence == "there is no receiver 'sim' in the settings; there are: siem"
    configure(run, '[[out]]\nname = "siem"\nkind = "syslog"\ntarget = "siem"\n')
    assert run("out", "test", "siem").sentence.startswith(
        "config: out[0].target (siem): wanted udp://, tcp:// or tls://"
    )
    assert run("config", "check").sentence.startswith("config: out[0].target (siem): wanted")


def test_alerts_are_listed_and_harmless(run):
    state = state_of(run)
    AlertStore(state.store).put(Alert(0, START, "new-vendor", "x", HOSTILE, {"name": HOSTILE, "client": ""}), 60)
    state.close()
    done = run.good("alerts", "list", "--since", "3000d")
    assert "\x1b" not in done.out
    assert len(done.lines) == 2
    (alert,) = run.good("alerts", "list", "--since", "3000d", "--json").json
    assert (alert["kind"], alert["text"]) == ("new-vendor", HOSTILE)
