"""Reading a list into the files of a snapshot, in a process of its own."""

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sinkhole.errors import FeedError
from sinkhole.feeds.diff import Diff
from sinkhole.feeds.reading import KEPT_REJECTIONS, SAMPLES, Job, Report, read_list
from sinkhole.feeds.reading_process import read_apart
from sinkhole.feeds.rule_row import read_row


def _job(folder: Path, body: bytes | str, list_format: str = "domains", **more: object) -> Job:
    (folder / "body").write_bytes(body.encode() if isinstance(body, str) else body)
    job = Job(str(folder), list_format, "format", local=False, max_rows=100_000)
    return replace(job, **more)  # type: ignore[arg-type]


def _rules(folder: Path) -> list[tuple[int, str]]:
    found = [read_row(row) for row in (folder / "rules").read_bytes().splitlines()]
    return [(rule.line, rule.name) for rule in found]


def test_rules_are_written_with_their_lines(tmp_path: Path) -> None:
    report = read_list(_job(tmp_path, "# AI\nb.example.org\n\na.example.org\n"))
    assert report == Report("domains", 2, 0, 0, (), Diff(2, 0, ("||a.example.org^", "||b.example.org^")))
    assert _rules(tmp_path) == [(2, "b.example.org"), (4, "a.example.org")]


def test_same_rule_counts_once(tmp_path: Path) -> None:
    """R-F06: a list that repeats its rows has not grown."""
    report = read_list(_job(tmp_path, "a.example.org\nA.Example.ORG.\n*.a.example.org\n"))
    assert report.rules == 1
    assert _rules(tmp_path) == [(1, "a.example.org")]


def test_format_is_detected(tmp_path: Path) -> None:
    report = read_list(_job(tmp_path, "0.0.0.0 a.example.org\n0.0.0.0 b.example.org\n", "auto"))
    assert (report.format, report.rules) == ("hosts", 2)


def test_match_of_the_feed_is_obeyed(tmp_path: Path) -> None:
    read_list(_job(tmp_path, "0.0.0.0 a.example.org\n", "hosts", match="suffix"))
    assert (tmp_path / "rules").read_text() == "1\tsb\t\ta.example.org\n"


def test_rows_for_protected_names_are_rejected_and_told_first(tmp_path: Path) -> None:
    """R-F07, R-L12: the row goes, its neighbours stay, and the report says which and why."""
    body = "com\nlists.example.org\nexample.net\nai.example.com\n"
    report = read_list(_job(tmp_path, body, never_block=("cdn.example.net",), hosts=("lists.example.org",)))
    assert (report.rules, report.rejected, report.protected) == (1, 3, 2)
    assert _rules(tmp_path) == [(4, "ai.example.com")]
    assert [(row.line, row.text) for row in report.samples] == [
        (2, "||lists.example.org^"),
        (3, "||example.net^"),
        (1, "com"),
    ]
    assert "lists or answers are fetched from" in report.samples[0].why
    assert "never blocked" in report.samples[1].why
    assert "too wide" in report.samples[2].why
    kept = json.loads((tmp_path / "rejections.json").read_text())
    assert [row["line"] for row in kept] == [2, 3, 1]


def test_list_of_the_administrator_may_do_more(tmp_path: Path) -> None:
    """R-F08: it may rewrite and be wide; a remote one may not."""
    body = "||example.net^\n||a.example.org^$dnsrewrite=192.0.2.1\n||b.example.org^\n"
    remote = read_list(_job(tmp_path, body, "adblock", never_block=("cdn.example.net",)))
    assert (remote.rules, remote.protected) == (1, 1)
    own = read_list(_job(tmp_path, body, "adblock", never_block=("cdn.example.net",), local=True))
    assert (own.rules, own.rejected) == (3, 0)


def test_difference_from_the_previous_version_is_told(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    read_list(_job(old, "a.example.org\nb.example.org\n"))
    report = read_list(_job(new, "# moved down\nb.example.org\nc.example.org\n", previous=str(old / "rules")))
    assert report.diff == Diff(1, 1, ("||c.example.org^",), ("||a.example.org^",))


def test_samples_and_kept_rejections_are_few(tmp_path: Path) -> None:
    """R-L13: a million bad rows make no large report."""
    bad = "".join(f"bad..{n}\nn{n}.example.net\n" for n in range(KEPT_REJECTIONS + 50))
    more = "".join(f"x{n}.example.org\n" for n in range(100))
    names = tuple(f"n{n}.example.net" for n in range(KEPT_REJECTIONS + 50))
    report = read_list(_job(tmp_path, bad + more, never_block=names))
    assert report.rejected == 2 * KEPT_REJECTIONS + 100
    assert report.protected == KEPT_REJECTIONS + 50
    assert len(report.samples) == SAMPLES
    assert len(report.diff.added_rows) == SAMPLES
    assert len(json.loads((tmp_path / "rejections.json").read_text())) == KEPT_REJECTIONS


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the list has no usable row: it is empty, or all of it is comments"),
        (b"# nothing\n\n", "the list has no usable row: it is empty"),
        (b"com\norg\n", "the list has no usable row: line 1, column 1: too wide"),
        (b"<!DOCTYPE html><title>Log in</title>", "web page"),
        (b'{"error": "rate limit"}', "JSON document"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"\xff\xfea\x00", "UTF-16"),
    ],
)
def test_list_without_a_usable_row_is_none(tmp_path: Path, body: bytes, why: str) -> None:
    """R-F01: empty, HTML, JSON and binary bodies."""
    with pytest.raises(FeedError, match=why):
        read_list(_job(tmp_path, body))


def test_rows_are_limited(tmp_path: Path) -> None:
    """R-F03, R-L13."""
    with pytest.raises(FeedError, match="more than 10 rows"):
        read_list(_job(tmp_path, "".join(f"x{n}.example.org\n" for n in range(11)), max_rows=10))


def test_bad_octets_cost_their_row_alone(tmp_path: Path) -> None:
    """R-L09, R-L13: BOM, invalid UTF-8, NUL and a row of 100 kB."""
    body = b"\xef\xbb\xbfa.example.org\nb\xff.example.org\nc\0.example.org\n" + b"d" * 100_000 + b"\ne.example.org\n"
    report = read_list(_job(tmp_path, body))
    assert [name for _, name in _rules(tmp_path)] == ["a.example.org", "e.example.org"]
    assert [row.line for row in report.samples] == [2, 3, 4]


def test_included_lists_are_found_beside_the_body(tmp_path: Path) -> None:
    (tmp_path / "includes").mkdir()
    (tmp_path / "includes" / "other").write_text("b.example.org\n")
    (tmp_path / "secret").write_text("secret.example.org\n")
    body = "a.example.org\ninclude:other\ninclude:../secret\ninclude:missing\n"
    report = read_list(_job(tmp_path, body, "v2fly"))
    assert [name for _, name in _rules(tmp_path)] == ["a.example.org", "b.example.org"]
    assert report.rejected == 2


async def test_process_returns_the_report(tmp_path: Path) -> None:
    """R-L14."""
    job = _job(tmp_path, "a.example.org\nnot a name\n")
    apart = await read_apart(job)
    assert apart == read_list(job)
    assert apart.samples[0].line == 2


async def test_error_of_the_process_is_raised_here(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="the list has no usable row"):
        await read_apart(_job(tmp_path, ""))
    with pytest.raises(FeedError, match="No such file"):
        await read_apart(Job(str(tmp_path / "gone"), "domains", "format", local=False, max_rows=10))


async def test_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """R-F03: whatever a list does to its reader ends with its time."""
    os.mkfifo(tmp_path / "body")
    job = Job(str(tmp_path), "domains", "format", local=False, max_rows=10)
    with pytest.raises(FeedError, match=r"was not read within 0\.2 s"):
        await read_apart(job, timeout=0.2)


async def test_process_ends_with_the_task_that_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "body")
    task = asyncio.create_task(read_apart(Job(str(tmp_path), "auto", "format", local=False, max_rows=10)))
    # Opening the pipe to write returns once the process has opened it to read; to tell the format it waits for octets.
    fd = await asyncio.to_thread(os.open, tmp_path / "body", os.O_WRONLY)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(BrokenPipeError):
        os.write(fd, b"nobody reads\n")
    os.close(fd)


async def test_process_that_dies_is_told(tmp_path: Path) -> None:
    """A crash of the reader is a failed sync, not a crash of the server."""
    job = _job(tmp_path, "a.example.org\n", never_block=(1,))
    with pytest.raises(FeedError, match="failed with status 1"):
        await read_apart(job)


async def test_loop_goes_on_while_a_list_is_read(tmp_path: Path) -> None:
    """R-L14: 100,000 rows are read without holding up the event loop."""
    job = _job(tmp_path, "".join(f"host{n}.example.org\n" for n in range(100_000)))
    longest = 0.0
    reading = asyncio.create_task(read_apart(job))
    while not reading.done():
        before = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - before)
    assert (await reading).rules == 100_000
    assert longest < 0.5


def test_program_reads_a_job_and_writes_a_report(tmp_path: Path) -> None:
    job = _job(tmp_path, "a.example.org\n")
    text = json.dumps({name: getattr(job, name) for name in job.__slots__})
    done = subprocess.run(
        [sys.executable, "-P", "-m", "sinkhole.feeds.reading"], input=text, capture_output=True, text=True, check=True
    )
    assert Report.from_json(json.loads(done.stdout)).rules == 1
    (tmp_path / "body").write_text("")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "sinkhole.feeds.reading"], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "no usable row" in json.loads(done.stdout)["error"]


def test_rows_for_own_addresses_are_rejected(tmp_path: Path) -> None:
    """R-F07: addresses too."""
    body = "24.0.113.0.203.rpz-ip CNAME .\n24.0.114.0.203.rpz-ip CNAME .\n"
    report = read_list(_job(tmp_path, body, "rpz", addresses=("203.0.113.80",)))
    assert (report.rules, report.protected) == (1, 1)
    assert _rules(tmp_path) == [(2, "203.0.114.0/24")]
