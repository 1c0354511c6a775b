"""`sinkhole report`: before and after, by group, what is new, the trend, the floor, pseudonyms and their reveal."""

import calendar
import csv
import io
import json
import time

import pytest

from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.policy.hit import HitRow
from sinkhole.store.daily import sum_days
from sinkhole.store.recorder import HitBatch, Recorder

DAY = 86_400
NOW = int(time.time())
NOON = NOW // DAY * DAY - 10 * DAY + DAY // 2
"""A noon ten days ago."""


def hit(client: str, vendor: str, days: float, group: str | None = None, **more: object) -> HitRow:
    at = int(NOON + days * DAY)
    fields: dict[str, object] = {
        "minute": at // 60, "client": client, "group": group, "name": f"{vendor}.example.org", "qtype": 1,
        "action": "block", "vendor": vendor, "product": None, "feed": None, "subject": "ai", "count": 1, "first": at,
        "last": at,
    }  # fmt: skip
    return HitRow(**(fields | more))  # type: ignore[arg-type]


def opened(run):
    run.folder.mkdir(exist_ok=True)
    return open_state(load_settings(None, {}, {"server.data_dir": run.folder}))


def write(run, *rows: HitRow, seq: int = 1, summed: bool = False) -> None:
    state = opened(run)
    assert Recorder(state.store, str).write(HitBatch("worker", seq, rows))
    if summed:
        list(sum_days(state.store, 300, NOW))
    state.close()


HITS = (
    *(hit(f"10.0.0.{n}", "deepseek", -4 + n / 10, "staff") for n in range(1, 7)),
    hit("10.0.0.1", "deepseek", 2, "staff"), hit("10.0.0.9", "deepseek", 3, "lab"),
    hit("10.0.0.9", "mistral", 3, "lab", action="monitor"), hit("10.0.0.1", "openai", -3, "staff"),
)  # fmt: skip


@pytest.fixture
def recorded(run):
    write(run, *HITS, summed=True)
    return run


def date_of(days: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(NOON + days * DAY))


def told(run, *words):
    return run.good("report", *words, "--json").json


def test_before_and_after_are_equal_times(recorded):
    """How many tried DeepSeek, before and after the ban?"""
    found = told(recorded, "--around", date_of(0))
    assert found["around"]["at"] == date_of(0)
    assert found["since"] >= date_of(-4)
    spans = {v["vendor"]: (v["before"], v["after"]) for v in found["vendors"]}
    assert spans == {
        "deepseek": ({"clients": 6, "attempts": 6}, {"clients": 2, "attempts": 2}),
        "mistral": ({"clients": 0, "attempts": 0}, {"clients": 1, "attempts": 1}),
        "openai": ({"clients": 1, "attempts": 1}, {"clients": 0, "attempts": 0}),
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(recorded.good("report", "--around", date_of(0), "--csv").out)))
    assert [(row["before"], row["after"], row["change %"]) for row in rows] == [
        ("6", "2", "-67"), ("0", "1", "new"), ("1", "0", "gone"),
    ]  # fmt: skip
    assert any(line.startswith("before and after are the 3.9 days") for line in recorded.good(
        "report", "--around", date_of(0)).lines)  # fmt: skip


def test_since_and_until_shorten_both_times(recorded):
    found = told(recorded, "--around", date_of(0), "--since", date_of(-3.55))
    deepseek = found["vendors"][0]
    assert (deepseek["before"]["attempts"], deepseek["after"]["attempts"]) == (2, 2)
    assert found["around"]["seconds"] == pytest.approx(3.55 * DAY, abs=2)


def test_around_a_statement_is_when_it_was_made(run):
    """From the audit log, also when its words were changed later, or it is gone."""
    hour = 1 / 24
    now = (time.time() - NOON) / DAY
    write(run, hit("10.0.0.1", "deepseek", now - hour), hit("10.0.0.2", "deepseek", now + hour / 2))
    run.good("policy", "coach", "deepseek")
    (statement,) = [s for s in run.good("policy", "list", "--json").json if s["subject"] == "vendor:deepseek"]
    made = time.time()
    run.good("policy", "coach", "deepseek", "--reason", "said later")
    run.good("policy", "remove", "deepseek")
    found = told(run, "--around", str(statement["id"]), "--until", "2090-01-01")
    assert found["around"]["what"] == f"statement {statement['id']}: coach vendor:deepseek for all"
    assert made - 20 < calendar.timegm(time.strptime(found["around"]["at"], "%Y-%m-%dT%H:%M:%S+00:00")) <= made
    assert found["around"]["seconds"] == pytest.approx(3600, abs=90)
    assert (found["vendors"][0]["before"]["attempts"], found["vendors"][0]["after"]["attempts"]) == (1, 1)


@pytest.mark.parametrize(
    ("around", "said"),
    [
        ("999", "the audit log knows no statement 999"),
        ("2001-01-01", "--around: nothing was recorded before it"),
        ("2090-01-01", "--around: is not before the end of the report"),
    ],
)
def test_around_what_cannot_be_compared_is_said(recorded, around, said):
    assert said in recorded("report", "--around", around).sentence


def test_around_no_time_is_said(recorded):
    done = recorded("report", "--around", "the ban")
    assert done.status == 2
    assert "nor the number of a statement" in " ".join(done.error.split())


def test_groups_are_told_with_their_vendors(recorded):
    found = told(recorded, "--by", "group")
    assert [(p["group"], p["vendor"], p["clients"], p["attempts"]) for p in found["parts"]] == [
        ("staff", "deepseek", 6, 7), ("lab", "deepseek", 1, 1), ("lab", "mistral", 1, 1), ("staff", "openai", 1, 1),
    ]  # fmt: skip
    assert recorded.good("report", "--by", "group").lines[1].split()[:4] == ["staff", "deepseek", "DeepSeek", "CN"]


def test_new_is_what_nobody_tried_before(recorded):
    found = told(recorded, "--since", date_of(0))
    assert (found["new"], [v["vendor"] for v in found["vendors"]]) == (["mistral"], ["deepseek", "mistral"])
    assert told(recorded, "--since", "30d")["new"] == []  # nothing was recorded before, so nothing is known to be new
    assert "new" in recorded.good("report", "--since", date_of(0)).lines[0].split()


def test_vendor_of_a_day_that_is_not_summed_up_is_known(run):
    write(run, hit("10.0.0.1", "deepseek", -1), hit("10.0.0.1", "openai", 0), hit("10.0.0.1", "deepseek", 0.1))
    assert told(run, "--since", date_of(-0.01))["new"] == ["openai"]


def test_trend_is_the_same_from_sums_and_from_hits(run):
    write(run, *HITS)
    before = told(run, "--trend", "day")["trend"]
    state = opened(run)
    list(sum_days(state.store, 300, NOW))
    state.close()
    assert told(run, "--trend", "day")["trend"] == before
    assert sum(one["attempts"] for one in before["buckets"]) == 10
    weeks = told(run, "--trend", "week")["trend"]["buckets"]
    assert sum(one["attempts"] for one in weeks) == 10
    assert all(time.gmtime(NOON).tm_year >= 2026 and len(one["from"]) == 10 for one in weeks)
    assert "day from" in recorded_table(run)


def recorded_table(run):
    return run.good("report", "--trend", "day").out


def test_days_whose_hits_are_gone_count_by_their_sums(recorded):
    """Attempts stay; how many clients there were is no longer known, and is said."""
    state = opened(recorded)
    with state.store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM hit WHERE minute < ?", (NOON // 60,))
    state.close()
    found = told(recorded)
    assert [(v["vendor"], v["clients"], v["attempts"], v["blocked"]) for v in found["vendors"]] == [
        ("deepseek", 2, 8, 8), ("mistral", 1, 1, 0), ("openai", 0, 1, 1),
    ]  # fmt: skip
    assert found["clients"] == 2
    assert any("only sums are kept" in note for note in found["notes"])


def test_floor_holds_for_recorded_hits(recorded):
    found = told(recorded, "--k", "2", "--by", "group")
    assert [(v["vendor"], v["clients"]) for v in found["vendors"]] == [("deepseek", 7), (None, 2)]
    assert [(p["group"], p["vendor"], p["clients"]) for p in found["parts"]] == [
        ("staff", "deepseek", 6), (None, None, 2),
    ]  # fmt: skip
    days = [one for one in found["trend"]["buckets"] if one["withheld"]]
    assert len(days) == 2
    told_of = recorded.good("report", "--k", "2", "--around", date_of(0), "--json").json["vendors"][0]
    assert (told_of["before"]["clients"], told_of["after"]["clients"]) == (6, 2)
    few = recorded.good("report", "--k", "3", "--around", date_of(0), "--json").json["vendors"]
    assert all(v["after"] is None or v["after"]["attempts"] == 0 for v in few)
    assert recorded.good("report", "--k", "50").lines[-1].startswith("fewer than 50 clients since ")


def test_pseudonyms_are_turned_back_by_a_reveal_that_is_noted(recorded):
    parts = told(recorded, "--by", "client", "--pseudonyms")["parts"]
    assert all(part["client"].startswith("p-") for part in parts)
    pseudonym = parts[0]["client"]
    assert told(recorded, "--by", "client", "--pseudonyms")["parts"] == parts  # the same in each report
    done = recorded.good("report", "--reveal", pseudonym, "--reason", "incident 7")
    assert done.lines[0] == f"{pseudonym} is 10.0.0.1"
    (entry,) = recorded.good("audit", "list", "reveal", "--json").json
    assert entry["what"] == f"report reveal {pseudonym}"
    assert entry["after"] == {"pseudonym": pseudonym, "reason": "incident 7", "found": True}
    assert "10.0.0.1" not in json.dumps(entry)
    recorded.good("audit", "verify")


def test_reveal_of_nobody_is_noted_too(recorded):
    done = recorded("report", "--reveal", "p-000000000000", "--reason", "a guess", "--json")
    assert (done.status, done.json["revealed"]) == (1, {"p-000000000000": None})
    (entry,) = recorded.good("audit", "list", "reveal", "--json").json
    assert entry["after"]["found"] is False


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--reveal", "p-1"), "--reveal: say why with --reason"),
        (("--reveal", "p-1", "--reason", " "), "--reveal: say why with --reason"),
        (("--reason", "x"), "--reason: goes with --reveal PSEUDONYM"),
        (("--by", "client", "--k", "2"), "--by client tells each client by itself"),
    ],
)
def test_reveal_needs_a_reason(recorded, words, said):
    done = recorded("report", *words)
    assert done.status == 2
    assert said in " ".join(done.error.split())
    assert recorded.good("audit", "list", "reveal").out.startswith("no change that fits")


def test_stored_pseudonyms_stay_and_are_not_turned_back(run, tmp_path):
    run.config.write_text('[upstream]\nservers = ["127.0.0.1:9"]\n[record]\nclients = "pseudonym"\n')
    write(run, hit("p-0123456789ab", "deepseek", 0))
    assert told(run, "--by", "client", "--pseudonyms")["parts"][0]["client"] == "p-0123456789ab"
    assert "nobody can turn back" in run("report", "--reveal", "p-0123456789ab", "--reason", "x").sentence


@pytest.mark.parametrize("form", ["html", "md", "csv", "json", "table"])
def test_report_is_written_in_each_form(recorded, tmp_path, form):
    file = tmp_path / "report"
    recorded.good("report", "--format-out", form, "-o", file, "--around", date_of(0), "--by", "group")
    text = file.read_text()
    assert "DeepSeek" in text
    assert "lab" in text
    assert file.stat().st_mode & 0o777 == 0o600


def test_subcommands_stay(recorded):
    assert recorded.good("report", "clients", "--json").json[0]["client"] == "10.0.0.1"
    assert recorded("report", "--around", "2026-01-01", "clients").status == 2
