"""docs/cli.md is a transcript: each command in it is run, in order, on one server, and prints what the page says."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import TRUE_ADDRESS, UpstreamThread
from tests.e2e.running import Server, clean_environment, running
from tests.fakes import FakeUpstream, answers

PAGE = (Path(__file__).parents[1] / "docs" / "cli.md").read_text()
SESSIONS = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NAMES = {
    (name, "A"): [TRUE_ADDRESS]
    for name in (
        "example.org",
        "chat.deepseek.com",
        "api.openai.com",
        "chat.mistral.ai",
        "status.example.org",
        "chat.novel-gpt.ai",
    )
}
HANDED_OVER = 6.0
"""Seconds within which a query is in the store."""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str], Path]]:
    """Give a server, and the environment and folder of a shell in which `sinkhole` is this checkout's."""
    folder = tmp_path_factory.mktemp("page")
    command = folder / "bin" / "sinkhole"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sinkhole "$@"\n')
    command.chmod(0o755)
    home = folder / "home"
    home.mkdir()
    with (
        UpstreamThread(FakeUpstream(answers(NAMES))) as fake,
        running(folder / "data", "--config", configured(folder), upstream=fake.port) as server,
    ):
        environment = clean_environment() | {
            "SINKHOLE_DATA_DIR": str(server.data_dir), "SINKHOLE_CONFIG": str(folder / "sinkhole.toml"),
            "PATH": f"{command.parent}:{os.environ['PATH']}", "TZ": "UTC", "COLUMNS": "400",
        }  # fmt: skip
        yield server, environment, home


def configured(folder: Path) -> Path:
    """Write the settings that the page begins with; feeds are not fetched, since there is nobody to fetch them from."""
    file = folder / "sinkhole.toml"
    file.write_text("[feeds]\nsync = false\n")
    return file


def steps(session: str) -> list[tuple[str, list[str]]]:
    """Return the commands of a session, each with the lines that it prints."""
    found: list[tuple[str, list[str]]] = []
    for line in session.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def pattern_of(lines: list[str]) -> re.Pattern[str]:
    """Return what output must match: `…` stands for anything in a line, a line that is `…` for any lines."""
    parts = [
        r"(?:.*\n)*?"
        if line.strip() == "…"
        else re.escape(re.sub(r"\s+", " ", line.rstrip())).replace("…", ".*") + r"\n"
        for line in lines
    ]
    return re.compile("".join(parts))


def flat(text: str) -> str:
    """Return text with one space for any run of them: columns are as wide as what is in them."""
    return "".join(re.sub(r"[ \t]+", " ", line.rstrip()) + "\n" for line in text.splitlines())


def run(command: str, shell: tuple[Server, dict[str, str], Path]) -> str:
    server, environment, home = shell
    line = command.replace("-p 5300", f"-p {server.port}")
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=environment, cwd=home, check=False, timeout=60
    )
    assert "Traceback" not in done.stderr
    return flat(done.stdout + done.stderr)


@pytest.mark.parametrize("number", range(len(SESSIONS)), ids=lambda n: SESSIONS[n].splitlines()[0][2:60])
def test_session_is_as_printed(number, shell):
    for command, lines in steps(SESSIONS[number]):
        wanted = pattern_of(lines)
        deadline = time.monotonic() + HANDED_OVER
        said = run(command, shell)
        # What was asked a moment ago may be on its way into the store; only what reads it may be run again.
        while not wanted.fullmatch(said) and is_reading(command) and time.monotonic() < deadline:
            time.sleep(0.3)
            said = run(command, shell)
        assert wanted.fullmatch(said), f"$ {command}\n{said}\nwanted:\n" + "\n".join(lines)


def is_reading(command: str) -> bool:
    return re.match(r"sinkhole (report|hits|clients|discover list|check)\b", command) is not None


def test_page_has_sessions_for_every_command():
    from sinkhole.cli.root import cli

    names = set(cli.list_commands(None)) - {"serve", "restore", "completion"}
    told = {
        word
        for session in SESSIONS
        for word in re.findall(r"(?:^\$ |\| |&& |; )sinkhole ([a-z-]+)", session, re.MULTILINE)
    }
    assert names <= told
