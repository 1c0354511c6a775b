"""What is known of DeepSeek holds: its own hosts are blocked, hosts it shares with others are not."""

import json

import pytest

from tests.catalogue.world import is_blocked, shipped
from tests.shared_data import SHARED, needs_shared

VENDOR = "vendor:deepseek"
OWN = ["deepseek.com", "chat.deepseek.com", "api.deepseek.com", "hif-leim.deepseek.com", "never-seen.deepseek.com"]
SHARED_HELPERS = [
    ("gator.volces.com", "telemetry"),
    ("gator.volces.com.0a1b2c.queniuck.com", "telemetry"),
    ("guh50jw4-ios.mobile-messenger.intercom.com", "telemetry"),
    ("fp-it-acc.portal101.cn", "fingerprint"),
    ("captcha1.fengkongcloud.cn", "fingerprint"),
]
OTHERS = ["deepseek.ai", "deepseek.net", "deepseek.app", "deepseek.us", "notdeepseek.com", "deepseek.com.example.org"]


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("subject", [VENDOR, "ai", "jurisdiction:CN"])
def test_own_hosts_are_blocked(name, subject):
    assert is_blocked(name, subject)


@pytest.mark.parametrize(("name", "product"), SHARED_HELPERS)
def test_helpers_shared_with_others_are_blocked_only_by_their_product(name, product):
    assert not is_blocked(name, VENDOR, "ai", "jurisdiction:CN", "category:telemetry")
    assert is_blocked(name, f"product:deepseek/{product}")


@pytest.mark.parametrize("name", OTHERS)
def test_names_of_others_on_the_brand_are_not_blocked(name):
    assert not is_blocked(name, VENDOR, "ai", "product:deepseek/telemetry", "product:deepseek/fingerprint")


def test_alias_of_www_is_blocked_and_its_zone_is_not():
    assert is_blocked("www.deepseek.com.cdn.cloudflare.net", VENDOR)
    assert not is_blocked("cdn.cloudflare.net", VENDOR)
    assert not is_blocked("www.example.com.cdn.cloudflare.net", VENDOR)


def test_every_host_has_evidence_of_its_own():
    sources = [d.source for p in shipped().by_id["deepseek"].products for d in p.domains]
    assert len(sources) >= 30
    assert all(sources)
    assert len(set(sources)) > 15


@needs_shared
def test_every_researched_host_is_treated_as_researched():
    hosts = json.loads((SHARED / "catalogue" / "deepseek.json").read_text())["hosts"]
    opt_in = ("product:deepseek/telemetry", "product:deepseek/fingerprint")
    wrong = []
    for row in hosts:
        name, how = row["host"].removeprefix("*."), row["safe_to_block"]
        if " " in name:
            continue
        by_vendor, by_opt_in = is_blocked(name, VENDOR, "ai"), is_blocked(name, *opt_in)
        if how in ("yes (default)", "yes (exact)"):
            is_right = by_vendor and not by_opt_in
        elif how == "no" or "lookalike" in how:
            is_right = not by_vendor and not by_opt_in
        else:
            assert "optional" in how, how
            is_right = by_opt_in and not by_vendor
        if not is_right:
            wrong.append((name, how, by_vendor, by_opt_in))
    assert wrong == []
