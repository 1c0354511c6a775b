"""The lint of the catalogue: each rule has a file that breaks it, and the shipped catalogue breaks none."""

import datetime as dt
from pathlib import Path

import pytest

from sinkhole.catalogue.lint import lint
from sinkhole.catalogue.load import load_catalogue, load_vendor
from sinkhole.errors import CatalogueError
from sinkhole.packaged import packaged_path

TODAY = dt.date(2026, 11, 24)
HEAD = """id = "acme"
name = "Acme"
kind = "ai_native"
owner = "Acme Inc."
owner_confidence = "high"
owner_source = "its terms of service"
jurisdiction = "US"
jurisdiction_confidence = "high"
jurisdiction_source = "its terms of service"
confidence = "high"
source = "its own site"
"""
PRODUCT = """
[[products]]
slug = "chat"
name = "Acme Chat"
categories = ["chat"]
"""
DOMAIN = """
[[products.domains]]
name = "{name}"
match = "{match}"
source = "its own site"
first_seen = {seen}
last_confirmed = {seen}
"""


def write(folder: Path, *files: tuple[str, str], never_block: str = "") -> Path:
    (folder / "vendors").mkdir()
    for name, text in files:
        (folder / "vendors" / name).write_text(text)
    (folder / "categories.toml").write_text('[chat]\nname = "Chat"\nmeaning = "Talk."\n')
    (folder / "never-block.txt").write_text("# names\n\nprotected.example\n" + never_block)
    (folder / "catalogue.toml").write_text("version = 2026112401\npublished = 2026-11-24\n")
    return folder


def vendor(name: str = "acme.example", match: str = "suffix", seen: str = "2026-11-01", head: str = HEAD) -> str:
    return head + PRODUCT + DOMAIN.format(name=name, match=match, seen=seen)


def mistakes(tmp_path: Path, *files: tuple[str, str]) -> str:
    return "\n".join(lint(load_catalogue(write(tmp_path, *files)), TODAY))


def test_shipped_catalogue_is_clean():
    catalogue = load_catalogue(packaged_path("blocklists"))
    assert lint(catalogue, dt.datetime.now(dt.UTC).date()) == []
    assert len(catalogue.vendors) >= 80
    assert "deepseek" in catalogue.by_id


@pytest.mark.parametrize(
    ("name", "match", "said"),
    [
        ("com", "suffix", "public suffix"),
        ("co.uk", "suffix", "public suffix"),
        ("*.com", "wildcard", "public suffix"),
        ("x-*.co.uk", "wildcard", "public suffix"),
        ("a.*.*.example.org", "wildcard", "exactly one label"),
        ("acme.example", "wildcard", "exactly one label"),
        ("-a.*.example.org", "wildcard", "no host name has"),
        ("Acme.example", "suffix", "lower case"),
        ("bücher.example", "suffix", "A-label"),
        ("a..example", "exact", "no host name has"),
        (".".join(["a" * 60] * 5), "exact", "longer than 253"),
        ("protected.example", "exact", "never-block.txt"),
    ],
)
def test_names_that_may_not_be_listed(tmp_path, name, match, said):
    assert said in mistakes(tmp_path, ("acme.toml", vendor(name, match)))


@pytest.mark.parametrize("name", ["oaiusercontent.com", "hf.space", "z.ai", "gemini.google"])
def test_private_suffixes_and_brand_names_are_legitimate(tmp_path, name):
    assert mistakes(tmp_path, ("acme.toml", vendor(name))) == ""


@pytest.mark.parametrize("name", ["runtime.*.cloud.example", "*-platform.cloud.example", "*.cloud.example"])
def test_wildcard_label_is_legitimate(tmp_path, name):
    assert mistakes(tmp_path, ("acme.toml", vendor(name, "wildcard"))) == ""


def test_date_in_the_future(tmp_path):
    assert "future" in mistakes(tmp_path, ("acme.toml", vendor(seen="2027-01-01")))


def test_own_never_block_cannot_be_a_domain(tmp_path):
    head = HEAD + 'never_block = ["acme.example", "Bad"]\n'
    said = mistakes(tmp_path, ("acme.toml", vendor(head=head)))
    assert "only one of them" in said
    assert "never_block: Bad" in said


UNSURE = HEAD.replace('owner_confidence = "high"', 'owner_confidence = "low"')
NOWHERE = UNSURE.replace('jurisdiction = "US"', 'jurisdiction = "ZZ"')


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (UNSURE, "is a guess where owner_confidence is low"),
        (NOWHERE, "go together"),
        (HEAD.replace('jurisdiction_confidence = "high"', 'jurisdiction_confidence = "low"'), "go together"),
        (HEAD.replace('owner_source = "its terms of service"', 'owner_source = "Own knowledge"'), "names no document"),
        (
            HEAD.replace('jurisdiction_source = "its terms of service"', 'jurisdiction_source = "Not known"'),
            "no document",
        ),
    ],
)
def test_facts_about_companies_are_no_guesses(tmp_path, head, said):
    assert said in mistakes(tmp_path, ("acme.toml", vendor(head=head)))


def test_sure_hosts_need_a_source(tmp_path):
    head = HEAD.replace('source = "its own site"', 'source = "Own knowledge of the service"')
    assert "confidence: is high, but source names nothing" in mistakes(tmp_path, ("acme.toml", vendor(head=head)))


def test_name_that_one_vendor_shares_is_no_domain_of_another(tmp_path):
    other = vendor("zeta.example", head=HEAD.replace('id = "acme"', 'id = "zeta"').replace('"Acme"', '"Zeta"')
                   + 'never_block = ["acme.example"]\n')  # fmt: skip
    said = mistakes(tmp_path, ("acme.toml", vendor()), ("zeta.toml", other))
    assert "zeta.toml: never_block: acme.example: is a domain of acme/chat, which it would unblock" in said


def test_unknown_owner_and_jurisdiction_are_legitimate(tmp_path):
    head = NOWHERE.replace('jurisdiction_confidence = "high"', 'jurisdiction_confidence = "low"')
    assert mistakes(tmp_path, ("acme.toml", vendor(head=head))) == ""


DATES = "first_seen = 2026-11-01\nlast_confirmed = 2026-11-01\n"


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        ("first_seen = 2026-11-02\nlast_confirmed = 2026-11-01\n", "is before first_seen"),
        ("first_seen = 2026-11-02\nlast_confirmed = 2027-11-01\n", "last_confirmed: 2027-11-01 is in the future"),
        ("first_seen = 2026-11-02\n", "has no last_confirmed"),
    ],
)
def test_dates_of_evidence(tmp_path, dates, said):
    assert said in mistakes(tmp_path, ("acme.toml", vendor().replace(DATES, dates)))


def test_own_knowledge_needs_no_confirmation(tmp_path):
    text = (
        vendor()
        .replace(DATES, "first_seen = 2026-11-02\n")
        .replace('source = "its own site"\nfirst', 'source = "Own knowledge of the service"\nfirst')
    )
    assert mistakes(tmp_path, ("acme.toml", text)) == ""


def test_day_of_reading_a_policy_is_not_to_come(tmp_path):
    use = '\n[data_use]\ntrains_on_input = "opt-out"\nstorage = ["US"]\nsource = "its policy"\nread = 2027-01-01\n'
    assert "data_use.read: 2027-01-01 is in the future" in mistakes(tmp_path, ("acme.toml", vendor(head=HEAD + use)))


def test_products_say_whether_dns_can_tell_them_apart(tmp_path):
    hidden = vendor().replace('categories = ["chat"]\n', 'categories = ["chat"]\nseparable = false\nnote = "In X."\n')
    assert "is not separable, yet has domains" in mistakes(tmp_path, ("acme.toml", hidden))


def test_served_vendors_exist(tmp_path):
    one = vendor().replace('categories = ["chat"]\n', 'categories = ["chat"]\nserves = ["nobody", "acme"]\n')
    said = mistakes(tmp_path, ("acme.toml", one))
    assert "acme/chat: serves: there is no vendor 'nobody'" in said
    assert "'acme'" not in said


def test_unknown_category_and_silent_product(tmp_path):
    said = mistakes(tmp_path, ("acme.toml", HEAD + PRODUCT.replace('"chat"]', '"nonsense"]')))
    assert "'nonsense' is not in categories.toml" in said
    assert "a note must say why" in said


def test_domain_in_two_vendors(tmp_path):
    other = vendor(head=HEAD.replace('"acme"', '"zeta"'))
    said = mistakes(tmp_path, ("acme.toml", vendor()), ("zeta.toml", other))
    assert "zeta.toml: zeta/chat: acme.example: is already listed by acme/chat" in said
    assert "is also that of acme" in said


def test_file_with_line_ends_of_windows_says_the_same(tmp_path):
    text = vendor(head=HEAD + 'note = """One line,\nand another."""\n')
    plain = load_catalogue(write(tmp_path, ("acme.toml", text))).vendors
    (tmp_path / "vendors" / "acme.toml").write_bytes(text.replace("\n", "\r\n").encode())
    assert load_catalogue(tmp_path).vendors == plain
    assert plain[0].note == "One line,\nand another."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id = ", "string values must be quoted"),
        ('id = "acme"\n', "owner"),
        (vendor().replace('"acme"', '"other"'), "must be called other.toml"),
        (vendor() + "\nnonsense = 1\n", "nonsense"),
        (vendor().replace('"US"', '"usa"'), "jurisdiction"),
    ],
)
def test_broken_files_name_file_and_key(tmp_path, text, said):
    folder = write(tmp_path, ("acme.toml", text))
    with pytest.raises(CatalogueError, match=said) as caught:
        load_catalogue(folder)
    assert "acme.toml" in str(caught.value)


def test_all_broken_files_are_named_at_once(tmp_path):
    folder = write(tmp_path, ("a.toml", "x"), ("b.toml", "y"))
    with pytest.raises(CatalogueError, match=r"(?s)a\.toml.*b\.toml"):
        load_catalogue(folder)


def test_empty_folder_and_missing_files(tmp_path):
    with pytest.raises(CatalogueError, match="no vendor file"):
        load_catalogue(tmp_path)
    folder = write(tmp_path, ("acme.toml", vendor()))
    (folder / "never-block.txt").unlink()
    with pytest.raises(CatalogueError, match=r"never-block\.txt: cannot be read"):
        load_catalogue(folder)


@pytest.mark.parametrize("text", ["= x", "[chat]\nname = 'x'\n", "[chat]\nname = ''\nmeaning = 'x'\n"])
def test_broken_categories(tmp_path, text):
    folder = write(tmp_path, ("acme.toml", vendor()))
    (folder / "categories.toml").write_text(text)
    with pytest.raises(CatalogueError, match=r"categories\.toml"):
        load_catalogue(folder)


def test_values_of_a_vendor(tmp_path):
    path = write(tmp_path, ("acme.toml", vendor())) / "vendors" / "acme.toml"
    found = load_vendor(path)
    assert found.products[0].id == "acme/chat"
    assert found.products[0].domains[0].last_confirmed == "2026-11-01"


def test_fingerprint_changes_with_content(tmp_path):
    folder = write(tmp_path, ("acme.toml", vendor()))
    before = load_catalogue(folder)
    (folder / "never-block.txt").write_text("other.example\n")
    after = load_catalogue(folder)
    assert before.fingerprint != after.fingerprint
    assert after.never_block == ("other.example",)
    assert set(after.jurisdictions) == {"US"}
    assert list(after.products) == ["acme/chat"]
