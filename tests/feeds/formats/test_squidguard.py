import pytest

from sinkhole.policy.rule import Match
from tests.feeds.reading import names, read, why


def test_domains_take_in_all_below() -> None:
    assert names("a.example\n# c\n\nb.example\n", "squidguard") == [
        (Match.SUFFIX, "a.example"),
        (Match.SUFFIX, "b.example"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.example/path", "a URL or path"),
        ("(/banner/|/ads/)", "an expression on URLs"),
        ("192.0.2.1", "an address"),
        ("*.a.example", "a wildcard"),
    ],
)
def test_rows_about_pages_are_refused(row: str, reason: str) -> None:
    """Never cut down to the host: the page was meant, not the site."""
    assert why(row, "squidguard").startswith(reason)


def test_comments_say_nothing() -> None:
    assert read("# comment", "squidguard") == []
