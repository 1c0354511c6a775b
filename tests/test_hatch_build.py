"""What is compiled, and when; that it works is a step of `.ci/run`."""

import tomllib
from pathlib import Path

import pytest

from hatch_build import LEVELS, VARIABLE, CompileHook

TOP = Path(__file__).parents[1]
CONFIG = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"][
    "custom"
]


def hook():
    return CompileHook(str(TOP), CONFIG, None, None, "", "wheel")


def test_nothing_is_compiled_or_needed_unless_asked_for(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    data = {}
    hook().initialize("standard", data)
    hook().finalize("standard", data, "")
    assert (hook().dependencies(), data) == ([], {})


def test_another_word_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "fast")
    with pytest.raises(SystemExit, match="SINKHOLE_COMPILE: wanted release or debug; found 'fast'"):
        hook().dependencies()


@pytest.mark.parametrize("word", [word for word in LEVELS if word])
def test_sources_that_are_edited_are_what_runs(monkeypatch, word):
    monkeypatch.setenv(VARIABLE, word)
    with pytest.raises(SystemExit, match="install without -e"):
        hook().initialize("editable", {})


def test_modules_are_there_each_once():
    modules = CONFIG["modules"]
    assert modules == sorted(set(modules))
    assert all((TOP / name).is_file() for name in modules)


def test_types_are_those_of_the_lock(monkeypatch):
    monkeypatch.setenv(VARIABLE, "release")
    needed = hook().dependencies()
    assert all(any(one.startswith(f"{name}==") for one in needed) for name in ("cffi", "pydantic", "uvloop"))
    assert any(one.startswith("mypy==") for one in needed)
