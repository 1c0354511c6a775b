"""Deciding on a candidate: file, state and audit log change together, or not at all; expectations are held."""

import stat
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sinkhole.app import data_dir
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.discovery import Wanted, accept, candidate_of, ignore, reopen, waiting_in_words
from sinkhole.app.expectations import BrokenExpectationError
from sinkhole.app.sightings import owned, waits_unseen
from sinkhole.app.state import State, compile_state, open_state, reviews_of
from sinkhole.catalogue.load import load_vendor
from sinkhole.config.load import load_settings
from sinkhole.errors import CatalogueError, PolicyError, StoreError
from sinkhole.policy.document import load_document, load_policy
from sinkhole.policy.expectation import Expectation
from sinkhole.policy.sighting import Sighting
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.protocol.names import name_from_text
from sinkhole.store.audit import entries
from sinkhole.store.candidates import CandidateState, add_sightings
from tests.store.disk import limited_files

SEEN = 1_790_000_000
SIGHTING = Sighting("novel-gpt.ai", ("gpt in novel-gpt",), 3, SEEN, SEEN + 90_000, ("www.novel-gpt.ai",), True)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
UNREVIEWED = Statement(0, Subject.from_text("unreviewed"), Action.BLOCK)


@pytest.fixture
def state(tmp_path):
    data_dir.prepare(tmp_path)
    found = open_state(load_settings(None, {}, {"server.data_dir": tmp_path}))
    for feed, _ in found.feeds.all():
        found.feeds.remove(feed.name)
    see(found, SIGHTING, replace(SIGHTING, domain="helper.example", is_by_name=False))
    yield found
    found.close()


def see(state: State, *sightings: Sighting) -> None:
    with state.store.transaction() as connection:
        add_sightings(connection, sightings, str)


def said_of(state: State, name: str) -> str:
    """Return what the policy that is compiled now says of a name."""
    compile_state(state)
    policy = load_policy(compiled_folder(state.folder))
    verdict = policy.decide(name_from_text(name), 1, policy.scope_of("192.0.2.1"), NOON)
    return f"{verdict.action} {verdict.subject} {verdict.product}"


def log(state: State) -> list[str]:
    with state.store.reading() as connection:
        return [entry.what for entry in entries(connection) if entry.what.startswith("candidate")]


def vendor_file(state: State, name: str):
    return state.folder / "vendors" / f"{name}.toml"


def test_accepted_domain_is_a_vendor_from_then_on(state):
    assert said_of(state, "www.novel-gpt.ai") == "allow None None"
    accepted = accept(state, "Novel-GPT.ai.", Wanted())
    assert accepted.file == vendor_file(state, "novel-gpt")
    assert said_of(state, "www.novel-gpt.ai") == "block ai novel-gpt/chat"
    assert candidate_of(state, "novel-gpt.ai").product == "novel-gpt/chat"
    assert log(state) == ["candidate novel-gpt.ai accepted into novel-gpt/chat"]
    vendor = load_vendor(accepted.file)
    (domain,) = vendor.products[0].domains
    assert (domain.first_seen, domain.last_confirmed) == ("2026-09-21", "2026-09-22")
    assert (vendor.jurisdiction.value, vendor.confidence) == ("ZZ", "low")
    assert stat.S_IMODE(accepted.file.stat().st_mode) == 0o600
    assert [path.name for path in accepted.file.parent.iterdir()] == ["novel-gpt.toml"]


def test_accepted_into_a_vendor_of_the_catalogue(state):
    accept(state, "novel-gpt.ai", Wanted(vendor="deepseek", product="chat"))
    assert said_of(state, "novel-gpt.ai") == "block ai deepseek/chat"
    assert said_of(state, "chat.deepseek.com") == "block ai deepseek/chat"
    accept(state, "helper.example", Wanted(product="deepseek/helper", category="agent"))
    assert said_of(state, "helper.example") == "block ai deepseek/helper"
    assert state.catalogue().local.faults == ()


def test_second_domain_is_added_to_the_file_and_comments_stay(state):
    accept(state, "novel-gpt.ai", Wanted(vendor="novel", category="writing"))
    path = vendor_file(state, "novel")
    path.write_text("# ours\n" + path.read_text())
    accept(state, "helper.example", Wanted(vendor="novel", product="writing"))
    assert path.read_text().startswith("# ours\n")
    assert said_of(state, "helper.example") == "block ai novel/writing"
    assert said_of(state, "novel-gpt.ai") == "block ai novel/writing"
    reopen(state, "novel-gpt.ai")
    assert path.read_text().startswith("# ours\n")
    assert said_of(state, "novel-gpt.ai") == "allow None None"
    assert said_of(state, "helper.example") == "block ai novel/writing"
    reopen(state, "helper.example")
    assert not path.exists()


def test_id_is_made_of_the_domain(state):
    see(state, replace(SIGHTING, domain="openai.novel.ai"), replace(SIGHTING, domain="deepseek.ai.example.ai"))
    assert accept(state, "openai.novel.ai", Wanted()).candidate.product == "openai-novel-ai/chat"
    assert accept(state, "deepseek.ai.example.ai", Wanted()).candidate.product == "deepseek-ai-example-ai/chat"
    see(state, replace(SIGHTING, domain="deepseek.ai.example-ai"))
    with pytest.raises(PolicyError, match=r"has a vendor deepseek-ai-example-ai; say which is meant with --vendor"):
        accept(state, "deepseek.ai.example-ai", Wanted())


def test_what_the_catalogue_has_by_now_needs_no_file(state):
    see(state, replace(SIGHTING, domain="x.deepseek.com"))
    accepted = accept(state, "x.deepseek.com", Wanted())
    assert accepted.file is None
    assert accepted.candidate.product == state.catalogue().catalogue.by_id["deepseek"].products[0].id or (
        accepted.candidate.product.startswith("deepseek/")
    )
    assert list((state.folder / "vendors").iterdir()) == []
    assert reopen(state, "x.deepseek.com").state is CandidateState.NEW


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Wanted(vendor="No Id"), "vendor 'No Id': wanted small letters"),
        (Wanted(product="a_b"), "product 'a_b': wanted small letters"),
        (Wanted(category="chatt"), "there is no category 'chatt'; did you mean chat?"),
        (Wanted(vendor="openai", product="deepseek/chat"), "product deepseek/chat is not one of vendor openai"),
        (Wanted(product="deepseek/chat", category="voice"), "product deepseek/chat has the categories"),
    ],
)
def test_wrong_place_is_refused(state, place, said):
    with pytest.raises(PolicyError, match=said):
        accept(state, "novel-gpt.ai", place)
    assert candidate_of(state, "novel-gpt.ai").state is CandidateState.NEW
    assert list((state.folder / "vendors").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("novel-gtp.ai", "there is no candidate 'novel-gtp.ai'; did you mean novel-gpt.ai?"),
        ("www.novel-gpt.ai", "it is below the candidate novel-gpt.ai"),
        ("a..b", "'a..b' is no domain"),
        ("", "is no domain"),
        ("xyz.test", "there is no candidate 'xyz.test'$"),
    ],
)
def test_candidate_that_there_is_not(state, text, said):
    with pytest.raises(PolicyError, match=said):
        candidate_of(state, text)


def test_name_that_is_never_blocked_cannot_be_accepted(state):
    protected = state.catalogue().catalogue.never_block[0]
    see(state, replace(SIGHTING, domain=protected))
    with pytest.raises(CatalogueError, match=r"line \d+: .*is on never-block.txt"):
        accept(state, protected, Wanted(vendor="mine"))
    assert not vendor_file(state, "mine").exists()
    assert candidate_of(state, protected).state is CandidateState.NEW


def test_file_that_is_broken_already_is_left_alone(state):
    path = vendor_file(state, "novel")
    path.write_text("[[")
    with pytest.raises(CatalogueError, match=r"novel.toml: line 1"):
        accept(state, "novel-gpt.ai", Wanted(vendor="novel"))
    assert path.read_text() == "[["
    path.unlink()
    path.mkdir()
    with pytest.raises(CatalogueError, match="cannot be read"):
        accept(state, "novel-gpt.ai", Wanted(vendor="novel"))


def test_broken_file_is_told_when_it_is_compiled_and_the_rest_holds(state, caplog):
    accept(state, "novel-gpt.ai", Wanted())
    vendor_file(state, "other").write_text("x")
    assert said_of(state, "novel-gpt.ai") == "block ai novel-gpt/chat"
    assert "catalogue.local_fault" in caplog.text
    assert "other.toml: line 1" in caplog.text


def test_expectations_gate_what_is_accepted_and_taken_back(state):
    free = Expectation("www.novel-gpt.ai", Action.ALLOW)
    state.expectations.replace([free])
    with pytest.raises(BrokenExpectationError, match="this breaks the expectation www"):
        accept(state, "novel-gpt.ai", Wanted())
    assert not vendor_file(state, "novel-gpt").exists()
    assert candidate_of(state, "novel-gpt.ai").state is CandidateState.NEW
    assert log(state) == []
    accept(state, "novel-gpt.ai", Wanted(), force=True)
    state.expectations.replace([Expectation("www.novel-gpt.ai", Action.BLOCK)])
    compile_state(state)
    text = vendor_file(state, "novel-gpt").read_text()
    with pytest.raises(BrokenExpectationError):
        reopen(state, "novel-gpt.ai")
    assert vendor_file(state, "novel-gpt").read_text() == text
    assert candidate_of(state, "novel-gpt.ai").state is CandidateState.ACCEPTED


def test_expectations_gate_what_is_ignored(state):
    state.policy.put(UNREVIEWED)
    compile_state(state)
    state.expectations.replace([Expectation("novel-gpt.ai", Action.BLOCK)])
    with pytest.raises(BrokenExpectationError):
        ignore(state, "novel-gpt.ai", None)
    assert ignore(state, "novel-gpt.ai", "a game", force=True).note == "a game"


def test_ignored_and_reopened(state):
    state.policy.put(UNREVIEWED)
    assert said_of(state, "novel-gpt.ai") == "block unreviewed None"
    ignore(state, "novel-gpt.ai", "a game")
    assert said_of(state, "novel-gpt.ai") == "allow None None"
    with pytest.raises(PolicyError, match="waits for review already"):
        reopen(state, "helper.example")
    reopen(state, "novel-gpt.ai")
    assert said_of(state, "novel-gpt.ai") == "block unreviewed None"
    assert log(state) == ["candidate novel-gpt.ai reopened", "candidate novel-gpt.ai ignored"]
    accept(state, "novel-gpt.ai", Wanted())
    for act in (lambda: accept(state, "novel-gpt.ai", Wanted()), lambda: ignore(state, "novel-gpt.ai", None)):
        with pytest.raises(PolicyError, match="is accepted into novel-gpt/chat"):
            act()


def test_domain_in_a_form_of_peoples_own_is_not_taken_out(state):
    accept(state, "novel-gpt.ai", Wanted(vendor="novel"))
    path = vendor_file(state, "novel")
    head, _, _ = path.read_text().partition("[[products.domains]]")
    own = '{ name = "novel-gpt.ai", source = "Own knowledge", first_seen = 2026-09-21 }'
    path.write_text(head.rstrip("\n") + f"\ndomains = [{own}]\n")
    assert state.catalogue().local.domains == (("novel-gpt.ai", "novel/chat"),)
    with pytest.raises(CatalogueError, match="take it out by hand"):
        reopen(state, "novel-gpt.ai")
    assert candidate_of(state, "novel-gpt.ai").state is CandidateState.ACCEPTED


def test_folder_that_cannot_be_written_changes_nothing(state):
    folder = state.folder / "vendors"
    folder.rmdir()
    folder.write_text("")
    with pytest.raises(CatalogueError, match="cannot be written"):
        accept(state, "novel-gpt.ai", Wanted())
    assert candidate_of(state, "novel-gpt.ai").state is CandidateState.NEW


def test_reviews_are_in_policy_only_where_a_statement_asks(state):
    compile_state(state)
    assert load_document(compiled_folder(state.folder)).reviews == reviews_of(state, (), ())
    state.policy.put(UNREVIEWED)
    ignore(state, "novel-gpt.ai", None)
    compile_state(state)
    fields = load_document(compiled_folder(state.folder)).reviews.to_json()
    assert fields == {"waiting": ["helper.example"], "ignored": ["novel-gpt.ai"]}


def test_own_zones_are_never_unreviewed(tmp_path):
    data_dir.prepare(tmp_path)
    zones = {"server.data_dir": tmp_path, "upstream.zones": [{"zone": "corp-ai.example", "servers": ["192.0.2.1"]}]}
    state = open_state(load_settings(None, {}, zones))
    state.policy.put(UNREVIEWED)
    assert said_of(state, "x.corp-ai.example") == "allow None None"
    assert said_of(state, "other-ai.example") == "block unreviewed None"
    state.close()


def test_server_notices_what_its_policy_cannot_know(state):
    assert not waits_unseen(state)  # nothing is compiled
    compile_state(state)
    assert not waits_unseen(state)  # no statement asks
    state.policy.put(UNREVIEWED)
    compile_state(state)
    assert not waits_unseen(state)
    see(state, replace(SIGHTING, domain="late-gpt.example"))
    assert not waits_unseen(state)  # its name says enough
    see(state, replace(SIGHTING, domain="late.example", is_by_name=False))
    assert waits_unseen(state)
    assert said_of(state, "late.example") == "block unreviewed None"
    assert not waits_unseen(state)


def test_sighting_of_a_public_suffix_is_of_what_was_asked_for_below_it():
    guessed = replace(SIGHTING, domain="ai.vn", examples=("www.novel.ai.vn", "other.ai.vn", "x.novel.ai.vn"))
    (one,) = owned([guessed])
    assert (one.domain, one.examples) == ("novel.ai.vn", ("www.novel.ai.vn", "x.novel.ai.vn"))
    assert list(owned([replace(guessed, examples=("ai.vn",))])) == []
    assert list(owned([SIGHTING])) == [SIGHTING]


def test_how_many_wait_is_told(state, tmp_path):
    assert waiting_in_words(state.settings) == "2 names that look like AI wait for review: sinkhole discover list"
    ignore(state, "novel-gpt.ai", None)
    assert waiting_in_words(state.settings) == "1 name that looks like AI waits for review: sinkhole discover list"
    ignore(state, "helper.example", None)
    assert waiting_in_words(state.settings) == "0 names that look like AI wait for review"
    nowhere = load_settings(None, {}, {"server.data_dir": tmp_path / "none"})
    assert waiting_in_words(nowhere) == "nothing was seen yet"
    assert not (tmp_path / "none").exists()


def test_clock_that_was_ahead_does_not_keep_a_domain_out(state):
    see(state, replace(SIGHTING, domain="ahead.ai", first=SEEN, last=4_000_000_000))
    assert accept(state, "ahead.ai", Wanted()).candidate.product == "ahead/chat"


def test_full_disk_leaves_nothing_behind(state):
    with limited_files(16), pytest.raises((CatalogueError, StoreError)):
        accept(state, "novel-gpt.ai", Wanted())
    assert list((state.folder / "vendors").iterdir()) == []
    assert candidate_of(state, "novel-gpt.ai").state is CandidateState.NEW
