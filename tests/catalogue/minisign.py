"""The minisign tool, a stranger to our own signatures."""

import shutil
import subprocess
from pathlib import Path

import pytest

TOOL = shutil.which("minisign")
needs_minisign = pytest.mark.skipif(TOOL is None, reason="minisign is not installed (apt-get install minisign)")


def minisign(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the tool; nothing can be asked."""
    assert TOOL is not None
    return subprocess.run(
        [TOOL, *map(str, words)], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=False
    )
