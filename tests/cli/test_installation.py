"""`config`, `catalogue`, `backup`, `restore`, and what holds for all commands."""

import datetime as dt
import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

import click
import pytest

from sinkhole.app import data_dir
from sinkhole.cli.output import age, count_of, local_time, print_table
from sinkhole.cli.root import cli
from sinkhole.evidence.as_csv import csv_cell
from tests.e2e.running import COMMAND, clean_environment


def commands() -> list[list[str]]:
    """Every command there is, with its subcommands."""
    context = cli.make_context("sinkhole", [], resilient_parsing=True)
    named = ((name, cli.get_command(context, name)) for name in cli.list_commands(context))
    return [words for name, command in named for words in below([name], command)]


def below(words, command):
    """Yield the words of a command, or those of what is below a group."""
    if not isinstance(command, click.Group):
        yield words
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from below([*words, name], command.get_command(context, name))


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_explains_itself_and_takes_a_place(run, words):
    done = run(*words, "--help", place=False)
    assert done.status == 0
    assert done.lines[2].strip()
    if words not in (["config", "docs"], ["completion"]):
        assert "--data-dir" in done.out
        assert "--config" in done.out
    assert all(len(line) <= 80 for line in done.lines)


SHORT_HELPS = (
    "policy", "groups", "feeds", "hits", "catalogue", "config", "exception", "pause", "lockdown", "coach",
)  # fmt: skip


def test_short_helps_are_whole_sentences(run):
    for words in ([], *([name] for name in SHORT_HELPS)):
        assert "..." not in run(*words, "--help", place=False).out.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("polcy",), "No such command 'polcy'; did you mean policy?"),
        (("xyzzy",), "No such command 'xyzzy'"),
        (("policy", "blok", "ai"), "No such command 'blok'"),
        (("policy", "block"), "Missing argument 'SUBJECT'"),
        (("report", "--jsn"), "No such option"),
    ],
)
def test_mistyped_command_line(run, words, said):
    done = run(*words, place=False)
    assert (done.status, done.out) == (2, "")
    assert said in done.error


def test_place_may_come_from_the_environment(run, monkeypatch, tmp_path):
    monkeypatch.setenv("SINKHOLE_DATA_DIR", str(tmp_path / "elsewhere"))
    assert run("policy", "list", place=False).status == 0
    assert (tmp_path / "elsewhere" / "store.db").exists()


def test_folder_that_cannot_be_written_is_one_sentence(run):
    run.folder.write_text("a file")
    said = run("policy", "list").sentence
    assert said.startswith(f"data folder {run.folder}: cannot be written")


def test_error_of_the_system_is_one_sentence(run):
    run.good("policy", "list")
    (run.folder / "compiled" / "lock").mkdir()
    assert "Is a directory" in run("policy", "block", "deepseek").sentence


def test_config_check_tells_all_mistakes_with_their_place(run):
    assert run.good("config", "check").lines == [f"config {run.config}: is good"]
    run.config.write_text('[server]\nworkers = "x"\nlisten = ["nowhere"]\nfoo = 1\n')
    done = run("config", "check")
    assert done.status == 2
    assert ["line 2" in done.error, "line 4" in done.error] == [True, True]
    run.config.write_text('[server]\nlisten = ["nowhere"]\n[upstream]\nservers = ["gopher://x"]\n')
    done = run("config", "check")
    assert "server.listen[0]" in done.error
    assert "upstream.servers[0]" in done.error
    assert all(line.startswith("sinkhole: ") for line in done.error.splitlines())


def test_config_without_a_file(run):
    assert run("config", "check", place=False).lines == ["config: is good; no file is given, so defaults"]
    assert "cannot be read" in run("config", "check", "--config", "/nonexistent/x", place=False).sentence


def test_config_show_can_be_used_as_a_file(run, tmp_path):
    shown = run.good("config", "show").out
    path = tmp_path / "shown.toml"
    path.write_text(shown)
    assert run("config", "show", "--config", path, place=False).out == shown


def test_config_docs_are_those_committed(run):
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert run("config", "docs", place=False).out == page.read_text()


def test_catalogue_list_is_narrowed_by_what_there_is(run):
    every = run.good("catalogue", "list", "--json").json
    assert run.good("catalogue", "list").lines[-1] == f"{len(every)} of {len(every)} vendors"
    chinese = run.good("catalogue", "list", "--jurisdiction", "cn", "--json").json
    assert "deepseek" in {vendor["id"] for vendor in chinese}
    assert {vendor["jurisdiction"] for vendor in chinese} == {"CN"}
    music = run.good("catalogue", "list", "--category", "music").lines
    assert any(line.startswith("suno ") for line in music)
    assert "there is no category 'nope'" in run("catalogue", "list", "--category", "nope").sentence
    assert "there is no jurisdiction 'XX'" in run("catalogue", "list", "--jurisdiction", "xx").sentence
    assert run.good("catalogue", "list", "--category", "music", "--jurisdiction", "ru").lines[0] == "no vendor fits"


def test_catalogue_show_tells_evidence_and_what_is_never_blocked(run):
    out = run.good("catalogue", "show", "DeepSeek").out
    assert "jurisdiction  CN" in out
    assert "\n  web\n    deepseek.com and below  " in out
    assert "only when asked for" in out
    assert "never blocked, since others live there: " in out
    told = run.good("catalogue", "show", "deepseek", "--json").json
    assert {"deepseek/chat", "deepseek/api"} <= {product["id"] for product in told["products"]}
    said = run("catalogue", "show", "deepsek").sentence
    assert said == "there is no vendor 'deepsek' in the catalogue; did you mean deepseek, deepset or deepscribe?"


def test_vendors_of_every_kind_can_be_shown(run):
    every = run.good("catalogue", "list", "--json").json
    told = {
        "a wildcard": lambda v: any(d["match"] == "wildcard" for p in v["products"] for d in p["domains"]),
        "not by default": lambda v: v["not_default"],
        "not separable": lambda v: any(not p["separable"] for p in v["products"]),
        "unknown jurisdiction": lambda v: v["jurisdiction"] == "ZZ",
    }
    for kind, has in told.items():
        vendor = next((vendor for vendor in every if has(vendor)), None)
        assert vendor, kind
        assert run.good("catalogue", "show", vendor["id"]).lines[0].startswith(f"{vendor['name']}  ({vendor['id']}; ")


def test_catalogue_lint(run, tmp_path):
    assert run.good("catalogue", "lint").lines[-1].endswith(" 0 mistakes")
    assert "there is no vendor file" in run("catalogue", "lint", tmp_path).sentence
    folder = tmp_path / "blocklists"
    source = Path(__file__).parents[2] / "blocklists"
    (folder / "vendors").mkdir(parents=True)
    for name in ("catalogue.toml", "categories.toml", "feeds.toml", "never-block.txt", "vendors/mistral.toml"):
        if (source / name).exists():
            (folder / name).write_bytes((source / name).read_bytes())
    text = (folder / "vendors" / "mistral.toml").read_text()
    (folder / "vendors" / "mistral.toml").write_text(text.replace('"mistral.ai"', '"co.uk"'))
    done = run("catalogue", "lint", folder)
    assert done.status == 1
    assert "co.uk" in done.out
    assert done.lines[-1].startswith("1 vendor, ")


def test_backup_and_restore(run, tmp_path):
    """R-O08: the whole state in one file, for the owner alone, never over another."""
    file = tmp_path / "state.tgz"
    assert "there is no store to back up" in run("backup", file).sentence
    run.good("policy", "allow", "mistral")
    assert run.good("backup", file).out.startswith(f"wrote {file}, ")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "never overwrites" in run("backup", file).sentence
    assert "already has a store" in run("restore", file).sentence
    other = tmp_path / "other"
    assert run("restore", file, "--data-dir", other, place=False).lines == [f"restored {file} into {other}"]
    assert "vendor:mistral" in run("policy", "list", "--data-dir", other, place=False).out
    assert run("restore", tmp_path / "none").status == 2


def test_restore_keeps_out_of_a_running_server(run, tmp_path):
    run.good("policy", "list")
    run.good("backup", tmp_path / "state.tgz")
    held = data_dir.lock(run.folder)
    try:
        assert "a server runs on it; stop it first" in run("restore", tmp_path / "state.tgz").sentence
    finally:
        os.close(held)


def test_file_that_is_no_backup(run, tmp_path):
    (tmp_path / "x.tgz").write_text("hello")
    assert "cannot be restored" in run("restore", tmp_path / "x.tgz").sentence


def test_words_for_people():
    assert [count_of(n, "client") for n in (0, 1, 2)] == ["0 clients", "1 client", "2 clients"]
    assert local_time(None) == "-"
    moment = dt.datetime.fromtimestamp(0, dt.UTC)
    ages = [age(moment, moment + dt.timedelta(seconds=s)) for s in (5, 90, 7200, 200_000)]
    assert ages == ["5 s", "2 min", "2 h", "2 d"]
    assert age(None, moment) == "never"
    assert [csv_cell(cell) for cell in ("=1", "@x", "-1", "a=1", 5, None)] == ["'=1", "'@x", "'-1", "a=1", 5, None]


def test_numbers_stand_right_and_empty_columns_left(capsys):
    print_table(("name", "count", "note"), [("a", 5, None), ("long", 12345, None)], empty="")
    assert capsys.readouterr().out.splitlines() == ["name  count  note", "a         5  -", "long  12345  -"]


def test_table_fits_the_terminal():
    """Long values are cut where a person reads, and whole where a program does."""
    wide = subprocess.run(
        [*COMMAND, "catalogue", "list"], capture_output=True, text=True, env=clean_environment(), check=True
    ).stdout
    assert "…" not in wide
    terminal, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    environment = {key: value for key, value in clean_environment().items() if key != "COLUMNS"}
    process = subprocess.Popen([*COMMAND, "catalogue", "list"], stdout=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(terminal, 65536):
            shown += chunk
    except OSError:
        pass  # the other end of a terminal is closed so
    os.close(terminal)
    assert process.wait(20) == 0
    lines = [line for line in shown.decode().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines() if line]
    assert max(map(len, lines)) <= 80
    assert "…" in shown.decode()


def test_closed_pipe_ends_it_quietly():
    with subprocess.Popen(
        [*COMMAND, "catalogue", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 1
