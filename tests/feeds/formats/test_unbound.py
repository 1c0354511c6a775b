import pytest

from sinkhole.policy.rule import Match, RuleAction
from tests.feeds.reading import names, read, rules, why


@pytest.mark.parametrize(
    "kind",
    [
        "static",
        "deny",
        "refuse",
        "redirect",
        "always_nxdomain",
        "always_nodata",
        "always_null",
        "always_refuse",
        "always_deny",
    ],
)
def test_zone_types_that_block(kind: str) -> None:
    assert names(f'local-zone: "a.example." {kind}', "unbound") == [(Match.SUFFIX, "a.example")]


@pytest.mark.parametrize("row", ["  local-zone: A.Example static", 'local-zone: "a.example" "static" # comment'])
def test_forms_of_a_zone(row: str) -> None:
    assert names(row, "unbound") == [(Match.SUFFIX, "a.example")]


@pytest.mark.parametrize("data", ["a.example A 0.0.0.0", "a.example. 3600 IN AAAA ::", "a.example IN A 127.0.0.1"])
def test_null_data_block_the_name_alone(data: str) -> None:
    for local in (False, True):
        assert names(f'local-data: "{data}"', "unbound", local=local) == [(Match.EXACT, "a.example")]


def test_addresses_rewrite_in_a_local_list_only() -> None:
    """R-F08."""
    row = "local-data: 'a.example AAAA 2001:DB8::1'"
    (rule,) = rules(read(row, "unbound", local=True))
    assert (rule.action, rule.rewrite) == (RuleAction.REWRITE, "AAAA 2001:db8::1")
    assert names(row, "unbound") == [(Match.EXACT, "a.example")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('local-zone: "a.example" transparent', "a zone of type transparent blocks nothing"),
        ('local-zone: "a.example" inform', "a zone of type inform blocks nothing"),
        ('local-zone: "a.example"', "wanted local-zone"),
        ('local-data: "a.example TXT x"', "local data other than an address"),
        ('local-data: "a.example"', "wanted local-data"),
        ('local-data-ptr: "192.0.2.1 a.example"', "a setting of Unbound"),
        ('include: "/etc/x.conf"', "a setting of Unbound"),
        ("forward-zone:", "a setting of Unbound"),
        ("nonsense", "wanted NAME: VALUE"),
        ('local-zone: "foo..x" static', "an empty label"),
        ('local-zone: "." static', "too wide"),
    ],
)
def test_what_is_refused(row: str, reason: str) -> None:
    assert why(row, "unbound", local=True).startswith(reason)


def test_headings_and_comments_say_nothing() -> None:
    assert read("server:\n# comment\n  # indented\n\n", "unbound") == []
