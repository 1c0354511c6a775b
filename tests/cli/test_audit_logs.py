"""`sinkhole audit-logs`: who tried which vendor, from logs that are there already."""

import csv
import datetime as dt
import gzip
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.running import COMMAND, clean_environment
from tests.logs.databases import write_linked

NOON = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC).timestamp()
NAMES = {"deepseek": "chat.deepseek.com", "openai": "api.openai.com", "anthropic": "claude.ai"}


def dnsmasq(path: Path, *queries: tuple[int, str, str]) -> Path:
    """Write a log with queries: seconds after noon, the last part of the client's address, the name."""
    lines = []
    for after, client, name in queries:
        at = dt.datetime.fromtimestamp(NOON + after, dt.UTC)
        lines.append(f"{at:%b %d %H:%M:%S} dnsmasq[7]: query[A] {name} from 192.0.2.{client}\n")
    path.write_text("".join(lines))
    os.utime(path, (NOON + 40 * 86_400,) * 2)
    return path


@pytest.fixture
def log(tmp_path):
    return dnsmasq(
        tmp_path / "dnsmasq.log",
        (0, "1", NAMES["deepseek"]), (1, "1", NAMES["deepseek"]), (400, "1", "www.deepseek.com"),
        (2, "2", NAMES["deepseek"]), (3, "2", NAMES["openai"]), (4, "3", "www.example.org"),
        (90_000, "4", NAMES["openai"]),
    )  # fmt: skip


def audit(run, *words, place=False):
    return run("audit-logs", *words, "--tz", "UTC", place=place)


def told(run, *words):
    done = audit(run, *words, "--json")
    assert done.status == 0, done
    return done.json


def test_vendors_clients_and_attempts_are_counted(run, log):
    """What one client does with one vendor within the window is one attempt; other names are nobody's."""
    found = told(run, log)
    assert [(v["vendor"], v["clients"], v["attempts"], v["queries"]) for v in found["vendors"]] == [
        ("deepseek", 2, 3, 4), ("openai", 2, 2, 2),
    ]  # fmt: skip
    assert (found["clients"], found["clients_seen"], found["total"]["attempts"]) == (3, 4, 5)
    assert (found["since"], found["until"]) == ("2026-11-24T12:00:00+00:00", "2026-11-25T13:00:00+00:00")
    assert found["vendors"][0]["last"] == "2026-11-24T12:06:40+00:00"
    assert found["vendors"][0]["blocked"] is None
    assert found["sources"][0]["read"] == "7 lines, 7 queries, 6 for AI vendors"
    assert [one["attempts"] for one in found["trend"]["buckets"]] == [4, 1]


def test_window_may_be_said(run, log):
    assert told(run, log, "--window", "3600")["vendors"][0]["attempts"] == 2


def test_table_answers_in_a_sentence(run, log):
    done = audit(run, log)
    assert done.lines[0].split() == ["vendor", "name", "in", "clients", "attempts", "queries", "first", "last"]
    assert "3 of 4 clients tried 2 AI vendors in 5 attempts." in done.lines
    assert any("times of UTC" in line for line in done.lines)
    rows = [line.split() for line in audit(run, log, "--trend", "day").lines]
    assert ["2026-11-25", "1", "1", "0", "1"] in rows


def test_files_are_taken_together_in_any_order(run, log, tmp_path):
    """An attempt is not counted again since an older file comes second."""
    lines = log.read_text().splitlines(keepends=True)
    parts = [tmp_path / "log", tmp_path / "log.1.gz"]
    parts[0].write_text("".join(lines[2:]))
    parts[1].write_bytes(gzip.compress("".join(lines[:2]).encode()))
    for part in parts:
        os.utime(part, (NOON + 40 * 86_400,) * 2)
    assert told(run, *parts)["vendors"] == told(run, *reversed(parts))["vendors"] == told(run, log)["vendors"]


def test_formats_may_be_mixed(run, log, tmp_path):
    write_linked(tmp_path / "pihole-FTL.db").close()
    found = told(run, log, tmp_path / "pihole-FTL.db")
    assert [source["kind"] for source in found["sources"]] == [
        "dnsmasq or Pi-hole log (log-queries)", "Pi-hole query database (pihole-FTL.db)",
    ]  # fmt: skip
    assert {v["vendor"]: v["refused"] for v in found["vendors"]} == {"deepseek": 2, "openai": 0, "anthropic": 0}


def test_since_and_until_and_what_is_new(run, log):
    found = told(run, log, "--since", "2026-11-25T00:00:00+00:00")
    assert [(v["vendor"], v["attempts"], v["new"]) for v in found["vendors"]] == [("openai", 1, False)]
    found = told(run, log, "--until", "2026-11-24T12:00:03+00:00")
    assert [(v["vendor"], v["queries"], v["new"]) for v in found["vendors"]] == [("deepseek", 3, False)]
    found = told(run, log, "--since", "2026-11-24T12:00:03+00:00")
    assert {v["vendor"]: v["new"] for v in found["vendors"]} == {"deepseek": False, "openai": True}
    assert found["new"] == ["openai"]


POLICY = """
[[groups]]
name = "lab"
members = ["192.0.2.2", "192.0.2.4"]
[[statements]]
subject = "vendor:deepseek"
action = "block"
[[statements]]
subject = "vendor:openai"
action = "coach"
group = "lab"
expires = 2026-11-25T00:00:00Z
[[statements]]
subject = "feed:ours"
action = "block"
"""


def test_policy_file_tells_what_it_would_block(run, log, tmp_path):
    """By group, and as of the time of each query: the statement on OpenAI ends between two of them."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    found = told(run, log, "--policy", policy, "--by", "group")
    assert {v["vendor"]: (v["blocked"], v["coached"], v["allowed"]) for v in found["vendors"]} == {
        "deepseek": (4, 0, 0), "openai": (0, 1, 1),
    }  # fmt: skip
    assert [(p["group"], p["vendor"], p["clients"], p["attempts"]) for p in found["parts"]] == [
        (None, "deepseek", 1, 2), ("lab", "openai", 2, 2), ("lab", "deepseek", 1, 1),
    ]  # fmt: skip
    assert found["basis"] == "the policy file policy.toml"


def test_policy_of_a_data_folder_is_read_and_nothing_written(run, log):
    run.good("policy", "allow", "deepseek")
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.folder.rglob("*")}
    done = audit(run, log, "--json", "--data-dir", run.folder)
    assert {v["vendor"]: v["blocked"] for v in done.json["vendors"]} == {"deepseek": 0, "openai": 2}
    assert before == {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.folder.rglob("*")}


def test_nothing_is_made_without_a_data_folder(run, log, monkeypatch):
    monkeypatch.setenv("HOME", str(log.parent))
    names = {path.name for path in log.parent.iterdir()}
    told(run, log)
    assert {path.name for path in log.parent.iterdir()} == names


def test_floor_merges_what_few_clients_did(run, tmp_path):
    many = [(n, str(n), NAMES["deepseek"]) for n in range(1, 9)]
    few = [(20, "1", NAMES["openai"]), (21, "2", NAMES["anthropic"]), (22, "3", NAMES["openai"])]
    log = dnsmasq(tmp_path / "log", *many, *few)
    found = told(run, log, "--k", "3")
    assert [(v["vendor"], v["clients"], v["attempts"], v.get("merged")) for v in found["vendors"]] == [
        ("deepseek", 8, 8, None), (None, 3, 3, 2),
    ]  # fmt: skip
    assert found["vendors"][1]["first"] is None
    everything = audit(run, log, "--k", "5", "--json").out
    # 3 clients are too few for 5: the next row joins, so that nothing can be told from the total.
    assert '"openai"' not in everything
    assert [v["vendor"] for v in told(run, log, "--k", "5")["vendors"]] == [None]
    nothing = told(run, log, "--k", "9")
    assert (nothing["total"], nothing["clients"], nothing["vendors"][0]["attempts"]) == (None, None, None)
    assert [one["withheld"] for one in nothing["trend"]["buckets"]] == [True]


def test_clients_are_told_or_have_pseudonyms(run, log):
    found = told(run, log, "--by", "client")
    assert {part["client"] for part in found["parts"]} == {"192.0.2.1", "192.0.2.2", "192.0.2.4"}
    out = audit(run, log, "--by", "client", "--pseudonyms", "--json").out
    assert "192.0.2" not in out
    assert len(set(re.findall(r"p-[0-9a-f]{12}", out))) == 3
    assert out != audit(run, log, "--by", "client", "--pseudonyms", "--json").out  # the key is thrown away


def test_standard_input(run, log, monkeypatch):
    with log.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        found = told(run, "-", "--format", "dnsmasq")
    assert found["sources"][0]["source"] == "standard input"
    assert len(found["vendors"]) == 2


def test_progress_is_shown_on_a_terminal(log):
    """And only there: a file or a pipe gets no bar."""
    ours, theirs = pty.openpty()
    command = [*COMMAND, "audit-logs", str(log), "--tz", "UTC", "--json"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=theirs, env=clean_environment(), check=True, timeout=60
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert json.loads(done.stdout)["clients"] == 3
    assert "dnsmasq.log" in shown
    assert "100%" in shown


def test_file_that_is_no_log_is_said_before_others_are_read(run, log, tmp_path):
    (tmp_path / "notes.txt").write_text("hello\nworld\n")
    assert "notes.txt: no format finds queries in it" in audit(run, log, tmp_path / "notes.txt").sentence


HOSTILE = "=cmd|'/c calc'!A0"


@pytest.fixture
def hostile(tmp_path):
    """Write a log whose devices are called what no client should be called."""
    path = tmp_path / "nextdns.csv"
    header = "timestamp,domain,query_type,client_ip,status,root_domain,device_name"
    names = (HOSTILE, "<script>alert(1)</script>", "\x1b[31mred\u202e", "a|b`c*d", "@x", "+1", "-1", "\tx")
    rows = [f"2026-11-24T12:00:00Z,claude.ai,A,198.51.100.7,,claude.ai,{name}" for name in names]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_csv_holds_no_formula(run, hostile):
    out = audit(run, hostile, "--by", "client", "--csv").out
    cells = [row["client"] for row in csv.DictReader(io.StringIO(out))]
    assert "'" + HOSTILE in cells
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in csv.reader(io.StringIO(out)) for cell in row
    )


def test_half_a_letter_in_json_is_no_trouble(run, tmp_path):
    (tmp_path / "querylog.json").write_text(
        '{"T":"2026-11-24T12:00:00Z","QH":"claude.ai","IP":"x\\ud800","Result":{}}\n'
        '{"T":"2026-11-24T12:00:00Z","QH":"\\ud800.ai","IP":"y","Result":{}}\n'
    )
    for form in ("csv", "html", "md", "json", "table"):
        for more in ((), ("--pseudonyms",), ("-o", tmp_path / "r")):
            done = audit(run, tmp_path / "querylog.json", "--by", "client", "--format-out", form, *more)
            assert done.status == 0


def test_html_and_markdown_and_terminal_hold_text_only(run, hostile):
    page = audit(run, hostile, "--by", "client", "--format-out", "html").out
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for form in ("html", "md", "table", "csv", "json"):
        out = audit(run, hostile, "--by", "client", "--format-out", form).out
        assert not {"\x1b", "\u202e"} & set(out)
    assert r"a\|b\`c\*d" in audit(run, hostile, "--by", "client", "--format-out", "md").out


def test_page_is_self_contained_and_speaks(run, log, tmp_path):
    page = tmp_path / "report.html"
    assert audit(run, log, "-o", page).error == f"wrote {page}\n"
    text = page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600
    assert not re.search(r"(?i)<(script|link|img|iframe|object)|\bsrc=|href=|url\(|@import|https?://", text)
    assert text.count("<svg") == text.count('role="img"') == text.count("<desc") == 2
    assert text.index("<svg") < text.index("<table")  # the numbers are behind each chart
    assert "default-src 'none'" in text
    assert "@media print" in text
    assert '<html lang="en">' in text


@pytest.mark.parametrize(
    ("name", "start"), [("r.csv", "vendor,name"), ("r.json", "{"), ("r.md", "# Who"), ("r.txt", "vendor ")]
)
def test_form_follows_the_name_of_the_file(run, log, tmp_path, name, start):
    assert audit(run, log, "-o", tmp_path / name).status == 0
    assert (tmp_path / name).read_text().startswith(start)


def test_unreadable_lines_are_told_with_the_first(run, log):
    times = (log.stat().st_atime, log.stat().st_mtime)
    log.write_text(log.read_text() + "\x1b[31mNov 24 1\nNov 24 12:00:00 dnsmasq[7]: query[A] \n")
    os.utime(log, times)
    done = audit(run, log, "--json")
    assert done.status == 0
    assert done.error.startswith(
        f"sinkhole: {log}: 2 lines cannot be read; the first is line 8: wanted a line of dnsmasq"
    )
    assert "\x1b" not in done.error
    assert done.json["sources"][0]["read"].endswith("; 2 could not be read, the first is line 8")


def test_log_that_breaks_off_is_counted_so_far(run, tmp_path):
    rng = os.urandom
    lines = "".join(
        f"Nov 24 12:00:00 dnsmasq[7]: query[A] {rng(24).hex()}.claude.ai from 192.0.2.7\n" for _ in range(40_000)
    )
    (tmp_path / "log.gz").write_bytes(gzip.compress(lines.encode(), 1)[:-9000])
    done = audit(run, tmp_path / "log.gz", "--json")
    assert done.status == 1
    assert "cannot be read further" in done.error
    assert done.json["vendors"][0]["queries"] > 10_000
    assert any("broke off" in note for note in done.json["notes"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.log",), "nowhere.log: cannot be read: No such file or directory"),
        (("LOG", "LOG"), "LOG: is given twice"),
        (("LOG", "-o", "LOG", "--csv"), "LOG: is one of the logs, which are not written"),
        (("LOG", "--format", "pihole-db"), "LOG: is no SQLite database"),
        (("LOG", "--policy", "nowhere.toml"), "nowhere.toml: cannot be read: No such file or directory"),
        (("LOG", "-o", "no/where.html"), "no/where.html: cannot be written: No such file or directory"),
        (("LOG", "--data-dir", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run, log, monkeypatch, words, said):
    monkeypatch.chdir(log.parent)
    log.rename("LOG")
    assert said in audit(run, *words).sentence


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "client", "--k", "3"), "--by client tells each client by itself, which --k 3 rules out"),
        (("--by", "group"), "give --policy FILE or --data-dir"),
        (("--tz", "Mars/Base"), "'Mars/Base' is no time zone such as Europe/Berlin or UTC"),
        (("--since", "2026-11-24", "--until", "2026-11-23"), "--until: must be after --since"),
        (("-o", "report.pdf"), "what form? call it .html, .csv, .json or .md"),
        (("--json", "--csv"), "one form at a time; found json and csv"),
    ],
)
def test_options_that_make_no_sense_are_said(run, log, words, said):
    done = run("audit-logs", log, *words, place=False)
    assert done.status == 2
    assert said in " ".join(done.error.split())


def test_policy_file_with_mistakes_tells_them(run, log, tmp_path):
    (tmp_path / "p.toml").write_text('[[statements]]\nsubject = "vendor:deepsek"\naction = "block"\n')
    assert (
        "there is no vendor 'deepsek'; did you mean deepseek"
        in audit(run, log, "--policy", tmp_path / "p.toml").sentence
    )


def test_zone_counts_for_times_without_offset(run, log):
    found = run("audit-logs", log, "--tz", "America/New_York", "--json", place=False).json
    assert found["since"] == "2026-11-24T17:00:00+00:00"


def test_nobody_tried_anything(run, tmp_path):
    log = dnsmasq(tmp_path / "log", (0, "1", "www.example.org"))
    done = audit(run, log)
    assert "Nobody tried an AI vendor." in done.out
    (tmp_path / "empty").write_text("")
    assert told(run, tmp_path / "empty")["vendors"] == []
    assert "Nobody tried" in audit(run, tmp_path / "empty", "--format-out", "html").out
