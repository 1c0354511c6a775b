"""Rows of lists about addresses in answers."""

import ipaddress
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import PolicyError
from sinkhole.policy.compiler import ImageCompiler
from sinkhole.policy.groups import EVERYONE
from sinkhole.policy.image import NameIndex, build_image
from sinkhole.policy.networks import MAX_NETWORKS, NetworkRules, network_row
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.protocol.names import name_from_text
from tests.policy.world import NOW, PROTECTED, VENDORS, listed, make_policy


def block(network: str, line: int = 1) -> Rule:
    return Rule(Match.ADDRESS, network, line=line)


def lift(network: str, line: int = 1) -> Rule:
    return Rule(Match.ADDRESS, network, RuleAction.ALLOW, line=line)


def rules_of(*rows: tuple[int, Rule]) -> NetworkRules:
    return NetworkRules([network_row(feed, rule) for feed, rule in rows])


def test_longest_prefix_of_each_list_is_found():
    rules = rules_of((0, block("203.0.113.0/24", 1)), (0, lift("203.0.113.64/26", 2)), (1, block("203.0.0.0/16", 3)))
    found = rules.find(ipaddress.ip_address("203.0.113.70"))
    assert found == {0: lift("203.0.113.64/26", 2), 1: block("203.0.0.0/16", 3)}
    assert rules.find(ipaddress.ip_address("203.0.113.9"))[0] == block("203.0.113.0/24", 1)
    assert rules.find(ipaddress.ip_address("198.51.100.1")) == {}
    assert len(rules) == 3


def test_stricter_of_equal_rows_is_found():
    rules = rules_of((0, lift("203.0.113.0/24", 1)), (0, block("203.0.113.0/24", 2)))
    assert rules.find(ipaddress.ip_address("203.0.113.1")) == {0: block("203.0.113.0/24", 2)}


def test_families_are_kept_apart():
    rules = rules_of((0, block("2001:db8::/32")), (1, block("::ffff:203.0.113.7")))
    assert rules.find(ipaddress.ip_address("2001:db8::1")) == {0: block("2001:db8::/32")}
    assert rules.find(ipaddress.ip_address("203.0.113.7")) == {1: block("203.0.113.7/32")}


NETWORKS = st.one_of(
    st.ip_addresses(v=4).flatmap(lambda a: st.integers(1, 32).map(lambda n: f"{a}/{n}")),
    st.ip_addresses(v=6).flatmap(lambda a: st.integers(1, 128).map(lambda n: f"{a}/{n}")),
).map(lambda text: str(ipaddress.ip_network(text, strict=False)))


@given(st.lists(st.tuples(st.integers(0, 2), NETWORKS, st.booleans()), max_size=12), st.ip_addresses())
def test_found_is_what_a_walk_over_all_rows_finds(rows, address):
    made = [(feed, (lift if is_lifted else block)(text, n)) for n, (feed, text, is_lifted) in enumerate(rows)]
    found = rules_of(*made).find(address)
    for feed in range(3):
        mine = [rule for owner, rule in made if owner == feed and address in ipaddress.ip_network(rule.name)]
        best = min(
            mine,
            key=lambda r: (-ipaddress.ip_network(r.name).prefixlen, r.action is RuleAction.ALLOW, r.line),
            default=None,
        )
        assert (found.get(feed) and found[feed].line) == (best and best.line)


def test_what_is_no_network_is_refused_as_a_row():
    index = NameIndex.from_rules([listed("zone", block("203.0.113.0/33"), block("203.0.113.0/24", 2))])
    assert [(refusal.feed, refusal.rejection.line) for refusal in index.refused] == [("zone", 1)]
    assert len(index.networks) == 1
    with pytest.raises(PolicyError, match="no address or network"):
        network_row(0, block("somewhere"))


def test_rows_beyond_the_bound_are_refused():
    """With one word for all of them: the file that every worker reads must not grow with what it leaves out."""
    rows = [block(f"2001:db8::{n:x}/128", n) for n in range(1, MAX_NETWORKS + 3)]
    other = [block("203.0.113.0/24", 5), block("203.0.114.0/24", 6)]
    index = NameIndex.from_rules([listed("zone", *rows), listed("other", *other)])
    assert [(one.feed, one.rejection.line) for one in index.refused] == [("zone", MAX_NETWORKS + 1), ("other", 5)]
    assert index.refused[0].rejection.why == (
        f"from here on left out: all lists together have {MAX_NETWORKS} rows about addresses"
    )
    assert len(index.networks) == MAX_NETWORKS


def test_file_keeps_rows(tmp_path):
    name = build_image(tmp_path, [], [listed("zone", block("203.0.113.0/24", 7))], [])
    index = NameIndex.open(tmp_path / name, verify=True)
    assert index.networks.find(ipaddress.ip_address("203.0.113.5")) == {0: block("203.0.113.0/24", 7)}


def test_names_compiled_before_there_were_such_rows_have_none():
    tables = ImageCompiler().tables()
    metadata = json.loads(bytes(tables.metadata))
    del metadata["networks"]
    index = NameIndex(replace(tables, metadata=memoryview(json.dumps(metadata).encode())))
    assert len(index.networks) == 0


ZONE = listed("zone", block("203.0.113.0/24", 3), lift("203.0.113.9/32", 4), "example.org")


def said(policy, address: str, *names: str) -> str | None:
    verdict = policy.decide_address(address, EVERYONE, NOW, [name_from_text(name) for name in names])
    return f"{verdict.action} {verdict.subject}" if verdict.subject else None


def test_row_counts_as_its_list():
    policy = make_policy(["block feed:zone"], ZONE)
    verdict = policy.decide_address("203.0.113.7", EVERYONE, NOW)
    assert (verdict.is_blocked, verdict.feed, verdict.line, verdict.rule) == (True, "zone", 3, "203.0.113.0/24")
    assert (verdict.via, verdict.vendor) == ("203.0.113.7", None)
    assert said(policy, "203.0.114.7") is None
    assert said(make_policy(["block ai"], ZONE), "203.0.113.7") is None


def test_row_of_a_list_that_is_part_of_ai_counts_as_ai():
    ours = listed("zone", block("203.0.113.0/24"), part_of_ai=True)
    assert said(make_policy(["block ai"], ours), "203.0.113.7") == "block ai"
    assert said(make_policy(["block ai", "allow feed:zone"], ours), "203.0.113.7") == "allow feed:zone"


def test_statement_on_an_address_goes_before_lists():
    policy = make_policy(["block feed:zone", "allow address:203.0.0.0/8"], ZONE)
    assert said(policy, "203.0.113.7") == "allow address:203.0.0.0/8"


def test_list_lifts_what_itself_blocks_and_no_more():
    other = listed("other", block("203.0.113.9/32"))
    assert said(make_policy(["block feed:zone"], ZONE), "203.0.113.9") is None
    assert said(make_policy(["block feed:zone", "block feed:other"], ZONE, other), "203.0.113.9") == "block feed:other"


def test_own_list_lifts_what_others_block():
    own = listed("own", lift("203.0.113.9/32"), local=True)
    theirs = listed("theirs", block("203.0.113.0/24"))
    assert said(make_policy(["block feed:theirs", "block feed:own"], own, theirs), "203.0.113.9") is None
    assert said(make_policy(["block feed:theirs"], own, theirs), "203.0.113.9") == "block feed:theirs"


def test_row_about_the_name_goes_before_rows_about_its_addresses():
    passed = Rule(Match.EXACT, "passed.example", RuleAction.ALLOW, line=1)
    zone = listed("zone", block("203.0.113.0/24"), passed)
    policy = make_policy(["block feed:zone"], zone)
    assert said(policy, "203.0.113.7", "PASSED.example") is None
    assert said(policy, "203.0.113.7", "passed.example", "link.example") is None
    assert said(policy, "203.0.113.7", "link.example") == "block feed:zone"
    assert said(policy, "203.0.113.7", "chat.deepseek.example") == "block feed:zone"
    other = listed("other", block("203.0.113.0/24"))
    assert said(make_policy(["block feed:other"], zone, other), "203.0.113.7", "passed.example") == "block feed:other"


def test_own_exception_of_the_name_spares_its_addresses():
    own = listed("own", Rule(Match.EXACT, "passed.example", RuleAction.ALLOW), local=True)
    policy = make_policy(["block feed:zone", "block feed:own"], ZONE, own)
    assert said(policy, "203.0.113.7", "passed.example") is None
    assert said(policy, "203.0.113.7", "other.example") == "block feed:zone"


def test_addresses_of_protected_names_are_spared():
    policy = make_policy(["block feed:zone"], ZONE, vendors=VENDORS, protected=PROTECTED)
    assert said(policy, "203.0.113.7", "update.example") is None
