"""`sinkhole policy` and `sinkhole groups`."""

from datetime import UTC, datetime

import pytest

from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.recorder import Recorder
from tests.store.rows import batch, row


def subjects(run) -> dict[tuple[str, str], str]:
    return {(row["subject"], row["scope"]): row["action"] for row in run.good("policy", "list", "--json").json}


def test_fresh_folder_blocks_all_ai_and_encrypted_dns(run):
    """The default policy, without a server or a start."""
    assert subjects(run) == {
        ("ai", "all"): "block",
        ("lookalikes", "all"): "monitor",
        ("feed:doh", "all"): "block",
        ("bypass:encrypted-dns", "all"): "block",
        ("bypass:httpdns", "all"): "monitor",
        ("bypass:translation-proxies", "all"): "monitor",
    }


@pytest.mark.parametrize(
    ("word", "subject"),
    [
        ("deepseek", "vendor:deepseek"),
        ("vendor:deepseek", "vendor:deepseek"),
        ("openai/api", "product:openai/api"),
        ("chat", "category:chat"),
        ("cn", "jurisdiction:CN"),
        ("jurisdiction:cn", "jurisdiction:CN"),
        ("feed:ut1-ai", "feed:ut1-ai"),
        ("example.org", "domain:example.org"),
        ("domain:EXAMPLE.org.", "domain:example.org"),
        ("bücher.example", "domain:xn--bcher-kva.example"),
        ("address:192.0.2.7/24", "address:192.0.2.0/24"),
        ("address:2001:db8::1", "address:2001:db8::1"),
        ("AI", "ai"),
        ("lookalikes", "lookalikes"),
        ("models:deepseek", "models:deepseek"),
        ("encrypted-dns", "bypass:encrypted-dns"),
    ],
)
def test_subject_as_people_write_it(run, word, subject):
    done = run.good("policy", "monitor", word)
    assert done.lines == [f"monitor {subject} for all: stored as generation 1; no server runs on this data folder"]
    assert subjects(run)[subject, "all"] == "monitor"


def test_statement_that_has_ended_is_marked(run):
    run.good("policy", "list")
    state = open_state(load_settings(None, {}, {"server.data_dir": run.folder}))
    ended = datetime(2020, 1, 1, tzinfo=UTC)
    state.policy.put(Statement(0, Subject.from_text("vendor:mistral"), Action.ALLOW, expires=ended))
    state.close()
    (line,) = [line for line in run.good("policy", "list").lines if "mistral" in line]
    assert "(over)" in line


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("deepsek", "nothing is called 'deepsek'; did you mean deepseek, deepset or deepseek/api?"),
        ("vendor:mistrall", "there is no vendor 'mistrall'; did you mean mistral or mastra?"),
        ("category:chta", "there is no category 'chta'; did you mean chat?"),
        ("jurisdiction:XX", "there is no jurisdiction 'XX'"),
        ("feed:ut1", "there is no feed 'ut1'"),
        ("models:deepsek", "there is no vendor 'deepsek'"),
        ("bypass:vpm", "there is no bypass 'vpm'"),
        ("qqqqqq", "nothing is called 'qqqqqq'"),
        ("colour:blue", "found 'colour:blue'"),
        ("vendor:", "found 'vendor:'"),
        ("domain:example..org", "a label has 1 to 63 octets"),
        ("domain:.", "is all names there are"),
        ("domain:a b.example", "is no domain"),
        ("address:nonsense", "'nonsense' is no address and no network"),
    ],
)
def test_wrong_subject_is_one_sentence_and_stores_nothing(run, word, said):
    before = subjects(run)
    assert said in run("policy", "block", word).sentence
    assert subjects(run) == before
    assert "generation 1" in run.good("policy", "block", "deepseek").out


def test_list_shows_the_more_specific_first_and_who_answers_for_it(run):
    run.good("policy", "block", "deepseek", "--reason", "data protection", "--owner", "Ann", "--ticket", "DP-12")
    lines = run.good("policy", "list").lines
    assert lines[0].split() == [
        "subject", "action", "for", "schedule", "expires", "owner", "ticket", "basis", "reason",
    ]  # fmt: skip
    assert lines[1].split(maxsplit=8) == [
        "vendor:deepseek", "block", "all", "always", "never", "Ann", "DP-12", "-", "data protection",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == [
        "vendor:deepseek", "bypass:encrypted-dns", "bypass:httpdns", "bypass:translation-proxies", "feed:doh",
        "ai", "lookalikes",
    ]  # fmt: skip
    row = run.good("policy", "list", "--json").json[0]
    assert (row["reason"], row["owner"], row["ticket"], row["expires"]) == ("data protection", "Ann", "DP-12", None)


def test_second_statement_on_a_subject_replaces_the_first(run):
    run.good("policy", "block", "mistral")
    run.good("policy", "allow", "mistral")
    assert subjects(run)["vendor:mistral", "all"] == "allow"
    run.good("policy", "remove", "mistral")
    assert ("vendor:mistral", "all") not in subjects(run)
    assert run("policy", "remove", "mistral").sentence == "there is no statement on vendor:mistral for all"


def test_expiry_is_told_local_to_people_and_utc_to_programs(run, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Prague")
    import time

    time.tzset()
    try:
        run.good("policy", "allow", "mistral", "--until", "2040-06-01T12:00:00")
        assert "2040-06-01 12:00" in run.good("policy", "list").out
        assert "2040-06-01T10:00:00+00:00" in run.good("policy", "list", "--json").out
    finally:
        monkeypatch.undo()
        time.tzset()


WORK = "mon-fri 08:00-12:00,13:00-17:30 @Europe/Berlin"


def outcome(run, name: str, at: str) -> str:
    return run.good("check", name, "--at", at).lines[-1]


def test_statement_with_a_schedule(run):
    """Shown as it is understood, in force at its times, kept beside one that always holds."""
    run.good("policy", "remove", "ai")
    done = run.good("policy", "block", "deepseek", "--schedule", "Mon-Fri 8:00-12:00, 13:00-17:30 @Europe/Berlin")
    assert done.out.startswith(f"block vendor:deepseek for all, {WORK}: stored as generation ")
    assert f"  all  {WORK}  never" in run.good("policy", "list").out
    row = run.good("policy", "list", "--json").json[0]
    assert (row["subject"], row["schedule"]) == ("vendor:deepseek", WORK)
    assert run.good("policy", "list", "--json").json[-1]["schedule"] is None
    for at, expected in (
        ("2026-11-24T09:00+01:00", "BLOCK"),
        ("2026-11-24 11:59:59Z", "NONE"),
        ("2026-11-24 12:00Z", "BLOCK"),
        ("2026-11-28 09:00+0100", "NONE"),
    ):
        assert outcome(run, "chat.deepseek.com", at) == expected
    said = run.good("check", "chat.deepseek.com", "--at", "2026-11-28T09:00+01:00").out
    assert "vendor:deepseek block for all (chat.deepseek.com and below): outside its schedule" in said
    assert "(next: 2026-11-30 08:00 CET)" in said
    run.good("policy", "monitor", "deepseek")
    assert outcome(run, "chat.deepseek.com", "2026-11-24T09:00+01:00") == "BLOCK"
    assert outcome(run, "chat.deepseek.com", "2026-11-28T09:00+01:00") == "MONITOR"


def test_local_time_to_ask_at(run, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    import time

    time.tzset()
    try:
        run.good("policy", "remove", "ai")
        run.good("policy", "block", "deepseek", "--schedule", "09:00-10:00 @Asia/Kolkata")
        assert [outcome(run, "chat.deepseek.com", f"2026-11-24 {at}") for at in ("09:59:59", "10:00")] == [
            "BLOCK", "NONE",
        ]  # fmt: skip
    finally:
        monkeypatch.undo()
        time.tzset()


def test_one_of_several_statements_is_removed_by_its_schedule(run):
    run.good("policy", "block", "deepseek")
    run.good("policy", "block", "deepseek", "--schedule", WORK)
    assert run("policy", "remove", "deepseek").sentence == (
        f"there are several statements on vendor:deepseek for all; name one by its schedule: block always; block {WORK}"
    )
    assert "no such statement" in run("policy", "remove", "deepseek", "--schedule", "08:00-09:00 @UTC").sentence
    assert run.good("policy", "remove", "deepseek", "--schedule", WORK).out.startswith(
        f"removed block vendor:deepseek for all, {WORK}: "
    )
    run.good("policy", "block", "deepseek", "--schedule", WORK)
    run.good("policy", "remove", "deepseek", "--schedule", "Always")
    assert run.good("policy", "list", "--json").json[0]["schedule"] == WORK
    run.good("policy", "remove", "deepseek")
    assert ("vendor:deepseek", "all") not in subjects(run)


def test_wrong_schedule_is_one_sentence_and_stores_nothing(run):
    before = subjects(run)
    assert run("policy", "block", "deepseek", "--schedule", "mon-fri 08:00-12:00 @Europe/Berln").sentence == (
        "schedule: column 22: there is no time zone 'Europe/Berln'; did you mean Europe/Berlin?"
    )
    assert "column 1: wanted a time zone" in run("policy", "block", "deepseek", "--schedule", "").sentence
    assert subjects(run) == before


@pytest.mark.parametrize(
    "words",
    [
        ("--schedule", "2020-01-01 08:00-12:00 @Europe/Berlin"),
        ("--schedule", "2999-01-01 08:00-12:00 @Europe/Berlin", "--until", "2998-01-01"),
    ],
)
def test_schedule_that_never_holds_is_refused(run, words):
    done = run("policy", "allow", "mistral", *words)
    assert done.status == 2
    assert "08:00-12:00 @Europe/Berlin does not hold from now on" in done.error


def test_statement_that_another_one_leaves_no_effect_is_told_of(run):
    run.good("policy", "block", "mistral")
    done = run("policy", "allow", "mistral", "--schedule", WORK)
    assert done.status == 0
    assert done.error == "sinkhole: note: block vendor:mistral for all holds at all times and goes before allow\n"
    assert run("policy", "allow", "mistral").error == ""


def test_public_suffix_is_blocked_with_a_warning(run):
    done = run("policy", "block", "domain:co.uk")
    assert done.status == 0
    assert done.error == "sinkhole: warning: co.uk is a public suffix: all names below it are hit\n"


def test_expiry_in_the_past_is_refused(run):
    done = run("policy", "allow", "mistral", "--until", "2020-01-01")
    assert done.status == 2
    assert "2020-01-01 00:00 is in the past" in done.error


def test_nothing_left_says_what_that_means(run):
    for subject, _ in subjects(run):
        run.good("policy", "remove", subject)
    assert run.good("policy", "list").lines == ["no statement: everything is answered truly, nothing is recorded"]


def test_what_dns_cannot_tell_apart_is_said_and_not_pretended(run):
    done = run("policy", "block", "product:xai/in-x")
    assert done.status == 0
    assert done.error.startswith("sinkhole: note: DNS cannot tell Grok inside X apart, so this reaches no name. ")
    assert "not covered, since DNS cannot tell it apart: Grok inside X" in run("policy", "block", "xai").error
    assert " more\n" in run("policy", "monitor", "category:productivity").error
    assert run("policy", "allow", "xai").error == ""
    assert run("policy", "block", "deepseek").error == ""


def test_statement_of_a_group(run):
    assert run("policy", "allow", "openai", "--group", "lab").sentence == "there is no group 'lab'"
    run.good("groups", "add", "lab", "10.1.0.0/16")
    run.good("policy", "allow", "openai", "--group", "lab")
    assert subjects(run)["vendor:openai", "group:lab"] == "allow"
    assert run.good("check", "api.openai.com", "--client", "10.1.2.3").lines[-1] == "ALLOW"
    assert run.good("check", "api.openai.com", "--client", "10.2.2.3").lines[-1] == "BLOCK"
    run.good("policy", "remove", "openai", "--group", "lab")
    assert ("vendor:openai", "group:lab") not in subjects(run)


def test_groups_are_kept_as_they_are_compared(run):
    """R-B12: an address with host bits is the network it lies in; a member given twice is one."""
    assert run.good("groups", "list").lines == ["no groups: policy is the same for all"]
    assert run.good("groups", "add", "lab", "10.31.0.1/16").out.startswith("group lab has 1 member: ")
    run.good("groups", "add", "lab", "10.31.0.0/16", "::ffff:192.0.2.1", "2001:db8::/32", "--order", "5")
    (group,) = run.good("groups", "list", "--json").json
    assert group == {
        "name": "lab", "order": 5, "members": ["10.31.0.0/16", "192.0.2.1", "2001:db8::/32"], "mode": None,
        "ipv4": None, "ipv6": None,
    }  # fmt: skip
    assert run.good("groups", "list").lines == [
        "group  order  blocked answer  members",
        "lab        5  as the server   10.31.0.0/16, 192.0.2.1, 2001:db8::/32",
    ]
    assert "has 2 members" in run.good("groups", "remove", "lab", "10.31.9.9/16").out
    assert run("groups", "remove", "lab", "10.99.0.0/16").sentence == "group lab has no member 10.99.0.0/16"
    run.good("groups", "remove", "lab")
    assert run("groups", "remove", "lab").sentence == "there is no group 'lab'"


def test_blocked_answer_of_a_group(run):
    run.good("groups", "add", "lab", "10.1.0.0/16", "--ipv4", "192.0.2.99")
    run.good("groups", "add", "kids", "10.2.0.0/16", "--mode", "nxdomain")
    assert [line.split()[2] for line in run.good("groups", "list").lines[1:]] == ["nxdomain", "192.0.2.99"]
    assert "answer      192.0.2.99, " in run.good("check", "chat.deepseek.com", "--client", "10.1.0.9").out
    assert (
        "answer      no data, " in run.good("check", "chat.deepseek.com", "--client", "10.1.0.9", "--type", "AAAA").out
    )
    assert "answer      NXDOMAIN, " in run.good("check", "chat.deepseek.com", "--client", "10.2.0.9").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Lab", "10.0.0.0/8"), "group name 'Lab': wanted lower-case letters"),
        (("lab", "everyone"), "'everyone' is no address and no network"),
    ],
)
def test_wrong_group_is_one_sentence(run, words, said):
    assert said in run("groups", "add", *words).sentence
    assert run.good("groups", "list", "--json").json == []


@pytest.mark.parametrize(("option", "value"), [("--ipv4", "::1"), ("--ipv4", "x"), ("--ipv6", "192.0.2.1")])
def test_sinkhole_address_of_the_wrong_kind_is_refused(run, option, value):
    done = run("groups", "add", "lab", "10.0.0.0/8", option, value)
    assert done.status == 2
    assert f"{value!r} is no IPv" in done.error


def test_removing_a_group_takes_its_statements_along(run):
    run.good("groups", "add", "lab", "10.1.0.0/16")
    run.good("policy", "allow", "openai", "--group", "lab")
    run.good("groups", "remove", "lab")
    assert ("vendor:openai", "group:lab") not in subjects(run)


def test_basis_is_kept_listed_and_told_by_check(run):
    run.good("policy", "block", "vendor:deepseek", "--basis", "law", "--reason", "order 7")
    (row,) = [row for row in run.good("policy", "list", "--json").json if row["subject"] == "vendor:deepseek"]
    assert (row["basis"], row["reason"]) == ("law", "order 7")
    listed = run.good("policy", "list")
    (line,) = [line for line in listed.lines if line.startswith("vendor:deepseek")]
    assert line.split()[7] == "law"
    checked = run.good("check", "chat.deepseek.com")
    assert "  basis       law" in checked.lines
    assert any(line.endswith("EDE 16") for line in checked.lines)
    assert run.good("check", "chat.deepseek.com", "--json").json["verdict"]["basis"] == "law"


def test_wrong_basis_names_the_nearest(run):
    done = run("policy", "block", "ai", "--basis", "requset")
    assert done.status == 2
    assert "wanted one of operator, law, request; found 'requset'; did you mean request?" in done.error
    assert run("policy", "monitor", "ai", "--basis", "law").status == 2


def test_dry_run_shows_what_a_change_would_do_and_does_not_do_it(run):
    before = subjects(run)
    state = open_state(load_settings(None, {}, {"server.data_dir": run.folder}))
    now = int(datetime.now(UTC).timestamp())
    asked = row(name="chat.mistral.ai", action="block", client="10.1.2.3", minute=now // 60, first=now, last=now)
    Recorder(state.store, str).write(batch(asked))
    state.close()
    done = run.good("policy", "allow", "mistral", "--dry-run")
    assert done.lines[0] == ("impact 1 client, 1 attempt in the last 7 days would have been allowed instead of blocked")
    assert done.lines[1].startswith("impact for clients in no group: ")
    assert subjects(run) == before
    assert (
        run.good("policy", "remove", "ai", "--dry-run").lines[0].endswith("would have been allowed instead of blocked")
    )
    assert subjects(run) == before
    assert run.good("audit", "list", "mistral").lines == ["no change that fits"]


def test_dry_run_without_effect_says_what_is_not_known(run):
    done = run.good("policy", "block", "domain:example.org", "--dry-run")
    assert done.lines == [
        "impact on recorded queries of the last 7 days: none"
        " (only what is blocked, coached or monitored is recorded; monitor first to know more)",
        "no known name gets another verdict",
    ]


def test_dry_run_of_what_cannot_be_done_is_refused_as_the_deed_is(run):
    assert run("policy", "block", "ai", "--group", "nobody", "--dry-run").sentence == "there is no group 'nobody'"
    assert "there is no statement on vendor:mistral" in run("policy", "remove", "mistral", "--dry-run").sentence
