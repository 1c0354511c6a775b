"""`sinkhole hits` and `sinkhole report`, on recorded rows."""

import csv
import io
import json
import os
import signal
import subprocess
import time

import pytest

from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.policy.hit import HitRow
from sinkhole.store.recorder import HitBatch, Recorder
from tests.e2e.running import COMMAND, clean_environment

NOW = int(time.time())


def hit(client: str, name: str, vendor: str | None, **more: object) -> HitRow:
    fields: dict[str, object] = {
        "minute": NOW // 60, "client": client, "group": None, "name": name, "qtype": 1, "action": "block",
        "vendor": vendor, "product": None, "feed": None, "subject": "ai", "count": 1, "first": NOW, "last": NOW,
    }  # fmt: skip
    return HitRow(**(fields | more))  # type: ignore[arg-type]


HITS = (
    hit("10.0.0.1", "chat.deepseek.com", "deepseek", product="deepseek/chat", count=3),
    hit("10.0.0.2", "chat.deepseek.com", "deepseek", product="deepseek/chat", qtype=65),
    hit("10.0.0.2", "api.openai.com", "openai", product="openai/api", group="lab", action="monitor", subject="ai"),
    hit("10.0.0.2", r"=cmd|'/c calc'!a0\027[31m.example.org", None, feed="ours", subject="feed:ours"),
)


def write(run, *rows: HitRow, seq: int = 1) -> None:
    run.folder.mkdir(exist_ok=True)
    state = open_state(load_settings(None, {}, {"server.data_dir": run.folder}))
    assert Recorder(state.store, str).write(HitBatch("worker", seq, rows))
    state.close()


@pytest.fixture
def recorded(run):
    write(run, *HITS)
    return run


def test_empty_states_say_so(run):
    assert run.good("hits", "top").out.startswith("no hits since ")
    assert run.good("hits", "tail").lines == ["no hits yet"]
    assert run.good("hits", "tail", "--json").out == ""
    assert run.good("report").out.startswith("no vendor was tried since ")
    told = run.good("report", "--json").json
    assert (told["clients"], told["vendors"], told["hits_dropped"]) == (0, [], 0)
    assert run.good("hits", "export").lines == [run.good("hits", "export").lines[0]]


@pytest.mark.parametrize(
    ("by", "counted"),
    [
        ("vendor", {"deepseek": 4, "openai": 1}),
        ("client", {"10.0.0.1": 3, "10.0.0.2": 3}),
        ("group", {"lab": 1}),
        ("product", {"deepseek/chat": 4, "openai/api": 1}),
        ("jurisdiction", {"CN": 4, "US": 1}),
        ("category", {"chat": 4, "api": 1, "coding": 4}),
        ("feed", {"ours": 1}),
        ("subject", {"ai": 5, "feed:ours": 1}),
    ],
)
def test_top_counts_by_anything(recorded, by, counted):
    """By vendor, client, group, category, jurisdiction and more."""
    found = recorded.good("hits", "top", "--by", by, "--json").json
    assert {row[by]: row["hits"] for row in found} == counted
    assert recorded.good("hits", "top", "--by", by).lines[0].split()[0] == by


def test_top_is_limited_and_dated(recorded):
    assert len(recorded.good("hits", "top", "--by", "name", "--limit", "1", "--json").json) == 1
    (row, *_) = recorded.good("hits", "top", "--json").json
    assert row["first"] == time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(NOW))
    assert (row["clients"], row["attempts"], row["hits"], row["blocked"], row["allowed"]) == (2, 2, 4, 4, 0)
    assert recorded.good("hits", "top", "--since", "2090-01-01").out.startswith("no hits since 2090-01-01")
    assert recorded.good("hits", "top", "--since", "30min").lines[1].split()[0] == "deepseek"


@pytest.mark.parametrize("word", ["yesterday", "7", "99999999d", "2026-13-01"])
def test_since_that_is_no_time(run, word):
    done = run("hits", "top", "--since", word)
    assert done.status == 2
    assert "is neither like 7d, 12h, 30min nor a date" in done.error


def test_tail_shows_escapes_instead_of_obeying_them(recorded):
    """R-A17: what a client asked for cannot move the cursor of whoever reads it."""
    lines = recorded.good("hits", "tail").lines
    assert len(lines) == 4
    assert r"=cmd|'/c calc'!a0\027[31m.example.org A" in lines[3]
    assert "chat.deepseek.com A x3  deepseek  by ai" in lines[0]
    assert "monitor" in lines[2]
    assert recorded.good("hits", "tail", "-n", "1").lines == lines[3:]
    assert recorded.good("hits", "tail", "-n", "0").out == ""
    assert [json.loads(line)["name"] for line in recorded.good("hits", "tail", "--json").lines] == [
        row.name for row in HITS
    ]


def test_names_with_escapes_never_reach_a_terminal(run):
    """R-A17: even where the store holds them raw."""
    write(run, hit("10.0.0.1", "a\x1b[31m\u202eb.example.org", "openai"))
    for command in (("hits", "tail"), ("hits", "top", "--by", "name"), ("hits", "tail", "--json"),
                    ("hits", "export", "--json")):  # fmt: skip
        out = run.good(*command).out
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_export_csv_holds_no_formula(recorded):
    """R-A16: no cell can be taken for a formula by a spreadsheet (CWE-1236)."""
    rows = list(csv.DictReader(io.StringIO(recorded.good("hits", "export").out)))
    assert [row["name"] for row in rows] == ["chat.deepseek.com"] * 2 + ["api.openai.com", "'" + HITS[3].name]
    assert rows[1]["qtype"] == "HTTPS"
    assert rows[0]["minute"].endswith(":00+00:00")
    for row in rows:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())


def test_export_json_is_one_valid_object_a_line(recorded):
    lines = recorded.good("hits", "export", "--format", "json").lines
    assert lines == recorded.good("hits", "export", "--json").lines
    assert [json.loads(line)["vendor"] for line in lines] == ["deepseek", "deepseek", "openai", None]
    assert recorded.good("hits", "export", "--json", "--since", "2090-01-01").out == ""


def test_report_tells_who_tried_what(recorded):
    """Clients and attempts per vendor, first and last, blocked or allowed."""
    lines = recorded.good("report").lines
    assert lines[0].split() == [
        "vendor", "name", "in", "clients", "attempts", "blocked", "coached", "allowed", "first", "last",
    ]  # fmt: skip
    assert lines[1].split()[:8] == ["deepseek", "DeepSeek", "CN", "2", "2", "4", "0", "0"]
    assert lines[2].split()[:8] == ["openai", "OpenAI", "US", "1", "1", "0", "0", "1"]
    assert lines[-1].startswith("2 clients since ")
    told = recorded.good("report", "--json").json
    assert (told["clients"], [v["vendor"] for v in told["vendors"]]) == (2, ["deepseek", "openai"])
    assert told["vendors"][0]["last"].endswith("+00:00")
    rows = list(csv.DictReader(io.StringIO(recorded.good("report", "--csv").out)))
    assert [row["attempts"] for row in rows] == ["2", "1"]
    assert recorded.good("report", "--until", "2020-01-01").out.startswith("no vendor was tried")


def test_report_counts_what_was_coached_by_itself(run):
    write(run, HITS[0], hit("10.0.0.1", "chat.deepseek.com", "deepseek", action="coach", qtype=65, count=5))
    (row,) = run.good("report", "--json").json["vendors"]
    assert (row["blocked"], row["coached"], row["allowed"]) == (3, 5, 0)
    (row,) = run.good("hits", "top", "--json").json
    assert (row["hits"], row["blocked"], row["coached"], row["allowed"]) == (8, 3, 5, 0)
    assert run.good("hits", "top").lines[1].split()[:6] == ["deepseek", "1", "1", "8", "3", "5"]


def test_report_counts_one_client_as_one(run):
    write(run, HITS[0])
    assert run.good("report").lines[-1].startswith("1 client since ")


def test_report_without_stored_clients_says_so(run):
    """With `record.clients = "none"` nothing of a client is there to be counted."""
    write(run, hit("", "chat.deepseek.com", "deepseek"))
    assert run.good("report").lines[-1].startswith("clients are not stored; counted since ")
    assert run.good("report", "--json").json["clients"] == 0
    assert run.good("hits", "top", "--by", "client").lines[1].startswith("(not stored) ")
    assert "  -  chat.deepseek.com A" in run.good("hits", "tail").out


def test_report_says_what_is_missing(run):
    run.folder.mkdir()
    state = open_state(load_settings(None, {}, {"server.data_dir": run.folder}))
    Recorder(state.store, str).write(HitBatch("worker", 1, HITS[:1], dropped=1))
    state.close()
    assert run.good("report").lines[-1] == "1 query could not be recorded and is missing here"


def heed_interrupts() -> None:
    """A test run in the background of a shell ignores them, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_tail_follows_what_comes(recorded):
    """A process of its own, ended by an interrupt: exit status 130 and no traceback."""
    command = [*COMMAND, "hits", "tail", "-f", "-n", "1", "--json", "--data-dir", str(recorded.folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(),
        preexec_fn=heed_interrupts,
    ) as following:  # fmt: skip
        assert following.stdout is not None
        assert following.stderr is not None
        assert json.loads(following.stdout.readline())["name"] == HITS[3].name
        write(recorded, hit("10.0.0.9", "claude.ai", "anthropic"), seq=2)
        assert json.loads(following.stdout.readline())["name"] == "claude.ai"
        os.kill(following.pid, signal.SIGINT)
        assert following.wait(10) == 130
        assert "Traceback" not in following.stderr.read()
