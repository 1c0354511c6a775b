"""R-L16: what is printed is read back as the same rule."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sinkhole.feeds.parse import READERS, parse
from sinkhole.feeds.print_rule import print_rule
from sinkhole.policy.rule import Rule
from tests.feeds.reading import read, rules

ROWS = [
    ("hosts", "0.0.0.0 a.example", "|a.example^"),
    ("domains", "*.a.example", "||a.example^"),
    ("rpz", "*.a.example CNAME .", "||*.a.example^"),
    ("rpz", "a.example CNAME rpz-passthru.", "@@|a.example^"),
    ("rpz", "a.example CNAME walled.example.", "|a.example^$dnsrewrite=NOERROR;CNAME;walled.example"),
    ("dnsmasq", "address=/a.example/2001:DB8::0:1", "||a.example^$dnsrewrite=NOERROR;AAAA;2001:db8::1"),
    ("adblock", "||A.example^$important,badfilter", "||a.example^$important,badfilter"),
    ("adblock", "||a.example", "||a.example"),
    ("adblock", "exam*.com", "exam*.com"),
    ("adblock", "example.org^", "example.org^"),
    ("adblock", "example.org|", "example.org^"),
    ("adblock", "||a.example^|", "||a.example^"),
    ("adblock", "_ads_", "_ads_"),
    ("adblock", "/^a,b$/", "/^a,b$/"),
    ("adblock", "@@/^a$/$important", "@@/^a$/$important"),
    ("adblock", "||a.example^$dnstype=~A|AAAA", "||a.example^$dnstype=AAAA|~A"),
    ("adblock", "||a.example^$denyallow=b.a.example|com", "||a.example^$denyallow=b.a.example|com"),
    ("adblock", "||a.example^$client=192.0.2.9/24|~kid", "||a.example^$client=192.0.2.0/24|~'kid'"),
    ("adblock", "||a.example^$client='Mary\\'s\\, big \\$\\|'", "||a.example^$client='Mary\\'s\\, big \\$\\|'"),
    ("adblock", "||a.example^$dnsrewrite=NXDOMAIN", "||a.example^$dnsrewrite=NXDOMAIN;;"),
    ("adblock", "||a.example^$dnsrewrite=NOERROR;TXT;a\\,b \\$c", "||a.example^$dnsrewrite=NOERROR;TXT;a\\,b \\$c"),
    ("adblock", "@@||a.example^$dnsrewrite", "@@||a.example^$dnsrewrite"),
    ("adblock", "@@||a.example^$dnsrewrite=192.0.2.1", "@@||a.example^$dnsrewrite=NOERROR;A;192.0.2.1"),
    ("adblock", "*$denyallow=com|net", "*$denyallow=com|net"),
]


@pytest.mark.parametrize(("kind", "row", "printed"), ROWS)
def test_canonical_form(kind: str, row: str, printed: str) -> None:
    (rule,) = rules(read(row, kind, local=True))
    assert print_rule(rule) == printed
    assert rules(read(printed, "adblock", local=True)) == [replace(rule, line=1)]


ALPHABET = "abAZ09.-_*|^@$/=,~#!:;'\"\\ üß+()[]"
PIECES = st.sampled_from([
    "||", "|", "^", "@@", "*", ".", "$", "example", "example.org", "com", "co.uk", "/", "important", "badfilter",
    "client=", "dnstype=", "denyallow=", "dnsrewrite=", "A", "AAAA", "192.0.2.1", "NOERROR;", "CNAME", "NXDOMAIN",
    ",", "~", "'", "\\", "local-zone: ", "address=/", "full:", "DOMAIN-SUFFIX,", " CNAME ", "0.0.0.0 ", "TXT;",
    "rpz-passthru.",
])  # fmt: skip


@example("adblock", "*^|")
@example("clash", "ßß,")
@given(
    st.sampled_from([name for name in READERS if name not in ("catalogue", "adguard-services")]),
    st.lists(PIECES | st.text(ALPHABET, max_size=6), max_size=12).map("".join),
)
def test_every_rule_is_read_back_as_itself(kind: str, row: str) -> None:
    for found in parse([row.encode()], kind, local=True):
        if isinstance(found, Rule):
            printed = print_rule(found)
            assert rules(parse([printed.encode()], "adblock", local=True)) == [replace(found, line=1)], printed


@pytest.mark.parametrize(
    ("row", "printed"),
    [
        ("24.0.113.0.203.rpz-ip CNAME .", "24.0.113.0.203.rpz-ip CNAME ."),
        ("32.7.113.0.203.rpz-ip A 192.0.2.1", "32.7.113.0.203.rpz-ip CNAME ."),
        ("128.57.zz.db8.2001.rpz-ip CNAME rpz-passthru.", "128.57.0.0.0.0.0.db8.2001.rpz-ip CNAME rpz-passthru."),
    ],
)
def test_rules_about_addresses_are_rows_of_a_policy_zone(row: str, printed: str) -> None:
    """Adblock rows cannot say them."""
    (rule,) = rules(read(row, "rpz"))
    assert print_rule(rule) == printed
    assert rules(read(printed, "rpz")) == [rule]
