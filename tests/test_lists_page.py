"""docs/lists.md is true: each row of its table is read and asked, as a remote list would be."""

import re
from pathlib import Path

import pytest

from sinkhole.feeds.parse import READERS, parse
from sinkhole.policy.feed import Feed, FeedStatus
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.judge import judge
from sinkhole.policy.rule import Rule, RuleAction
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType

PAGE = (Path(__file__).parents[1] / "docs" / "lists.md").read_text()
ROWS = re.findall(r"^\| ([\w-]+) \| `(.+?)` \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


def is_blocked(row: str, list_format: str, name: str, *, local: bool = False) -> bool:
    found = list(parse([row.encode() + b"\n"], list_format, local=local))
    rules = [rule for rule in found if isinstance(rule, Rule)]
    assert len(rules) == len(found) > 0, found
    index = NameIndex.from_rules([FeedRules(Feed("page", "file:x", format=list_format, local=local), rules)])
    wire = name_from_text(name)
    match = index.find(wire)
    outcome = judge(match.rows.get(0, []), wire, QType.A, "192.0.2.1") if match else None
    return outcome is not None and outcome.action is RuleAction.BLOCK


@pytest.mark.parametrize(("list_format", "row", "blocks", "leaves"), ROWS)
def test_row_means_what_the_page_says(list_format, row, blocks, leaves):
    text = row.replace("\\|", "|")
    assert {name: is_blocked(text, list_format, name) for name in blocks.split(", ")} == dict.fromkeys(
        blocks.split(", "), True
    )
    assert not [name for name in leaves.split(", ") if is_blocked(text, list_format, name)]


def test_page_tells_of_every_format_and_status():
    assert {row[0] for row in ROWS} | {"adguard-services", "catalogue"} == set(READERS)
    assert all(re.search(rf"\b{status.value}\b", PAGE) for status in FeedStatus)


@pytest.mark.parametrize(
    ("list_format", "row"),
    [
        ("adblock", "|nas.example.org^$dnsrewrite=192.0.2.7"),
        ("adblock", "||example.org^$client=192.0.2.1"),
        ("adblock", r"/^ads[0-9]+\./"),
        ("adblock", "||com^"),
        ("adblock", "||^"),
        ("domains", "co.uk"),
        ("domains", "example.org/page"),
        ("adblock", "||example.org:8080^"),
        ("adblock", "||example.org^$removeparam=utm"),
    ],
)
def test_what_a_remote_list_may_not_do_is_rejected(list_format, row):
    """R-F08, R-L07, R-L11, R-L12: as the page says."""
    assert not [rule for rule in parse([row.encode()], list_format) if isinstance(rule, Rule)]


@pytest.mark.parametrize(
    ("list_format", "row"),
    [
        ("adblock", "|nas.example.org^$dnsrewrite=192.0.2.7"),
        ("adblock", "||example.org^$client=192.0.2.1"),
        ("adblock", r"/^ads[0-9]+\./"),
        ("adblock", "||com^"),
        ("dnsmasq", "address=/nas.example.org/192.0.2.7"),
        ("rpz", "nas.example.org A 192.0.2.7"),
        ("unbound", 'local-data: "nas.example.org. A 192.0.2.7"'),
    ],
)
def test_local_list_may(list_format, row):
    (rule,) = parse([row.encode()], list_format, local=True)
    assert isinstance(rule, Rule)
    assert (rule.action is RuleAction.REWRITE) == ("nas." in row)
