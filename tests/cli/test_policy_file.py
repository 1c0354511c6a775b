"""`sinkhole policy export|diff|apply|test`, and the gate for what breaks an expectation."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.store.audit import entries
from tests.cli.lists import ListThread
from tests.feeds.rig import names, rows

POLICY = """# ours
[[groups]]
name = "developers" # the people
members = ["10.20.0.0/16"]

[[statements]]
subject = "ai"
action = "block"

# the contract
[[statements]]
subject = "mistral"
action = "allow"
group = "developers"
expires = 2040-12-31T18:00:00Z

[[expectations]]
client = "10.20.1.1"
name = "api.mistral.ai"
expect = "allow"
by = "vendor:mistral"
why = "the contract of 2026"

[[expectations]]
name = "chat.deepseek.com"
expect = "block"
"""


@pytest.fixture
def lists() -> Iterator[ListThread]:
    with ListThread() as thread:
        yield thread


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def applied(run, file):
    run.good("policy", "apply", file, "--yes")
    return file


def audit(run) -> list[str]:
    state = open_state(load_settings(None, {}, {"server.data_dir": run.folder}))
    with state.store.reading() as connection:
        found = [entry.what for entry in reversed(entries(connection))]
    state.close()
    return found


def statements(run) -> dict[tuple[str, str], str]:
    return {(row["subject"], row["scope"]): row["action"] for row in run.good("policy", "list", "--json").json}


def test_export_is_stable_and_applying_it_changes_nothing(run, tmp_path):
    run.good("groups", "add", "lab", "10.1.0.0/16", "2001:db8::/32", "--ipv4", "192.0.2.99", "--order", "5")
    run.good("groups", "add", "kids", "10.2.0.0/16", "--mode", "nxdomain")
    run.good("policy", "allow", "openai", "--group", "lab", "--reason", 'a "b"', "--owner", "é", "--ticket", "T-1")
    run.good("policy", "block", "domain:example.org", "--until", "2040-01-01")
    first = run.good("policy", "export").out
    assert first == run.good("policy", "export").out
    path = tmp_path / "policy.toml"
    path.write_text(first)
    assert run.good("policy", "diff", path).lines == ["nothing to change"]
    assert run.good("policy", "apply", path).lines == ["nothing to change"]
    before = audit(run)
    other = tmp_path / "other"
    run.good("policy", "apply", path, "--yes", "--data-dir", other)
    assert audit(run) == before
    assert run.good("policy", "export", "--data-dir", other).out == first


def test_apply_does_all_in_one_generation_with_an_entry_for_each_change(run, file):
    before = audit(run) if run.good("policy", "export") else []
    done = run.good("policy", "apply", file, "--yes")
    assert done.lines[0] == "+ group developers: members 10.20.0.0/16, order 100"
    assert "~ statement on ai for all: reason default policy -> none" in done.lines
    assert "- statement on lookalikes for all: action monitor, reason default policy" in done.lines
    assert any(line.startswith("impact for group developers: ") for line in done.lines)
    assert done.lines[-1] == "10 changes made: stored as generation 2; no server runs on this data folder"
    assert statements(run) == {("ai", "all"): "block", ("vendor:mistral", "group:developers"): "allow"}
    assert run.good("check", "api.mistral.ai", "--client", "10.20.1.1").lines[-1] == "ALLOW"
    assert len(audit(run)) == len(before) + 10
    assert run.good("policy", "apply", file, "--yes").lines == ["nothing to change"]
    assert len(audit(run)) == len(before) + 10


def test_diff_changes_nothing_and_tells_by_its_status(run, file):
    before = audit(run) if run.good("policy", "export") else []
    done = run("policy", "diff", file)
    assert done.status == 1
    assert "+ expectation chat.deepseek.com A for a client in no group: expect block" in done.lines
    assert audit(run) == before
    run.good("policy", "apply", file, "--yes")
    assert run("policy", "diff", file).status == 0


def test_groups_come_before_their_statements_and_go_after_them(run, applied):
    applied.write_text(POLICY.replace('"developers"', '"engineers"'))
    done = run.good("policy", "apply", applied, "--yes")
    assert "- group developers: members 10.20.0.0/16, order 100" in done.lines
    assert ("vendor:mistral", "group:engineers") in statements(run)
    assert [group["name"] for group in run.good("groups", "list", "--json").json] == ["engineers"]


def test_dry_run_shows_and_does_nothing(run, file):
    done = run.good("policy", "apply", file, "--dry-run")
    assert done.lines[0].startswith("+ group developers")
    assert ("vendor:mistral", "group:developers") not in statements(run)


def test_nobody_to_ask_is_an_error(run, file):
    done = run("policy", "apply", file)
    assert done.status == 2
    assert "give --yes" in done.error
    assert ("vendor:mistral", "group:developers") not in statements(run)


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 130)])
def test_on_a_terminal_it_asks(run, file, monkeypatch, answer, status):
    import io
    import sys

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    done = run("policy", "apply", file)
    assert done.status == status
    assert (("vendor:mistral", "group:developers") in statements(run)) == (status == 0)


def test_apply_refuses_what_its_own_expectations_forbid(run, file):
    file.write_text(POLICY.replace('action = "allow"', 'action = "monitor"'))
    done = run("policy", "apply", file, "--yes")
    assert done.status == 1
    assert done.error == "sinkhole: refused: nothing is changed\n"
    assert done.lines[-1] == (
        "broken: api.mistral.ai A for client 10.20.1.1: allow by vendor:mistral (the contract of 2026); found monitor "
        "by vendor:mistral for group:developers, for api.mistral.ai and below"
    )
    assert ("vendor:mistral", "group:developers") not in statements(run)


def test_file_is_tested_without_being_applied(run, file):
    assert run.good("policy", "test", file).lines == ["2 expectations, none broken"]
    file.write_text(POLICY.replace('"chat.deepseek.com"\nexpect = "block"', '"chat.deepseek.com"\nexpect = "allow"'))
    done = run("policy", "test", file)
    assert done.status == 1
    assert done.lines[0].startswith(
        "broken: chat.deepseek.com A for a client in no group: allow; found block by ai for all"
    )
    assert done.lines[1] == "2 expectations, 1 broken"
    assert ("vendor:mistral", "group:developers") not in statements(run)


def test_policy_that_says_nothing_is_applied_as_such(run, file):
    file.write_text("")
    run.good("policy", "apply", file, "--yes")
    assert statements(run) == {}
    assert run.good("policy", "test", file).lines == ["0 expectations, none broken"]


def test_change_without_effect_says_so(run, applied):
    applied.write_text(POLICY.replace('"the contract of 2026"', '"the contract of 2027"'))
    done = run.good("policy", "apply", applied, "--yes")
    assert done.lines[0] == (
        "~ expectation api.mistral.ai A for client 10.20.1.1: why the contract of 2026 -> the contract of 2027"
    )
    assert done.lines[1].startswith("impact on recorded queries of the last 7 days: none")
    assert done.lines[2] == "no known name gets another verdict"


def test_command_that_breaks_an_expectation_is_refused(run, applied):
    before, noted = statements(run), audit(run)
    for words in (("policy", "block", "mistral", "--group", "developers"),
                  ("policy", "remove", "mistral", "--group", "developers"),
                  ("policy", "monitor", "ai"), ("policy", "allow", "deepseek"),
                  ("groups", "remove", "developers"), ("groups", "remove", "developers", "10.20.0.0/16"),
                  ("groups", "add", "desk", "10.20.1.1", "--order", "1")):  # fmt: skip
        done = run(*words)
        if words[1] == "add":
            assert done.status == 0  # a client may be in more groups
            noted = audit(run)
            continue
        assert (done.status, done.out) == (2, ""), words
        first, last = done.error.splitlines()
        assert first.startswith("sinkhole: this breaks the expectation "), words
        assert last == "sinkhole: nothing is changed; change the expectations first, or give --force"
        assert (statements(run), audit(run)) == (before, noted), words
    run.good("policy", "block", "openai")


def test_force_overrides_and_is_noted(run, applied):
    done = run.good("policy", "monitor", "ai", "--force")
    assert done.out.startswith("monitor ai for all: stored as generation ")
    assert "expectation.broken" in done.error
    assert audit(run)[-1] == "expectation overridden: chat.deepseek.com A for a client in no group: block"
    assert run.good("check", "chat.deepseek.com").lines[-1] == "MONITOR"
    # What is broken already is held against nobody, until a file is applied.
    run.good("policy", "allow", "openai")
    assert run("policy", "test", applied).status == 0
    assert run("policy", "remove", "mistral", "--group", "developers").status == 2
    run.good("groups", "remove", "developers", "--force")
    assert ("vendor:mistral", "group:developers") not in statements(run)


def test_comments_and_order_are_kept(run, applied):
    run.good("policy", "block", "openai", "--reason", "x")
    run.good("policy", "allow", "mistral", "--group", "developers", "--owner", "Ann")
    run.good("groups", "add", "lab", "10.1.0.0/16")
    applied.chmod(0o640)
    assert run.good("policy", "export", "--into", applied).lines == [f"{applied}: updated"]
    text = applied.read_text()
    assert text.startswith('# ours\n[[groups]]\nname = "developers" # the people\nmembers = ["10.20.0.0/16"]\n')
    assert (
        '# the contract\n[[statements]]\nsubject = "mistral"\naction = "allow"\ngroup = "developers"\nowner = "Ann"\n'
        in text
    )
    assert text.index('name = "lab"') < text.index('subject = "ai"') < text.index('subject = "vendor:openai"')
    assert stat.S_IMODE(applied.stat().st_mode) == 0o640
    assert run.good("policy", "diff", applied).lines == ["nothing to change"]
    assert run.good("policy", "export", "--into", applied).lines == [f"{applied}: is up to date"]
    assert [path.name for path in applied.parent.iterdir() if path.name.startswith(".")] == []


def test_export_into_a_new_file(run, tmp_path):
    path = tmp_path / "new.toml"
    run.good("policy", "export", "--into", path)
    assert run.good("policy", "diff", path).lines == ["nothing to change"]
    assert "\n\n\n" not in path.read_text()


def test_file_in_another_form_is_read_but_not_updated(run, file):
    file.write_text('statements = [{ subject = "ai", action = "block" }]\n')
    run.good("policy", "test", file)
    assert "only a file with tables such as [[statements]]" in run("policy", "export", "--into", file).sentence


def test_file_that_cannot_be_read(run, tmp_path):
    path = tmp_path / "policy.toml"
    assert "No such file" in run("policy", "diff", path).error
    path.write_bytes(b"\xff")
    assert "is not in UTF-8" in run("policy", "diff", path).sentence
    with path.open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    assert "is larger than" in run("policy", "diff", path).sentence


@pytest.fixture
def ours(run, lists):
    """A feed `ours` of ten names, synced."""
    lists.server.serve(rows(names(10)))
    run.good("feeds", "add", lists.url(), "--name", "ours", "--format", "domains", "--allow-private")
    run.good("sync", "ours")
    return lists


def expect(run, tmp_path, text: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(run.good("policy", "export").out + text)
    run.good("policy", "apply", path, "--yes")


FREE = '\n[[expectations]]\nname = "ai99.example.org"\nexpect = "allow"\nwhy = "our own"\n'


def test_feed_whose_new_version_breaks_an_expectation_is_held(run, ours, tmp_path):
    """R-F06: the version before stays in force; the reason is shown; status 1."""
    expect(run, tmp_path, FREE)
    ours.server.serve(rows([*names(10), "ai99.example.org"]))
    done = run("sync", "ours")
    assert done.status == 1
    assert "sinkhole: feed ours: version 2 is held back: it breaks the expectation ai99.example.org A" in done.error
    assert done.error.splitlines()[-1].endswith("; version 1 stays in force")
    assert run.good("check", "ai99.example.org").lines[-1] == "NONE"
    assert run.good("check", "ai3.example.org").lines[-1] == "BLOCK"
    shown = run.good("feeds", "show", "ours", "--json").json
    assert (shown["status"], shown["version"], shown["pending_version"], shown["rules"]) == ("quarantined", 1, 2, 10)
    why = "ours: version 2 waits for approval: it breaks the expectation ai99.example.org A for a client in no group"
    assert run.good("feeds", "list").lines[-1].startswith(why)
    assert "our own" in run.good("feeds", "show", "ours").out
    again = run("sync", "ours")  # the same content: not taken over, no version more
    assert again.status == 1
    assert run.good("feeds", "show", "ours", "--json").json["versions"] == [1, 2]


def test_held_version_is_approved_only_once_the_expectation_is_gone(run, ours, tmp_path):
    expect(run, tmp_path, FREE)
    ours.server.serve(rows([*names(10), "ai99.example.org"]))
    run("sync", "ours")
    refused = run("feeds", "approve", "ours")
    assert (refused.status, refused.out) == (2, "")
    assert refused.error.splitlines()[-1].startswith(
        "sinkhole: feed ours: version 2 is held back: it breaks the expectation ai99.example.org A"
    )
    assert run.good("feeds", "show", "ours", "--json").json["pending_version"] == 2
    path = tmp_path / "policy.toml"
    path.write_text(path.read_text().replace(FREE, ""))
    run.good("policy", "apply", path, "--yes")
    assert run.good("feeds", "approve", "ours").out.startswith("feed ours is at version 2: ")
    assert run.good("check", "ai99.example.org").lines[-1] == "BLOCK"


def test_feed_that_breaks_nothing_is_taken_beside_one_that_is_held(run, ours, tmp_path):
    run.good("feeds", "add", ours.url("other"), "--name", "other", "--format", "domains", "--allow-private")
    ours.server.serve(rows(["other1.example.org"]), "other")
    run.good("sync", "other")
    expect(run, tmp_path, FREE)
    ours.server.serve(rows([*names(10), "ai99.example.org"]))
    ours.server.serve(rows(["other1.example.org", "other2.example.org"]), "other")
    assert run("sync", "ours", "other").status == 1
    found = {feed["name"]: feed for feed in run.good("feeds", "list", "--json").json}
    assert (found["ours"]["version"], found["other"]["version"]) == (1, 2)
    assert run.good("check", "other2.example.org").lines[-1] == "BLOCK"


def test_first_version_of_a_feed_passes_the_gate_too(run, lists, tmp_path):
    expect(run, tmp_path, FREE)
    lists.server.serve(rows(["ai99.example.org"]))
    run.good("feeds", "add", lists.url(), "--name", "ours", "--format", "domains", "--allow-private")
    assert "it has no version in force" in run("sync", "ours").error
    assert run.good("check", "ai99.example.org").lines[-1] == "NONE"


def test_feed_is_not_blamed_for_what_was_broken_before(run, ours, applied):
    """An expectation that nobody meets any more must not freeze the lists."""
    run.good("policy", "monitor", "ai", "--force")
    run.good("policy", "block", "feed:ours")
    ours.server.serve(rows(names(11)))
    assert run("sync", "ours").status == 0
    assert run.good("feeds", "show", "ours", "--json").json["version"] == 2


def test_schedule_survives_the_file(run, tmp_path):
    """A file that did not know of schedules would take them away."""
    times = "mon-fri 08:00-17:00 @Europe/Berlin"
    run.good("policy", "allow", "mistral", "--schedule", times)
    file = tmp_path / "policy.toml"
    file.write_text(run.good("policy", "export").out)
    assert f'schedule = "{times}"' in file.read_text()
    assert run.good("policy", "diff", file).status == 0
    file.write_text(file.read_text().replace("08:00", "09:00"))
    run.good("policy", "apply", file, "--yes")
    assert [row["schedule"] for row in run.good("policy", "list", "--json").json if "mistral" in row["subject"]] == [
        times.replace("08:00", "09:00")
    ]
    file.write_text(file.read_text().replace("09:00-", "9h-"))
    assert "schedule" in run("policy", "diff", file).error


EXCEPTION = """
[[exceptions]]
subject = "openai"
client = "10.20.1.7"
reason = "trial"
owner = "Ann"
expires = {expires}
"""


def in_a_week() -> str:
    return (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="seconds")


def test_exceptions_of_a_file(run, applied):
    applied.write_text(POLICY + EXCEPTION.format(expires=in_a_week()))
    done = run("policy", "diff", applied)
    assert done.status == 1
    assert done.lines[0].startswith(
        "+ exception on vendor:openai for client:10.20.1.7: reason trial, owner Ann, expires 20"
    )
    done = run.good("policy", "apply", applied, "--yes")
    assert any(line.startswith("impact for client 10.20.1.7: ") and " block -> monitor" in line for line in done.lines)
    assert run.good("check", "api.openai.com", "--client", "10.20.1.7").lines[-1] == "MONITOR"
    assert run("policy", "diff", applied).status == 0
    assert run.good("policy", "apply", applied, "--yes").lines == ["nothing to change"]
    (row,) = run.good("exception", "list", "--json").json
    assert (row["state"], row["owner"], row["reason"]) == ("approved", "Ann", "trial")
    assert run.good("policy", "export", "--into", applied).lines == [f"{applied}: is up to date"]
    run.good("exception", "revoke", "1")
    run.good("policy", "export", "--into", applied)
    assert "[[exceptions]]" not in applied.read_text()
    assert run("policy", "diff", applied).status == 0


def test_exception_that_has_ended_is_nothing_to_change(run, applied):
    applied.write_text(POLICY + EXCEPTION.format(expires="2020-01-01T00:00:00Z"))
    assert run("policy", "diff", applied).status == 0
    assert run("policy", "test", applied).status == 0
    assert run.good("policy", "apply", applied, "--yes").lines == ["nothing to change"]


def test_expectations_are_judged_with_exceptions_and_without_what_is_for_the_moment(run, applied):
    lifting = EXCEPTION.format(expires=in_a_week()).replace("openai", "deepseek").replace('client = "10.20.1.7"\n', "")
    applied.write_text(POLICY + lifting)
    done = run("policy", "test", applied)
    assert done.status == 1
    assert "found monitor by vendor:deepseek for all" in done.lines[0]
    done = run("policy", "apply", applied, "--yes")
    assert done.status == 1
    assert done.error == "sinkhole: refused: nothing is changed\n"
    applied.write_text(POLICY)
    for words in (("pause", "1h"), ("lockdown", "--for", "1h")):
        done = run(*words)
        assert (done.status, done.error) == (0, "")
    assert run("policy", "test", applied).status == 0
    run.good("policy", "block", "openai")
    assert run.good("check", "api.mistral.ai", "--client", "10.20.1.1").lines[-1] == "BLOCK"


def test_coaching_of_a_file_that_nobody_sees_is_warned_of(run, applied):
    applied.write_text(POLICY + '\n[[statements]]\nsubject = "openai"\naction = "coach"\n')
    done = run("policy", "apply", applied, "--yes")
    assert done.status == 0
    assert done.error.startswith("sinkhole: warning: vendor:openai is coached for all")
