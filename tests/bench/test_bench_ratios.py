"""No dearer than before: what an answer of Sinkhole takes, beside one of Unbound in the same run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.native import compiled
from bench.peers.peer import path_of

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.alone
@pytest.mark.skipif(path_of("unbound") is None, reason="needs unbound (Debian package unbound)")
@pytest.mark.skipif(compiled("load") is None, reason="needs a C compiler (Debian packages gcc, libc6-dev)")
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores, one for the server and one for the load")
def test_no_workload_fell_by_a_fifth_against_unbound():
    done = subprocess.run([sys.executable, "-m", "bench.ratios"], capture_output=True, text=True, check=False, cwd=ROOT)
    print(done.stdout)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
