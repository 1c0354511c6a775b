"""What a short command does not load: half of the time of most would go there."""

import subprocess
import sys

import pytest

HEAVY = ("aiohttp", "alembic", "requests")


@pytest.mark.parametrize("words", [("policy", "list"), ("check", "example.org"), ("report",), ("audit", "verify")])
def test_command_that_fetches_and_migrates_nothing_loads_nothing_for_it(run, words):
    run.good("policy", "list")  # makes the store, with all steps of a migration
    code = (
        "import sys\nfrom sinkhole.__main__ import main\n"
        f"try:\n    main({[*words, '--data-dir', str(run.folder)]!r})\n"
        "except SystemExit as ended:\n    assert ended.code == 0, ended\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "[]"
