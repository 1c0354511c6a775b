"""Response policy zones: each trigger a rule, a record, a statement, or told."""

import pytest

from sinkhole.errors import ForeignFileError
from sinkhole.feeds.print_rule import print_rule
from sinkhole.foreign.policy_zone import read_policy_zone
from sinkhole.policy.verdict import Action
from tests.foreign.builders import ZONE


@pytest.fixture
def read(tmp_path):
    def _read(text):
        path = tmp_path / "db.rpz"
        path.write_text(text)
        return read_policy_zone(path)

    return _read


def test_each_trigger(read):
    found = read(ZONE)
    assert [print_rule(one.rule) for one in found.rules] == [
        "|ads.example.com^",
        "||*.ads.example.com^",
        "@@|good.ads.example.com^",
        "|nodata.example.com^",
        "|dropped.example.com^",
        "|null.example.com^",
    ]
    assert [one.text for one in found.records] == [
        "walled.example.com A 192.0.2.1",
        "walled.example.com AAAA 2001:db8::1",
        "*.walled.example.com A 192.0.2.1",
        "there.example.com CNAME garden.example.net.",
        'text.example.com TXT "blocked by policy"',
    ]
    assert [(one.subject, one.action) for one in found.statements] == [
        ("address:192.0.2.0/24", Action.BLOCK),
        ("address:2001:db8:1::/48", Action.ALLOW),
    ]


def test_what_has_no_counterpart_is_told_with_its_line(read):
    found = read(ZONE)
    told = {str(note.place): note.why for note in found.notes}
    assert {place: why.partition(";")[0][:40] for place, why in told.items()} == {
        "db.rpz, line 9": "NODATA is answered as all that is blocke"[:40],
        "db.rpz, line 10": "is answered as all that is blocked is (b"[:40],
        "db.rpz, line 19": "a trigger of type rpz-client-ip",
        "db.rpz, line 20": "a trigger of type rpz-nsdname",
        "db.rpz, line 21": "rpz-tcp-only sends clients to TCP and bl"[:40],
        "db.rpz, line 22": "a name in the data that is not absolute",
    }
    assert sum(not note.is_left_out for note in found.notes) == 2


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("33.0.2.0.192.rpz-ip CNAME .", "is no network"),
        ("24.7.2.0.192.rpz-ip CNAME .", "is no network"),
        ("24.0.2.0.192.rpz-ip A 192.0.2.1", "an answer for an address in answers"),
        ("x.example A nonsense", "wanted an address"),
        ("x.example AAAA", "wanted OWNER"),
        ("a/b CNAME .", "a URL or path"),
        ("x.example CNAME relative", "not absolute"),
        ("x.example WHAT data", "type"),
        ("x.example MX 10 ) a.", "brackets"),
        ("$GENERATE 1-9 a$ CNAME .", "is not followed"),
    ],
)
def test_row_that_is_not_taken(read, row, why):
    found = read(f"good.example CNAME .\n{row}\n")
    assert len(found.rules) == 1
    (note,) = found.notes
    assert note.place.line == 2
    assert why in note.why


def test_bracket_that_stays_open(read):
    found = read("good.example CNAME .\nx.example TXT ( a\n")
    assert [note.why for note in found.notes] == ["a bracket is open at the end"]


def test_zone_with_an_origin(read):
    found = read("$ORIGIN rpz.local.\n@ SOA a. b. 1 2 3 4 5\nads.example.com CNAME .\n*.x.org.rpz.local. CNAME .\n")
    assert [print_rule(one.rule) for one in found.rules] == ["|ads.example.com^", "||*.x.org^"]


@pytest.mark.parametrize("text", ["", "0.0.0.0 ads.example.org\n", "||x.org^\n", "a: 1\n"])
def test_file_of_another_kind(read, text):
    with pytest.raises(ForeignFileError, match="wanted a response policy zone; it looks like"):
        read(text)
