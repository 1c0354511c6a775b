"""docs/adblock-rules.md is true, from the row to the verdict; the cases of AdGuard's own tests (R-L04, R-L05).

Sources: AdguardTeam/AdGuardHome `internal/filtering/filtering_test.go`, AdguardTeam/urlfilter `dnsengine_test.go` and
`dnsrewrite_test.go`, the examples of AdGuard's "DNS filtering rules syntax", pi-hole/FTL `gravity-parseList.c`.
"""

import re
from pathlib import Path

import pytest

from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.judge import judge
from sinkhole.protocol.names import fold, name_from_text
from sinkhole.protocol.types import qtype_from_text
from tests.feeds.reading import read, rules

PAGE = Path(__file__).parents[3] / "docs" / "adblock-rules.md"
ROW = re.compile(r"^\| (`.+`) \| ([^|`]+) \| ([A-Z][^|]*) \|$", re.MULTILINE)
CASES = [
    ("\n".join(row.strip("`").replace("\\|", "|") for row in rows_of_one.split("<br>")), asked, says)
    for rows_of_one, asked, says in ROW.findall(PAGE.read_text())
]


def verdict(text: str, kind: str, question: str) -> str:
    """Return what a local list says, in the words of `sinkhole check --rules`."""
    asked, qtype, client, *_ = [*question.split(), None, None]
    name = fold(name_from_text(asked or ""))
    feed = Feed("list", "file:list", local=True)
    found = NameIndex.from_rules([FeedRules(feed, rules(read(text, kind, local=True)))]).find(name)
    outcome = judge(found.rows.get(0, []), name, qtype_from_text(qtype or "A"), client) if found else None
    if outcome is None:
        return "NONE"
    return " ".join([outcome.action.name, ", ".join(outcome.rewrite or ())]).rstrip()


@pytest.mark.parametrize(("text", "question", "expected"), CASES)
def test_adblock_rows_mean_what_adguard_says(text: str, question: str, expected: str) -> None:
    """R-L04, R-L05, R-L06, R-L07, R-L08."""
    assert verdict(text, "adblock", question) == expected


@pytest.mark.parametrize(
    ("kind", "text", "question", "expected"),
    [
        ("hosts", "  216.239.38.120  a.example www.a.example   # safesearch", "www.a.example", "BLOCK"),
        ("hosts", "0.0.0.0 a.example", "sub.a.example", "NONE"),
        ("hosts", "0.0.0.0 A.Example.", "a.example", "BLOCK"),
        ("hosts", "127.0.0.1 localhost", "localhost", "NONE"),
        ("domains", "a.example", "sub.a.example", "BLOCK"),
        ("domains", "a.example", "nota.example", "NONE"),
        ("domains", "com", "a.com", "NONE"),
        ("rpz", "*.a.example CNAME .", "a.example", "NONE"),
        ("rpz", "*.a.example CNAME .\nb.a.example CNAME rpz-passthru.", "b.a.example", "ALLOW"),
        ("rpz", "a.example A 192.0.2.1", "a.example", "REWRITE A 192.0.2.1"),
        ("v2fly", "full:a.example", "sub.a.example", "NONE"),
        ("clash", "+.a.example", "sub.a.example", "BLOCK"),
        ("dnsmasq", "address=/a.example/", "sub.a.example", "BLOCK"),
        ("unbound", 'local-zone: "a.example." always_null', "sub.a.example", "BLOCK"),
    ],
)
def test_other_formats(kind: str, text: str, question: str, expected: str) -> None:
    """R-L01, R-L02, R-L03, R-B04, R-B05."""
    assert verdict(text, kind, question) == expected
