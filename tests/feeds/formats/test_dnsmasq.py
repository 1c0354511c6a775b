import pytest

from sinkhole.policy.rule import Match, RuleAction
from tests.feeds.reading import names, read, rejections, rules, why


@pytest.mark.parametrize(
    "row",
    [
        "address=/a.example/",
        "address=/a.example/#",
        "address=/a.example/0.0.0.0",
        "address=/a.example/::",
        "address=/.a.example/127.0.0.1",
        " address = /A.Example/0.0.0.0 # comment",
        "local=/a.example/",
        "server=/a.example/",
        "server=/a.example/ ",
    ],
)
def test_settings_that_block(row: str) -> None:
    for local in (False, True):
        assert names(row, "dnsmasq", local=local) == [(Match.SUFFIX, "a.example")]


def test_several_names_between_the_slashes() -> None:
    found = read("address=/a.example/foo..x/b.example/", "dnsmasq")
    assert [rule.name for rule in rules(found)] == ["a.example", "b.example"]
    assert [(r.column, r.why) for r in rejections(found)] == [(24, "an empty label")]


def test_addresses_rewrite_in_a_local_list_only() -> None:
    """R-F08."""
    (rule,) = rules(read("address=/a.example/192.0.2.1", "dnsmasq", local=True))
    assert (rule.action, rule.rewrite) == (RuleAction.REWRITE, "A 192.0.2.1")
    assert names("address=/a.example/192.0.2.1", "dnsmasq") == [(Match.SUFFIX, "a.example")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("server=/a.example/192.0.2.1", "a forward to another server"),
        ("server=/a.example/#", "a forward to another server"),
        ("nftset=/a.example/4#inet#fw4#vpn", "a setting of dnsmasq"),
        ("ipset=/a.example/vpn", "a setting of dnsmasq"),
        ("host-record=a.example,192.0.2.1", "a setting of dnsmasq"),
        ("domain-needed", "a setting of dnsmasq"),
        ("address=/a.example/nonsense", "wanted an address"),
        ("address=/#/192.0.2.1", "too wide"),
        ("address=/*a.example/", "a wildcard"),
        ("address=//", "an empty label"),
    ],
)
def test_what_is_refused(row: str, reason: str) -> None:
    assert why(row, "dnsmasq", local=True).startswith(reason)


def test_comments_say_nothing() -> None:
    assert read("# comment\n\n  # indented\n", "dnsmasq") == []
