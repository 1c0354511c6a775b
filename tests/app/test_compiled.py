"""The compiled policy of a data folder: made, mended, and refused where it cannot be written."""

import pytest

from sinkhole.app import data_dir
from sinkhole.app.compiled import (
    FeedInput,
    Inputs,
    compile_policy,
    compiled_folder,
    draft_policy,
    ensure_policy,
    versions_in_force,
)
from sinkhole.config.load import load_settings
from sinkhole.errors import PolicyError
from sinkhole.policy.default import default_statements
from sinkhole.policy.document import DOCUMENT_NAME, PREVIOUS_NAME, load_document, load_policy
from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules
from sinkhole.policy.rule import Match, Rule
from sinkhole.policy.verdict import BlockAnswer
from sinkhole.protocol.names import name_from_text
from tests.catalogue.world import shipped
from tests.policy.test_image import without_spots

SETTINGS = load_settings(None, {}, {})


@pytest.fixture
def folder(tmp_path):
    data_dir.prepare(tmp_path)
    return tmp_path


def test_default_is_compiled_once(folder, caplog):
    """R-O06: with nothing there, the built-in policy is served."""
    assert ensure_policy(folder, SETTINGS)
    assert load_policy(compiled_folder(folder), verify=True).generation == 1
    assert not ensure_policy(folder, SETTINGS)
    assert "policy.broken" not in caplog.text


def test_broken_policy_is_replaced_by_the_one_before_else_by_the_default(folder, caplog):
    """R-F10, R-O06."""
    ensure_policy(folder, SETTINGS)
    document, previous = (compiled_folder(folder) / name for name in (DOCUMENT_NAME, PREVIOUS_NAME))
    previous.write_bytes(document.read_bytes())
    document.write_bytes(b"garbage")
    assert ensure_policy(folder, SETTINGS)
    assert "the policy before it" in caplog.text
    document.write_bytes(b"garbage")
    previous.unlink()
    assert ensure_policy(folder, SETTINGS)
    assert "the built-in default" in caplog.text
    assert not ensure_policy(folder, SETTINGS)


def test_folder_that_cannot_be_written_is_one_clear_error(folder):
    """R-O03, R-D03."""
    compiled_folder(folder).rmdir()
    with pytest.raises(PolicyError, match="cannot be written"):
        ensure_policy(folder, SETTINGS)


def test_draft_publishes_nothing_and_is_what_is_published_next(folder):
    """Its names are built once, and left alone by what is published from other names."""
    compiled = compiled_folder(folder)
    inputs = inputs_of(listed("first"))
    compile_policy(compiled, inputs)
    before = (compiled / DOCUMENT_NAME).read_bytes()
    policy = draft_policy(compiled, inputs_of(listed("second")))
    assert policy.index.find(name_from_text("second.example")) is not None
    assert (compiled / DOCUMENT_NAME).read_bytes() == before
    images = {path.name for path in compiled.glob("names-*")}
    assert len(images) == 2
    document = compile_policy(compiled, inputs_of(FeedInput(FeedRules(listed("second").rules.feed, ()), "second")))
    assert load_policy(compiled).index.find(name_from_text("second.example")) is not None  # as drafted, not built anew
    assert {path.name for path in compiled.glob("names-*")} == images
    assert document.generation == 2


def test_draft_that_is_damaged_is_built_again(folder):
    compiled = compiled_folder(folder)
    compile_policy(compiled, inputs_of(listed("first")))
    draft_policy(compiled, inputs_of(listed("second")))
    (drafted,) = {path.name for path in compiled.glob("names-*")} - {load_document(compiled).image}
    (compiled / drafted).write_bytes(b"x")
    compile_policy(compiled, inputs_of(listed("second")))
    assert load_policy(compiled, verify=True).index.find(name_from_text("second.example")) is not None


def test_names_of_an_older_form_stay_in_force_until_they_are_compiled_anew(folder, caplog):
    compiled, inputs = compiled_folder(folder), inputs_of(listed("first"))
    newer = compile_policy(compiled, inputs)
    older = without_spots(compiled / newer.image)
    document = compiled / DOCUMENT_NAME
    document.write_text(document.read_text().replace(newer.image, older))
    note = compiled / "inputs"
    note.write_text(f"{older} of-older-form\n{note.read_text().partition(chr(10))[2]}")
    (compiled / "inputs.draft").unlink()
    (compiled / newer.image).unlink()
    assert not ensure_policy(folder, SETTINGS)
    assert "policy.broken" not in caplog.text
    assert load_policy(compiled, verify=True).index.find(name_from_text("first.example")) is not None
    assert compile_policy(compiled, inputs).image == newer.image


def test_versions_in_force_are_those_published(folder):
    compiled = compiled_folder(folder)
    assert versions_in_force(compiled) is None
    compile_policy(compiled, inputs_of(versions={"ours": 1}))
    assert versions_in_force(compiled) == {"ours": 1}
    compile_policy(compiled, inputs_of(versions={"ours": 2}))  # the same rules: no generation, but another version
    assert versions_in_force(compiled) == {"ours": 2}
    compile_policy(compiled, inputs_of(versions=None))
    assert versions_in_force(compiled) is None
    note = compiled / "inputs"
    for text in ("", "image digest", "image digest\n[1]", 'image digest\n{"a": "b"}', "image digest\n{"):
        note.write_text(text)
        assert versions_in_force(compiled) is None


def listed(name: str) -> FeedInput:
    feed = Feed(name, f"https://lists.example/{name}")
    return FeedInput(FeedRules(feed, [Rule(Match.SUFFIX, f"{name}.example", line=1)]), name)


def inputs_of(*feeds: FeedInput, versions: dict[str, int] | None = None) -> Inputs:
    return Inputs(shipped(), feeds, default_statements(shipped().bypass), (), BlockAnswer(), versions)
