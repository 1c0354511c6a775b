"""What README and docs say is run or looked up here: recipes, commands, options, settings, files."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import click
import dns.message
import dns.query
import pytest

from sinkhole.cli.root import cli
from sinkhole.config.schema import Settings
from tests.e2e.conftest import TRUE_ADDRESS, UpstreamThread
from tests.e2e.running import Server, clean_environment, running, sinkhole_json
from tests.e2e.stored import wait_until
from tests.fakes import FakeUpstream, answers

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKED = ["0.0.0.0"]
TRUE = [TRUE_ADDRESS]
NAMES = {
    (name, "A"): TRUE
    for name in ("example.org", "chat.deepseek.com", "api.openai.com", "api.mistral.ai", "api.githubcopilot.com")
}


def recipes() -> dict[str, str]:
    """Return the title of each recipe (the bold words before it, else its first words) and its commands."""
    found = re.findall(r"\n\n([^\n]+(?:\n[^\n]+)*)\n\n<!-- recipe -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert len(found) == README.count("<!-- recipe -->")
    return {(re.match(r"\*\*(.+?)\*\*", text) or re.match(r"(.+?)[,:]", text))[1]: block for text, block in found}  # type: ignore[index]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server as the five-minute start leaves it."""
    with UpstreamThread(FakeUpstream(answers(NAMES))) as fake, running(tmp_path / "d", upstream=fake.port) as found:
        yield found


def run(server: Server, commands: str, tmp_path: Path) -> str:
    """Run a block as it is printed, in a shell where `sinkhole` is this checkout's."""
    command = tmp_path / "bin" / "sinkhole"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sinkhole "$@"\n')
    command.chmod(0o755)
    environment = clean_environment() | {
        "SINKHOLE_DATA_DIR": str(server.data_dir), "PATH": f"{command.parent}:{os.environ['PATH']}",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-euc", commands], capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def recorded(server: Server) -> dict[str, str]:
    """Return what was done with each vendor that was recorded."""
    lines = server.cli("hits", "export", "--format", "json").stdout.splitlines()
    return {row["vendor"]: row["action"] for row in map(json.loads, lines)}


def only_deepseek(server: Server, _: str) -> None:
    assert server.addresses("chat.deepseek.com") == BLOCKED
    assert server.addresses("api.openai.com") == TRUE
    server.stop()
    assert recorded(server) == {"deepseek": "block"}


def models_everywhere(server: Server, _: str) -> None:
    server.cli("policy", "remove", "ai")
    assert server.addresses("chat.deepseek.com") == BLOCKED
    assert server.addresses("openrouter.ai") == BLOCKED
    assert server.addresses("api.openai.com") == TRUE


def by_jurisdiction(server: Server, _: str) -> None:
    assert server.addresses("chat.deepseek.com") == BLOCKED
    assert server.addresses("api.openai.com") == TRUE
    server.stop()
    assert recorded(server) == {"deepseek": "block", "openai": "monitor"}


def in_working_hours(server: Server, _: str) -> None:
    """Lunch, the evening and Sunday are free, on both sides of the change of clocks."""
    hours = {
        "2030-03-29T08:00+01:00": "BLOCK", "2030-03-29T12:00+01:00": "NONE", "2030-03-29T17:29+01:00": "BLOCK",
        "2030-03-29T17:30+01:00": "NONE", "2030-03-31T10:00+02:00": "NONE", "2030-04-01T07:59+02:00": "NONE",
        "2030-04-01T08:00+02:00": "BLOCK",
    }  # fmt: skip
    for at, outcome in hours.items():
        told = sinkhole_json("check", "chat.deepseek.com", "--at", at, data_dir=server.data_dir)
        assert (at, told["outcome"]) == (at, outcome)


def monitor_everything(server: Server, _: str) -> None:
    assert server.addresses("chat.deepseek.com") == TRUE
    assert server.addresses("api.openai.com") == TRUE
    server.stop()
    assert recorded(server) == {"deepseek": "monitor", "openai": "monitor"}


def approve_one(server: Server, _: str) -> None:
    assert server.addresses("api.mistral.ai") == TRUE
    assert server.addresses("chat.deepseek.com") == BLOCKED
    assert server.addresses("api.githubcopilot.com") == BLOCKED
    told = sinkhole_json("check", "api.githubcopilot.com", "--client", "10.20.1.1", data_dir=server.data_dir)
    assert told["outcome"] == "ALLOW"
    server.cli("groups", "add", "developers", "127.0.0.9")
    query = dns.message.make_query("api.githubcopilot.com", "A")
    reply = dns.query.udp(query, "127.0.0.1", port=server.port, source="127.0.0.9", timeout=5)
    assert [str(item) for rrset in reply.answer for item in rrset] == TRUE


def ask_why_and_who(server: Server, said: str) -> None:
    assert "\nBLOCK\n" in said  # in a folder of its own, where nobody approved anything
    assert "\nai " in said
    assert "deepseek  DeepSeek  CN" in said
    assert "127.0.0.1 " in said.rpartition("client")[2]


def look_before_you_leap(server: Server, said: str) -> None:
    assert said.startswith("impact ")
    wanted = "impact 1 client, 1 attempt in the last 7 days would have been allowed instead of blocked"
    assert wait_until(lambda: wanted in server.cli("policy", "allow", "deepseek", "--dry-run").stdout)
    assert server.addresses("chat.deepseek.com") == BLOCKED


EFFECTS: dict[str, Callable[[Server, str], None]] = {
    "Block only DeepSeek": only_deepseek,
    "Block by jurisdiction": by_jurisdiction,
    "Block DeepSeek wherever its models are served": models_everywhere,
    "Monitor everything, block nothing": monitor_everything,
    "Block in working hours only": in_working_hours,
    "Approve one vendor": approve_one,
    "Then ask why": ask_why_and_who,
    "Look before you leap": look_before_you_leap,
}


def test_every_recipe_is_known_here():
    assert set(recipes()) == set(EFFECTS)


@pytest.mark.parametrize("title", EFFECTS)
def test_recipe_has_the_effect_it_promises(server, tmp_path, title):
    assert server.addresses("chat.deepseek.com", "AAAA") == ["::"]  # as the start leaves it
    if title == "Then ask why":  # it tells of what is stored, which comes a moment after the answer
        assert wait_until(lambda: "deepseek" in recorded(server))
    said = run(server, recipes()[title], tmp_path)
    EFFECTS[title](server, said)


def test_five_minutes_lead_to_a_blocked_name(server):
    (command,) = re.findall(r"^\$ (dig .* chat\.deepseek\.com \+short)\n0\.0\.0\.0$", README, re.MULTILINE)
    words = shlex.split(command.replace("5300", str(server.port)))
    assert subprocess.run(words, capture_output=True, text=True, check=True, timeout=20).stdout == "0.0.0.0\n"


def test_set_up_is_two_commands_and_ci_runs_the_second():
    blocks = dict(re.findall(r"<!-- (the resolver|the tests) -->\n```sh\n(.*?)\n```", README, re.DOTALL))
    assert set(blocks) == {"the resolver", "the tests"}
    assert all("\n" not in block and "-m venv .venv" in block for block in blocks.values())
    assert blocks["the resolver"].endswith(".venv/bin/sinkhole serve")
    assert blocks["the tests"].endswith(".venv/bin/python -m pytest")
    ci = (ROOT / ".ci" / "run").read_text()
    (extract,) = re.findall(r"^command=\$\((.*)\)$", ci, re.MULTILINE)
    found = subprocess.run(["bash", "-c", extract], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert found.strip() == blocks["the tests"]
    assert 'bash -euc "$command"' in ci


def snippets(page: Path) -> list[str]:
    """Return what a page shows as code: lines of blocks, and words between back-ticks."""
    text = page.read_text()
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", text, re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()] + inline


def command_lines() -> list[tuple[str, list[str]]]:
    """Return every command of ours that a page shows, with the page."""
    found = []
    for page in PAGES:
        for snippet in snippets(page):
            for part in re.split(r"&&|;|\|", snippet.partition(" #")[0]):
                words = shlex.split(part.replace("…", ""), posix=False)
                if words and Path(words[0]).name == "sinkhole" and len(words) > 1:
                    found.append((page.name, words[1:]))
    return found


@pytest.mark.parametrize(
    ("page", "words"), command_lines(), ids=lambda value: " ".join(value) if isinstance(value, list) else value
)
def test_command_that_a_page_names_exists(page, words):
    context = click.Context(cli)
    command: click.Command | None = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command, words = command.get_command(context, words[0]), words[1:]
        assert command is not None
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    named = {word.partition("=")[0].strip("[]") for word in words if word.startswith("-")}
    assert named <= known | {"--help", "--version"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_settings_that_a_page_names_exist(page):
    text = page.read_text()
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / link).exists(), link
    for word in snippets(page):
        if re.fullmatch(r"[\w./-]+/[\w.-]+\.(py|md|toml|service|timer|txt)", word) and not word.startswith(
            ("/", "compiled")
        ):
            assert any((root / word).exists() for root in (ROOT, ROOT / "sinkhole", page.parent)), word
        section, _, key = word.partition(".")
        if section in Settings.model_fields and re.fullmatch(r"(?!toml)[a-z_]+( = .*)?", key):
            annotation = Settings.model_fields[section].annotation
            table = next(iter(get_args(annotation)), annotation)  # what a list of tables holds
            keys = getattr(table, "model_fields", {})
            assert key.partition(" ")[0] in keys, word
