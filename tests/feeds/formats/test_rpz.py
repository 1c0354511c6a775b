import pytest

from sinkhole.policy.rule import Match, Rule, RuleAction
from tests.feeds.reading import names, read, rejections, rules, why

ZONE = """\
$TTL 300
$ORIGIN rpz.example.
@ IN SOA localhost. root.localhost. (
 2026112301 ; serial (with a bracket
 3600 600 86400 300 )
 IN NS localhost.
a.example CNAME .
*.a.example 60 IN CNAME .
b.example IN 1h CNAME *. ; comment
c.example CNAME rpz-drop.
D.Example.rpz.example. CNAME .
   CNAME .
"""


def test_triggers_on_names_block() -> None:
    """R-L15: `x` is the name alone, `*.x` all below it."""
    assert names(ZONE, "rpz") == [
        (Match.EXACT, "a.example"),
        (Match.BELOW, "a.example"),
        (Match.EXACT, "b.example"),
        (Match.EXACT, "c.example"),
        (Match.EXACT, "d.example"),
        (Match.EXACT, "d.example"),
    ]


@pytest.mark.parametrize("target", ["rpz-passthru.", "RPZ-Passthru.", "a.example."])
def test_passthru_lets_through_within_the_list(target: str) -> None:
    """R-B08."""
    assert rules(read(f"a.example CNAME {target}", "rpz")) == [Rule(Match.EXACT, "a.example", RuleAction.ALLOW, line=1)]


@pytest.mark.parametrize(
    ("data", "rewrite"),
    [
        ("A 192.0.2.1", "A 192.0.2.1"),
        ("AAAA 2001:DB8::1", "AAAA 2001:db8::1"),
        ("CNAME walled.example.", "CNAME walled.example"),
        ("A 0.0.0.0", None),
        ("A 127.0.0.1", None),
        ("AAAA ::", None),
        ('TXT "blocked; really"', None),
        ("CNAME *.walled.example.", None),
    ],
)
def test_local_data_rewrite_in_a_local_list_and_block_in_a_remote_one(data: str, rewrite: str | None) -> None:
    """R-F08."""
    (local,) = rules(read(f"a.example {data}", "rpz", local=True))
    assert local.rewrite == rewrite
    assert local.action is (RuleAction.BLOCK if rewrite is None else RuleAction.REWRITE)
    assert names(f"a.example {data}", "rpz") == [(Match.EXACT, "a.example")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("32.1.2.0.192.rpz-ip CNAME .", "a trigger of type rpz-ip"),
        ("24.0.2.0.192.rpz-client-ip CNAME .", "a trigger of type rpz-client-ip"),
        ("ns.example.rpz-nsdname CNAME .", "a trigger of type rpz-nsdname"),
        ("32.1.2.0.192.rpz-nsip CNAME .", "a trigger of type rpz-nsip"),
        ("a.example CNAME rpz-tcp-only.", "rpz-tcp-only"),
        ("a.example A not-an-address", "wanted an address"),
        ("a.example WKS x", "a record of type 'WKS'"),
        ("esc\\.aped.example CNAME .", "an escaped character"),
        ("a.example CNAME", "wanted OWNER"),
        ("a.example", "wanted OWNER"),
        ("  CNAME .", "a record without an owner"),
        ("$INCLUDE other.zone", "$INCLUDE is not followed"),
        ("$GENERATE 1-9 a$ CNAME .", "$GENERATE is not followed"),
        ("$ORIGIN", "$ORIGIN is not followed"),
        ("a.example CNAME . )", "brackets that do not match"),
        ("a.example TXT ( x", "a bracket is open at the end"),
        ("foo..x CNAME .", "an empty label"),
    ],
)
def test_what_is_refused(row: str, reason: str) -> None:
    assert why(row, "rpz", local=True).startswith(reason)


def test_owners_outside_the_zone_are_refused() -> None:
    found = read("$ORIGIN rpz.example.\na.example. CNAME .\n", "rpz")
    assert [r.why for r in rejections(found)] == ["an owner outside the zone"]


def test_a_zone_without_origin_is_relative_to_its_soa() -> None:
    head = "rpz.example. 60 IN SOA a. b. 1 2 3 4 5\n\tNS ns.example.\n"
    text = head + "a.example CNAME .\nb.example.rpz.example. A 192.0.2.1\n"
    assert [name for _, name in names(text, "rpz")] == ["a.example", "b.example"]


def test_a_nested_origin_stays_within_the_zone() -> None:
    text = "$ORIGIN rpz.example.\n@ SOA a. b. 1 2 3 4 5\n$ORIGIN org.rpz.example.\n@ CNAME .\nexample CNAME .\n"
    found = read(text, "rpz")
    assert [rule.name for rule in rules(found)] == ["example.org"]
    assert rejections(found)[0].why.startswith("too wide: 'org'")


def test_brackets_without_end_do_not_swallow_the_file() -> None:
    found = read("a.example TXT ( x\n" + "y\n" * 300 + "b.example CNAME .\n", "rpz")
    assert "brackets that do not match" in [r.why for r in rejections(found)]
    assert [rule.name for rule in rules(found)] == ["b.example"]
