"""The gate for new versions of feeds, where they are compiled; and that for changes of policy."""

from dataclasses import replace

import pytest

from sinkhole.app import data_dir
from sinkhole.app.compiled import compiled_folder, versions_in_force
from sinkhole.app.control import Control
from sinkhole.app.expectations import BrokenExpectationError, gated, names_in_force
from sinkhole.app.state import Compiled, State, compile_state, open_state
from sinkhole.config.load import load_settings
from sinkhole.errors import PolicyError
from sinkhole.feeds.rule_row import rule_key
from sinkhole.feeds.snapshot import Meta, checksums
from sinkhole.policy.document import DOCUMENT_NAME, load_document
from sinkhole.policy.expectation import Expectation
from sinkhole.policy.feed import Feed, FeedState, FeedStatus
from sinkhole.policy.rule import Match, Rule
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.audit import entries

FREE = Expectation("free.example", Action.ALLOW)


@pytest.fixture
def state(tmp_path):
    data_dir.prepare(tmp_path)
    found = open_state(load_settings(None, {}, {"server.data_dir": tmp_path}))
    for feed, _ in found.feeds.all():
        found.feeds.remove(feed.name)
    yield found
    found.close()


def publish(state: State, name: str, *domains: str, part_of_ai: bool = True) -> int:
    """Store a new version of a feed as a sync does; return its number."""
    feed = Feed(name, f"https://lists.example/{name}", part_of_ai=part_of_ai)
    known = {one.name: standing for one, standing in state.feeds.all()}
    with state.snapshots.draft(name) as draft:
        (draft / "body").write_text("\n".join(domains))
        rules = [Rule(Match.SUFFIX, domain, line=n) for n, domain in enumerate(domains, 1)]
        (draft / "rules").write_text("".join(f"{rule.line}\t{rule_key(rule)}\n" for rule in rules))
        (draft / "rejections.json").write_text("[]")
        meta = Meta("2026-11-24T12:00:00+00:00", str(domains), checksums(draft), "m", "domains", 1, len(domains), 0, 0)
        version = state.snapshots.keep(name, draft, meta)
    state.feeds.put(feed)
    state.feeds.put_state(
        name, replace(known.get(name, FeedState()), status=FeedStatus.UPDATED, version=version, sha256=meta.source)
    )
    return version


def standing(state: State, name: str) -> FeedState:
    return state.feeds.get(name)[1]


def in_force(state: State) -> dict[str, int] | None:
    return versions_in_force(compiled_folder(state.folder))


def test_without_expectations_everything_passes(state):
    compile_state(state)
    publish(state, "ours", "free.example")
    assert compile_state(state) == Compiled(2)
    assert in_force(state) == {"ours": 1}


def test_each_of_several_is_judged_by_itself(state, caplog):
    publish(state, "bad", "x.example")
    publish(state, "good", "y.example")
    state.expectations.replace([FREE])
    compile_state(state)
    publish(state, "bad", "x.example", "free.example")
    publish(state, "good", "y.example", "z.example")
    compiled = compile_state(state)
    assert [(one.feed, one.version, one.kept) for one in compiled.refused] == [("bad", 2, 1)]
    assert in_force(state) == {"bad": 1, "good": 2}
    assert (standing(state, "bad").status, standing(state, "bad").pending_version) == (FeedStatus.QUARANTINED, 2)
    assert state.feeds.runs("bad")[0]["status"] == "quarantined"
    assert "feed.refused" in caplog.text
    assert compile_state(state) == Compiled(compiled.generation)  # and all is quiet


def test_two_that_break_the_same_are_both_held(state):
    state.expectations.replace([FREE])
    compile_state(state)
    publish(state, "one", "free.example")
    publish(state, "two", "free.example")
    assert [one.feed for one in compile_state(state).refused] == ["one", "two"]
    assert standing(state, "one").version == 0


def test_what_was_broken_before_is_told_and_holds_nothing(state, caplog):
    publish(state, "ours", "free.example")
    compile_state(state)
    state.expectations.replace([FREE])
    publish(state, "ours", "free.example", "x.example")
    assert compile_state(state).refused == ()
    assert in_force(state) == {"ours": 2}
    assert "expectation.broken" in caplog.text


def test_feed_without_a_version_to_go_back_to_is_taken_loudly(state, caplog):
    """What is in force is in compiled form only: the next compilation would drop the whole list."""
    publish(state, "ours", "x.example")
    state.expectations.replace([FREE])
    compile_state(state)
    publish(state, "ours", "x.example", "free.example")
    (state.snapshots.path("ours", 1) / "rules").write_text("")
    assert compile_state(state).refused == ()
    assert in_force(state) == {"ours": 2}
    assert "feed.not_held" in caplog.text


def test_where_nothing_is_published_nothing_is_held(state):
    publish(state, "ours", "free.example")
    state.expectations.replace([FREE])
    assert compile_state(state).refused == ()
    (compiled_folder(state.folder) / "inputs").write_text("of an older version")
    publish(state, "ours", "free.example", "x.example")
    assert compile_state(state).refused == ()


def test_feed_that_is_switched_on_is_no_swap(state):
    publish(state, "ours", "free.example")
    state.feeds.put(replace(state.feeds.get("ours")[0], enabled=False))
    state.expectations.replace([FREE])
    compile_state(state)
    state.feeds.put(replace(state.feeds.get("ours")[0], enabled=True))
    assert compile_state(state).refused == ()
    assert standing(state, "ours").version == 1


async def test_server_holds_back_too_and_says_so(state):
    publish(state, "ours", "x.example")
    state.expectations.replace([FREE])
    compile_state(state)
    publish(state, "ours", "x.example", "free.example")
    control = Control(state.settings)
    answer = await control._request({"op": "apply"})
    assert list(answer["refused"]) == ["ours"]
    assert answer["refused"]["ours"].startswith(
        "feed ours: version 2 is held back: it breaks the expectation free.example"
    )
    assert (await control._request({"op": "apply"}))["refused"] == {}
    await control._store.close()


def allow_all(state: State) -> None:
    state.policy.put(Statement(0, Subject.from_text("ai"), Action.ALLOW))


DEEPSEEK = Expectation("chat.deepseek.com", Action.BLOCK)


def test_change_is_undone_before_it_is_stored(state):
    state.expectations.replace([DEEPSEEK])
    with (
        pytest.raises(BrokenExpectationError, match=r"this breaks the expectation chat\.deepseek"),
        gated(state),
    ):
        allow_all(state)
    assert {str(one.subject): one.action for one in state.policy.statements()}["ai"] is Action.BLOCK
    with gated(state, force=True):
        allow_all(state)
    with state.store.reading() as connection:
        assert entries(connection)[0].what.startswith("expectation overridden: chat.deepseek.com")
    with gated(state):
        state.policy.remove(Subject.from_text("lookalikes"), None)  # the broken one is not its fault


def test_change_that_fails_is_undone(state):
    state.expectations.replace([DEEPSEEK])

    def fail():
        with gated(state):
            allow_all(state)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert {str(one.subject): one.action for one in state.policy.statements()}["ai"] is Action.BLOCK


def test_names_are_made_where_there_are_none(state):
    assert len(names_in_force(state)) > 100
    (compiled_folder(state.folder) / load_document(compiled_folder(state.folder)).image).unlink()
    assert len(names_in_force(state)) > 100


def test_names_are_not_made_for_a_server(state, tmp_path):
    import os

    held = data_dir.lock(tmp_path)
    try:
        with pytest.raises(PolicyError, match="cannot be read"):
            names_in_force(state)
    finally:
        os.close(held)
    assert not (compiled_folder(tmp_path) / DOCUMENT_NAME).exists()
