import pytest

from sinkhole.policy.rule import Match
from tests.feeds.reading import names, read, why


@pytest.mark.parametrize(
    "row",
    [
        "a.example",
        "A.Example.",
        "*.a.example",
        ".a.example",
        "+.a.example",
        "\t a.example \t",
        "a.example # comment",
        "a.example#comment",
        "a.example ! comment",
        "a.example ; comment",
        "a.example // comment",
    ],
)
def test_all_forms_mean_the_name_and_all_below(row: str) -> None:
    """R-L03: one choice for all domain lists, unless the feed is told otherwise."""
    assert names(row, "domains") == [(Match.SUFFIX, "a.example")]


@pytest.mark.parametrize("row", ["", "  ", "# a.example", "! a.example", "; a.example", "// a.example", "#", "!"])
def test_comments_say_nothing(row: str) -> None:
    assert read(row, "domains") == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("https://a.example/", "a URL or path"),
        ("a.example/x", "a URL or path"),
        ("a.example:443", "a port"),
        ("0.0.0.0 a.example", "a hosts row"),
        ("a.example b.example", "more than one name"),
        ("||a.example^", "a character no host name has"),
        ("**.a.example", "a wildcard"),
        ("a.*.example.org", "a wildcard"),
        ("localhost", "localhost is this machine's own name"),
        ("192.0.2.1", "an address"),
        ("com", "too wide"),
        ("nas", "too wide"),
    ],
)
def test_what_is_refused_even_in_a_local_list(row: str, reason: str) -> None:
    assert why(row, "domains").startswith(reason)
    assert why(row, "domains", local=True).startswith(reason)
