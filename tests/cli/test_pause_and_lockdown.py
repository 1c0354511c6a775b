"""`sinkhole pause`, `sinkhole lockdown` and `sinkhole coach`: begun, listed, ended; what they do, by `check`."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from click.shell_completion import ShellComplete

from sinkhole.app.coach import issue, redeem
from sinkhole.app.state import open_state, policy_in_force
from sinkhole.cli.root import cli
from sinkhole.config.load import load_settings
from sinkhole.protocol.names import name_from_text
from tests.cli.test_exception import audit, outcome

LAB = "192.0.2.7"
ELSEWHERE = "198.51.100.1"


@pytest.fixture
def lab(run):
    run.good("groups", "add", "lab", "192.0.2.0/24")
    return run


def test_pause_of_a_group(lab):
    done = lab.good("pause", "15m", "--group", "lab", "--reason", "demo")
    assert done.out.startswith("pause 1 on everything for group:lab until 20")
    assert [outcome(lab, client) for client in (LAB, ELSEWHERE)] == ["MONITOR", "BLOCK"]
    (row,) = lab.good("pause", "list", "--json").json
    assert (row["id"], row["scope"], row["subjects"], row["reason"]) == (1, "group:lab", [], "demo")
    left = datetime.fromisoformat(row["ends"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    assert lab.good("pause", "list").lines[1].split()[:3] == ["1", "everything", "group:lab"]
    note = lab.good("policy", "list").error
    assert note.startswith("sinkhole: note: pause 1 on everything for group:lab goes before them until 20")
    assert lab("pause", "end").sentence == "there is no pause for all; there is one for group:lab"
    assert lab.good("pause", "end", "--group", "lab").out.startswith("ended pause 1 on everything for group:lab: ")
    assert outcome(lab, LAB) == "BLOCK"
    assert lab("pause", "end").sentence == "there is no pause for all"
    assert lab.good("pause", "list").lines == ["no pause"]
    assert [line.partition(" until")[0] for line in audit(lab) if line.startswith("pause")] == [
        "pause 1 on everything for group:lab", "pause 1 on everything for group:lab ended early",
    ]  # fmt: skip


def test_pause_of_a_subject_with_options_first(run):
    run.good("pause", "--subject", "mistral", "--subject", "vendor:mistral", "2h")
    assert [outcome(run, name=name) for name in ("api.mistral.ai", "chat.deepseek.com")] == ["MONITOR", "BLOCK"]
    assert run.good("pause", "list", "--json").json[0]["subjects"] == ["vendor:mistral"]
    said = run.good("check", "api.mistral.ai").out
    assert "  decided by  pause:1 on vendor:mistral for all, until " in said
    assert "ai block for all" in said


def test_lockdown_goes_before_all_else(lab):
    lab.good("policy", "allow", "mistral", "--group", "lab")
    lab.good("pause", "1h")
    lab.good("exception", "request", "ai", "--for", "1d", "--reason", "r", "--approve", "--owner", "Ann")
    assert outcome(lab, LAB, "api.mistral.ai") == "ALLOW"
    done = lab.good("lockdown", "--for", "2h", "--group", "lab", "--reason", "exam")
    assert done.out.startswith("lockdown 2 on ai lookalikes bypass:")
    names = ("api.mistral.ai", "chat.deepseek.com", "dns.google", "deepseek-login.com")
    assert [outcome(lab, LAB, name) for name in names] == ["BLOCK"] * 4
    assert outcome(lab, ELSEWHERE) == "MONITOR"
    said = lab.good("check", "api.mistral.ai", "--client", LAB).out
    assert "  decided by  lockdown:2 on ai for group:lab, until " in said
    assert "  reason      exam" in said
    assert "vendor:mistral allow for group:lab (" in said
    said = lab.good("check", "chat.deepseek.com", "--client", LAB).out
    assert "ai monitor for all (exception:1): lockdown:2 goes before it" in said
    assert "everything monitor for all (pause:1): lockdown:2 goes before it" in said
    assert outcome(lab, LAB, "example.org") == "NONE"
    lab.good("lockdown", "end", "--group", "lab")
    assert outcome(lab, LAB, "api.mistral.ai") == "ALLOW"


def test_lockdown_of_what_is_named(run):
    run.good("policy", "remove", "ai")
    run.good("lockdown", "--for", "2h", "--subject", "domain:example.org")
    assert [outcome(run, name=name) for name in ("www.example.org", "chat.deepseek.com")] == ["BLOCK", "NONE"]
    assert run.good("lockdown", "list", "--json").json[0]["subjects"] == ["domain:example.org"]
    assert run.good("lockdown", "list").lines[1].split()[:3] == ["1", "domain:example.org", "all"]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_until_is_the_next_time_the_clock_shows_it(run, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        now = datetime.now().astimezone()
        for minutes in (2, -2):
            clock = now + timedelta(minutes=minutes)
            run.good("lockdown", "--until", clock.strftime("%H:%M"), "--subject", "ai")
            (row,) = run.good("lockdown", "list", "--json").json
            ends = datetime.fromisoformat(row["ends"]).astimezone()
            expected = clock if minutes > 0 else clock + timedelta(days=1)
            assert ends.strftime("%Y-%m-%d %H:%M") == expected.strftime("%Y-%m-%d %H:%M")
        run.good("lockdown", "--until", (now + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"), "--subject", "ai")
        assert len(run.good("lockdown", "list", "--json").json) == 1
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pause", "15"), "'15' is no length of time such as 15m, 2h, 7d or 1w"),
        (("pause", "-5m"), "No such option"),
        (("pause", "8d"), "'8d' is not between 1m and 7d"),
        (("pause", "15m", "--group", "labb"), "there is no group 'labb'; did you mean lab?"),
        (("pause", "15m", "--subject", "deepsek"), "nothing is called 'deepsek'; did you mean deepseek, "),
        (("pause", "lst"), "No such command 'lst'; did you mean list?"),
        (("pause", "xyzzy"), "No such command 'xyzzy'; there are end, list"),
        (("pause", "--group", "lab"), "Missing argument 'LENGTH'"),
        (("lockdown", "--until", "2020-01-01T12:00"), "2020-01-01 12:00 is in the past"),
        (("lockdown", "--until", "noon"), "'noon' is no time such as 12:00"),
        (("lockdown", "--for", "32d"), "'32d' is not between 1m and 31d"),
        (("lockdown", "--until", "2998-01-01"), "wanted a time within 31 days"),
        (("lockdown", "--group", "lab"), "give either --for LENGTH or --until TIME"),
        (("lockdown", "ennd"), "No such command 'ennd'; did you mean end?"),
        (("coach", "end", "7"), "there is no grant 7"),
    ],
)
def test_wrong_words(lab, words, said):
    done = lab(*words)
    assert (done.status, done.out) == (2, "")
    assert said in done.error
    for kind in ("pause", "lockdown"):
        assert lab.good(kind, "list", "--json").json == []


@pytest.mark.parametrize("command", ["pause", "lockdown"])
def test_help_has_the_options_the_commands_and_an_example(run, command):
    for words in ((command, "--help"), (command,)):
        done = run(*words, place=False)
        said = done.out + done.error
        assert f"Example: sinkhole {command}" in said
        assert "--group" in said
        assert "\n  end " in said
        assert f"Usage: sinkhole {command} [OPTIONS] " in said
        assert all(len(line) <= 80 for line in said.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ("exception", "request"), ("exception", "approve"), ("exception", "deny"), ("exception", "revoke"),
        ("exception", "list"), ("pause", "end"), ("pause", "list"), ("lockdown", "end"), ("lockdown", "list"),
        ("coach", "grants"), ("coach", "end"), ("policy", "coach"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_help_has_an_example(run, words):
    assert f"Example: sinkhole {' '.join(words)}" in run(*words, "--help", place=False).out


def test_coached_name(run):
    run.config.write_text(
        '[upstream]\nservers = ["127.0.0.1:9"]\n[blocking]\nmode = "nxdomain"\nipv4 = "192.0.2.250"\n'
    )
    done = run.good("policy", "coach", "deepseek")
    assert done.error == ""
    said = run.good("check", "chat.deepseek.com").lines
    assert said[-1] == "COACH"
    assert "  answer      192.0.2.250, TTL 10, EDE 15" in said
    assert "  answer      no data, TTL 10, EDE 15" in run.good("check", "chat.deepseek.com", "--type", "AAAA").lines
    assert "  answer      NXDOMAIN, TTL 10, EDE 15" in run.good("check", "chatgpt.com").lines


def test_coaching_that_nobody_sees_is_warned_of(run):
    done = run.good("policy", "coach", "deepseek")
    assert done.error.startswith(
        "sinkhole: warning: vendor:deepseek is coached for all, but blocked names are answered"
    )
    run.good("groups", "add", "lab", "192.0.2.0/24", "--ipv4", "192.0.2.250")
    assert run.good("policy", "coach", "deepseek", "--group", "lab").error == ""


def test_grants_are_listed_and_ended(run):
    run.good("policy", "coach", "deepseek")
    assert run.good("coach", "grants").lines == ["no grant"]
    settings = load_settings(run.config, {}, {"server.data_dir": run.folder})
    policy = policy_in_force(settings)
    verdict = policy.decide(name_from_text("chat.deepseek.com"), 1, policy.scope_of(LAB), datetime.now(UTC))
    state = open_state(settings)
    redeem(state, issue(state, verdict, LAB), LAB)
    state.close()
    (row,) = run.good("coach", "grants", "--json").json
    assert (row["client"], row["subjects"], row["scope"]) == (LAB, ["vendor:deepseek"], f"client:{LAB}")
    assert run.good("coach", "grants").lines[1].split()[:3] == ["1", "vendor:deepseek", f"client:{LAB}"]
    assert [outcome(run, client) for client in (LAB, ELSEWHERE)] == ["MONITOR", "COACH"]
    assert run.good("coach", "end", "1").out.startswith(f"ended grant 1 on vendor:deepseek for client:{LAB}: ")
    assert outcome(run, LAB) == "COACH"


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        (["pause"], "", {"end", "list"}),
        (["pause"], "--gr", {"--group"}),
        (
            ["lockdown"],
            "--",
            {"--for", "--until", "--group", "--subject", "--reason", "--json", "--config", "--data-dir", "--help"},
        ),
        (["lockdown", "end"], "--g", {"--group"}),
        (["pause", "xyzzy"], "--g", {"--group"}),
    ],
)
def test_shell_completes_commands_and_options(words, incomplete, expected):
    complete = ShellComplete(cli, {}, "sinkhole", "_SINKHOLE_COMPLETE")
    assert {item.value for item in complete.get_completions(words, incomplete)} == expected


def test_what_was_done_is_told_as_json(run):
    for words, kind in ((("pause", "15m"), "pause"), (("lockdown", "--for", "1h"), "lockdown")):
        told = run.good(*words, "--json").json
        assert (told[kind], told["in_force"]) == (run.good(kind, "list", "--json").json[0]["id"], False)
        assert told["said"][0].startswith(f"{kind} {told[kind]} on ")
        assert run.good(kind, "end", "--json").json["said"][0].startswith(f"ended {kind} {told[kind]} on ")
