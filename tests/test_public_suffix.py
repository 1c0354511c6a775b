import socket

import pytest

from sinkhole.public_suffix import is_listed_suffix, is_public_suffix


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


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert is_public_suffix("co.uk")
