"""The shipped brands: their form, what they find of names seen in the wild, and what they leave alone."""

import dataclasses
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sinkhole.catalogue.load import load_catalogue
from sinkhole.catalogue.lookalikes import FILE, LookalikesFile, lint_lookalikes
from sinkhole.errors import CatalogueError
from sinkhole.policy.brand import Brand, BrandKind
from sinkhole.policy.image import NameIndex
from sinkhole.policy.lookalikes import BrandBook, Imitation, ImitationKind, Lookalikes
from sinkhole.protocol.names import fold, name_from_text
from tests.catalogue.test_lint import vendor, write
from tests.catalogue.world import shipped
from tests.shared_data import SHARED, needs_shared

HEAD = 'companions = ["ai", "login"]\nleads = ["get"]\nsuffixes = ["ai"]\n'
DEEPSEEK = '[brands.deepseek]\ndistinctive = ["deepseek"]\n'
CLAUDE = '[brands.anthropic]\nwhole = ["pplx"]\ncommon = ["claude"]\nbeside = ["opus"]\nnot_beside = ["login"]\n'
INNOCENTS = (
    '[[innocents]]\nname = "deepseek.org"\nreason = "a test"\n[[innocents]]\nword = "deep-see"\nreason = "a test"\n'
)
BIG = (SHARED / "feeds/big/blocklistproject-combined.hosts.txt", SHARED / "feeds/big/stevenblack-2022.domains.txt")


@cache
def shipped_file() -> LookalikesFile:
    file = shipped().brands
    assert file is not None
    return file


@cache
def shipped_book() -> BrandBook:
    return shipped_file().to_book(shipped().by_id)


@cache
def guard() -> Lookalikes:
    return Lookalikes(shipped_book())


@cache
def index() -> NameIndex:
    return NameIndex.from_rules((), shipped().vendors)


def find(text: str) -> Imitation | None:
    """Ask as policy does: only for what the catalogue does not know."""
    name = fold(name_from_text(text))
    return None if index().find(name) else guard().find(name)


def names(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        words = line.partition("#")[0].split()
        if words:
            yield words[-1]


def load(folder: Path, text: str) -> LookalikesFile:
    write(folder, ("acme.toml", vendor()))
    (folder / FILE).write_text(text)
    file = load_catalogue(folder).brands
    assert file is not None
    return file


def test_shipped_file_has_no_mistake():
    assert lint_lookalikes(shipped_file(), shipped().by_id) == []


def test_brands_know_the_domains_of_their_vendor():
    domains = {brand.token: brand.domains for brand in shipped_book().brands}
    assert "deepseek.com" in domains["deepseek"]
    assert "chat.deepseek.com" not in domains["deepseek"]
    assert "gemini.google.com" in domains["gemini"]
    assert all("*" not in domain for brand in shipped_book().brands for domain in brand.domains)


def test_every_innocent_is_needed():
    for text in shipped_book().innocents:
        others = tuple(other for other in shipped_book().innocents if other != text)
        without = Lookalikes(dataclasses.replace(shipped_book(), innocents=others))
        asked = [text] if "." in text else [f"{text}.com", f"{text}-login.com"]
        assert any(without.find(name_from_text(name)) for name in asked), text
        assert not any(guard().find(name_from_text(name)) for name in asked), text


@pytest.mark.parametrize(
    "name",
    [
        "chatgpt-app.net",
        "claude-desktop.com",
        "gemini-google.top",
        "grok-coin.xyz",
        "chat-gtp.com",
        "hugging-face.shop",
        "mistral-login.com",
        "microsoft-copilot-download.com",
        "deepseek.com.evil.example",
    ],
)
def test_imitations_of_well_known_vendors_are_found(name):
    assert find(name) is not None


@pytest.mark.parametrize(
    "name", ["gemini-login.com", "filmstudio.se", "civitas.org", "stepfunctions.example", "ngrok.io"]
)
def test_names_near_well_known_vendors_are_left_alone(name):
    assert find(name) is None


def test_file_becomes_a_book(tmp_path):
    file = load(tmp_path, HEAD + DEEPSEEK + CLAUDE + INNOCENTS)
    assert lint_lookalikes(file, shipped().by_id) == []
    book = file.to_book(shipped().by_id)
    assert [(brand.vendor, brand.token, brand.kind, brand.companions) for brand in book.brands] == [
        ("deepseek", "deepseek", BrandKind.DISTINCTIVE, ("ai", "login")),
        ("anthropic", "pplx", BrandKind.WHOLE, ("ai", "login")),
        ("anthropic", "claude", BrandKind.COMMON, ("ai", "opus")),
    ]
    assert book.innocents == ("deepseek.org", "deep-see")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("companions = [", f"{FILE}: "),
        (HEAD, "brands: Field required"),
        (HEAD + "[brands]\n" + INNOCENTS, "brands: Dictionary should have at least 1 item"),
        (HEAD + "[brands.deepseek]\n" + INNOCENTS, "brands.deepseek: Value error, needs a brand"),
        (HEAD + DEEPSEEK + 'beside = ["opus"]\n' + INNOCENTS, "beside and not_beside are for common brands"),
        (HEAD + DEEPSEEK.replace("seek", "-Seek") + INNOCENTS, "brands.deep-Seek.[key]: String should match"),
        (HEAD + DEEPSEEK + '[[innocents]]\nreason = "a test"\n', "innocents[0]: Value error, is a name or a word"),
        (HEAD + DEEPSEEK + INNOCENTS + 'name = "a.example"\n', "innocents[1]: Value error, is a name or a word"),
    ],
)
def test_wrong_form_is_named_with_its_key(tmp_path, text, said):
    with pytest.raises(CatalogueError, match=rf"^{FILE}: ") as caught:
        load(tmp_path, text)
    assert said in str(caught.value)


def test_file_that_is_no_text_is_named_and_none_is_legitimate(tmp_path):
    write(tmp_path, ("acme.toml", vendor()))
    assert load_catalogue(tmp_path).brands is None
    assert load_catalogue(tmp_path).brand_book == BrandBook(())
    (tmp_path / FILE).write_bytes(b"\xff")
    with pytest.raises(CatalogueError, match="utf-8"):
        load_catalogue(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DEEPSEEK.replace("brands.deepseek", "brands.nobody"), "brands.nobody: there is no vendor 'nobody'"),
        (CLAUDE.replace('["login"]', '["logout"]'), "not_beside: 'logout' is not among the companions"),
        (CLAUDE.replace('["opus"]', '["ai"]'), "beside: 'ai' is among the companions already"),
        (CLAUDE.replace('["opus"]', '["claude"]'), "beside: 'claude' is the brand itself"),
        ('[brands.xai]\ncommon = ["grok"]\nnot_beside = ["ai", "login"]\n', "leaves no companion"),
        (DEEPSEEK + CLAUDE.replace("pplx", "deepseek"), "brands.anthropic: 'deepseek' is also a brand of deepseek"),
        (DEEPSEEK + INNOCENTS.replace("deepseek.org", "deepseek"), "'deepseek' is no name with a dot"),
        (DEEPSEEK + INNOCENTS.replace("deepseek.org", "Deepseek.org"), "Deepseek.org: is not in lower case"),
        (DEEPSEEK + INNOCENTS * 2, "innocents: 'deepseek.org' is there twice"),
    ],
)
def test_lint_says_what_is_wrong(tmp_path, text, said):
    file = load(tmp_path, HEAD + ("" if "innocents" in text else "innocents = []\n") + text)
    assert any(said in mistake for mistake in lint_lookalikes(file, shipped().by_id)), lint_lookalikes(
        file, shipped().by_id
    )


def test_brand_of_an_unknown_vendor_has_no_domains(tmp_path):
    file = load(tmp_path, HEAD + "innocents = []\n" + DEEPSEEK.replace("brands.deepseek", "brands.nobody"))
    assert file.to_book(shipped().by_id).brands == (
        Brand("nobody", "deepseek", BrandKind.DISTINCTIVE, ("ai", "login")),
    )


@needs_shared
def test_lookalikes_of_deepseek_from_lists_are_found():
    known = json.loads((SHARED / "catalogue/deepseek.json").read_text())["lookalikes_with_list_source"]
    missed = [entry["domain"] for entry in known if find(entry["domain"]) is None]
    assert len(known) > 50
    assert len(missed) <= len(known) / 10, missed


@needs_shared
def test_well_known_names_are_left_alone():
    """At most one in 5,000. The two today are frauds that bear the name of Grok, which the material holds as well."""
    known = list(names(SHARED / "catalogue/benign.txt"))
    flagged = [name for name in known if find(name) is not None]
    assert len(known) > 20_000
    assert len(flagged) <= len(known) / 5000, flagged
    assert set(flagged) <= {"grok3-app.net", "grokai-app.net"}


@needs_shared
def test_hosts_of_unrelated_lists_are_left_alone():
    known = {name for path in BIG for name in names(path)}
    flagged = [name for name in known if find(name) is not None]
    assert len(known) > 300_000
    assert len(flagged) <= len(known) / 50_000, flagged


def test_names_of_the_catalogue_would_be_embedded_below_a_search_domain():
    for domain in ("chat.deepseek.com", "api.openai.com", "claude.ai", "www.perplexity.ai"):
        found = find(f"{domain}.corp.example")
        assert found is not None
        assert found.kind is ImitationKind.EMBEDDED
