"""Logs as streams: compressed, in other encodings, with any line ends, broken off, from standard input."""

import bz2
import datetime as dt
import gzip
import io
import lzma
import os
import sys

import pytest

from sinkhole.errors import LogError
from sinkhole.logs import octets
from sinkhole.logs.reading import LogReading

LINE = "Nov 24 12:00:{:02} dnsmasq[7]: query[A] chat.deepseek.com from 192.0.2.{}"
TEXT = "".join(LINE.format(n % 60, n % 250) + "\n" for n in range(300))


def read(path, wanted=None):
    reading = LogReading(path, dt.UTC, wanted)
    try:
        return len(list(reading.queries())), reading.summary()
    finally:
        reading.close()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gz", "bz2", "xz"])
def test_compression_is_found_out_by_content(tmp_path, pack):
    (tmp_path / "log").write_bytes(pack(TEXT.encode()))
    count, summary = read(tmp_path / "log")
    assert (count, summary.lines) == (300, 300)


@pytest.mark.parametrize("change", [
    lambda text: text.encode("utf-16"), lambda text: text.encode("utf-8-sig"),
    lambda text: text.replace("\n", "\r\n").encode(), lambda text: text.rstrip().encode(),
], ids=["utf-16", "bom", "crlf", "no-end"])  # fmt: skip
def test_encodings_and_line_ends(tmp_path, change):
    (tmp_path / "log").write_bytes(change(TEXT))
    count, summary = read(tmp_path / "log")
    assert (count, summary.lines, summary.unreadable) == (300, 300, 0)


@pytest.mark.parametrize("head", [1, 7, 64, 4096])
def test_chunks_may_end_anywhere(tmp_path, monkeypatch, head):
    """Also between the octets of a letter, and between CR and LF."""
    monkeypatch.setattr(octets, "_CHUNK", head)
    text = TEXT[:2000].replace("192.0.2", "192.0.2").replace("dnsmasq[7]", "dnsmasq[7] ü€").replace("\n", "\r\n")
    (tmp_path / "log").write_bytes(text.encode())
    assert read(tmp_path / "log", "dnsmasq")[0] == text.count("\r\n")


def test_standard_input_is_read(monkeypatch, tmp_path):
    (tmp_path / "log.gz").write_bytes(gzip.compress(TEXT.encode()))
    with (tmp_path / "log.gz").open("rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        count, summary = read(None)
    assert (count, summary.name) == (300, "standard input")


def test_pipe_is_read(tmp_path):
    there, here = os.pipe()
    os.write(here, TEXT[:3000].encode())
    os.close(here)
    path = f"/dev/fd/{there}"
    from pathlib import Path

    assert read(Path(path))[0] > 20
    os.close(there)


def test_archive_that_breaks_off_is_said(tmp_path):
    lines = "".join(
        f"Nov 24 12:00:00 dnsmasq[7]: query[A] {os.urandom(30).hex()}.example from 192.0.2.7\n" for _ in range(20_000)
    )
    packed = gzip.compress(lines.encode(), 1)
    (tmp_path / "log.gz").write_bytes(packed[: len(packed) - 9000])
    reading = LogReading(tmp_path / "log.gz", dt.UTC)
    found = []
    with pytest.raises(LogError, match="cannot be read further"):
        found.extend(reading.queries())
    reading.close()
    assert reading.summary().lines > 1000


def test_line_without_an_end_is_cut(tmp_path, monkeypatch):
    """A file of one endless line takes no more memory than others."""
    monkeypatch.setattr(octets, "MAX_LINE", 1000)
    (tmp_path / "log").write_text(TEXT + "x" * 10_000 + "\n" + TEXT)
    count, summary = read(tmp_path / "log")
    assert count == 600
    assert 1 <= summary.unreadable <= 11


def test_unreadable_lines_are_counted_and_the_first_is_told(tmp_path):
    (tmp_path / "log").write_text(TEXT + "\nNov 24 12:00:00 dnsmasq[7]: query[A] nobody\n\x1b[31mgarbage\nNov 24 1\n")
    count, summary = read(tmp_path / "log")
    assert (count, summary.unreadable, summary.first_unreadable) == (300, 3, 302)
    assert summary.why == "wanted query[TYPE] NAME from ADDRESS"
    assert summary.excerpt == "Nov 24 12:00:00 dnsmasq[7]: query[A] nobody"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello\nworld\n", "no format finds queries in it; its first line is 'hello'"),
        (bytes(range(256)) * 50, "no format finds queries in it"),
        (gzip.compress(b"\0" * 100_000), "no format finds queries in it"),
        (b"\x1f\x8bnonsense", "cannot be read further"),
        (b"PK\x03\x04" + bytes(100), "no format finds queries in it"),
    ],
)
def test_what_is_no_log_is_said(tmp_path, content, said):
    (tmp_path / "log").write_bytes(content)
    with pytest.raises(LogError, match=said):
        read(tmp_path / "log")


def test_empty_log_has_no_queries(tmp_path):
    (tmp_path / "log").write_bytes(b"")
    count, summary = read(tmp_path / "log")
    assert (count, summary.title) == (0, "empty")


def test_missing_file_and_folder_are_said(tmp_path):
    with pytest.raises(LogError, match="cannot be read: No such file"):
        read(tmp_path / "log")
    with pytest.raises(LogError, match="is a folder; wanted a log"):
        read(tmp_path)
