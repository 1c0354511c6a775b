"""Ways round the resolver: what is shipped, how it is blocked, and that canaries are answered as their owners ask."""

import datetime as dt
import tomllib
from pathlib import Path

import pytest

from sinkhole.catalogue.lint import lint
from sinkhole.catalogue.load import load_catalogue
from sinkhole.errors import CatalogueError
from sinkhole.packaged import packaged_path
from sinkhole.policy.default import default_statements
from sinkhole.policy.verdict import Action
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.types import QType, Rcode
from sinkhole.resolver.canaries import find_canary
from sinkhole.resolver.special_names import SpecialNames
from tests.catalogue.test_lint import TODAY, vendor, write
from tests.catalogue.world import is_blocked, shipped, verdict

WAY = """id = "tunnel"
name = "Tunnels"
meaning = "Past the resolver."
{more}
domains = [
  {{ name = "{name}", source = "a list", first_seen = 2026-11-01, last_confirmed = 2026-11-01 }},
]
"""


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("dns.google", "encrypted-dns"),
        ("mozilla.cloudflare-dns.com", "encrypted-dns"),
        ("abc123.dns.nextdns.io", "encrypted-dns"),
        ("httpdns.volcengineapi.com", "httpdns"),
        ("chat-deepseek-com.translate.goog", "translation-proxies"),
        ("aitianhu.com", "mirrors"),
        ("openrouter.ai", "gateways"),
        ("nordvpn.com", "vpn"),
        ("archive.ph", "archives"),
    ],
)
def test_names_are_on_their_way(name, way):
    assert is_blocked(name, f"bypass:{way}")


def test_fresh_installation_treats_ways_as_the_catalogue_says():
    said = {str(s.subject): s.action for s in default_statements(shipped().bypass)}
    assert said["bypass:encrypted-dns"] is Action.BLOCK
    assert said["bypass:httpdns"] is said["bypass:translation-proxies"] is said["lookalikes"] is Action.MONITOR
    assert "bypass:vpn" not in said
    assert "bypass:archives" not in said


def test_mirrors_are_part_of_ai_and_other_ways_are_not():
    assert is_blocked("aitianhu.com", "ai")
    assert not is_blocked("dns.google", "ai")
    assert not is_blocked("translate.google.com", *(f"bypass:{way.id}" for way in shipped().bypass))


def test_encrypted_dns_names_stand_in_two_sources():
    (way,) = [way for way in shipped().bypass if way.id == "encrypted-dns"]
    alone = [d.name for d in way.domains if "," not in d.source and d.last_confirmed is not None]
    assert len(way.domains) > 800
    assert alone == []


def test_models_of_a_vendor_are_blocked_with_whoever_serves_them():
    assert is_blocked("chat.deepseek.com", "models:deepseek")
    servers = [p for p in shipped().products.values() if "deepseek" in p.serves]
    assert len(servers) >= 40
    name = next(d.name for p in servers for d in p.domains if not d.opt_in and "*" not in d.name)
    assert is_blocked(name, "models:deepseek")
    assert not is_blocked(name, "vendor:deepseek")
    assert verdict(name, "models:deepseek").subject == "models:deepseek"


@pytest.mark.parametrize(
    ("more", "name", "said"),
    [
        ("", "acme.example", "bypass/tunnel.toml: acme.example: is already listed by acme/chat"),
        ("", "com", "bypass/tunnel.toml: com: is a public suffix"),
        ('categories = ["nonsense"]', "x.example", "bypass/tunnel.toml: category 'nonsense'"),
    ],
)
def test_lint_of_a_way(tmp_path, more, name, said):
    folder = write(tmp_path, ("acme.toml", vendor()))
    (folder / "bypass").mkdir()
    (folder / "bypass" / "tunnel.toml").write_text(WAY.format(more=more, name=name))
    assert said in "\n".join(lint(load_catalogue(folder), TODAY))


def test_way_without_names_and_opt_in_name_are_mistakes(tmp_path):
    folder = write(tmp_path, ("acme.toml", vendor()))
    (folder / "bypass").mkdir()
    (folder / "bypass" / "tunnel.toml").write_text('id = "tunnel"\nname = "T"\nmeaning = "Past."\n')
    opt_in = (
        WAY.format(more="", name="x.example").replace('"tunnel"', '"other"').replace("source", "opt_in = true, source")
    )
    (folder / "bypass" / "other.toml").write_text(opt_in)
    said = "\n".join(lint(load_catalogue(folder), TODAY))
    assert "has neither domains nor categories" in said
    assert "other.toml: x.example: opt_in" in said


def test_broken_way_names_file_and_key(tmp_path):
    folder = write(tmp_path, ("acme.toml", vendor()))
    (folder / "bypass").mkdir()
    (folder / "bypass" / "tunnel.toml").write_text(WAY.format(more='action = "explode"', name="x.example"))
    with pytest.raises(CatalogueError, match=r"tunnel.toml: action"):
        load_catalogue(folder)


def canaries() -> list[dict[str, str]]:
    return tomllib.loads((Path(packaged_path("blocklists")) / "canaries.toml").read_text())["canary"]


@pytest.mark.parametrize("canary", canaries(), ids=lambda canary: canary["name"])
def test_canaries_are_answered_as_their_owners_ask(canary):
    question = Question(name_from_text(canary["name"]), QType.SVCB if canary["name"].startswith("_dns") else QType.A)
    body = find_canary(question) or SpecialNames(()).find(question, wants_dnssec=False, exists=False)
    assert body is not None
    assert body.answer == ()
    assert body.rcode == {"NXDOMAIN": Rcode.NXDOMAIN, "NODATA": Rcode.NOERROR}[canary["answer"]]


def test_shipped_catalogue_is_linted_for_today():
    assert lint(shipped(), dt.datetime.now(dt.UTC).date()) == []
