"""Explaining a name: what it is answered, and what its answer leads to."""

import functools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.explain import explain, lines_of
from sinkhole.app.follow import follow
from sinkhole.config.load import load_settings
from sinkhole.errors import FormError, PolicyError
from sinkhole.policy.basis import Basis
from sinkhole.policy.engine import Policy
from sinkhole.policy.image import NameIndex
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer
from tests.e2e.conftest import UpstreamThread
from tests.fakes import FakeUpstream, answers, reply, silent

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEADS_ON = answers({
    ("alias.example.org", "CNAME"): ["chat.deepseek.com"], ("chat.deepseek.com", "A"): ["192.0.2.80"],
    ("example.org", "A"): ["192.0.2.81"], ("range.example.org", "A"): ["198.51.100.7"],
})  # fmt: skip


def policy_of(*statements: Statement) -> Policy:
    index = NameIndex.from_rules([], shipped_catalogue().vendors)
    return Policy(index, statements, (), BlockAnswer(), 3)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return policy_of(
        Statement(1, Subject.from_text("ai"), Action.BLOCK),
        Statement(2, Subject.from_text("address:198.51.100.0/24"), Action.BLOCK),
    )


def following(policy: Policy, name: str, handler, **words: str):
    with UpstreamThread(FakeUpstream(handler)) as upstream:
        settings = load_settings(None, {}, {"upstream.servers": [upstream.url], "upstream.timeout": 0.3})
        return explain(policy, name, words.get("qtype", "A"), "192.0.2.7", NOW, functools.partial(follow, settings))


def test_alias_of_a_blocked_name_is_blocked(policy):
    """R-B06: as a client would be answered, with the name that its answer leads to."""
    found = following(policy, "alias.example.org", LEADS_ON)
    assert (found.outcome, found.verdict.vendor, found.verdict.via) == ("BLOCK", "deepseek", "chat.deepseek.com")
    assert "  through     chat.deepseek.com, which its answer leads to" in lines_of(found)
    assert found.note is None


def test_address_of_a_blocked_network_is_blocked(policy):
    assert following(policy, "range.example.org", LEADS_ON).outcome == "BLOCK"


def test_answer_that_leads_nowhere_blocked_changes_nothing(policy):
    found = following(policy, "example.org", LEADS_ON)
    assert (found.outcome, found.answer, found.note) == ("NONE", "the true answer", None)


@pytest.mark.parametrize("handler", [silent, lambda wire: [(0, reply(wire, rcode="SERVFAIL"))]])
def test_upstream_that_does_not_answer_is_told_of(policy, handler):
    found = following(policy, "alias.example.org", handler)
    assert found.outcome == "NONE"
    assert any("judged by its name alone" in line for line in lines_of(found))
    assert found.to_json()["note"] == found.note


def test_blocked_name_is_never_asked_for(policy):
    """R-B02: not even to explain it."""
    with UpstreamThread(FakeUpstream(LEADS_ON)) as upstream:
        settings = load_settings(None, {}, {"upstream.servers": [upstream.url]})
        found = explain(policy, "chat.deepseek.com", "A", "192.0.2.7", NOW, functools.partial(follow, settings))
        assert (found.outcome, upstream.queries) == ("BLOCK", [])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "found nothing"),
        ("  ", "found nothing"),
        ("https://deepseek.com/in?x=1", "found a URL: 'https://deepseek.com/in?x=1'; try deepseek.com"),
        ("chat.deepseek.com/sign_in", "try chat.deepseek.com"),
        ("someone@example.org", "try example.org"),
        ("/", "found a URL: '/'"),
        ("http://[x", "found a URL: 'http://[x'"),
    ],
)  # fmt: skip
def test_what_is_pasted_from_elsewhere_is_no_name(policy, name, said):
    with pytest.raises(FormError) as refused:
        explain(policy, name, "A", "192.0.2.7", NOW)
    assert said in str(refused.value)


def test_name_of_odd_octets_is_judged(policy):
    """An opening bracket is an octet like any other (RFC 2181, section 11)."""
    assert explain(policy, "[x.deepseek.com", "A", "192.0.2.7", NOW).outcome == "BLOCK"


@given(name=st.text(max_size=40) | st.text("a.[]:/@?#%\\-*", max_size=20), client=st.text(max_size=20))
def test_any_text_is_judged_or_refused(policy, name, client):
    """A verdict or an error of ours, never another."""
    for who in (client, "192.0.2.7"):
        try:
            assert lines_of(explain(policy, name, "A", who, NOW))
        except (FormError, PolicyError):
            continue


def test_basis_and_its_extended_error_are_told():
    said = Statement(1, Subject.from_text("ai"), Action.BLOCK, basis=Basis.LAW)
    found = explain(policy_of(said), "chat.deepseek.com", "A", "192.0.2.7", NOW)
    assert "  answer      0.0.0.0, TTL 10, EDE 16" in lines_of(found)
    assert "  basis       law" in lines_of(found)
    assert found.to_json()["verdict"]["basis"] == "law"


def test_text_for_those_who_may_have_it_is_mentioned():
    said = Statement(1, Subject.from_text("ai"), Action.BLOCK)
    found = explain(policy_of(said), "chat.deepseek.com", "TXT", "192.0.2.7", NOW)
    assert found.answer == "no data, TTL 10, EDE 15; why, to networks in blocking.explain_to"
