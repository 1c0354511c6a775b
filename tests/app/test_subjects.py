"""Subjects as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.subjects import read_subject
from sinkhole.errors import PolicyError

CATALOGUE = shipped_catalogue()
FEEDS = ("ut1-ai", "nullgen")


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("ai", "ai"),
        ("AI", "ai"),
        ("Unreviewed", "unreviewed"),
        ("deepseek", "vendor:deepseek"),
        ("DeepSeek", "vendor:deepseek"),
        ("vendor:openai", "vendor:openai"),
        ("openai/api", "product:openai/api"),
        ("product:openai/api", "product:openai/api"),
        ("chat", "category:chat"),
        ("cn", "jurisdiction:CN"),
        ("jurisdiction:cn", "jurisdiction:CN"),
        ("ut1-ai", "feed:ut1-ai"),
        ("example.com", "domain:example.com"),
        ("domain:Example.COM.", "domain:example.com"),
        ("domain:bücher.example", "domain:xn--bcher-kva.example"),
    ],
)
def test_subjects_are_found(text, subject):
    assert str(read_subject(text, CATALOGUE, FEEDS)) == subject


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deepsek", "did you mean deepseek"),
        ("doubao", "did you mean bytedance-doubao, "),
        ("vendor:opnai", "did you mean openai"),
        ("feed:nulgen", "did you mean nullgen"),
        ("zzzz", "nothing is called"),
        ("nonsense:x", "subject is ai, lookalikes, unreviewed or one of"),
        ("vendor:", "subject is ai, lookalikes, unreviewed or one of"),
        ("domain:a..b", "is no domain"),
        ("jurisdiction:XX", "there is no jurisdiction"),
    ],
)
def test_wrong_subjects_suggest_the_nearest(text, said):
    with pytest.raises(PolicyError, match=said):
        read_subject(text, CATALOGUE, FEEDS)


def test_ambiguous_word_names_both():
    with pytest.raises(PolicyError, match="write vendor:deepseek or feed:deepseek"):
        read_subject("deepseek", CATALOGUE, ("deepseek",))


@given(
    text=st.text(max_size=40)
    | st.builds("{}:{}".format, st.sampled_from(["domain", "address", "vendor"]), st.text(max_size=30))
)
def test_any_text_is_a_subject_or_refused(text):
    """A subject that reads back as itself, or a PolicyError, never another error."""
    try:
        subject = read_subject(text, CATALOGUE, FEEDS)
    except PolicyError:
        return
    assert read_subject(str(subject), CATALOGUE, FEEDS) == subject
