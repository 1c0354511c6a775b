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


@pytest.mark.parametrize(
    ("owner", "network"),
    [
        ("32.7.113.0.203.rpz-ip", "203.0.113.7/32"),
        ("24.0.113.0.203.rpz-ip", "203.0.113.0/24"),
        ("8.0.0.0.11.RPZ-IP", "11.0.0.0/8"),
        ("128.57.zz.113.db8.2001.rpz-ip", "2001:db8:113::57/128"),
        ("48.zz.113.db8.2001.rpz-ip", "2001:db8:113::/48"),
        ("128.1.0.0.0.0.0.db8.2001.rpz-ip", "2001:db8::1/128"),
        ("128.zz.1.rpz-ip", "1::/128"),
        ("128.7107.cb00.ffff.zz.rpz-ip", "203.0.113.7/32"),
    ],
)
def test_triggers_on_addresses_become_networks(owner: str, network: str) -> None:
    """draft-vixie-dnsop-dns-rpz, section 4.3: the prefix length, then the address backwards, `zz` for `::`."""
    assert rules(read(f"{owner} CNAME .", "rpz")) == [Rule(Match.ADDRESS, network, line=1)]


@pytest.mark.parametrize(
    ("data", "local", "action"),
    [
        ("CNAME *.", False, RuleAction.BLOCK),
        ("CNAME rpz-drop.", False, RuleAction.BLOCK),
        ("CNAME rpz-passthru.", False, RuleAction.ALLOW),
        ("A 192.0.2.1", False, RuleAction.BLOCK),
        ("A 192.0.2.1", True, RuleAction.BLOCK),
        ("CNAME walled.example.", True, RuleAction.BLOCK),
    ],
)
def test_trigger_on_an_address_blocks_or_lets_through(data: str, local: bool, action: RuleAction) -> None:
    """What it would answer instead is left out, in a list of one's own too."""
    (rule,) = rules(read(f"24.0.113.0.203.rpz-ip {data}", "rpz", local=local))
    assert (rule.match, rule.action, rule.rewrite) == (Match.ADDRESS, action, None)


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        ("7.0.0.0.10.rpz-ip", "too wide: 10.0.0.0/7"),
        ("7.0.0.0.8.rpz-ip", "too wide: 8.0.0.0/7"),
        ("15.zz.2a00.rpz-ip", "too wide: 2a00::/15"),
        ("64.zz.ff9b.64.rpz-ip", "too wide: 64:ff9b::/64"),
        ("96.zz.ffff.zz.rpz-ip", "wanted PREFIX"),
        ("96.0.0.ffff.zz.rpz-ip", "too wide: 0.0.0.0/0"),
        ("32.1.0.0.127.rpz-ip", "127.0.0.1/32 is of this host or of private networks"),
        ("24.0.2.168.192.rpz-ip", "192.168.2.0/24 is of this host or of private networks"),
        ("128.1.zz.rpz-ip", "::1/128 is of this host or of private networks"),
        ("128.zz.rpz-ip", "::/128 is of this host or of private networks"),
        ("32.0.0.0.0.rpz-ip", "0.0.0.0/32 is of this host or of private networks"),
        ("16.zz.fd00.rpz-ip", "fd00::/16 is of this host or of private networks"),
        ("24.7.113.0.203.rpz-ip", "wanted PREFIX"),
        ("33.7.113.0.203.rpz-ip", "wanted PREFIX"),
        ("0.0.0.0.0.rpz-ip", "wanted PREFIX"),
        ("024.0.113.0.203.rpz-ip", "wanted PREFIX"),
        ("32.256.113.0.203.rpz-ip", "wanted PREFIX"),
        ("32.113.0.203.rpz-ip", "wanted PREFIX"),
        ("128.%eth0.zz.db8.2001.rpz-ip", "wanted PREFIX"),
        ("128.12345.zz.db8.2001.rpz-ip", "wanted PREFIX"),
        ("32.rpz-ip", "wanted PREFIX"),
        ("a\\.b.rpz-ip", "wanted PREFIX"),
    ],
)
def test_networks_that_no_remote_list_may_take(owner: str, reason: str) -> None:
    assert why(f"{owner} CNAME .", "rpz").startswith(reason)


def test_list_of_ones_own_may_take_any_network() -> None:
    for owner, network in (("1.0.0.0.128.rpz-ip", "128.0.0.0/1"), ("8.0.0.0.10.rpz-ip", "10.0.0.0/8")):
        assert rules(read(f"{owner} CNAME .", "rpz", local=True)) == [Rule(Match.ADDRESS, network, line=1)]


def test_triggers_below_an_apex_are_read() -> None:
    text = "$ORIGIN rpz.example.\n@ SOA a. b. 1 2 3 4 5\n24.0.113.0.203.rpz-ip CNAME .\n"
    assert rules(read(text, "rpz")) == [Rule(Match.ADDRESS, "203.0.113.0/24", line=3)]


def test_rpz_ip_is_no_part_of_a_longer_label() -> None:
    assert names("x.not-rpz-ip.example CNAME .", "rpz") == [(Match.EXACT, "x.not-rpz-ip.example")]
