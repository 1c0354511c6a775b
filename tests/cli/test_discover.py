"""`sinkhole discover`: what it prints, how it refuses, and that what it says is in force."""

from dataclasses import replace

import pytest

from sinkhole.app import data_dir
from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.policy.sighting import Sighting
from sinkhole.store.candidates import add_sightings

SEEN = 1_790_000_000
WHY = ("gpt in novel-gpt", "its suffix .ai")
NOVEL = Sighting("novel-gpt.ai", WHY, 12, SEEN, SEEN + 60, ("www.novel-gpt.ai",), True, ("192.0.2.1",))
RARE = replace(NOVEL, domain="rare.ai", count=1, reasons=("its suffix .ai",), examples=(), clients=())


@pytest.fixture
def queue(run):
    data_dir.prepare(run.folder)
    state = open_state(load_settings(None, {}, {"server.data_dir": run.folder}))
    with state.store.transaction() as connection:
        add_sightings(connection, (NOVEL, RARE), str)
    state.close()
    return run


def test_new_vendor_that_is_nearly_a_known_one_is_told(queue):
    done = queue.good("discover", "accept", "novel-gpt.ai", "--vendor", "opnai")
    assert "opnai is a new vendor; did you mean openai" in done.error


def test_empty_queue_says_so(run):
    assert run.good("discover", "list").lines == ["no new names that look like AI"]
    assert run.good("discover", "list", "--state", "all").lines == ["no names that look like AI"]
    assert run.good("discover", "list", "--json").json == []


def test_list_shows_the_most_used_first(queue):
    lines = queue.good("discover", "list").lines
    assert lines[0].split() == ["domain", "state", "answers", "clients", "first", "last", "why"]
    assert lines[1].startswith("novel-gpt.ai  new")
    assert lines[1].endswith("gpt in novel-gpt; its suffix .ai")
    assert lines[2].startswith("rare.ai")
    assert len(queue.good("discover", "list", "--min-count", "2").lines) == 2
    first, second = queue.good("discover", "list", "--json").json
    assert (first["domain"], first["state"], first["count"], first["clients"]) == ("novel-gpt.ai", "new", 12, 1)
    assert first["first"] == "2026-09-21T14:13:20+00:00"
    assert second["clients"] is None


def test_show_tells_all(queue):
    text = queue.good("discover", "show", "novel-gpt.ai").out
    for part in ("waits for review", "gpt in novel-gpt", "www.novel-gpt.ai", "12 without those", "1: 192.0.2.1"):
        assert part in text
    assert "are not kept (discover.clients)" in queue.good("discover", "show", "rare.ai").out
    shown = queue.good("discover", "show", "novel-gpt.ai", "--json").json
    assert (shown["clients"], shown["known_as"], shown["note"]) == (["192.0.2.1"], None, None)


def test_accept_is_in_force_and_reopen_undoes_it(queue):
    done = queue.good("discover", "accept", "novel-gpt.ai", "--vendor", "novel", "--category", "writing")
    assert done.lines[0].startswith("accepted novel-gpt.ai into novel/writing: stored as generation")
    assert done.lines[1] == f"what is known of it can be added to {queue.folder / 'vendors' / 'novel.toml'}"
    assert queue.good("check", "www.novel-gpt.ai").lines[-1] == "BLOCK"
    assert "novel-gpt.ai" in queue.good("catalogue", "show", "novel").out
    assert "accepted into novel/writing" in queue.good("discover", "list", "--state", "accepted").out
    queue.good("policy", "allow", "novel/writing")
    assert queue.good("check", "www.novel-gpt.ai").lines[-1] == "ALLOW"
    assert queue.good("discover", "reopen", "novel-gpt.ai").lines[0].startswith("novel-gpt.ai waits for review again")
    assert queue.good("check", "www.novel-gpt.ai").lines[-1] == "NONE"


def test_block_until_reviewed(queue):
    queue.good("policy", "block", "unreviewed")
    explained = queue.good("check", "www.novel-gpt.ai")
    assert explained.lines[-1] == "BLOCK"
    assert "novel-gpt.ai and below, which waits for review" in explained.out
    assert "looks like AI: its suffix .ai" in queue.good("check", "never-seen.ai").out
    queue.good("discover", "ignore", "novel-gpt.ai", "--reason", "a game")
    assert queue.good("check", "www.novel-gpt.ai").lines[-1] == "NONE"
    assert "a game" in queue.good("discover", "list", "--state", "ignored").out
    assert "ignored: a game" in queue.good("discover", "show", "novel-gpt.ai").out
    queue.good("policy", "remove", "unreviewed")
    assert queue.good("check", "never-seen.ai").lines[-1] == "NONE"


def test_name_that_the_catalogue_knows_by_now(queue):
    (queue.folder / "vendors").mkdir(exist_ok=True)
    queue.good("discover", "accept", "novel-gpt.ai", "--vendor", "novel")
    path = queue.folder / "vendors" / "novel.toml"
    path.write_text(path.read_text().replace('"novel-gpt.ai"', '"rare.ai"'))
    listed = queue.good("discover", "list", "--state", "all").out
    assert "in the catalogue by now, as one of novel/chat" in listed
    assert "accepted into novel/chat; no vendor file in force has it any more" in listed
    done = queue.good("discover", "accept", "rare.ai")
    assert done.lines[1] == "the catalogue has it by now, so no file was written"


def test_broken_and_superseded_files_are_told(queue):
    queue.good("discover", "accept", "rare.ai")
    (queue.folder / "vendors" / "broken.toml").write_text('id = "broken"\nx\n')
    path = queue.folder / "vendors" / "rare.toml"
    path.write_text(path.read_text().replace('"rare.ai"\nrole', '"chat.deepseek.com"\nrole'))
    done = queue.good("discover", "list")
    assert "sinkhole: broken.toml: line 2: " in done.error
    assert "sinkhole: rare.toml: rare/chat: chat.deepseek.com: is in the catalogue, as one of deepseek/" in done.error
    found = queue("doctor", "--only", "catalogue").out
    assert "local vendor file broken.toml: line 2" in found
    assert "2 names" not in found
    assert "1 name that looks like AI waits for review" in queue("doctor", "--only", "discover").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "novel-gtp.ai"), "there is no candidate 'novel-gtp.ai'; did you mean novel-gpt.ai?"),
        (("accept", "www.rare.ai"), "there is no candidate 'www.rare.ai'; it is below the candidate rare.ai"),
        (("accept", "rare.ai", "--category", "chatt"), "there is no category 'chatt'; did you mean chat?"),
        (("ignore", "a..b"), "'a..b' is no domain: name 'a..b': a label has 1 to 63 octets; found 0"),
        (("reopen", "rare.ai"), "rare.ai waits for review already"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(queue, words, said):
    assert queue("discover", *words).sentence == said


def test_expectation_is_held(queue, tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(queue.good("policy", "export").out + '[[expectations]]\nname = "rare.ai"\nexpect = "allow"\n')
    queue.good("policy", "apply", path, "--yes")
    done = queue("discover", "accept", "rare.ai")
    assert done.status == 2
    assert "this breaks the expectation rare.ai A" in done.error
    assert queue.good("discover", "accept", "rare.ai", "--force").status == 0


@pytest.mark.parametrize("command", ["list", "show", "accept", "ignore", "reopen"])
def test_help_has_an_example(run, command):
    text = run("discover", command, "--help", place=False).out
    assert any(line.strip().startswith(f"Example: sinkhole discover {command}") for line in text.splitlines())


def test_hostile_names_do_no_harm(run):
    data_dir.prepare(run.folder)
    state = open_state(load_settings(None, {}, {"server.data_dir": run.folder}))
    with state.store.transaction() as connection:
        add_sightings(connection, [replace(NOVEL, reasons=("\x1b[31mred\x07",), examples=("a\x1b]0;x\x07.b",))], str)
    state.close()
    for words in (("list",), ("show", "novel-gpt.ai")):
        assert "\x1b" not in run.good("discover", *words).out.replace("\x1b[1m", "").replace("\x1b[0m", "")
