"""`sinkhole catalogue export|keygen|schema`: what is published, signed, and left alone."""

import json
from pathlib import Path

import pytest

from sinkhole.catalogue.document import catalogue_from_json
from sinkhole.catalogue.signature import PublicKey, Signature, verify
from sinkhole.feeds.parse import parse
from sinkhole.feeds.written_formats import WRITTEN
from sinkhole.policy.rule import Rule
from tests.catalogue.minisign import minisign, needs_minisign
from tests.catalogue.world import shipped


@pytest.fixture
def signed(run, tmp_path) -> Path:
    """A signed export of the shipped catalogue, with few lists."""
    run.good("catalogue", "keygen", tmp_path / "our.key")
    out = tmp_path / "out"
    words = ("--vendor", "deepseek", "--category", "companion", "--jurisdiction", "cn")
    done = run.good("catalogue", "export", out, "--sign", tmp_path / "our.key", *words)
    assert f"{out}: version {shipped().version}, {len(shipped().vendors)} vendors, 3 selections" in done.lines
    return out


def test_document_is_the_whole_catalogue(signed):
    back = catalogue_from_json((signed / "catalogue.json").read_bytes())
    assert back.vendors == shipped().vendors
    assert back.bypass == shipped().bypass


def test_signature_is_made_with_the_key(signed, tmp_path):
    key = PublicKey.from_text((tmp_path / "our.key.pub").read_text())
    signature = Signature.from_octets((signed / "catalogue.json.minisig").read_bytes())
    comment = verify(signed / "catalogue.json", signature, key)
    assert f"version:{shipped().version}" in comment.split("\t")


@needs_minisign
def test_tool_verifies_an_export(signed, tmp_path):
    done = minisign("-V", "-H", "-m", signed / "catalogue.json", "-p", tmp_path / "our.key.pub")
    assert done.returncode == 0, done.stderr


def test_lists_that_are_asked_for_are_there_and_told_in_the_index(signed):
    index = json.loads((signed / "index.json").read_text())
    assert [found["list"] for found in index["lists"]] == [
        "vendors/deepseek", "categories/companion", "jurisdictions/CN",
    ]  # fmt: skip
    assert index["version"] == shipped().version
    page = (signed / "index.html").read_text()
    for found in index["lists"]:
        assert set(found["files"]) == set(WRITTEN)
        for name, told in found["files"].items():
            octets = (signed / told["path"]).read_bytes()
            assert told["octets"] == len(octets)
            assert f'href="{told["path"]}"' in page
            rules = [row for row in parse(octets.splitlines(keepends=True), name, local=True) if isinstance(row, Rule)]
            assert len(rules) >= told["carried"] > 0
    assert {path.name for path in signed.iterdir()} == {
        ".sinkhole-export", "catalogue.json", "catalogue.json.minisig", "catalogue.schema.json", "index.html",
        "index.json", "vendors", "categories", "jurisdictions",
    }  # fmt: skip


def test_opt_in_hosts_are_counted_in_the_head(signed):
    hosts = (signed / "vendors" / "deepseek" / "hosts.txt").read_text()
    opt_in = [d.name for p in shipped().by_id["deepseek"].products for d in p.domains if d.opt_in]
    assert opt_in
    assert f"# left out: {len(opt_in)} hosts that are only blocked when" in hosts
    assert not any(name in hosts for name in opt_in)


def test_everything_is_exported_unless_some_is_asked_for(run, tmp_path):
    done = run.good("catalogue", "export", tmp_path / "out")
    assert done.lines[-1] == f"it is not signed; with minisign: minisign -S -s KEY -m {tmp_path}/out/catalogue.json"
    folders = {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert folders == {"ai", "vendors", "categories", "jurisdictions", "bypass"}
    assert "exported without a signature" in (tmp_path / "out" / "index.html").read_text()
    with_hosts = {v.id for v in shipped().vendors if any(not d.opt_in for p in v.products for d in p.domains)}
    assert {path.name for path in (tmp_path / "out" / "vendors").iterdir()} == with_hosts


def test_export_takes_the_place_of_an_export_only(run, tmp_path, signed):
    run.good("catalogue", "export", signed, "--vendor", "openai")
    assert [path.name for path in (signed / "vendors").iterdir()] == ["openai"]
    assert not (signed / "catalogue.json.minisig").exists()
    (signed / "mine").write_text("x")
    assert "would be lost: mine" in run("catalogue", "export", signed).sentence
    assert "was not made by an export" in run("catalogue", "export", tmp_path).sentence


def test_folder_with_mistakes_is_not_published(run, tmp_path):
    source = tmp_path / "blocklists"
    (source / "vendors").mkdir(parents=True)
    (source / "categories.toml").write_text('[chat]\nname = "Chat"\nmeaning = "Talk."\n')
    (source / "never-block.txt").write_text("protected.example\n")
    (source / "catalogue.toml").write_text("version = 2026112401\npublished = 2026-11-23\n")
    from tests.catalogue.test_lint import vendor

    (source / "vendors" / "acme.toml").write_text(vendor())
    done = run("catalogue", "export", tmp_path / "out", "--from", source)
    assert done.status == 2
    assert "does not begin with 20261123" in done.error
    assert not (tmp_path / "out").exists()
    (source / "catalogue.toml").write_text("version = 2026112301\npublished = 2026-11-23\n")
    run.good("catalogue", "export", tmp_path / "out", "--from", source)
    assert (tmp_path / "out" / "vendors" / "acme" / "rpz.txt").exists()


def test_wrong_words_about_exports(run, tmp_path):
    assert run("catalogue", "export", tmp_path / "o", "--vendor", "nope").sentence == (
        "there is no vendor 'nope' in the catalogue"
    )
    assert "cannot be read" in run("catalogue", "export", tmp_path / "o", "--sign", tmp_path / "none").sentence
    run.good("catalogue", "keygen", tmp_path / "k")
    assert "is there already" in run("catalogue", "keygen", tmp_path / "k").sentence
    assert not (tmp_path / "o").exists()


def test_schema_is_printed(run):
    assert json.loads(run("catalogue", "schema", place=False).out)["$schema"].startswith("https://json-schema.org/")
