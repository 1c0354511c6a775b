"""The lock file pins what the project depends on."""

import re
import tomllib
from pathlib import Path

TOP = Path(__file__).parents[1]


def test_dependencies_are_pinned_with_hashes():
    """R-P08: each one, and what they depend on, by version and hash."""
    blocks = re.split(r"\n(?=[a-z0-9])", (TOP / "requirements.lock").read_text())
    pinned = {}
    for block in blocks:
        if found := re.match(r"([a-z0-9._-]+)(?:\[[^\]]*\])?==\S+", block):
            pinned[found[1]] = block.count("--hash=sha256:")
    assert all(pinned.values())
    wanted = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.match(r"[a-z0-9-]+", text)[0] for text in wanted} <= set(pinned)
