import pytest

from sinkhole.policy.rule import Match
from tests.feeds.reading import names, read, why


@pytest.mark.parametrize(
    ("row", "match", "name"),
    [
        ("a.example", Match.EXACT, "a.example"),
        ("+.a.example", Match.SUFFIX, "a.example"),
        (".a.example", Match.BELOW, "a.example"),
        ("*.a.example", Match.BELOW, "a.example"),
        ("  - '+.A.example'", Match.SUFFIX, "a.example"),
        ('  - "a.example" # comment', Match.EXACT, "a.example"),
        ("- DOMAIN,a.example", Match.EXACT, "a.example"),
        ("DOMAIN-SUFFIX,a.example", Match.SUFFIX, "a.example"),
        ("domain-suffix, a.example ,Proxy,no-resolve", Match.SUFFIX, "a.example"),
        ("DOMAIN-SUFFIX,a.example // comment", Match.SUFFIX, "a.example"),
        ("DOMAIN-WILDCARD,*.a.example", Match.BELOW, "a.example"),
        ("DOMAIN-KEYWORD,deepseek", Match.MASK, "*deepseek*"),
    ],
)
def test_rows(row: str, match: Match, name: str) -> None:
    assert names(row, "clash") == [(match, name)]


@pytest.mark.parametrize("row", ["payload:", "# comment", "  # comment", "// comment", "; comment", ""])
def test_headings_and_comments_say_nothing(row: str) -> None:
    assert read(row, "clash") == []


def test_expressions_keep_their_commas_and_are_for_local_lists() -> None:
    """R-L11."""
    assert names("DOMAIN-REGEX,^a{1,3}\\.example$", "clash", local=True) == [(Match.REGEX, "^a{1,3}\\.example$")]
    assert why("DOMAIN-REGEX,^a{1,3}\\.example$", "clash").startswith("a regular expression")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("IP-CIDR,192.0.2.0/24,no-resolve", "a rule of type 'IP-CIDR'"),
        ("PROCESS-NAME,Claude", "a rule of type 'PROCESS-NAME'"),
        ("URL-REGEX,https://a.example", "a rule of type 'URL-REGEX'"),
        ("AND,((DOMAIN,a.example),(NETWORK,UDP))", "a rule of type 'AND'"),
        ("DOMAIN-WILDCARD,a?.example", "a rule of type 'DOMAIN-WILDCARD'"),
        ("DOMAIN,foo..x", "an empty label"),
        ("DOMAIN-KEYWORD,ai", "too wide"),
        ("DOMAIN,", "an empty label"),
        ("+.com", "too wide"),
        ("192.0.2.1", "an address"),
    ],
)
def test_what_is_refused(row: str, reason: str) -> None:
    assert why(row, "clash").startswith(reason)
