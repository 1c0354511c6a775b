"""Pi-hole: archives of both versions and the database alone, read whole or refused."""

import sqlite3

import pytest

from sinkhole.errors import ForeignFileError
from sinkhole.feeds.print_rule import print_rule
from sinkhole.foreign import gravity
from sinkhole.foreign.model import is_known_member
from sinkhole.foreign.pihole import read_pihole
from tests.foreign.builders import (
    DENY,
    TOML,
    write_gravity,
    write_old_teleporter,
    write_tar,
    write_teleporter,
    write_zip,
)


def rules(found):
    return {(print_rule(one.rule), one.scopes) for one in found.rules}


def notes(found):
    return {note.item: note.why for note in found.notes}


def test_teleporter_of_version_6(tmp_path):
    found = read_pihole(write_teleporter(tmp_path / "t.zip"))
    (kids,) = found.groups
    assert kids.name == "kids"
    assert kids.members[:2] == ("192.0.2.7", "192.0.2.8")
    assert found.outside == ["192.0.2.8", "198.51.100.0/24"]
    assert [(one.url, one.scopes, one.is_enabled) for one in found.lists] == [
        ("https://lists.example.org/StevenBlack/hosts", (None,), True),
        ("https://lists.example.org/kids.txt", ("kids",), True),
        ("https://lists.example.org/off.txt", (None,), False),
        ("https://raw.githubusercontent.com/dibdot/DoH-IP-blocklists/master/doh-domains.txt", (None,), True),
        ("file:///etc/pihole/own.list", (None,), True),
    ]
    assert rules(found) == {
        ("|ads.example.org^", (None,)),
        ("@@|good.example.net^", (None,)),
        ("||example.net^", (None,)),
        (r"/^track[0-9]+\./", (None,)),
        ("||games.example^", ("kids",)),
        ("|v6.example^$dnstype=AAAA", (None,)),
        ("/^nas/$dnsrewrite=NOERROR;A;192.0.2.99", (None,)),
        ("@@||allowed.example^", (None,)),
        ("|sunk.example^", (None,)),
    }
    assert [one.text for one in found.records] == [
        "nas.lan A 192.0.2.10",
        "10.2.0.192.in-addr.arpa PTR nas.lan",
        "nas A 192.0.2.10",
        "nas.lan AAAA 2001:db8::10",
        "0.1." + "0." * 22 + "8.b.d.0.1.0.0.2.ip6.arpa PTR nas.lan",
        "files.lan CNAME nas.lan",
        "www.lan CNAME nas.lan",
        "web.lan CNAME nas.lan",
    ]
    told = notes(found)
    assert told["https://lists.example.org/allow.txt"].startswith("a remote list that allows")
    assert told["Old stuff"] == "the group is disabled, so nothing of it holds"
    assert told["old.example.org"] == "is for no group, so it does nothing"
    assert told["ads.example.org.uk"] == "is disabled"
    assert told[r"^(.)\1\.example$"].startswith("a regular expression: ")
    assert told[":eth1"].startswith("a network interface")
    assert told["9.9.9.9"] == "set it as one of upstream.servers"
    assert told["true,192.0.2.0/24,192.0.2.1,lan"].startswith("set a zone of its own")
    assert told["address=/x.lan/192.0.2.5"] == "a line for dnsmasq"
    assert {"etc/hosts", "etc/pihole/pihole-FTL.db", "etc/dnsmasq.d/99-own.conf", "dnssec", "api"} <= set(told)
    assert {note.place.file for note in found.notes} == {"t.zip", "etc/pihole/gravity.db", "etc/pihole/pihole.toml"}
    assert "etc/pihole/gravity.db: domainlist row 7" in {str(note.place) for note in found.notes}


def test_member_of_a_kind_that_groups_do_not_know_is_told(tmp_path):
    found = read_pihole(write_teleporter(tmp_path / "t.zip"))
    is_known = is_known_member("mac:00:11:22:33:44:55")
    assert ("mac:00:11:22:33:44:55" in found.groups[0].members) is is_known
    assert ("mac:00:11:22:33:44:55" in notes(found)) is not is_known
    assert notes(found)["tv.lan"] == "is in Default alone, so no group is needed for it"


def test_teleporter_of_version_5_says_the_same(tmp_path):
    new, old = (
        read_pihole(write_teleporter(tmp_path / "t.zip", "")),
        read_pihole(write_old_teleporter(tmp_path / "t.tar.gz")),
    )
    assert rules(old) == rules(new)
    assert [group.members for group in old.groups] == [group.members for group in new.groups]
    assert [(one.url, one.scopes, one.is_enabled) for one in old.lists] == [
        (one.url, one.scopes, one.is_enabled) for one in new.lists[:3]
    ]
    assert [one.text for one in old.records] == [
        "nas.lan A 192.0.2.10",
        "10.2.0.192.in-addr.arpa PTR nas.lan",
        "files.lan CNAME nas.lan",
    ]
    told = notes(old)
    assert told["nonsense"] == "wanted an address and names"
    assert told["server=/lan/192.0.2.1"] == "is no cname=ALIAS,NAME"
    assert "setupVars.conf" in told


def test_database_alone(tmp_path):
    found = read_pihole(write_gravity(tmp_path / "gravity.db"))
    assert len(found.rules) == 8
    assert found.records == []


def test_blocking_that_is_off(tmp_path):
    found = read_pihole(write_teleporter(tmp_path / "t.zip", TOML.replace("active = true", "active = false")))
    assert found.is_off


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("^x;invert", "an inverted expression"),
        ("^x;querytype=NONSENSE!", "querytype: "),
        ("^x;reply=none", "the answer 'none' is none that a list can give"),
        ("^x;colour=red", "the option 'colour=red' of an expression is not known"),
        ("(", "a regular expression: "),
        ("", "nothing"),
        ("a" * 5000, "longer than"),
        ("^x\x1b", "control characters"),
    ],
)
def test_expression_with_no_counterpart(tmp_path, text, said):
    path = write_gravity(tmp_path / "gravity.db", [(1, 3, text, 1, None, (0,))])
    found = read_pihole(path)
    assert found.rules == []
    assert any(said in note.why for note in found.notes)


@pytest.mark.parametrize("name", ["192.0.2.1", "a b", "https://x.org/y", "*.x.org", "", "x..org", "\x1b[2J.org"])
def test_domain_that_is_none(tmp_path, name):
    found = read_pihole(write_gravity(tmp_path / "gravity.db", [(1, DENY, name, 1, None, (0,))]))
    assert found.rules == []
    assert len([note for note in found.notes if note.place.key == "domainlist row 1"]) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it looks like an empty file"),
        (b"%PDF-1.7", "it looks like a PDF"),
        (b"<!DOCTYPE html><p>", "it looks like a web page"),
        (b"user_rules: []\nschema_version: 29\n", "it looks like a configuration of AdGuard Home"),
        (b"blocking:\n  denylists: {}\n", "it looks like a configuration of blocky"),
        (b"0.0.0.0 ads.example.org\n", "it looks like a hosts file"),
        (b"ads.example.org\n", "it looks like a list of domains"),
        (b"||ads.example.org^\n", "it looks like a list in adblock form"),
        (b"a.example CNAME .\n", "it looks like a zone file"),
        (b"\0\1\2", "it looks like a binary file"),
        (b"some words\n", "it looks like another text"),
    ],
)
def test_file_of_another_kind(tmp_path, content, said):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(ForeignFileError, match=f"or a gravity.db; {said}"):
        read_pihole(path)


def test_archive_of_something_else(tmp_path):
    with pytest.raises(ForeignFileError, match="is a zip archive, but not of a Teleporter"):
        read_pihole(write_zip(tmp_path / "x.zip", {"readme": b""}))
    with pytest.raises(ForeignFileError, match=r"is a tar\.gz archive, but not of a Teleporter"):
        read_pihole(write_tar(tmp_path / "x.tar.gz", {"readme": b""}))


def test_archive_without_a_database(tmp_path):
    found = read_pihole(write_zip(tmp_path / "x.zip", {"etc/pihole/pihole.toml": TOML}))
    assert found.records
    assert "etc/pihole/gravity.db" in notes(found)


def test_broken_parts(tmp_path):
    for members, said in [
        ({"etc/pihole/pihole.toml": "[dns"}, "etc/pihole/pihole.toml: is no TOML"),
        ({"etc/pihole/pihole.toml": b"\xff"}, "etc/pihole/pihole.toml: line 1: is not UTF-8"),
        ({"etc/pihole/gravity.db": b"nonsense"}, "etc/pihole/gravity.db: cannot be read as a database"),
    ]:
        with pytest.raises(ForeignFileError, match=said):
            read_pihole(write_zip(tmp_path / "x.zip", members))
    for content, said in [(b"{", "adlist.json: is no JSON"), (b"{}", "wanted a list"), (b"[1]", "wanted a list")]:
        with pytest.raises(ForeignFileError, match=said):
            read_pihole(write_tar(tmp_path / "x.tar.gz", {"adlist.json": content}))
    with pytest.raises(ForeignFileError, match=r"adlist\.json: row 1: id: wanted a number; found 'x'"):
        read_pihole(write_tar(tmp_path / "x.tar.gz", {"adlist.json": b'[{"id": "x", "address": "y"}]'}))


def test_corrupt_database(tmp_path):
    path = write_gravity(tmp_path / "gravity.db")
    octets = bytearray(path.read_bytes())
    octets[4096:] = b"\xee" * len(octets[4096:])
    path.write_bytes(octets)
    with pytest.raises(ForeignFileError, match=r"gravity\.db: cannot be read as a database"):
        read_pihole(path)


def test_encrypted_archive(tmp_path):
    path = tmp_path / "pi-hole_teleporter.zip.enc"
    path.write_bytes(b"PIHOLE words")
    with pytest.raises(ForeignFileError, match="it looks like an encrypted archive; export it without a password"):
        read_pihole(path)


def test_odd_rows_are_told(tmp_path):
    extra = "INSERT INTO client (id, ip) VALUES (9, 'a b'); INSERT INTO adlist (id, address) VALUES (9, 'https://x.example');"
    told = notes(read_pihole(write_gravity(tmp_path / "gravity.db", [(1, 7, "x.org", 1, None, (0,))], extra)))
    assert told["a b"] == "is no address, network, MAC address or name of a client"
    assert told["https://x.example"] == "is for no group, so it blocks nothing"
    assert told["x.org"] == "a row of type 7, which is not known"


def test_odd_settings_are_told(tmp_path):
    toml = """dns = {hosts = "x", cnameRecords = ["a", "a/\\u0007,b", 7, ",b"], blocking = {mode = "NX"}}\nmisc = 1\n"""
    found = read_pihole(write_zip(tmp_path / "x.zip", {"etc/pihole/pihole.toml": toml.replace("\\\\", "\\")}))
    told = notes(found)
    assert found.records == []
    assert told["x"] == "wanted a list"
    assert told["7"] == "wanted a text"
    assert told["a"] == told[",b"] == "wanted ALIAS,NAME"
    assert told["NX"] == "set blocking.mode"


def test_groups_of_one_name_stay_apart(tmp_path):
    extra = "INSERT INTO \"group\" (id, name) VALUES (7, 'KIDS!'); INSERT INTO client_by_group VALUES (1, 7);"
    found = read_pihole(write_gravity(tmp_path / "gravity.db", [], extra))
    assert [group.name for group in found.groups] == ["kids", "kids-2"]


def test_database_in_use(tmp_path):
    path = write_gravity(tmp_path / "gravity.db")
    (tmp_path / "gravity.db-wal").write_bytes(b"")
    read_pihole(path)
    (tmp_path / "gravity.db-wal").write_bytes(b"x")
    with pytest.raises(ForeignFileError, match=r"is in use \(gravity.db-wal is beside it\)"):
        read_pihole(path)


def test_database_of_something_else(tmp_path):
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    with pytest.raises(ForeignFileError, match="is an SQLite database, but none of Pi-hole: it has no table 'group'"):
        read_pihole(path)


def test_view_that_never_ends_is_no_table(tmp_path):
    endless = (
        "DROP TABLE adlist; CREATE VIEW adlist AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n) "
        "SELECT x AS id FROM n;"
    )
    with pytest.raises(ForeignFileError, match="it has no table 'adlist'"):
        read_pihole(write_gravity(tmp_path / "gravity.db", extra=endless))


def test_table_with_too_many_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(gravity, "MAX_ROWS", 5)
    with pytest.raises(ForeignFileError, match="the table client has more than 5 rows"):
        read_pihole(write_gravity(tmp_path / "gravity.db"))


def test_the_file_is_only_read(tmp_path):
    path = write_gravity(tmp_path / "gravity.db")
    before = path.read_bytes()
    path.chmod(0o400)
    read_pihole(path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["gravity.db"]
