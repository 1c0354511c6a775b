"""What has nothing to do with AI is not blocked by the default policy."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalogue.world import is_blocked, shipped, verdict
from tests.shared_data import SHARED, needs_shared

CATALOGUE = SHARED / "catalogue"
ARGUED: dict[str, str] = {}
"""Well-known names without AI that are blocked all the same, each with the reason. None today."""


def names(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        name = line.partition("#")[0].strip()
        if name:
            yield name


def hits(path: Path) -> dict[str, str | None]:
    """Return the names that the subject ai blocks, and the rows that do it."""
    found = {name: verdict(name, "ai") for name in names(path)}
    return {name: seen.rule for name, seen in found.items() if seen.action.name == "BLOCK"}


def test_never_block_names_are_not_blocked():
    """R-F07: names that nothing may block stay reachable under the default policy."""
    assert [name for name in shipped().never_block if is_blocked(name, "ai")] == []


def test_names_that_vendors_share_are_not_blocked_by_any_catalogue_subject():
    subjects = ("ai", *(f"vendor:{vendor.id}" for vendor in shipped().vendors))
    shared = [name for vendor in shipped().vendors for name in vendor.never_block]
    assert [name for name in shared if is_blocked(name, *subjects)] == []


@needs_shared
def test_no_must_not_block_name_is_blocked():
    path = CATALOGUE / "must-not-block.txt"
    assert len(list(names(path))) > 300
    assert hits(path) == {}


@needs_shared
def test_well_known_names_without_ai_are_not_blocked():
    path = CATALOGUE / "benign.txt"
    known = list(names(path))
    assert len(known) > 20_000
    assert set(hits(path)) == set(ARGUED)
    assert [name for name in known if is_blocked(f"www.{name}", "ai")] == []


@pytest.mark.parametrize(
    "name",
    [
        "www.bing.com",
        "teams.microsoft.com",
        "storage.googleapis.com",
        "s3.us-east-1.amazonaws.com",
        "bedrock.s3.amazonaws.com",
        "sts.eu-central-1.amazonaws.com",
        "api.github.com",
        "raw.githubusercontent.com",
        "scontent.whatsapp.net",
        "x.com",
        "www.notion.so",
        "m365.cloud.microsoft",
        "example.cognitiveservices.azure.com",
        "gator.volces.com",
        "ai.com",
        "augment.com",
        "copilot.ai",
    ],
)
def test_neighbours_of_ai_hosts_are_not_blocked(name):
    assert not is_blocked(name, "ai")
