"""What lists mean for a name, from the row to the verdict; the cases of AdGuard's own tests (R-L04, R-L05).

Sources: AdguardTeam/AdGuardHome `internal/filtering/filtering_test.go`, AdguardTeam/urlfilter `dnsengine_test.go` and
`dnsrewrite_test.go`, the examples of AdGuard's "DNS filtering rules syntax", pi-hole/FTL `gravity-parseList.c`.
"""

import pytest

from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.judge import judge
from sinkhole.protocol.names import fold, name_from_text
from sinkhole.protocol.types import qtype_from_text
from tests.feeds.reading import read, rules

ALLOWLIST = "||example.org^\n@@||test.example.org"
IMPORTANT = "@@||example.org^\n||test.example.org^$important"
REGEX = "/example\\.org/\n@@||test.example.org^"
MASK = "test*.example.org^\nexam*.com"
DNSTYPE = "||example.org^$dnstype=AAAA\n@@||test.example.org^"
DENYALLOW = "*$denyallow=com|net"

CASES = [
    ("||doubleclick.net^", "www.doubleclick.net", "BLOCK"),
    ("||doubleclick.net^", "nodoubleclick.net", "NONE"),
    ("||doubleclick.net^", "doubleclick.net.ru", "NONE"),
    ("||example.org^", "example.org", "BLOCK"),
    ("||example.org^", "TEST.test.Example.ORG", "BLOCK"),
    ("||example.org^", "testexample.org", "NONE"),
    (ALLOWLIST, "example.org", "BLOCK"),
    (ALLOWLIST, "test.test.example.org", "ALLOW"),
    (IMPORTANT, "example.org", "ALLOW"),
    (IMPORTANT, "test.test.example.org", "BLOCK"),
    ("||example.org^$important\n@@||example.org^$important", "example.org", "ALLOW"),
    (REGEX, "onemoreexample.org", "BLOCK"),
    (REGEX, "test.test.example.org", "ALLOW"),
    (MASK, "test2.example.org", "BLOCK"),
    (MASK, "exampleeee.com", "BLOCK"),
    (MASK, "onemoreexamsite.com", "BLOCK"),
    (MASK, "example.co.uk", "NONE"),
    (MASK, "testexample.org", "NONE"),
    (DNSTYPE, "example.org", "NONE"),
    (DNSTYPE, "example.org AAAA", "BLOCK"),
    (DNSTYPE, "test.example.org AAAA", "ALLOW"),
    ("||multiple^$dnstype=~A|~AAAA", "multiple", "NONE"),
    ("||multiple^$dnstype=~A|~AAAA", "multiple CNAME", "BLOCK"),
    ("||different^$dnstype=~A|AAAA", "different AAAA", "BLOCK"),
    ("||different^$dnstype=~A|AAAA", "different CNAME", "NONE"),
    ("@@||example.org^\n127.0.0.1  example.org", "example.org", "ALLOW"),
    ("||example2.org/*", "example2.org", "BLOCK"),
    ("||example3.org|", "example3.org", "BLOCK"),
    ("://example.org", "example.org", "BLOCK"),
    ("://example.org", "sub.example.org", "NONE"),
    ("/^stats?\\./", "stats.test.com", "BLOCK"),
    ("||stats.test.com^\n@@/^stats?\\./", "stats.test.com", "ALLOW"),
    ("||example.org^\n||example.org^$badfilter", "example.org", "NONE"),
    ("||example.com$badfilter\n||example.com", "example.com", "NONE"),
    ("@@||example.org^$badfilter\n@@||example.org^\n||example.org^", "example.org", "BLOCK"),
    ("127.0.0.1 example.org\nexample.org$badfilter", "example.org", "BLOCK"),
    ("||host4^$client=127.0.0.1/24", "host4 A 127.0.0.254", "BLOCK"),
    ("||host4^$client=127.0.0.1/24", "host4 A 127.0.1.1", "NONE"),
    ("||host5^$client=~127.0.0.1/24", "host5 A 127.0.1.1", "BLOCK"),
    ("||host6^$client=2001:db8::c0:ffee/120", "host6 A 2001:db8::c0:ff07", "BLOCK"),
    ("||host8^$client='Frank\\'s laptop'", "host8 A 127.0.0.1", "NONE"),
    ("||host9^$client=127.0.0.1", "host9", "NONE"),
    ("*^$denyallow=example.org", "sub.example.org", "NONE"),
    ("*^$denyallow=example.org", "example.net", "BLOCK"),
    (DENYALLOW, "example.com", "NONE"),
    (DENYALLOW, "example.org", "BLOCK"),
    ("||example.org^$denyallow=sub.example.org", "a.sub.example.org", "NONE"),
    ("||example.org^$denyallow=sub.example.org", "www.example.org", "BLOCK"),
    ("/.*/\n@@||com^", "example.com", "ALLOW"),
    ("/.*/\n@@||com^", "example.org", "BLOCK"),
    ("||example.org", "test.example.org", "BLOCK"),
    ("||example.org", "testexample.org", "NONE"),
    ("||example.org", "example.org.com", "BLOCK"),
    ("ample.org|", "example.org", "BLOCK"),
    ("ample.org|", "example.org.com", "NONE"),
    ("|example", "example.org", "BLOCK"),
    ("|example", "test.example", "NONE"),
    ("|example.org^", "test.example.org", "NONE"),
    ("*.example.org", "example.org", "NONE"),
    ("*.example.org", "www.example.org", "BLOCK"),
    ("example.org", "example.org", "BLOCK"),
    ("example.org", "www.example.org", "NONE"),
    ("||example.org^$third-party", "example.org", "NONE"),
    ("||example.org^$ctag=device_phone", "example.org", "NONE"),
    ("example.org##.ad", "example.org", "NONE"),
    ("*", "example.org", "NONE"),
    ("|short-v4^$dnsrewrite=192.0.2.1", "short-v4", "REWRITE A 192.0.2.1"),
    ("|x^$dnsrewrite=192.0.2.1\n|x^$dnsrewrite=192.0.2.2", "x", "REWRITE A 192.0.2.1, A 192.0.2.2"),
    ("|x^$dnsrewrite=NOERROR;A;192.0.2.1", "x", "REWRITE A 192.0.2.1"),
    ("|x^$dnsrewrite=REFUSED", "x", "REWRITE REFUSED"),
    ("|x^$dnsrewrite=othercname", "x", "REWRITE CNAME othercname"),
    ("|x^$dnstype=HTTPS,dnsrewrite=REFUSED", "x HTTPS", "REWRITE REFUSED"),
    ("|x^$dnstype=HTTPS,dnsrewrite=REFUSED", "x A", "NONE"),
    ("|x^$dnsrewrite=192.0.2.1\n|x^$dnsrewrite=192.0.2.2\n@@||x^$dnsrewrite=192.0.2.1", "x", "REWRITE A 192.0.2.2"),
    ("|x^$dnsrewrite=192.0.2.1\n@@||x^$dnsrewrite", "x", "NONE"),
    ("|x^$dnsrewrite=192.0.2.1\n@@||x^$dnsrewrite=", "x", "NONE"),
    ("@@||x^$dnsrewrite\n||x^", "x", "BLOCK"),
    ("|x^$dnsrewrite=192.0.2.1\n||x^", "x", "REWRITE A 192.0.2.1"),
    ("|x^$dnsrewrite=192.0.2.1\n||x^$important", "x", "REWRITE A 192.0.2.1"),
    ("|x^$dnsrewrite=192.0.2.1\n@@||x^", "x", "REWRITE A 192.0.2.1"),
    ("||x^$dnsrewrite=A:NOERROR:127.0.0.1", "x", "NONE"),
    ("||bücher.example^", "xn--bcher-kva.example", "BLOCK"),
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
