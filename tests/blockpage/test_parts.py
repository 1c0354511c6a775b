"""The pure parts: limits, what a visit wants, tokens, references, names of the authority."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.blockpage.constraints import covering, outermost, permitted_names
from sinkhole.blockpage.forms import LIFE, is_form_token, write_form_token
from sinkhole.blockpage.limits import MOST_KEYS, Limit, network_of
from sinkhole.blockpage.reference import Reference, reference_of
from sinkhole.blockpage.visit import Wants, read_host, read_language, read_wants
from sinkhole.public_suffix import is_public_suffix

KEY = b"k" * 32


def test_limit_lets_a_burst_through_and_then_its_rate():
    limit = Limit(0.5, 3)
    assert [limit.take("a", 100.0) for _ in range(4)] == [True, True, True, False]
    assert limit.take("b", 100.0)
    assert not limit.take("a", 101.0)
    assert limit.take("a", 102.0)


def test_limit_remembers_a_bounded_number():
    limit = Limit(0.001, 1)
    for number in range(MOST_KEYS + 10):
        assert limit.take(str(number), 100.0)
    assert not limit.take(str(MOST_KEYS), 100.0)
    assert limit.take("0", 100.0)


def test_ipv6_clients_count_by_their_network():
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("2001:db8:0:1::7") == network_of("2001:db8:0:1:ffff::1") == "2001:db8:0:1::/64"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("chat.example.org", "chat.example.org"), ("CHAT.example.ORG:8080", "chat.example.org"),
        ("chat.example.org.", "chat.example.org"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("_x.example", "_x.example"),
        ("localhost", "localhost"), ("192.0.2.1", None), ("192.0.2.1:80", None), ("[::1]", None), ("", None),
        ("a b", None),
        ("<script>", None), ("a..b", None), ("a.example:x", None), ("é.example", None), ("a" * 64 + ".example", None),
        ("a." * 130 + "a", None), ("-a.example", None), ("a.example\n", "a.example"), ("a.example/x", None),
    ],
)  # fmt: skip
def test_host_header(header, name):
    assert read_host(header) == name


@given(st.text())
def test_host_header_is_a_name_or_nothing(text):
    name = read_host(text)
    assert name is None or (name.isascii() and not set(name) & set("<>\"'&/ ") and len(name) <= 253)


@pytest.mark.parametrize(
    ("headers", "wants"),
    [
        ({"Accept": "text/html,*/*;q=0.8"}, Wants.PAGE), ({"Accept": "*/*"}, Wants.TEXT), ({}, Wants.TEXT),
        ({"Accept": "application/json"}, Wants.JSON), ({"Accept": "application/problem+json"}, Wants.JSON),
        ({"Content-Type": "application/json"}, Wants.JSON), ({"Accept": "image/avif,*/*"}, Wants.IMAGE),
        ({"Sec-Fetch-Dest": "image", "Accept": "*/*"}, Wants.IMAGE), ({"Sec-Fetch-Dest": "script"}, Wants.NOTHING),
        ({"Sec-Fetch-Dest": "iframe", "Accept": "text/html"}, Wants.NOTHING),
        ({"Sec-Fetch-Dest": "document", "Accept": "text/html"}, Wants.PAGE),
        ({"Sec-Fetch-Dest": "empty", "Accept": "*/*"}, Wants.TEXT), ({"Upgrade": "websocket"}, Wants.NOTHING),
    ],
)  # fmt: skip
def test_what_fits_a_client(headers, wants):
    assert read_wants(headers) is wants


@pytest.mark.parametrize(
    ("accepted", "setting", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "auto", "de"), ("fr,en;q=0.5,de;q=0.7", "auto", "de"), ("fr", "auto", "en"),
        ("", "auto", "en"), ("de;q=0", "auto", "en"), ("de;q=x", "auto", "en"), ("en", "de", "de"), ("de", "en", "en"),
    ],
)  # fmt: skip
def test_language(accepted, setting, language):
    assert read_language(accepted, setting) == language


def test_form_token_fits_one_form_client_and_name_for_an_hour():
    token = write_form_token(KEY, "request", "192.0.2.7", "a.example", 1000.9)
    wanted = ("request", "192.0.2.7", "a.example", 1000.0)
    assert is_form_token(KEY, token, *wanted)
    assert is_form_token(KEY, token, *wanted[:3], 1000 + LIFE - 1)
    for other in (
        ("continue", *wanted[1:]), ("request", "192.0.2.8", *wanted[2:]), ("request", "192.0.2.7", "b.example", 1000.0),
        (*wanted[:3], 1000 + LIFE), (*wanted[:3], 900.0),
    ):  # fmt: skip
        assert not is_form_token(KEY, token, *other)
    assert not is_form_token(b"other" * 8, token, *wanted)


@given(st.text())
def test_no_other_text_is_a_form_token(text):
    assert not is_form_token(KEY, text, "request", "192.0.2.7", "a.example", 1000.0)


@given(st.integers(0, 2**28 - 1), st.integers(0, 2**24 - 1), st.integers(0, 2**23 - 1))
def test_reference_is_read_as_it_was_written(minute, name, client):
    reference = Reference(minute, name, client)
    assert Reference.from_text(str(reference)) == reference
    assert (
        Reference.from_text(str(reference).lower().replace("-", " ").replace("0", "o").replace("1", "l")) == reference
    )


@pytest.mark.parametrize("text", ["", "x", "U" * 15, "0" * 16, "é" * 15])
def test_what_is_no_reference_is_told(text):
    with pytest.raises(ValueError, match="is no reference such as"):
        Reference.from_text(text)


def test_reference_differs_by_client_name_and_minute():
    one = reference_of(KEY, "192.0.2.7", "a.example", 29_000_000)
    assert one == reference_of(KEY, "192.0.2.7", "a.example", 29_000_000)
    other = reference_of(KEY, "192.0.2.8", "a.example", 29_000_000)
    assert (other.name, other.client == one.client) == (one.name, False)
    assert reference_of(KEY, "192.0.2.7", "b.example", 29_000_000).name != one.name
    assert reference_of(b"x" * 32, "192.0.2.7", "a.example", 29_000_000).name != one.name


def test_outermost_names_cover_those_below():
    assert outermost(["b.example", "a.b.example", "xb.example", "c.d.example"]) == (
        "b.example",
        "c.d.example",
        "xb.example",
    )
    names = frozenset({"b.example"})
    assert [covering(name, names) for name in ("b.example", "x.y.b.example", "xb.example", "example")] == [
        "b.example", "b.example", None, None,
    ]  # fmt: skip


def test_authority_is_good_for_nothing_that_is_shared():
    catalogue = shipped_catalogue()
    names = frozenset(permitted_names(catalogue))
    assert "deepseek.com" in names
    assert not any(is_public_suffix(name) or "*" in name for name in names)
    assert not any(covering(veto, names) for veto in catalogue.vetoes)
    asked_for = {d.name for v in catalogue.vendors for p in v.products for d in p.domains if d.opt_in}
    assert not names & asked_for
    for wide in ("amazonaws.com", "googleapis.com", "google.com", "microsoft.com", "sentry.io"):
        assert covering(wide, names) is None
