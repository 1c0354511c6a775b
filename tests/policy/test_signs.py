"""Signs that a name looks like AI: what counts, where in a name, and how far down the suspect reaches."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import FormError
from sinkhole.policy.brand import Brand, BrandKind
from sinkhole.policy.lookalikes import NO_BRANDS, BrandBook, Lookalikes
from sinkhole.policy.signs import NO_SIGNS, SignBook, Signs, is_host
from sinkhole.protocol.names import fold, labels_of, name_from_text, name_to_text

BOOK = SignBook(
    threshold=2,
    suffixes=(("ai", 2), ("chat", 1)),
    words=(("ai", 2), ("llm", 2)),
    parts=(("gpt", 2),),
    edges=(("ai", 1),),
    topics=("story", "photo"),
    topic_weight=1,
    brand_weight=2,
    innocents=("hyundai", "list.example"),
)
BRANDS = BrandBook((Brand("deepseek", "deepseek", BrandKind.DISTINCTIVE),))
SIGNS = Signs(BOOK, Lookalikes(BRANDS))


def found(text: str, signs: Signs = SIGNS) -> str | None:
    """Return the domain of the suspect, or None."""
    suspect = signs.find(fold(name_from_text(text)))
    return None if suspect is None else name_to_text(suspect.domain)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("novel.ai", "novel.ai"),
        ("www.eu.novel.ai", "novel.ai"),
        ("novel.com.ai", "novel.com.ai"),
        ("novel-ai.example", "novel-ai.example"),
        ("ai2.example", "ai2.example"),
        ("llm.example", "llm.example"),
        ("www.mygptclone.example", "mygptclone.example"),
        ("storyai.example", "storyai.example"),
        ("aiphotos.example", "aiphotos.example"),
        ("story.chat", "story.chat"),
        ("Chat.DeepSeek-Login.Example", "deepseek-login.example"),
    ],
)
def test_sign_in_what_someone_registered_is_of_all_of_it(name, domain):
    assert found(name) == domain


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("ai.example.org", "ai.example.org"),
        ("eu.api.llm.example.org", "llm.example.org"),
        ("my-gpt.pages.example.co.uk", "my-gpt.pages.example.co.uk"),
        ("gpt.ai-lab.x.example", "ai-lab.x.example"),
    ],
)
def test_sign_in_a_label_below_is_of_that_label_alone(name, domain):
    """What is above it is somebody else's: a host of a large site must not make the site a suspect."""
    assert found(name) == domain


@pytest.mark.parametrize(
    "name",
    [
        "example.org", "mail.example.org", "aim.example", "main.example", "storyhyundai.example", "aivision.example",
        "story.example", "other.chat", "story.kai.example", "x.y",
    ],
)  # fmt: skip
def test_ordinary_names_show_nothing(name):
    """An edge alone is chance, a topic alone is no sign, and what stands in two labels is not of one mind."""
    assert found(name) is None


@pytest.mark.parametrize("name", ["chat.novel.ai.list.example", "gpt.lan", "ai.local", "ai", "gpt.test", "."])
def test_names_that_say_nothing_of_themselves(name):
    """Of a list that is asked over DNS, and of one's own network."""
    assert found(name) is None


def test_letters_of_other_scripts_are_read():
    assert found("müller-ai.example") == "xn--mller-ai-65a.example"
    assert found("xn--gptx.example") == "xn--gptx.example"


def test_name_that_no_host_can_have_is_no_suspect():
    assert SIGNS.find(b"\x05g\0gpt\x03com\0") is None
    assert SIGNS.find(b"\x03a b\x03gpt\x03com\0") is not None  # what is below the suspect does not matter
    assert is_host(labels_of(name_from_text("a_b-1.example")))


def test_reasons_are_told_in_words():
    suspect = SIGNS.find(fold(name_from_text("deepseek-ai-story-gpt.ai")))
    assert suspect is not None
    assert suspect.reasons == (
        "the word ai in deepseek-ai-story-gpt",
        "gpt in deepseek-ai-story-gpt",
        "its suffix .ai",
        "it imitates deepseek: deepseek beside ai, story, gpt",
        "story beside it",
    )
    assert str(suspect).startswith("looks like AI: the word ai in ")
    edge = SIGNS.find(fold(name_from_text("storyai.example")))
    assert edge is not None
    assert edge.reasons == ("ai at the edge of storyai", "story beside it")


def test_brand_has_no_weight_where_the_book_gives_none():
    assert found("deepseek.example", Signs(replace(BOOK, brand_weight=0), Lookalikes(BRANDS))) is None
    assert found("deepseek.example") == "deepseek.example"


def test_nothing_looks_like_ai_without_signs():
    signs = Signs(NO_SIGNS, Lookalikes(NO_BRANDS))
    assert found("novel-gpt.ai", signs) is None


def test_wrong_innocent_is_refused():
    with pytest.raises(FormError):
        Signs(replace(BOOK, innocents=("a..b",)), Lookalikes(NO_BRANDS))


def test_book_survives_json():
    assert SignBook.from_json_row(json.loads(json.dumps(BOOK.to_json_row()))) == BOOK


labels = st.lists(st.binary(min_size=1, max_size=12) | st.sampled_from([b"ai", b"gpt", b"xn--ai-"]), max_size=5)


@given(labels)
def test_any_name_has_a_suspect_at_or_above_it_or_none(found_labels):
    name = fold(b"".join(bytes((len(label),)) + label for label in found_labels) + b"\0")
    suspect = SIGNS.find(name)
    if suspect is not None:
        assert name.endswith(suspect.domain)
        assert suspect.reasons
        assert is_host(labels_of(suspect.domain))
