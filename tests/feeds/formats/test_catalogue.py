import json

import pytest

from sinkhole.errors import FeedFormatError
from sinkhole.policy.rule import Match
from tests.feeds.reading import read, rejections, rules


def document(*domains: dict[str, object]) -> str:
    vendors = [{"id": "v", "products": [{"id": "v/p", "domains": list(domains)}]}]
    return json.dumps({"sinkhole": 1, "vendors": vendors}, indent=1)


def test_domains_by_their_match_with_the_line_they_stand_on() -> None:
    text = document(
        {"name": "a.example"},
        {"name": "b.example", "match": "exact", "role": "api"},
        {"name": "api.*.c.example", "match": "wildcard"},
        {"name": "*.d.example", "match": "wildcard"},
        {"name": "telemetry.example", "opt_in": True},
    )
    found = rules(read(text, "catalogue"))
    assert [(r.match, r.name) for r in found] == [
        (Match.SUFFIX, "a.example"),
        (Match.EXACT, "b.example"),
        (Match.MASK, "|api.*.c.example^"),
        (Match.BELOW, "d.example"),
    ]
    lines = text.splitlines()
    assert all(rule.name.strip("|*^") in lines[rule.line - 1] for rule in found)


@pytest.mark.parametrize("domain", [{"name": "com"}, {"name": "foo..x"}, {}, {"name": "a.example", "match": "nosuch"}])
def test_bad_domains_are_refused_one_by_one(domain: dict[str, object]) -> None:
    found = read(document(domain, {"name": "a.example"}), "catalogue")
    assert len(rejections(found)) == 1
    assert [r.name for r in rules(found)] == ["a.example"]


@pytest.mark.parametrize(
    "text",
    [
        '{"sinkhole": 1',
        '{"sinkhole": 2, "vendors": []}',
        '{"sinkhole": 1, "vendors": {}}',
        '{"sinkhole": 1, "vendors": [1]}',
        '{"sinkhole": 1, "vendors": [{"products": "x"}]}',
        '"sinkhole"',
        '{"a": ' + "[" * 100_000 + '"sinkhole"',
        "",
    ],
)
def test_another_document_is_refused_whole(text: str) -> None:
    with pytest.raises(FeedFormatError):
        read(text, "catalogue")


def test_auto_knows_it() -> None:
    assert [r.name for r in rules(read(document({"name": "a.example"}), "auto"))] == ["a.example"]
