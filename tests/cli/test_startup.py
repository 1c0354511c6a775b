"""What a short command does not load: half of the time of most would go there."""

import ast
import subprocess
import sys

import pytest

HEAVY = ("aiohttp", "alembic", "requests", "sqlalchemy.orm")
COMPILING = ("sinkhole.app.compiled", "sinkhole.catalogue.load", "sinkhole.feeds.parse", "cryptography", "tomlkit")


@pytest.mark.parametrize("words", [("policy", "list"), ("check", "example.org"), ("report",), ("audit", "verify")])
def test_command_that_fetches_and_migrates_nothing_loads_nothing_for_it(run, words):
    run.good("policy", "list")  # makes the store, with all steps of a migration
    assert loaded(run, words, HEAVY) == []


@pytest.mark.parametrize("words", [("policy", "list"), ("feeds", "list")])
def test_command_that_shows_what_is_stored_loads_nothing_that_compiles(run, words):
    run.good("policy", "list")
    assert loaded(run, words, (*HEAVY, *COMPILING)) == []


def loaded(run, words, names):
    """Run a command in a process of its own; return which of these modules it loaded."""
    code = (
        "import sys\nfrom sinkhole.__main__ import main\n"
        f"try:\n    main({[*words, '--data-dir', str(run.folder)]!r})\n"
        "except SystemExit as ended:\n    assert ended.code == 0, ended\n"
        f"print([name for name in {names!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return ast.literal_eval(done.stdout.splitlines()[-1])
