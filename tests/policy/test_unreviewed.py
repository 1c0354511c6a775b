"""The subject `unreviewed`: names that look like AI, that no rule knows, and that nobody has looked at."""

import json

import pytest

from sinkhole.errors import PolicyError
from sinkhole.policy.brand import Brand, BrandKind
from sinkhole.policy.document import PolicyDocument, load_policy, publish
from sinkhole.policy.engine import Policy
from sinkhole.policy.image import NameIndex, build_image
from sinkhole.policy.lookalikes import BrandBook
from sinkhole.policy.reviews import NO_REVIEWS, Reviews
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.sighting import Sighting
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import Action, BlockAnswer
from sinkhole.protocol.names import name_from_text
from tests.policy.test_signs import BOOK
from tests.policy.world import NOW, PROTECTED, VENDORS, WAYS, A, decide, listed, statement, statements

BRANDS = BrandBook((Brand("deepseek", "deepseek", BrandKind.DISTINCTIVE),))
REVIEWS = Reviews.from_texts(
    ["waiting.example", "deep.ignored-ai.example"], ["ignored-ai.example", "calm.waiting.example"]
)


def policy(*said, feeds=(), groups=(), reviews=REVIEWS) -> Policy:
    index = NameIndex.from_rules(feeds, VENDORS, PROTECTED, WAYS, BRANDS, BOOK)
    return Policy(index, statements(*said), groups, BlockAnswer(), 1, reviews=reviews)


def said_of(made: Policy, name: str) -> str:
    verdict = decide(made, name)
    return f"{verdict.action} {verdict.subject}"


@pytest.mark.parametrize(
    "name", ["novel.ai", "www.novel-gpt.example", "waiting.example", "a.b.Waiting.example", "x.deep.ignored-ai.example"]
)
def test_name_that_waits_or_looks_like_it_is_matched(name):
    assert said_of(policy("block unreviewed"), name) == "block unreviewed"


@pytest.mark.parametrize(
    "name",
    [
        "example.org", "ignored-ai.example", "llm.ignored-ai.example", "gpt.calm.waiting.example", "writer.example",
        "status.deepseek.example", "model.eu.cloud.example",
    ],
)  # fmt: skip
def test_name_that_someone_looked_at_or_that_is_known_is_not(name):
    """The longer of two domains that people spoke of counts; of what is known nothing is guessed."""
    assert said_of(policy("block unreviewed"), name) == "allow None"


def test_all_that_is_known_goes_before():
    name = "deepseek-ai.novel-gpt.example"
    assert said_of(policy("allow domain:example", "block unreviewed"), name) == "allow domain:example"
    feed = listed("phishing", "novel-gpt.example")
    assert said_of(policy("monitor feed:phishing", "block unreviewed", feeds=[feed]), name) == "monitor feed:phishing"
    assert said_of(policy("block unreviewed", feeds=[feed]), name) == "allow None"
    assert said_of(policy("monitor lookalikes", "block unreviewed"), "deepseek-gpt.org") == "monitor lookalikes"
    assert said_of(policy("monitor lookalikes", "block unreviewed"), "novel-gpt.org") == "block unreviewed"


def test_group_and_schedule_count_as_for_any_statement():
    staff = Group("staff", ("192.0.2.0/24",))
    made = policy("allow unreviewed for staff", "block unreviewed", groups=[staff])
    assert decide(made, "novel.ai").scope == "group:staff"
    assert decide(made, "novel.ai", "198.51.100.7").action is Action.BLOCK
    never = statement(1, "block unreviewed", schedule=schedule_from_text("mon 00:00-24:00 @UTC"))  # NOW is a Tuesday
    index = NameIndex.from_rules((), VENDORS, PROTECTED, WAYS, BRANDS, BOOK)
    assert decide(Policy(index, [never], (), BlockAnswer(), 1), "novel.ai").subject is None


def test_reason_is_told_and_what_lost():
    made = policy("block unreviewed", "allow domain:org")
    assert decide(made, "novel.ai").rule == "looks like AI: its suffix .ai"
    assert decide(made, "x.waiting.example").rule == "waiting.example and below, which waits for review"
    losers = decide(made, "gpt.org", explain=True).losers
    assert [(loser.subject, loser.why) for loser in losers] == [("unreviewed", "domain:org is more specific")]


def test_name_in_an_answer_is_never_guessed_about():
    made = policy("block unreviewed")
    scope = made.scope_of("192.0.2.1")
    assert made.decide_target(name_from_text("novel.ai"), A, scope, NOW).subject is None


def test_without_a_statement_nothing_is_asked():
    made = policy("block ai")
    made.index.signs = None  # whoever asked would fail
    assert said_of(made, "novel.ai") == "allow None"


def test_reviews_travel_in_the_document_and_an_older_image_has_no_signs(tmp_path):
    name = build_image(tmp_path, VENDORS, (), PROTECTED, WAYS, BRANDS, BOOK)
    document = PolicyDocument(1, name, tuple(statements("block unreviewed")), (), BlockAnswer(), reviews=REVIEWS)
    assert PolicyDocument.from_json(document.to_json()) == document
    publish(tmp_path, document)
    loaded = load_policy(tmp_path, verify=True)
    assert said_of(loaded, "novel.ai") == said_of(loaded, "x.waiting.example") == "block unreviewed"
    assert said_of(loaded, "ignored-ai.example") == "allow None"
    plain = PolicyDocument(1, name, (), (), BlockAnswer())
    assert "reviews" not in json.loads(plain.to_json())
    assert PolicyDocument.from_json(plain.to_json()).reviews == NO_REVIEWS


@pytest.mark.parametrize(
    "wrong", [{}, {"waiting": []}, {"waiting": [3], "ignored": []}, {"waiting": ["."], "ignored": []}]
)
def test_wrong_reviews_are_refused(wrong):
    fields = json.loads(PolicyDocument(1, "names-0.img", (), (), BlockAnswer()).to_json()) | {"reviews": wrong}
    with pytest.raises(PolicyError):
        PolicyDocument.from_json(json.dumps(fields))


def test_image_of_an_older_version_has_no_signs():
    index = NameIndex.from_rules((), VENDORS, PROTECTED, WAYS, BRANDS, BOOK)
    metadata = json.loads(bytes(index._tables.metadata))
    del metadata["signs"]
    tables = index._tables.__class__(
        **{name: getattr(index._tables, name) for name in index._tables.__slots__}
        | {"metadata": memoryview(json.dumps(metadata).encode())}
    )
    assert NameIndex(tables).signs.find(name_from_text("novel.ai")) is None


def test_sighting_survives_json_and_a_wrong_one_is_refused():
    sighting = Sighting("novel.ai", ("its suffix .ai",), 3, 1, 2, ("www.novel.ai",), True, ("192.0.2.1",))
    assert Sighting.from_json_row(json.loads(json.dumps(sighting.to_json_row()))) == sighting
    with pytest.raises(PolicyError, match="a sighting has 8 fields; found 1"):
        Sighting.from_json_row([1])
