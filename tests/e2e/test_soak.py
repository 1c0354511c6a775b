"""The soak in its short form: a quarter of a minute of load; the long form is `python -m bench.soak --minutes 30`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.running import clean_environment

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]


def test_a_quarter_of_a_minute_of_mixed_load():
    """R-P04, R-O11: no answer is lost or wrong, no process grows, while policy and lists change."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.soak", "--minutes", "0.25", "--rate", "300", "--entries", "3000"],
        cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"lost": 0' in done.stdout
    assert "p99_ms" in done.stdout
