"""`sinkhole catalogue`: list, show, search, compare, count, and write a file."""

import io
import shutil
import sys
from pathlib import Path

import pytest

from sinkhole.catalogue.document import catalogue_to_json
from sinkhole.catalogue.load import load_vendor
from sinkhole.packaged import packaged_path
from tests.catalogue.world import shipped


def test_dossier_tells_owner_evidence_hosts_and_gaps(run):
    text = run.good("catalogue", "show", "deepseek").out
    for part in (
        "DeepSeek  (deepseek; AI is what it offers)", "owner", "Hangzhou", "jurisdiction  CN", "your data",
        "deepseek.com and below", "[only when asked for]", "never blocked, since others live there: ",
        "its models can also be used through", "deepseek/telemetry",
    ):  # fmt: skip
        assert part in text


def test_dossier_tells_what_dns_cannot_separate(run):
    text = run.good("catalogue", "show", "xai").out
    assert "not separable by DNS" in text
    assert "not covered, since DNS cannot tell it apart: Grok inside X" in text


def test_owner_of_low_confidence_is_not_shown_as_fact(run):
    text = run.good("catalogue", "show", "anyapi").out
    assert "owner         not known" in text
    assert "jurisdiction  not known" in text


def test_list_is_narrowed_by_category_and_country(run):
    found = run.good("catalogue", "list", "--jurisdiction", "cn", "--category", "chat", "--json").json
    assert {vendor["jurisdiction"] for vendor in found} == {"CN"}
    assert "deepseek" in {vendor["id"] for vendor in found}
    assert "no category 'chta'" in run("catalogue", "list", "--category", "chta").sentence
    assert "did you mean deepseek" in run("catalogue", "show", "deepsek").sentence


def test_search(run):
    assert run.good("catalogue", "search", "api.deepseek.com").lines[1].split()[0] == "deepseek"
    assert run.good("catalogue", "search", "api.deepseek.com", "--json").json[0]["vendor"] == "deepseek"
    assert run.good("catalogue", "search", "qqqqqqqq").out == "nothing in the catalogue holds 'qqqqqqqq'\n"


def test_stats(run):
    text = run.good("catalogue", "stats").out
    for part in ("our own knowledge", "stale", "vendors by jurisdiction: ", "that DNS cannot tell apart"):
        assert part in text
    found = run.good("catalogue", "stats", "--json").json
    assert found["domains"] == found["confirmed"] + found["own_knowledge"]


def test_bypass(run):
    assert "bypass:encrypted-dns" in run.good("catalogue", "bypass").out
    assert "dns.google and below" in run.good("catalogue", "bypass", "encrypted-dns").out
    assert "every product of aggregator" in run.good("catalogue", "bypass", "gateways").out
    assert [way["id"] for way in run.good("catalogue", "bypass", "vpn", "--json").json] == ["vpn"]
    assert "did you mean mirrors" in run("catalogue", "bypass", "mirors").sentence


@pytest.fixture
def edition(tmp_path) -> Path:
    return Path(shutil.copytree(packaged_path("blocklists"), tmp_path / "edition"))


def test_diff_tells_what_changed_and_its_status(run, edition):
    same = run.good("catalogue", "diff", edition)
    assert same.out == "0 differences\n"
    (edition / "vendors" / "deepseek.toml").unlink()
    done = run("catalogue", "diff", edition)
    assert (done.status, done.lines) == (1, ["+ deepseek", "1 difference"])
    assert run("catalogue", "diff", edition, "--json").json[0]["what"] == "deepseek"


def test_diff_reads_an_export(run, tmp_path):
    document = tmp_path / "catalogue.json"
    document.write_bytes(catalogue_to_json(shipped()))
    assert run.good("catalogue", "diff", document).out == "0 differences\n"
    document.write_bytes(document.read_bytes()[:1000])
    done = run("catalogue", "diff", document)
    assert (done.status, "JSON" in done.error) == (2, True)


ANSWERS = (
    "Bad Id", "deepseek", "acmebot", "Acme GmbH", "Imprint of acme.example", "de", "DE", "", "Acme Bot", "ai_native",
    "medium", "chat", "Acme Chat", "", "chat.openai.com", "acme.example", "", "its own site", "api.acme.example", "",
    "", "",
)  # fmt: skip


def test_add_asks_again_and_writes_a_file_that_passes_the_lint(run, edition, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{answer}\n" for answer in ANSWERS)))
    text = run.good("catalogue", "add", edition).out
    assert "small letters, digits and single hyphens" in text
    assert "deepseek is in the catalogue already" in text
    assert "two capital letters" in text
    assert "chat.openai.com is known as chat.openai.com of openai/chat" in text
    vendor = load_vendor(edition / "vendors" / "acmebot.toml")
    assert (vendor.owner.value, vendor.owner.confidence, vendor.jurisdiction.confidence) == (
        "Acme GmbH",
        "high",
        "medium",
    )
    assert [(d.name, d.role.value, d.last_confirmed is None) for d in vendor.products[0].domains] == [
        ("acme.example", "web", False),
        ("api.acme.example", "api", True),
    ]
    assert "0 mistakes" in run.good("catalogue", "lint", edition).out


def test_add_does_not_write_what_the_lint_refuses(run, edition, monkeypatch):
    wrong = ("acme", "", "Acme", "", "", "", "Acme", "", "com", "", "", "", "", "Acme", "", "acme.example", "", "", "")
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{answer}\n" for answer in wrong)))
    text = run.good("catalogue", "add", edition).out
    assert "com: is a public suffix" in text
    assert load_vendor(edition / "vendors" / "acme.toml").owner.value == "unknown"


def test_add_of_a_product_that_dns_cannot_tell_apart(run, edition, monkeypatch):
    answers = ("acme", "", "Acme", "ai_enabled", "", "", "Acme AI", "", "", "", "Served by Acme itself.")
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))
    run.good("catalogue", "add", edition)
    (product,) = load_vendor(edition / "vendors" / "acme.toml").products
    assert (product.separable, product.note) == (False, "Served by Acme itself.")
