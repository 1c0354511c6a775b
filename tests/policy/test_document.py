"""The published form of a policy."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import PolicyError
from sinkhole.policy.basis import Basis
from sinkhole.policy.document import (
    DOCUMENT_NAME,
    PREVIOUS_NAME,
    PolicyDocument,
    load_document,
    load_policy,
    prune,
    publish,
    restore_previous,
)
from sinkhole.policy.image import build_image
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import BlockAnswer, BlockMode
from tests.policy.world import NOW, PROTECTED, VENDORS, decide, listed, override, statement, statements

ANSWER = BlockAnswer(BlockMode.ADDRESS, "192.0.2.250", None, 30, 17)
GROUPS = (Group("staff", ("192.0.2.0/24",), 5, BlockAnswer(BlockMode.REFUSED)), Group("guests", ()))
STATEMENTS = (
    *statements("block ai", "allow vendor:deepseek for staff"),
    statement(9, "monitor jurisdiction:CN", reason="r", owner="o", ticket="t", expires=NOW + timedelta(days=1)),
)


def published(folder, generation=1, said=STATEMENTS, groups=GROUPS, **image):
    name = build_image(folder, VENDORS, image.get("feeds", ()), PROTECTED)
    document = PolicyDocument(generation, name, tuple(said), tuple(groups), ANSWER)
    publish(folder, document)
    return document


OVERRIDES = (
    override("lockdown ai lookalikes", 4, begins=NOW, reason="exam", owner="Bob"),
    override("exception vendor:deepseek for staff", 12),
    override("grant ai", 7, client="2001:db8::7"),
    override("pause", 3),
)
SCHEDULED = statement(3, "block ai", schedule=schedule_from_text("mon-fri 08:00-12:00; sat 09:00-12:00 @Europe/Berlin"))


BASED = statement(4, "block vendor:deepseek", basis=Basis.LAW)


@pytest.mark.parametrize("said", [STATEMENTS, (*STATEMENTS, SCHEDULED), (*STATEMENTS, BASED)])
def test_document_survives_json(said):
    for overrides in ((), OVERRIDES):
        document = PolicyDocument(7, "names-0.img", said, GROUPS, ANSWER, overrides, ("corp.example",))
        assert PolicyDocument.from_json(document.to_json()) == document


def test_older_program_refuses_schedules_and_nothing_else():
    """One that knows no schedules would let the statement hold at all times."""
    for said, number in ((STATEMENTS, 1), ((SCHEDULED,), 2)):
        fields = json.loads(PolicyDocument(7, "names-0.img", said, GROUPS, ANSWER).to_json())
        assert fields["format"] == number
        assert [s.get("schedule") for s in fields["statements"]] == [s.schedule and str(s.schedule) for s in said]


def test_older_program_refuses_overrides():
    """One that knows none would be without a lockdown; one without any is written as it always was."""
    fields = json.loads(PolicyDocument(7, "names-0.img", STATEMENTS, GROUPS, ANSWER, OVERRIDES).to_json())
    assert (fields["format"], len(fields["overrides"])) == (3, 4)
    fields = json.loads(PolicyDocument(7, "names-0.img", STATEMENTS, GROUPS, ANSWER).to_json())
    assert "overrides" not in fields


@pytest.mark.parametrize("field", ["kind", "id", "subjects", "ends", "begins"])
def test_wrong_override_is_refused(field):
    fields = json.loads(PolicyDocument(7, "names-0.img", STATEMENTS, (), ANSWER, OVERRIDES).to_json())
    fields["overrides"][0][field] = ["nonsense"] if field == "subjects" else "nonsense"
    with pytest.raises(PolicyError):
        PolicyDocument.from_json(json.dumps(fields))


def test_published_overrides_are_in_force(tmp_path):
    name = build_image(tmp_path, VENDORS, (), PROTECTED)
    publish(tmp_path, PolicyDocument(1, name, STATEMENTS, GROUPS, ANSWER, OVERRIDES))
    assert decide(load_policy(tmp_path), "deepseek.example").override == "lockdown:4"


def test_document_with_a_wrong_override_is_not_published(tmp_path):
    name = build_image(tmp_path, VENDORS, (), PROTECTED)
    with pytest.raises(PolicyError, match="is about nothing"):
        publish(tmp_path, PolicyDocument(1, name, (), (), ANSWER, (override("lockdown"),)))


@pytest.mark.parametrize(
    "change",
    [
        {"format": 4},
        {"generation": "many"},
        {"image": "../names.img"},
        {"image": 3},
        {"statements": [{}]},
        {"statements": None},
        {"groups": [{"name": "x"}]},
        {"answer": {"mode": "shout"}},
        {"answer": {"mode": "refused", "colour": "red"}},
    ],
)
def test_wrong_document_is_refused(change):
    fields = json.loads(PolicyDocument(7, "names-0.img", STATEMENTS, GROUPS, ANSWER).to_json()) | change
    with pytest.raises(PolicyError, match="policy document"):
        PolicyDocument.from_json(json.dumps(fields))


@pytest.mark.parametrize("field", ["subject", "action", "expires", "schedule", "basis"])
def test_wrong_statement_is_refused(field):
    fields = json.loads(PolicyDocument(7, "names-0.img", STATEMENTS, (), ANSWER).to_json())
    fields["statements"][0][field] = "nonsense"
    with pytest.raises(PolicyError):
        PolicyDocument.from_json(json.dumps(fields))


@given(st.text() | st.binary())
def test_any_text_is_a_document_or_a_policy_error(text):
    with pytest.raises(PolicyError):
        PolicyDocument.from_json(text)


def test_published_policy_is_loaded(tmp_path):
    published(tmp_path, generation=3)
    policy = load_policy(tmp_path, verify=True)
    assert policy.generation == 3
    assert policy.answer_for(policy.scope_of("198.51.100.1")) == ANSWER
    assert decide(policy, "deepseek.example", "198.51.100.1").subject == "jurisdiction:CN"
    assert decide(policy, "deepseek.example", "192.0.2.1").subject == "vendor:deepseek"
    assert load_document(tmp_path).statements == STATEMENTS


def test_nothing_published(tmp_path):
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path)


def test_absent_names(tmp_path):
    (tmp_path / published(tmp_path).image).unlink()
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"said": statements("block domain:a..b")}, "is not a name"),
        ({"groups": [Group("staff", ("nowhere",))]}, "group staff"),
    ],
)
def test_wrong_policy_is_not_published(tmp_path, change, why):
    before = published(tmp_path)
    with pytest.raises(PolicyError, match=why):
        published(tmp_path, generation=2, **change)
    assert load_document(tmp_path) == before


def test_policy_without_names_is_not_published(tmp_path):
    with pytest.raises(PolicyError, match="no such compiled names"):
        publish(tmp_path, PolicyDocument(1, "names-0.img", (), (), ANSWER))
    assert list(tmp_path.iterdir()) == []


def test_prune_keeps_what_is_used_and_what_was_used_before(tmp_path):
    images = [published(tmp_path, n, feeds=[listed("one", f"x{n}.example")]).image for n in range(3)]
    (tmp_path / "names-77.tmp").write_bytes(b"draft")
    prune(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*images[1:], DOCUMENT_NAME, PREVIOUS_NAME}


def test_prune_without_a_readable_document_removes_nothing(tmp_path):
    image = published(tmp_path).image
    (tmp_path / DOCUMENT_NAME).write_text("{")
    prune(tmp_path)
    assert (tmp_path / image).exists()


def test_document_before_is_put_back_where_it_can_be_used(tmp_path):
    assert not restore_previous(tmp_path)
    published(tmp_path, generation=1)
    published(tmp_path, generation=2)
    (tmp_path / DOCUMENT_NAME).write_bytes(b"garbage")
    assert restore_previous(tmp_path)
    assert load_policy(tmp_path).generation == 1
    (tmp_path / PREVIOUS_NAME).write_bytes(b"garbage")
    assert not restore_previous(tmp_path)


def test_document_before_without_its_names_is_not_put_back(tmp_path):
    document = published(tmp_path, generation=1)
    published(tmp_path, generation=2)
    (tmp_path / document.image).unlink()
    assert not restore_previous(tmp_path)


def test_document_before_that_cannot_be_put_back(tmp_path):
    published(tmp_path, generation=1)
    published(tmp_path, generation=2)
    (tmp_path / DOCUMENT_NAME).with_suffix(".tmp").mkdir()
    with pytest.raises(PolicyError, match="cannot be written"):
        restore_previous(tmp_path)


def test_document_of_before_there_were_suffixes_has_none():
    fields = json.loads(PolicyDocument(7, "names-0.img", STATEMENTS, GROUPS, ANSWER).to_json())
    del fields["suffixes"]
    assert PolicyDocument.from_json(json.dumps(fields)).suffixes == ()
