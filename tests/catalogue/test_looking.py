"""Searching, comparing, counting and writing the catalogue."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from sinkhole.catalogue.author import domain_of, vendor_text
from sinkhole.catalogue.compare import differences
from sinkhole.catalogue.load import load_vendor
from sinkhole.catalogue.search import covers, search
from sinkhole.catalogue.staleness import age_in_days, is_stale
from sinkhole.catalogue.summary import summarise
from sinkhole.catalogue.taxonomy import taxonomy_page
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, DomainRole, Stated
from tests.catalogue.world import shipped

TODAY = dt.date(2026, 11, 26)


def first(text: str) -> tuple[str, str]:
    match = search(shipped(), text)[0]
    return match.vendor.id, match.where


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("deepseek", ("deepseek", "vendor")),
        ("DEEPSEEK.com", ("deepseek", "domain")),
        ("api.deepseek.com.", ("deepseek", "domain")),
        ("never-seen.chatgpt.com", ("openai", "domain")),
        ("bedrock-runtime.eu-north-1.amazonaws.com", ("amazon-ai", "domain")),
    ],
)
def test_search_finds_vendors_by_any_side(text, found):
    assert first(text) == found


def test_search_finds_products_and_notes_and_nothing():
    assert "owner" in {m.where for m in search(shipped(), "hangzhou")}
    assert ("openai", "product") in {(m.vendor.id, m.where) for m in search(shipped(), "atlas browser")}
    assert "note" in {m.where for m in search(shipped(), "changed hands")}
    assert search(shipped(), "no such vendor anywhere") == []


def test_each_vendor_is_found_once():
    found = [match.vendor.id for match in search(shipped(), "ai")]
    assert len(found) == len(set(found)) > 500


def host(name: str, match: DomainMatch = DomainMatch.SUFFIX, last: str | None = "2026-08-19") -> CatalogueDomain:
    return CatalogueDomain(name, DomainRole.WEB, match, False, "test", "2026-01-01", last)


@pytest.mark.parametrize(
    ("domain", "name", "is_covered"),
    [
        (host("a.example"), "x.a.example", True),
        (host("a.example"), "xa.example", False),
        (host("a.example", DomainMatch.EXACT), "a.example", True),
        (host("a.example", DomainMatch.EXACT), "x.a.example", False),
        (host("api.*.example", DomainMatch.WILDCARD), "api.eu.example", True),
        (host("api.*.example", DomainMatch.WILDCARD), "api.eu.west.example", False),
    ],
)
def test_domain_covers(domain, name, is_covered):
    assert covers(domain, name) is is_covered


def test_same_edition_differs_in_nothing():
    assert differences(shipped(), shipped()) == []


def test_differences_name_what_changed():
    old = shipped()
    deepseek = old.by_id["deepseek"]
    chat, *others = deepseek.products
    moved = dataclasses.replace(
        deepseek,
        jurisdiction=Stated("SG", "high", "a register"),
        note=None,
        products=(
            dataclasses.replace(chat, note="New.", domains=(*chat.domains[1:], host("new.example"))),
            *others[1:],
        ),
    )
    kept = tuple(moved if v.id == "deepseek" else v for v in old.vendors if v.id != "openai")
    (tunnel, *ways) = old.bypass
    way = dataclasses.replace(tunnel, domains=tunnel.domains[1:])
    new = dataclasses.replace(old, vendors=kept, bypass=(way, *ways))
    said = {(change.sign, change.what) for change in differences(old, new)}
    assert {
        ("-", "openai"), ("~", "deepseek: jurisdiction"), ("~", "deepseek: note"), ("~", "product deepseek/chat"),
        ("-", f"product {others[0].id}"), ("+", "deepseek: new.example"), ("-", f"deepseek: {chat.domains[0].name}"),
        ("-", f"bypass/{tunnel.id}: {tunnel.domains[0].name}"),
    } <= said  # fmt: skip
    change = next(c for c in differences(old, new) if c.what == "deepseek: jurisdiction")
    assert change.before is not None
    assert change.before.startswith("CN, ")
    assert change.after == "SG, high, a register"
    assert ("+", "openai") in {(c.sign, c.what) for c in differences(new, old)}


def test_summary_adds_up():
    found = summarise(shipped(), TODAY)
    assert found.vendors == len(shipped().vendors) >= 500
    assert found.domains == found.confirmed + found.own_knowledge
    assert sum(found.owners.values()) == sum(found.by_kind.values()) == sum(found.by_jurisdiction.values())
    assert found.not_separable >= 20
    assert found.documented >= 50
    assert found.data_use >= 50


@pytest.mark.parametrize(
    ("last", "days", "stale"), [("2026-11-20", 6, False), ("2026-05-01", 209, True), (None, 329, True)]
)
def test_staleness_counts_from_the_newest_evidence(last, days, stale):
    domain = host("a.example", last=last)
    assert (age_in_days(domain, TODAY), is_stale(domain, TODAY)) == (days, stale)


def test_every_shipped_vendor_survives_being_written(tmp_path):
    for vendor in shipped().vendors:
        path = tmp_path / f"{vendor.id}.toml"
        path.write_text(vendor_text(vendor), encoding="utf-8")
        assert load_vendor(path) == vendor


def test_odd_characters_survive_being_written(tmp_path):
    vendor = dataclasses.replace(shipped().by_id["deepseek"], id="odd", name='a "b" \\ \x7f \t 深度求索', products=())
    product = dataclasses.replace(shipped().by_id["deepseek"].products[0], id="odd/chat")
    vendor = dataclasses.replace(vendor, products=(product,))
    (tmp_path / "odd.toml").write_text(vendor_text(vendor), encoding="utf-8")
    assert load_vendor(tmp_path / "odd.toml") == vendor


def test_first_form_of_a_domain():
    known = domain_of("api.*.example", DomainRole.API, None, "2026-11-26")
    assert (known.match, known.last_confirmed, known.source[:13]) == (DomainMatch.WILDCARD, None, "Own knowledge")
    seen = domain_of("a.example", DomainRole.WEB, "its own site", "2026-11-26")
    assert (seen.match, seen.last_confirmed, seen.source) == (DomainMatch.SUFFIX, "2026-11-26", "its own site")


def test_taxonomy_page_is_up_to_date():
    page = Path(__file__).parents[2] / "docs" / "taxonomy.md"
    assert page.read_text() == taxonomy_page(shipped().categories), (
        "run: sinkhole catalogue taxonomy > docs/taxonomy.md"
    )
