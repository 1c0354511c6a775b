"""`sinkhole exception`."""

import re
import sqlite3
import time
from datetime import datetime, timedelta

import pytest

REASON = ("--reason", "paper on Chinese models")


def outcome(run, client: str = "192.0.2.7", name: str = "chat.deepseek.com") -> str:
    return run.good("check", name, "--client", client).lines[-1]


def ask(run, *words):
    return run.good("exception", "request", "deepseek", "--for", "7d", *REASON, *words)


def audit(run) -> list[str]:
    with sqlite3.connect(run.folder / "store.db") as connection:
        found = [row[0] for row in connection.execute("SELECT what FROM audit ORDER BY id")]
    connection.close()
    return found


def test_from_request_to_end(run):
    done = ask(run, "--client", "192.0.2.7", "--owner", "Ann", "--ticket", "IT-31")
    assert done.out == (
        "exception 1 on vendor:deepseek for client:192.0.2.7 requested; approve it with: sinkhole exception approve 1\n"
    )
    assert outcome(run) == "BLOCK"
    done = run.good("exception", "approve", "1")
    assert re.match(
        r"exception 1 on vendor:deepseek for client:192\.0\.2\.7 approved until 20\S+ \S+: stored as generation ",
        done.out,
    )
    assert done.error == ""
    assert outcome(run) == "MONITOR"
    assert outcome(run, "192.0.2.8") == "BLOCK"
    assert "revoked: stored as" in run.good("exception", "revoke", "1").out
    assert outcome(run) == "BLOCK"
    assert [line for line in audit(run) if line.startswith("exception")] == [
        f"exception 1 on vendor:deepseek for client:192.0.2.7 {word}" for word in ("requested", "approved", "revoked")
    ]


def test_check_explains_it(run):
    ask(run, "--client", "192.0.2.7", "--owner", "Ann", "--approve")
    done = run.good("check", "chat.deepseek.com", "--client", "192.0.2.7")
    (decided,) = [line for line in done.lines if "decided by" in line]
    assert re.fullmatch(
        r"  decided by  exception:1 on vendor:deepseek for client:192\.0\.2\.7, until \S+ \S+, by Ann", decided
    )
    assert "  reason      paper on Chinese models" in done.lines
    assert re.search(
        r"  outranked   ai block for all \(.*\): exception:1 goes before statements, until .* UTC\n", done.out
    )
    told = run.good("check", "chat.deepseek.com", "--client", "192.0.2.7", "--json").json
    assert (told["outcome"], told["verdict"]["override"]) == ("MONITOR", "exception:1")
    assert told["override"]["name"] == "exception:1"
    assert told["override"]["until"].endswith("+00:00")
    assert run.good("check", "chat.deepseek.com", "--json").json["override"] is None
    later = (datetime.now() + timedelta(days=8)).strftime("%Y-%m-%dT%H:%M")  # noqa: DTZ005
    assert run.good("check", "chat.deepseek.com", "--client", "192.0.2.7", "--at", later).lines[-1] == "BLOCK"


def test_list(run):
    assert run.good("exception", "list").lines == ["no exception"]
    ask(run, "--owner", "Ann", "--approve")
    ask(run, "--client", "2001:DB8::7", "--approve")
    run.good("exception", "request", "mistral", "--for", "30d", "--reason", "trial")
    run.good("exception", "request", "openai", "--for", "1h", "--reason", "trial")
    run.good("exception", "deny", "4")
    lines = run.good("exception", "list").lines
    assert lines[0].split() == ["id", "state", "subject", "for", "until", "owner", "decided", "by", "ticket", "reason"]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["1", "approved", "vendor:deepseek", "all"], ["2", "approved", "vendor:deepseek", "client:2001:db8::7"],
        ["3", "requested", "vendor:mistral", "all"],
    ]  # fmt: skip
    assert "(own)" not in lines[1]
    assert "(own)" in lines[2]
    assert [row["id"] for row in run.good("exception", "list", "--expiring", "8d", "--json").json] == [1, 2]
    assert run.good("exception", "list", "--expiring", "6d").lines == ["no exception"]
    assert [row["id"] for row in run.good("exception", "list", "--state", "all", "--json").json] == [4, 1, 2, 3]
    (row,) = run.good("exception", "list", "--state", "denied", "--json").json
    assert (row["id"], row["state"], row["subject"], row["own"]) == (4, "denied", "vendor:openai", False)
    assert row["expires"].endswith("+00:00")


def test_what_time_ended_is_listed_as_expired(run):
    ask(run, "--approve")
    with sqlite3.connect(run.folder / "store.db") as connection:
        connection.execute("UPDATE policy_exception SET expires = ?", (int(time.time()) - 1,))
    connection.close()
    assert run.good("exception", "list").lines == ["no exception"]
    assert [row["state"] for row in run.good("exception", "list", "--state", "expired", "--json").json] == ["expired"]
    assert run("exception", "revoke", "1").sentence == "exception 1 is expired, so it cannot be revoked"


def test_own_approval_is_said(run):
    done = ask(run, "--approve")
    assert done.error.endswith(" asked for it and approved it\n")
    assert run.good("exception", "list", "--json").json[0]["own"] is True


def test_exception_for_a_group(run):
    run.good("groups", "add", "lab", "192.0.2.0/24")
    ask(run, "--group", "lab", "--approve", "--owner", "Ann")
    assert [outcome(run, client) for client in ("192.0.2.7", "198.51.100.1")] == ["MONITOR", "BLOCK"]
    run.good("groups", "remove", "lab")
    run.good("groups", "add", "lab", "192.0.2.0/24")
    assert outcome(run) == "BLOCK"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("deepsek", "--for", "7d", *REASON), "nothing is called 'deepsek'; did you mean deepseek, "),
        (("deepseek", "--for", "7d", *REASON, "--group", "labb"), "there is no group 'labb'; did you mean lab?"),
        (("deepseek", "--for", "7d", *REASON, "--client", "here"), "'here' is no address such as 192.0.2.7"),
        (("deepseek", "--for", "7 days", *REASON), "'7 days' is no length of time such as 15m, 2h, 7d or 1w"),
        (("deepseek", "--for", "400d", *REASON), "'400d' is not between 1m and 366d"),
        (("deepseek", "--for", "0d", *REASON), "'0d' is not between 1m and 366d"),
        (("deepseek", "--until", "2020-01-01", *REASON), "2020-01-01 00:00 is in the past"),
        (("deepseek", "--until", "2998-01-01", *REASON), "wanted a time within 366 days"),
        (("deepseek", "--until", "99999-01-01", *REASON), "is no time such as 12:00"),
        (("deepseek", "--until", "25:00", *REASON), "is no time such as 12:00"),
        (("deepseek", *REASON), "give either --for LENGTH or --until TIME"),
        (("deepseek", "--for", "7d", "--until", "12:00", *REASON), "give either --for LENGTH or --until TIME"),
        (("deepseek", "--for", "7d"), "Missing option '--reason'"),
        (("deepseek", "--for", "7d", "--reason", " "), "an exception has a reason"),
        (("deepseek", "--for", "7d", *REASON, "--client", "192.0.2.7", "--group", "lab"), "not both"),
    ],
)
def test_wrong_request_is_one_sentence_and_stores_nothing(run, words, said):
    run.good("groups", "add", "lab", "192.0.2.0/24")
    done = run("exception", "request", *words)
    assert (done.status, done.out) == (2, "")
    assert said in done.error
    assert run.good("exception", "list", "--state", "all", "--json").json == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("approve", "7"), "there is no exception 7"),
        (("approve", "x"), "'x' is not a valid integer"),
        (("revoke", "99999999999999999999"), "is not in the range"),
        (("list", "--state", "aproved"), "'aproved' is not one of"),
        (("list", "--state", "approved", "--expiring", "7d"), "give --state or --expiring, not both"),
    ],
)
def test_wrong_words(run, words, said):
    done = run("exception", *words)
    assert done.status == 2
    assert said in done.error


def test_control_characters_of_a_reason_are_shown_and_not_obeyed(run):
    run.good("exception", "request", "deepseek", "--for", "7d", "--reason", "a\x1b[31mred", "--owner", "An\nn")
    out = run.good("exception", "list").out
    assert "\x1b" not in out
    assert r"a\x1b[31mred" in out
    assert len(out.splitlines()) == 2


def test_expectation_guards_approving_and_revoking(run, tmp_path):
    file = tmp_path / "policy.toml"
    kept = '[[expectations]]\nname = "chat.deepseek.com"\nexpect = "block"\n'
    file.write_text(run.good("policy", "export").out + kept)
    run.good("policy", "apply", file, "--yes")
    ask(run, "--owner", "Ann")
    refused = run("exception", "approve", "1")
    assert refused.status == 2
    assert (
        "this breaks the expectation chat.deepseek.com A for a client in no group: block; found monitor by"
        in refused.error
    )
    assert run.good("exception", "list", "--json").json[0]["state"] == "requested"
    assert outcome(run) == "BLOCK"
    assert run("exception", "request", "deepseek", "--for", "7d", *REASON, "--approve").status == 2
    assert len(run.good("exception", "list", "--json").json) == 1
    run.good("exception", "approve", "1", "--force")
    assert outcome(run) == "MONITOR"
    run.good("exception", "revoke", "1")
    assert outcome(run) == "BLOCK"


def test_what_approving_and_revoking_would_do_is_shown_and_not_done(run):
    ask(run, "--owner", "Ann")
    done = run.good("exception", "approve", "1", "--dry-run")
    assert any(
        line.startswith("impact for clients in no group: ") and " block -> monitor" in line for line in done.lines
    )
    assert outcome(run) == "BLOCK"
    run.good("exception", "approve", "1")
    done = run.good("exception", "revoke", "1", "--dry-run")
    assert any(" monitor -> block" in line for line in done.lines)
    assert outcome(run) == "MONITOR"
    assert "there is no exception 9" in run("exception", "approve", "9", "--dry-run").sentence


def test_what_was_done_is_told_as_json(run):
    told = ask(run, "--json").json
    assert (told["exception"], told["said"][0].partition(";")[0]) == (
        1,
        "exception 1 on vendor:deepseek for all requested",
    )
    assert run.good("exception", "approve", "1", "--json").json["exception"] == 1
    assert run.good("exception", "revoke", "1", "--json").json["in_force"] is False
