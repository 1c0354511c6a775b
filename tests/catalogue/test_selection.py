"""Cutting the catalogue by subject: each selection has what a statement on that subject reaches."""

from dataclasses import replace

import pytest

from sinkhole.catalogue.selection import Selection, select_all
from sinkhole.policy.vendor import DomainMatch
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType
from tests.catalogue.small import domain, product, small, vendor
from tests.catalogue.world import blocking, is_blocked, shipped


def by_folder(catalogue) -> dict[str, Selection]:
    return {selection.folder: selection for selection in select_all(catalogue)}


def names(selection: Selection) -> list[str]:
    return [domain.name for domain in selection.domains]


def test_selections_are_those_of_policy():
    found = by_folder(small())
    assert list(found) == [
        "ai", "vendors/acme", "vendors/mixed", "vendors/other", "categories/api", "categories/chat",
        "jurisdictions/CN", "jurisdictions/US", "bypass/proxies",
    ]  # fmt: skip
    assert names(found["vendors/mixed"]) == ["mixed.example"]
    assert "mixed.example" in names(found["categories/chat"])
    assert "mixed.example" not in names(found["ai"])  # not_default
    assert "proxy.example" in names(found["ai"])  # part_of_ai
    assert names(found["bypass/proxies"]) == ["proxy.example"]
    assert names(found["jurisdictions/CN"]) == ["api.*.other.example", "exact.other.example"]
    assert found["vendors/acme"].title == "vendor Acme & Söhne"


def test_opt_in_hosts_are_left_out_and_counted():
    found = by_folder(small())
    assert {folder for folder, selection in found.items() if selection.opt_in} == {
        "ai", "vendors/other", "categories/chat", "jurisdictions/CN",
    }  # fmt: skip
    assert not any("extra.other.example" in names(selection) for selection in found.values())


def test_what_must_stay_open_below_a_name_is_told():
    catalogue = small(never_block=["status.acme.example", "elsewhere.example"])
    found = by_folder(catalogue)
    assert found["vendors/acme"].open == ("status.acme.example",)
    assert found["vendors/other"].open == ()


def test_hosts_of_others_below_a_name_are_told():
    api = vendor("third", product("third/api", domain("api.acme.example"), categories=["api"]))
    found = by_folder(replace(small(), vendors=(*small().vendors, api)))
    assert found["categories/chat"].below == ("api.acme.example",)
    assert found["vendors/acme"].below == ("api.acme.example",)
    assert found["ai"].below == ()


def test_vendor_without_hosts_has_no_lists():
    found = by_folder(replace(small(), vendors=(*small().vendors, vendor("hidden", product("hidden/chat")))))
    assert "vendors/hidden" not in found


@pytest.mark.parametrize("subject", ["ai", "vendor:openai", "category:chat", "jurisdiction:CN", "bypass:gateways"])
def test_shipped_selection_is_what_a_statement_blocks(subject):
    """The policy itself is asked: each host of a selection is blocked by a statement on its subject, no other is."""
    kind, _, value = subject.partition(":")
    plural = {"vendor": "vendors", "category": "categories", "jurisdiction": "jurisdictions"}.get(kind, kind)
    selection = by_folder(shipped())[f"{plural}/{value}" if value else kind]
    listed = set(names(selection))
    every = {d.name for v in shipped().vendors for p in v.products for d in p.domains}
    every |= {d.name for way in shipped().bypass for d in way.domains}
    blocked = {name for name in every if is_blocked(name.replace("*", "x"), subject)}
    assert blocked == listed


def test_policy_is_asked_with_the_names_themselves():
    """The comparison above is worth something: the policy knows a name below a suffix and none above it."""
    policy = blocking("vendor:openai")
    scope = policy.scope_of("192.0.2.1")
    assert any(d.match is DomainMatch.SUFFIX for d in by_folder(shipped())["vendors/openai"].domains)
    assert name_from_text("x.chatgpt.com")
    assert is_blocked("x.chatgpt.com", "vendor:openai")
    assert not is_blocked("example.org", "vendor:openai")
    assert scope is not None
    assert QType.A
