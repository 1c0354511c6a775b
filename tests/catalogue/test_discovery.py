"""The shipped signs: their form, their lint, what they would find of the catalogue, and what they leave alone."""

import datetime as dt
import re

import pytest

from bench.catalogue_material import Material
from bench.discovery import false_alarms, looks_like_ai, recall, report
from sinkhole.catalogue.discovery import FILE, DiscoveryFile, lint_discovery
from sinkhole.catalogue.lint import lint
from sinkhole.catalogue.load import load_catalogue
from sinkhole.errors import CatalogueError
from sinkhole.packaged import packaged_path
from sinkhole.policy.lookalikes import Lookalikes
from sinkhole.policy.signs import NO_SIGNS, Signs
from sinkhole.public_suffix import is_listed_suffix
from tests.catalogue.test_lint import vendor, write
from tests.catalogue.world import shipped
from tests.shared_data import SHARED, needs_shared

GOOD = """
threshold = 2
topic_weight = 1
brand_weight = 2
topics = ["story"]
innocents = [{ word = "hyundai", reason = "a test" }, { name = "list.example", reason = "a test" }]
[suffixes]
ai = 2
[words]
llm = 2
[parts]
gpt = 2
[edges]
ai = 1
"""


def load(folder, text) -> DiscoveryFile | None:
    if not (folder / "vendors").exists():
        write(folder, ("acme.toml", vendor()))
    (folder / FILE).write_text(text)
    return load_catalogue(folder).signs


def test_form_is_read(tmp_path):
    file = load(tmp_path, GOOD)
    assert file is not None
    assert lint_discovery(file, is_listed_suffix) == []
    book = load_catalogue(tmp_path).sign_book
    assert (book.threshold, book.suffixes, book.parts) == (2, (("ai", 2),), (("gpt", 2),))
    assert book.innocents == ("hyundai", "list.example")


def test_catalogue_without_signs_has_none(tmp_path):
    write(tmp_path, ("acme.toml", vendor()))
    assert load_catalogue(tmp_path).signs is None
    assert load_catalogue(tmp_path).sign_book == NO_SIGNS


def test_signs_are_part_of_the_fingerprint(tmp_path):
    load(tmp_path, GOOD)
    before = load_catalogue(tmp_path).fingerprint
    load(tmp_path, GOOD.replace("llm = 2", "llm = 1"))
    assert load_catalogue(tmp_path).fingerprint != before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("threshold = 2\n", "", "threshold: Field required"),
        ("llm = 2", "llm = 0", "words.llm: Input should be greater than or equal to 1"),
        ("gpt = 2", '"g-t" = 2', "parts.g-t.[key]: String should match"),
        ("gpt = 2", "gpt = 2\n[more]", "more: Extra inputs are not permitted"),
        ('{ word = "hyundai", reason = "a test" }', '{ word = "hyundai" }', "innocents[0].reason: Field required"),
    ],
)
def test_wrong_form_is_told_with_its_key(tmp_path, old, new, said):
    with pytest.raises(CatalogueError, match=re.escape(f"{FILE}: {said}")):
        load(tmp_path, GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("gpt = 2", "gpt = 2\nai = 2", "parts: 'ai' stands by chance in half of all names"),
        ("topic_weight = 1", "topic_weight = 2", "topic_weight: 2 reaches the threshold beside nothing"),
        ("threshold = 2", "threshold = 9", "threshold: 9 is more than any sign reaches"),
        ("llm = 2", "llm = 2\ngpt = 2", "words: 'gpt' is among the parts too"),
        ('["story"]', '["story", "story"]', "topics: 'story' is there twice"),
        ('["story"]', '["story", "llm"]', "topics: 'llm' is a sign by itself"),
        ('word = "hyundai"', 'word = "gpt"', "innocents: 'gpt' is a sign, which would never be seen"),
        ('word = "hyundai"', 'name = "list.example"', "innocents: 'list.example' is there twice"),
        ('name = "list.example"', 'name = "example"', "innocents: 'example' is no name with a dot"),
        ('name = "list.example"', 'name = "List.example"', "innocents: List.example: is not in lower case"),
        ("[suffixes]\nai = 2", "[suffixes]\nnosuffix = 2", "suffixes: 'nosuffix' is no top-level domain"),
    ],
)
def test_lint_names_the_mistake(tmp_path, old, new, said):
    assert old in GOOD
    file = load(tmp_path, GOOD.replace(old, new))
    assert file is not None
    (mistake,) = lint_discovery(file, is_listed_suffix)
    assert mistake.startswith(f"{FILE}: {said}")
    assert mistake in lint(load_catalogue(tmp_path), dt.date(2026, 11, 26))


def test_shipped_signs_pass_the_lint():
    assert shipped().signs is not None
    assert lint_discovery(shipped().signs, is_listed_suffix) == []
    assert (packaged_path("blocklists") / FILE).is_file()


@pytest.fixture(scope="module")
def signs() -> Signs:
    return Signs(shipped().sign_book, Lookalikes(shipped().brand_book))


@pytest.mark.parametrize(
    "name",
    [
        "novel.ai", "my-gpt.example", "chatgptfree.example", "ai.example.org", "storyai.example", "aiwriter.example",
        "llm-proxy.example", "copilot.vendor.example", "deepseek-chat.example", "photo-ai.example",
    ],
)  # fmt: skip
def test_names_of_services_look_like_ai(signs, name):
    assert looks_like_ai(signs, name)


@pytest.mark.parametrize(
    "name",
    [
        "mail.example.org", "airbnb.com", "hyundai.com", "shanghai-photo.example", "akamai.net", "thaivoice.example",
        "container.example", "openstreetmap.org", "google.com.ai", "chat.example.org", "chatgpt.com.multi.uribl.com",
        "botany.example", "allmusic.com", "bonsai-play.example", "xn--p1ai.example",
    ],
)  # fmt: skip
def test_ordinary_names_do_not(signs, name):
    assert not looks_like_ai(signs, name)


def test_most_vendors_would_be_found_if_they_were_unknown():
    """Leave-one-out over the catalogue; the figures stand in docs/discover.md."""
    found = recall(shipped())
    assert found.vendors_found >= 0.5 * found.vendors, found.missed[:50]
    assert found.found >= 0.4 * found.domains


@needs_shared
def test_few_names_without_ai_are_flagged():
    text, broken = report(shipped(), Material(SHARED))
    assert broken == []
    assert "well-known names without AI that are flagged" in text


@needs_shared
def test_names_that_nothing_may_block_are_never_flagged():
    assert false_alarms(shipped(), Material(SHARED).must_not_block) == []
