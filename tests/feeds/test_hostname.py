import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.feeds.hostname import MAX_NAME, is_address, read_name
from sinkhole.feeds.row import RowError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("example.org", "example.org"),
        ("EXAMPLE.Org.", "example.org"),
        ("_dmarc.example.org", "_dmarc.example.org"),
        ("under_score.example", "under_score.example"),
        ("r3---sn-x.example", "r3---sn-x.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("example。com", "example.com"),
        ("faß.example", "xn--fa-hia.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        # Names that exist although IDNA 2008 has no place for them, such as emoji domains.
        ("xn--i-7iq.example", "xn--i-7iq.example"),
        ("oaiusercontent.com", "oaiusercontent.com"),
        ("hf.space", "hf.space"),
        ("z.ai", "z.ai"),
        ("gemini.google", "gemini.google"),
        ("1.example", "1.example"),
    ],
)
def test_names_become_lower_case_a_labels(text: str, name: str) -> None:
    """R-B05."""
    assert read_name(text) == name


@pytest.mark.parametrize(
    ("text", "column", "why"),
    [
        ("https://example.org/x", 7, "URL or path"),
        ("example.org/x", 12, "URL or path"),
        ("example.org:443", 12, "port"),
        ("192.0.2.1", 1, "address"),
        ("[2001:db8::1]", 1, "address"),
        ("2001:db8::1", 1, "address"),
        ("127.1", 1, "address or a number"),
        ("0x7f.1", 1, "address or a number"),
        ("example.0x7f", 1, "address or a number"),
        ("foo..example", 5, "empty label"),
        (".example", 1, "empty label"),
        ("example..", 9, "empty label"),
        ("", 1, "empty label"),
        ("-lead.example", 1, "hyphen"),
        ("a.trail-.example", 3, "hyphen"),
        ("a." + "x" * 64 + ".example", 3, "63 characters"),
        ("x." * 130 + "example", 1, "253 characters"),
        ("ü" * 2000 + ".example", 1, "253 characters"),
        ("\u202ertl.example", 1, "invisible character, U+202E"),
        ("zero\u200bwidth.example", 5, "invisible character"),
        ("soft\u00adhyphen.example", 5, "invisible character"),
        ("☃.example", 1, "not an internationalised name"),
        ("a b.example", 2, "character no host name has"),
        ("*.example.org", 1, "wildcard"),
        ("a.*.example.org", 3, "wildcard"),
        ("*", 1, "too wide"),
        (".", 1, "too wide"),
        ("com", 1, "too wide"),
        ("CO.UK.", 1, "too wide"),
        ("foo.ck", 1, "too wide"),
        ("рф", 1, "too wide"),
        ("unlisted", 1, "too wide"),
        ("localhost.localdomain", 1, "never blocked"),
    ],
)
def test_what_is_no_name_says_where_and_why(text: str, column: int, why: str) -> None:
    with pytest.raises(RowError) as caught:
        read_name(text)
    assert why in caught.value.why
    assert caught.value.column == column


def test_column_counts_from_the_field() -> None:
    with pytest.raises(RowError) as caught:
        read_name("foo..example", 9)
    assert caught.value.column == 13


@pytest.mark.parametrize("name", ["com", "co.uk", "unlisted", "www.ck", "foo.ck"])
def test_wide_names_pass_where_they_may(name: str) -> None:
    assert read_name(name, wide=True) == name


def test_exception_of_a_wildcard_suffix_is_an_ordinary_name() -> None:
    assert read_name("www.ck") == "www.ck"


@pytest.mark.parametrize("text", ["192.0.2.1", "::", "::1", "2001:db8::1", "fe80::1%lo0", "0.0.0.0"])
def test_addresses_are_known(text: str) -> None:
    assert is_address(text)


@given(st.text(max_size=300))
def test_a_name_or_the_documented_error(text: str) -> None:
    try:
        name = read_name(text)
    except RowError:
        return
    assert name == name.lower()
    assert name.isascii()
    assert 0 < len(name) <= MAX_NAME
    assert all(0 < len(label) < 64 for label in name.split("."))
    assert read_name(name) == name
