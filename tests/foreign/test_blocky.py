"""blocky: its configuration, with the old words for lists too."""

import pytest

from sinkhole.errors import ForeignFileError
from sinkhole.feeds.print_rule import print_rule
from sinkhole.foreign import blocky_lists
from sinkhole.foreign.blocky import read_blocky
from sinkhole.foreign.model import is_known_member
from sinkhole.policy.schedule_text import schedule_from_text
from tests.foreign.builders import BLOCKY


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.setattr(blocky_lists, "local_zone", lambda: "Europe/Berlin")

    def _read(text):
        path = tmp_path / "config.yml"
        path.write_text(text)
        return read_blocky(path)

    return _read


def notes(found):
    return {note.item: note.why for note in found.notes}


TIMES = schedule_from_text("mon,tue 08:00-12:00 @Europe/Berlin")


def test_lists_hold_for_the_clients_that_have_their_group(read):
    found = read(BLOCKY)
    assert [(one.url, one.scopes, one.schedule) for one in found.lists] == [
        ("https://lists.example.org/ads.txt", (None, "tablet"), None),
        ("https://lists.example.org/games.txt", ("192-0-2-8", "tablet"), TIMES),
    ]
    told = notes(found)
    assert told["unused"] == "no client has this group of lists"
    assert told["https://lists.example.org/allow.txt"].startswith("a remote list that allows")
    assert told["/etc/blocky/games.txt"].startswith("a file of that machine")
    assert told["only"].startswith("a group that only allows")


def test_rules_in_the_file(read):
    found = read(BLOCKY)
    assert [(print_rule(one.rule), one.scopes, one.schedule) for one in found.rules] == [
        ("|ads.example.org^", (None, "tablet"), None),
        ("||example.net^", (None, "tablet"), None),
        (r"/^track[0-9]+\./", (None, "tablet"), None),
        ("|sunk.example^", (None, "tablet"), None),
        ("||games.example^", ("192-0-2-8", "tablet"), TIMES),
        ("@@|good.example.net^", (None, "tablet"), None),
        ("@@||only.example^", ("kid-local",), None),
    ]


def test_clients(read):
    found = read(BLOCKY)
    named = ("name:kid.local",) if is_known_member("name:kid.local") else ()
    assert [(group.name, group.members) for group in found.groups] == [
        ("192-0-2-8", ("192.0.2.8",)),
        ("tablet", ("192.0.2.21", "192.0.2.22")),
        ("198-51-100-0-24", ("198.51.100.0/24",)),
        ("kid-local", named),
    ]
    assert found.outside == ["192.0.2.8", "192.0.2.21", "192.0.2.22", "198.51.100.0/24", *named]
    assert ("name:kid.local" in notes(found)) is not bool(named)


def test_names(read):
    found = read(BLOCKY)
    assert [one.text for one in found.records] == [
        "printer.lan A 192.0.2.3",
        "3.2.0.192.in-addr.arpa PTR printer.lan",
        "printer.lan AAAA 2001:db8::3",
        "3." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa PTR printer.lan",
        "*.printer.lan A 192.0.2.3",
        "*.printer.lan AAAA 2001:db8::3",
        "www.corp.example 3600 A 192.0.2.80",
        "corp.example 3600 A 192.0.2.81",
        "mail.corp.example MX 10 www.corp.example",
    ]
    assert notes(found)["old.example -> new.example"].startswith("questions are not rewritten")


def test_settings_are_told(read):
    told = notes(read(BLOCKY))
    assert told["9.9.9.9"] == "set it as one of upstream.servers"
    assert told["1.1.1.1"] == "upstreams are the same for all clients"
    assert told["fritz.box -> 192.0.2.1"].startswith("set a zone of its own")
    assert told["nxDomain"] == "set blocking.mode to nxdomain"
    assert told["caching"].startswith("settings of the server")
    assert told["games"] == "its times are taken in the zone of this machine, Europe/Berlin"


def test_older_words(read):
    found = read(
        "upstream: {default: [9.9.9.9]}\nblocking:\n  blackLists: {ads: ['https://x.example/l']}\n"
        '  whiteLists: {ads: ["|\\n", "a.example\\n"]}\n  clientGroupsBlock: {default: [ads]}\n'
    )
    assert [one.url for one in found.lists] == ["https://x.example/l"]
    assert [print_rule(one.rule) for one in found.rules] == ["@@|a.example^"]


@pytest.mark.parametrize("row", ["192.0.2.1", "a b c", "/(/", "http://x.org/y", "*", "*.", "\x1b"])
def test_row_with_no_counterpart_is_told(read, row):
    quoted = row.replace("\x1b", "\\x1b")
    found = read(
        f'blocking: {{denylists: {{ads: ["{quoted}\\n"]}}, clientGroupsBlock: {{default: [ads]}}}}\nupstreams: {{}}\n'
    )
    assert found.rules == []
    assert len([note for note in found.notes if "row 1" in note.place.key]) == 1


@pytest.mark.parametrize("row", ["www", "$TTL 300", "  A 192.0.2.1", "www A ( 192.0.2.1", "www A nonsense"])
def test_row_of_a_zone_that_is_not_read_is_told(read, row):
    found = read(f'customDNS: {{zone: "$ORIGIN x.example.\\n{row}\\n"}}\n')
    assert found.records == []
    assert len([note for note in found.notes if "row 2" in note.place.key]) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blocking: {schedules: {ads: [{days: [Someday], start: '08:00', end: '12:00'}]}}", "wanted a weekday"),
        ("blocking: {schedules: {ads: [{start: 8}]}}", "wanted hours such as"),
        ("blocking: {denylists: {ads: {a: b}}, clientGroupsBlock: {default: [ads]}}", "wanted a list; found a mapping"),
        ("customDNS: {mapping: [x]}", "wanted a mapping; found a list"),
        ("schema_version: 29\nupstreams: {}", "it looks like a configuration of AdGuard Home"),
        ("other: 1", "it looks like another text"),
    ],
)
def test_what_cannot_be_read(read, text, said):
    with pytest.raises(ForeignFileError, match=said):
        read(text)


def test_address_that_is_none_is_told(read):
    found = read("customDNS: {mapping: {a.lan: nonsense}}\nclientLookup: {clients: {x: [nonsense]}}\n")
    assert notes(found) == {"a.lan -> nonsense": "'nonsense' is no address", "nonsense": "is no address"}
