"""AdGuard's registry of services."""

import json

import pytest

from sinkhole.errors import FeedFormatError
from sinkhole.feeds.detect import detect
from sinkhole.feeds.parse import parse
from sinkhole.policy.rule import Match, Rejection, Rule

REGISTRY = json.dumps(
    {
        "blocked_services": [
            {"id": "9gag", "name": "9GAG", "rules": ["||9gag.example^"], "group": "social_network"},
            {"id": "deepseek", "rules": ["||deepseek.com^", "||com^"], "icon_svg": "<svg/>", "group": "ai"},
            {"id": "old", "rules": ["||old.example^"]},
            {"id": "claude", "rules": ["||claude.ai^"], "group": "ai"},
        ],
        "groups": [{"id": "ai"}],
    },
    indent=2,
)


def _parse(text: str) -> list[Rule | Rejection]:
    return list(parse(text.encode().splitlines(keepends=True), "auto"))


def test_services_of_the_group_ai_are_read_with_their_lines() -> None:
    assert detect(REGISTRY.encode()) == "adguard-services"
    found = _parse(REGISTRY)
    lines = REGISTRY.splitlines()
    assert [row for row in found if isinstance(row, Rule)] == [
        Rule(Match.SUFFIX, "deepseek.com", line=1 + lines.index('        "||deepseek.com^",')),
        Rule(Match.SUFFIX, "claude.ai", line=1 + lines.index('        "||claude.ai^"')),
    ]


def test_wide_row_is_rejected() -> None:
    """R-L12."""
    rejected = [row for row in _parse(REGISTRY) if isinstance(row, Rejection)]
    assert [row.text for row in rejected] == ["||com^"]


@pytest.mark.parametrize(
    "text",
    [
        '{"blocked_services": [',
        '{"blocked_services": 1}',
        '[{"blocked_services": 1}]',
        '{"blocked_services": ["x"]}',
        '{"blocked_services": [{"group": "ai", "rules": "||x.example^"}]}',
    ],
)
def test_other_document_is_refused(text: str) -> None:
    with pytest.raises(FeedFormatError, match="the registry of services"):
        _parse(text)
