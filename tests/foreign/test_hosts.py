"""Hosts files: null addresses deny, others are records."""

import os

import pytest

from sinkhole.errors import ForeignFileError
from sinkhole.feeds.print_rule import print_rule
from sinkhole.foreign.hosts import read_hosts_file
from tests.foreign.builders import HOSTS


def write(tmp_path, text):
    path = tmp_path / "hosts"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_names(tmp_path):
    found = read_hosts_file(write(tmp_path, HOSTS))
    assert [print_rule(one.rule) for one in found.rules] == ["|ads.example.org^", "|tracker.example.org^"]
    assert [one.text for one in found.records] == [
        "nas.lan A 192.0.2.10",
        "10.2.0.192.in-addr.arpa PTR nas.lan",
        "nas A 192.0.2.10",
        "files.lan A 192.0.2.10",
        "nas.lan AAAA 2001:db8::10",
        "0.1." + "0." * 22 + "8.b.d.0.1.0.0.2.ip6.arpa PTR nas.lan",
    ]
    assert [str(note) for note in found.notes] == [
        "hosts, line 3: thinkpad: the name of the machine that the file is from",
        "hosts, line 9: not-an-address name: wanted an address and names",
        "hosts, line 10: 192.0.2.11: wanted an address and names",
    ]


def test_byte_order_mark_and_zone_index(tmp_path):
    found = read_hosts_file(write(tmp_path, b"\xef\xbb\xbffe80::1%lo0 router.lan\r\n"))
    assert found.records[0].text == "router.lan AAAA fe80::1"


def test_names_that_are_none_are_told(tmp_path):
    found = read_hosts_file(write(tmp_path, f"0.0.0.0 a/b *.x.org\n192.0.2.1 {'a' * 70} \x1b[2J\n"))
    assert (found.rules, found.records) == ([], [])
    assert len(found.notes) == 4


@pytest.mark.parametrize("text", ["", "# nothing\n", "a: 1\n", "||x.org^\n", "x.org\ny.org\n", '{"a": 1}'])
def test_file_of_another_kind(tmp_path, text):
    with pytest.raises(ForeignFileError, match="wanted a hosts file; it looks like"):
        read_hosts_file(write(tmp_path, text))


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, said in [
        (tmp_path / "none", "cannot be read: No such file"),
        (tmp_path, "is a folder; wanted a file"),
        (tmp_path / "pipe", "is no ordinary file"),
        (tmp_path / "a\0b", "cannot be read"),
    ]:
        with pytest.raises(ForeignFileError, match=said):
            read_hosts_file(path)


def test_file_that_is_too_large(tmp_path):
    path = write(tmp_path, "")
    os.truncate(path, 40 * 1024 * 1024)
    with pytest.raises(ForeignFileError, match="has 41943040 octets; at most 33554432 are read"):
        read_hosts_file(path)


def test_what_is_no_text(tmp_path):
    with pytest.raises(ForeignFileError, match="hosts: line 2: is not UTF-8"):
        read_hosts_file(write(tmp_path, b"0.0.0.0 a.org\n0.0.0.0 \xff\n"))
    with pytest.raises(ForeignFileError, match="it looks like a zip archive"):
        read_hosts_file(write(tmp_path, b"PK\x03\x04"))
