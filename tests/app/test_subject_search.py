"""Subjects are found by a part of their name, the closest first."""

import pytest

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.subject_search import SHOWN, subjects_like


def found(text, feeds=("ut1-ai",), limit=SHOWN):
    return [one.subject for one in subjects_like(text, shipped_catalogue(), feeds, limit)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("deepseek", "vendor:deepseek"),
        ("  DeepSeek ", "vendor:deepseek"),
        ("models:deepseek", "models:deepseek"),
        ("category:cha", "category:chat"),
        ("jurisdiction:cn", "jurisdiction:CN"),
        ("ut1", "feed:ut1-ai"),
        ("ai", "ai"),
        ("chat.example.org", "domain:chat.example.org"),
        ("Chat.Example.Org.", "domain:chat.example.org"),
    ],
)
def test_closest_comes_first(text, first):
    assert found(text)[0] == first


def test_vendor_is_found_by_its_name_and_before_its_models():
    all_found = found("mistral ai")
    assert "vendor:mistral" in all_found
    assert all_found.index("vendor:mistral") < all_found.index("models:mistral")


@pytest.mark.parametrize("text", ["", "  ", "zzzzqq", "domain:x", "\x00.\x00", "." * 300, "a" * 70 + ".example"])
def test_what_is_nothing_finds_nothing(text):
    assert found(text) == []


def test_list_is_bounded():
    assert len(found("a", limit=7)) == 7
