"""What holds for every command: help with an example that can be run, completion, the nearest word for a wrong one."""

import re
import shlex
import subprocess
import sys

import click
import pytest

from sinkhole.app.state import open_state
from sinkhole.cli.root import cli
from sinkhole.config.load import load_settings
from sinkhole.policy.activity import Activity
from sinkhole.policy.sighting import Sighting
from sinkhole.store.candidates import add_sightings
from sinkhole.store.client_store import write_activities


def commands(group, path=()):
    """Yield all commands with the words that lead to them."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
            if command.invoke_without_command:
                yield (*path, name), command
        else:
            yield (*path, name), command


COMMANDS = dict(commands(cli))


def help_of(path):
    return COMMANDS[path].get_help(click.Context(COMMANDS[path], info_name=" ".join(("sinkhole", *path))))


def examples(path):
    return re.findall(r"^ *Example: (sinkhole .+)$", help_of(path), re.MULTILINE)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_tells_what_it_does_and_an_example_that_parses(path):
    told = examples(path)
    assert told, f"{' '.join(path)}: no example in its help"
    for example in told:
        words = shlex.split(re.sub(r" (\||>>?) .*", "", example).replace("…", 63 * "0"))
        assert words[1 : 1 + len(path)] == list(path)
        try:
            COMMANDS[path].make_context(words[0], words[1 + len(path) :])
        except click.BadParameter as error:
            if "does not exist" not in error.message:  # it may name files that are not here
                raise


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_is_explained(path):
    options = [p for p in COMMANDS[path].params if isinstance(p, click.Option) and not p.hidden]
    assert [o.name for o in options if not o.help and not isinstance(o.type, click.Choice)] == []


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_nearest_option_is_told(run, path):
    done = run(*path, "--confg", "x", place=False)
    assert done.status == 2
    assert "No such option" in done.error


@pytest.mark.parametrize(("word", "near"), [("polcy", "policy"), ("feed", "feeds"), ("audits", "audit")])
def test_nearest_command_is_told(run, word, near):
    done = run(word, place=False)
    assert (done.status, f"did you mean {near}?" in done.error) == (2, True)


def test_nearest_command_of_a_group_is_told(run):
    done = run("policy", "blok", place=False)
    assert done.status == 2
    assert "block" in done.error


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_each_shell(run, shell):
    done = run("completion", shell, place=False)
    assert (done.status, "_SINKHOLE_COMPLETE" in done.out) == (0, True)


def offered(run, *words):
    """Ask as bash does."""
    given = ["sinkhole", *words]
    environment = {
        "_SINKHOLE_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(given),
        "COMP_CWORD": str(len(given) - 1),
        "SINKHOLE_DATA_DIR": str(run.folder),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-m", "sinkhole"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines()]  # an empty line: nothing to offer


def test_words_are_completed_as_the_shell_asks(run):
    """Commands, options, subjects, groups and feeds; from the catalogue and from the store."""
    run.good("groups", "add", "staff", "192.0.2.0/24")
    assert offered(run, "poli") == ["policy"]
    assert offered(run, "policy", "block", "deepsee")[0] == "deepseek"
    assert offered(run, "policy", "block", "vendor:deepsee") == ["vendor:deepseek"]
    assert offered(run, "policy", "block", "deepseek", "--group", "") == ["staff"]
    assert "doh" in offered(run, "sync", "")
    assert offered(run, "catalogue", "show", "deepsee") == ["deepseek"]
    assert offered(run, "policy", "block", "unrev") == ["unreviewed"]
    assert offered(run, "groups", "remove", "st") == ["staff"]
    assert offered(run, "groups", "remove", "staff", "") == ["192.0.2.0/24"]
    assert offered(run, "discover", "accept", "novel.ai", "--vendor", "deepsee") == ["deepseek"]


def test_candidates_and_clients_are_completed(run):
    sighting = Sighting("novel.ai", ("its suffix .ai",), 3, 100, 200, ("www.novel.ai",), True)
    run.good("groups", "list")
    state = open_state(load_settings(None, {}, {"server.data_dir": run.folder}))
    with state.store.transaction() as connection:
        add_sightings(connection, [sighting], str)
        write_activities(connection, [Activity("192.0.2.77", 100, 200, 3, ())], str)
    state.close()
    assert offered(run, "discover", "accept", "no") == ["novel.ai"]
    assert offered(run, "clients", "show", "192") == ["192.0.2.77"]


def test_lone_word_is_told_as_the_nearest(run):
    assert run("policy", "block", "unreviewd").sentence.endswith("did you mean unreviewed?")


def test_completion_of_what_cannot_be_read_is_quiet(run):
    run.folder.write_text("a file where the folder should be")
    assert offered(run, "policy", "block", "x", "--group", "st") == [""]


WITHOUT_JSON = {
    "catalogue add": "asks questions",
    "catalogue schema": "prints JSON",
    "catalogue taxonomy": "prints a page",
    "completion": "prints a script",
    "config docs": "prints a page",
    "policy export": "prints a file",
    "serve": "logs",
}


def test_every_command_prints_json_or_has_a_reason_not_to():
    silent = {
        " ".join(path) for path, command in COMMANDS.items() if not any("--json" in p.opts for p in command.params)
    }
    assert silent == set(WITHOUT_JSON)


def test_what_was_done_is_told_as_json(run):
    done = run.good("feeds", "disable", "doh", "--json").json
    assert done == {
        "said": ["disabled feed doh: stored as generation 1; no server runs on this data folder"],
        "generation": 1,
        "in_force": False,
        "refused_feeds": {},
    }


def test_a_no_is_told_as_json_too(run, tmp_path):
    """The exit status is that of the same command without."""
    file = tmp_path / "policy.toml"
    file.write_text('[[groups]]\nname = "lab"\nmembers = ["10.1.0.0/16"]\n')
    done = run("policy", "diff", file, "--json")
    assert done.status == 1
    changes = done.json["changes"]
    assert changes[0] == {
        "kind": "groups",
        "before": None,
        "after": {"name": "lab", "members": ["10.1.0.0/16"], "order": 100},
    }
    assert done.json["said"][0].startswith("+ group lab")


def test_refusal_is_a_sentence_and_no_json(run):
    assert run("feeds", "disable", "nowhere", "--json").sentence.startswith("there is no feed 'nowhere'")


def test_sync_tells_its_rows_as_json(run):
    run.good("policy", "list")
    (run.folder / "lists").mkdir(exist_ok=True)
    (run.folder / "lists" / "mine.txt").write_text("a.example\n")
    run.good("feeds", "add", "file:mine.txt", "--name", "mine")
    told = run.good("sync", "mine", "--json").json
    assert [(row["feed"], row["status"], row["rules"]) for row in told["rows"]] == [("mine", "updated", "1")]
