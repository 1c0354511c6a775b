import socket

import pytest

from sinkhole.public_suffix import is_listed_suffix, is_public_suffix, registrable_domain


@pytest.mark.parametrize(
    "name", ["com", "co.uk", "xn--p1ai", "foo.ck", "city.kawasaki.jp.".rstrip("."), "single", "google"]
)
def test_suffixes_of_the_icann_section(name: str) -> None:
    """R-L12."""
    assert is_public_suffix(name) is (name != "city.kawasaki.jp")


@pytest.mark.parametrize("name", ["github.io", "oaiusercontent.com", "hf.space", "claude.app", "e2b.app", "repl.co"])
def test_private_suffixes_are_ordinary_names(name: str) -> None:
    assert not is_public_suffix(name)


def test_a_single_label_is_only_listed_when_the_list_has_it() -> None:
    assert is_listed_suffix("com")
    assert not is_listed_suffix("deepseek")


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("a.b.example.com", "example.com"), ("example.co.uk", "example.co.uk"), ("a.github.io", "github.io"),
        ("a.b.c.kobe.jp", "b.c.kobe.jp"), ("www.city.kobe.jp", "city.kobe.jp"), ("co.uk", None), ("com", None),
    ],
)  # fmt: skip
def test_domain_that_someone_registered(name: str, domain: str | None) -> None:
    assert registrable_domain(name) == domain


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert is_public_suffix("co.uk")
