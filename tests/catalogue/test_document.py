"""The catalogue as one document: it comes back equal, and what others wrote is taken only if it is right."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.catalogue.document import admit_catalogue, catalogue_from_json, catalogue_to_json, vendor_to_dict
from sinkhole.catalogue.published import json_schema
from sinkhole.errors import CatalogueError
from sinkhole.feeds.parse import parse
from sinkhole.policy.rule import Rule
from tests.catalogue.small import DAY, small
from tests.catalogue.world import shipped

DOCS = Path(__file__).parents[2] / "docs"
GOOD = catalogue_to_json(small())


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(GOOD)
    change(document)
    return json.dumps(document).encode()


def refusal(octets: bytes) -> str:
    with pytest.raises(CatalogueError) as caught:
        admit_catalogue(octets, DAY)
    return str(caught.value)


@pytest.mark.parametrize("catalogue", [small(), shipped()], ids=["small", "shipped"])
def test_catalogue_comes_back_as_it_was(catalogue):
    """But for the signs of what looks like AI, which are of the installation."""
    octets = catalogue_to_json(catalogue)
    back = catalogue_from_json(octets)
    assert replace(back, fingerprint=catalogue.fingerprint) == replace(catalogue, signs=None)
    assert catalogue_to_json(back) == octets


def test_form_is_canonical():
    """Sorted keys, UTF-8, a line end at the end: the same catalogue gives the same octets."""
    document = json.loads(GOOD)
    assert (json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode() == GOOD
    assert "Söhne".encode() in GOOD
    assert (document["sinkhole"], document["version"], document["published"]) == (1, 2026112699, "2026-11-26")
    assert set(document) == {
        "sinkhole", "version", "published", "categories", "never_block", "vendors", "bypass", "lookalikes",
    }  # fmt: skip
    assert document["vendors"][0] == json.loads(json.dumps(vendor_to_dict(small().vendors[0])))


def test_fingerprint_changes_with_the_content():
    other = catalogue_to_json(replace(small(), version=2026112698))
    assert catalogue_from_json(GOOD).fingerprint != catalogue_from_json(other).fingerprint


def test_what_is_good_is_admitted():
    assert admit_catalogue(GOOD, DAY).version == 2026112699


def test_keys_of_later_versions_are_passed_over():
    """So that a catalogue that says more does not leave older installations behind."""

    def add(document: dict[str, Any]) -> None:
        document["later"] = {"x": 1}
        vendor = document["vendors"][0]
        for table in (vendor, vendor["data_use"], vendor["products"][0], vendor["products"][0]["domains"][0]):
            table["later"] = [1]
        document["categories"]["chat"]["later"] = None
        document["bypass"][0]["later"] = True

    back = admit_catalogue(changed(add), DAY)
    assert replace(back, fingerprint="") == small()


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another format": (lambda d: d.update(sinkhole=2), "sinkhole: Input should be 1"),
    "no version": (lambda d: d.pop("version"), "version: Field required"),
    "version as text": (lambda d: d.update(version="2026112699"), "version: Input should be a valid integer"),
    "version of no day": (lambda d: d.update(version=7), "version: Input should be greater"),
    "version of another day": (lambda d: d.update(version=2026112501), "does not begin with 20261126"),
    "published tomorrow": (
        lambda d: d.update(published="2026-11-27", version=2026112701),
        "published: 2026-11-27 is in the future",
    ),
    "date as number": (lambda d: d.update(published=0), "published: Input should be a valid date"),
    "no vendors": (lambda d: d.update(vendors=[]), "vendors: "),
    "vendors are a table": (lambda d: d.update(vendors={}), "vendors: "),
    "id of a path": (lambda d: d["vendors"][0].update(id="../x"), "vendors[0].id: String should match pattern"),
    "id with a line end": (lambda d: d["vendors"][0].update(id="acme\n"), "vendors[0].id: String should match pattern"),
    "two of one id": (lambda d: d["vendors"].append(d["vendors"][0]), "vendors: more than one has the id 'acme'"),
    "two ways of one id": (lambda d: d["bypass"].append(d["bypass"][0]), "bypass: more than one has the id 'proxies'"),
    "product twice": (
        lambda d: d["vendors"][0]["products"].append(d["vendors"][0]["products"][0]),
        "products: more than one has the id 'acme/chat'",
    ),
    "product of another": (
        lambda d: d["vendors"][0]["products"][0].update(id="other/chat"),
        "vendors: acme: the id of its product 'other/chat' names another vendor",
    ),
    "unknown match": (
        lambda d: d["vendors"][0]["products"][0]["domains"][0].update(match="regex"),
        "vendors[0].products[0].domains[0].match: ",
    ),
    "unknown category": (lambda d: d["categories"].pop("api"), "category 'api' is not in categories.toml"),
    "a public suffix": (
        lambda d: d["vendors"][0]["products"][0]["domains"][0].update(name="co.uk"),
        "is a public suffix",
    ),
    "everything": (
        lambda d: d["vendors"][0]["products"][0]["domains"][0].update(name="*", match="wildcard"),
        "acme.toml: acme/chat: *: ",
    ),
    "a name it protects itself": (
        lambda d: d["vendors"][0]["products"][0]["domains"][0].update(name="protected.example"),
        "is on never-block.txt",
    ),
    "no name to protect": (lambda d: d["never_block"].append("not a name"), "never_block: 'not a name': "),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_named_with_its_place(wrong):
    change, said = WRONG[wrong]
    assert said in refusal(changed(change))


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "Invalid JSON"),
        (b"[]", "Input should be an object"),
        (b"null", "Input should be an object"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[" * 1_000_000, "Invalid JSON: recursion limit exceeded"),
        (b'{"a":' * 100_000, "Invalid JSON: recursion limit exceeded"),
        (b"9" * 1_000_000, ""),
    ],
)
def test_what_is_no_document_is_refused(octets, said):
    assert said in refusal(octets)


def test_cut_document_is_refused_wherever_it_is_cut():
    for end in range(0, len(GOOD) - 1, 37):
        assert "Invalid JSON" in refusal(GOOD[:end])


def test_many_mistakes_are_told_in_part():
    def spoil(document: dict[str, Any]) -> None:
        document["never_block"] = [f"not a name {n}" for n in range(100)]

    assert refusal(changed(spoil)).endswith("\nand 80 more")


@given(st.binary(max_size=200), st.integers(0, len(GOOD)))
def test_any_octets_are_a_catalogue_or_refused(octets, at):
    for text in (octets, GOOD[:at] + octets + GOOD[at:]):
        try:
            catalogue_from_json(text)
        except CatalogueError:
            continue


def test_schema_page_is_up_to_date():
    page = DOCS / "catalogue.schema.json"
    assert page.read_text() == json_schema(), "run: sinkhole catalogue schema > docs/catalogue.schema.json"


def test_schema_has_every_key_that_is_written():
    """And asks for none that is not; a stranger's validator is not among our tools, so keys are compared by hand."""
    schema = json.loads(json_schema())
    document = json.loads(catalogue_to_json(shipped()))

    def walk(value: Any, form: dict[str, Any], where: str) -> None:
        forms = [form, *form.get("anyOf", ())]
        forms = [schema["$defs"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in forms]
        if isinstance(value, dict):
            (found,) = [one for one in forms if one.get("type") == "object"]
            known = found.get("properties")
            assert "additionalProperties" not in found, where
            if known is not None:
                assert set(found.get("required", ())) <= set(value) <= set(known), where
            any_key = next(iter(found.get("patternProperties", {"": {}}).values()))
            for key, below in value.items():
                walk(below, any_key if known is None else known[key], f"{where}.{key}")
        elif isinstance(value, list):
            (found,) = [one for one in forms if one.get("type") == "array"]
            for below in value:
                walk(below, found["items"], f"{where}[]")

    walk(document, schema, "")


def test_our_own_reader_of_lists_reads_it_too():
    """The document is also a feed of the format `catalogue`, row by row; no row of the shipped one is refused."""
    rows = catalogue_to_json(shipped()).splitlines(keepends=True)
    for whole in (False, True):
        found = list(parse(rows, "catalogue", whole=whole))
        assert all(isinstance(row, Rule) for row in found)
        domains = [d for v in shipped().vendors for p in v.products for d in p.domains if whole or not d.opt_in]
        ways = [d for way in shipped().bypass for d in way.domains] if whole else []
        assert len(found) == len(domains) + len(ways)
