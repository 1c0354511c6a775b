"""`sinkhole import`: all of another resolver's configuration or nothing, told, and only once."""

import contextlib
import datetime as dt
import os
import sqlite3
from pathlib import Path

import pytest

from sinkhole.app import import_apply
from sinkhole.app.explain import explain
from sinkhole.app.state import policy_in_force
from sinkhole.cli import import_
from sinkhole.config.load import load_settings
from sinkhole.foreign import adguard_schedule, blocky_lists
from tests.cli.lists import ListThread
from tests.foreign.builders import (
    ADGUARD,
    ALLOW,
    ALLOW_REGEX,
    BLOCKY,
    DENY,
    DENY_REGEX,
    HOSTS,
    ZONE,
    write_gravity,
    write_teleporter,
)


@pytest.fixture(autouse=True)
def _zone(monkeypatch):
    for module in (adguard_schedule, blocky_lists):
        monkeypatch.setattr(module, "local_zone", lambda: "UTC")


def text_file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def snapshot(run) -> object:
    """Return all that an import may change."""
    with contextlib.closing(sqlite3.connect(run.folder / "store.db")) as db:
        tables = [db.execute(f"SELECT * FROM {table}").fetchall() for table in ("statement", "feed", "audit")]
    files = {
        path.name: path.read_text()
        for path in (*(run.folder / "lists").iterdir(), *run.folder.glob("local.records"))
    }  # fmt: skip
    return [tables, files, run.good("groups", "list").out]


class Verdicts:
    """What `check` says last, by the policy in force when this is made: loading it takes long, asking it does not."""

    def __init__(self, run) -> None:
        self._policy = policy_in_force(load_settings(None, {}, {"server.data_dir": run.folder}))

    def __call__(self, name: str, client: str = "203.0.113.9", qtype: str = "A", at: str | None = None) -> str:
        when = dt.datetime.fromisoformat(at) if at else dt.datetime.now(dt.UTC)
        return explain(self._policy, name, qtype, client, when).outcome


PIHOLE = [
    # name, client in no group, client in Default and Kids, in Kids alone, in no group at all
    ("ads.example.org", "BLOCK", "BLOCK", "ALLOW", "ALLOW"),  # exact
    ("www.ads.example.org", "NONE", "NONE", "NONE", "NONE"),
    ("example.net", "BLOCK", "BLOCK", "ALLOW", "ALLOW"),  # wildcard
    ("www.example.net", "BLOCK", "BLOCK", "ALLOW", "ALLOW"),
    ("good.example.net", "NONE", "NONE", "NONE", "NONE"),  # allowed exactly
    ("a.good.example.net", "BLOCK", "BLOCK", "ALLOW", "ALLOW"),
    ("track12.example.com", "BLOCK", "BLOCK", "ALLOW", "ALLOW"),  # expression
    ("mytrack12.example.com", "NONE", "NONE", "NONE", "NONE"),
    ("games.example", "NONE", "BLOCK", "BLOCK", "NONE"),  # of Kids
    ("a.games.example", "NONE", "BLOCK", "BLOCK", "NONE"),
    ("old.example.org", "NONE", "NONE", "NONE", "NONE"),  # of a disabled group
    ("sunk.example", "BLOCK", "BLOCK", "ALLOW", "ALLOW"),  # a record of 0.0.0.0
]


def test_pihole_gives_the_verdicts_that_it_gave(run, tmp_path):
    done = run.good("import", "pihole", write_teleporter(tmp_path / "t.zip"))
    assert " changes made: stored as generation " in done.lines[-1]
    verdict = Verdicts(run)
    for name, *wanted in PIHOLE:
        clients = ("203.0.113.9", "192.0.2.7", "192.0.2.8", "198.51.100.77")
        found = [verdict(name, client) for client in clients]
        # NONE and ALLOW are both the true answer: by no rule, or by the one that spares a client.
        assert [one.replace("NONE", "ALLOW") for one in found] == [one.replace("NONE", "ALLOW") for one in wanted], name
    assert verdict("v6.example", qtype="AAAA") == "BLOCK"
    assert verdict("v6.example") == "NONE"
    assert "192.0.2.99" in run.good("check", "nas7.example").out


def test_exception_of_pihole_lifts_what_lists_say(run, tmp_path):
    domains = [
        (1, DENY_REGEX, r"(\.|^)example\.org$", 1, None, (0,)),
        (2, ALLOW_REGEX, r"^ok[0-9]\.", 1, None, (0,)),
        (3, ALLOW, "fine.example.net", 1, None, (0,)),
        (4, ALLOW_REGEX, r"(\.|^)all\.example\.net$", 1, None, (0,)),
    ]
    lists = run.folder / "lists"
    run.good("feeds", "list")
    (lists / "own.txt").write_text("fine.example.net\na.all.example.net\nok1.example.net\nbad.example.net\n")
    run.good("feeds", "add", "file:own.txt", "--name", "own", "--format", "domains")
    run.good("sync", "own")
    verdict = Verdicts(run)
    assert verdict("fine.example.net") == "BLOCK"
    run.good("import", "pihole", write_gravity(tmp_path / "gravity.db", domains))
    verdict = Verdicts(run)
    for name, wanted in [
        ("fine.example.net", "NONE"),
        ("a.all.example.net", "NONE"),
        ("ok1.example.net", "NONE"),
        ("ok1.example.org", "NONE"),
        ("bad.example.net", "BLOCK"),
        ("no.example.org", "BLOCK"),
    ]:
        assert verdict(name, "203.0.113.9") == wanted, name


ADGUARD_VERDICTS = [
    # name, client in no group, Alice's laptop, the lab where filtering is off
    ("ads.example.org", "BLOCK", "BLOCK", "ALLOW"),
    ("a.ads.example.org", "BLOCK", "BLOCK", "ALLOW"),
    ("www.example.net", "BLOCK", "BLOCK", "ALLOW"),
    ("www.good.example.net", "ALLOW", "ALLOW", "ALLOW"),
    ("only.example.com", "BLOCK", "BLOCK", "ALLOW"),
    ("a.only.example.com", "ALLOW", "ALLOW", "ALLOW"),
    ("part.sure.example", "BLOCK", "BLOCK", "ALLOW"),  # $important goes before an exception
    ("alice.example", "ALLOW", "BLOCK", "ALLOW"),
    ("child.example", "ALLOW", "BLOCK", "ALLOW"),
    ("nobody.example", "ALLOW", "ALLOW", "ALLOW"),
    ("track7.example", "BLOCK", "BLOCK", "ALLOW"),
    ("gone.example", "ALLOW", "ALLOW", "ALLOW"),  # $badfilter
    ("v4.example", "BLOCK", "BLOCK", "ALLOW"),
]


def test_adguard_gives_the_verdicts_that_it_gave(run, tmp_path):
    run.good("import", "adguard", text_file(tmp_path, "AdGuardHome.yaml", ADGUARD))
    verdict = Verdicts(run)
    for name, *wanted in ADGUARD_VERDICTS:
        clients = ("203.0.113.9", "192.0.2.7", "198.51.100.77")
        assert [verdict(name, client).replace("NONE", "ALLOW") for client in clients] == wanted, name
    assert verdict("v4.example", qtype="AAAA") == "NONE"
    assert "192.0.2.44" in run.good("check", "box.example").out


def test_services_of_adguard_follow_their_schedule(run, tmp_path):
    run.good("policy", "remove", "ai")
    run.good("import", "adguard", text_file(tmp_path, "AdGuardHome.yaml", ADGUARD))
    verdict = Verdicts(run)
    for at, wanted in [
        ("2030-06-03T11:59+02:00", "BLOCK"),  # a Monday
        ("2030-06-03T12:00+02:00", "NONE"),
        ("2030-06-03T13:29+02:00", "NONE"),
        ("2030-06-03T13:30+02:00", "BLOCK"),
        ("2030-06-02T20:00+02:00", "NONE"),  # Sunday
        ("2030-06-04T12:30+02:00", "BLOCK"),
    ]:
        assert verdict("chatgpt.com", at=at) == wanted, at
    assert verdict("chatgpt.com", "192.0.2.7") == "ALLOW"
    assert verdict("chat.deepseek.com", "192.0.2.7") == "BLOCK"
    assert verdict("chat.deepseek.com") == "NONE"


BLOCKY_VERDICTS = [
    # name, client of default, 192.0.2.8 (games), tablet (ads, games), a network with nothing; on a Monday at 09:00
    ("ads.example.org", "BLOCK", "ALLOW", "BLOCK", "ALLOW"),
    ("a.ads.example.org", "ALLOW", "ALLOW", "ALLOW", "ALLOW"),
    ("example.net", "BLOCK", "ALLOW", "BLOCK", "ALLOW"),
    ("a.example.net", "BLOCK", "ALLOW", "BLOCK", "ALLOW"),
    ("good.example.net", "ALLOW", "ALLOW", "ALLOW", "ALLOW"),
    ("track1.example", "BLOCK", "ALLOW", "BLOCK", "ALLOW"),
    ("chess.games.example", "ALLOW", "BLOCK", "BLOCK", "ALLOW"),
]


def test_blocky_gives_the_verdicts_that_it_gave(run, tmp_path):
    run.good("import", "blocky", text_file(tmp_path, "config.yml", BLOCKY))
    verdict = Verdicts(run)
    for name, *wanted in BLOCKY_VERDICTS:
        clients = ("203.0.113.9", "192.0.2.8", "192.0.2.22", "198.51.100.77")
        found = [verdict(name, client, at="2030-06-03T09:00+00:00") for client in clients]
        assert [one.replace("NONE", "ALLOW") for one in found] == wanted, name
    assert verdict("chess.games.example", "192.0.2.22", at="2030-06-03T13:00+00:00") == "NONE"


def test_policy_zone_gives_the_verdicts_that_it_gave(run, tmp_path):
    run.good("import", "rpz", text_file(tmp_path, "db.rpz", ZONE))
    verdict = Verdicts(run)
    for name, wanted in [
        ("ads.example.com", "BLOCK"),
        ("x.ads.example.com", "BLOCK"),
        ("good.ads.example.com", "NONE"),
        ("nodata.example.com", "BLOCK"),
        ("x.nodata.example.com", "NONE"),
        ("dropped.example.com", "BLOCK"),
        ("null.example.com", "BLOCK"),
        ("tcp.example.com", "NONE"),
    ]:
        assert verdict(name) == wanted, name
    assert "address:192.0.2.0/24 " in run.good("policy", "list").out


@pytest.fixture(params=["pihole", "adguard", "blocky", "rpz", "hosts"])
def source(request, tmp_path):
    """Every kind, with a file of it."""
    texts = {"adguard": ADGUARD, "blocky": BLOCKY, "rpz": ZONE, "hosts": HOSTS}
    if request.param == "pihole":
        return request.param, write_teleporter(tmp_path / "t.zip")
    return request.param, text_file(tmp_path, "file", texts[request.param])


def test_import_is_told_first_and_done_once(run, source):
    run.good("policy", "list")
    untouched = snapshot(run)
    dry = run.good("import", *source, "--dry-run")
    assert "nothing is changed: this was a dry run; " in dry.lines[-1]
    assert snapshot(run) == untouched

    found = run.good("import", *source, "--json").json
    assert found["done"] is True
    assert [change["text"] for change in found["changes"]] == [line for line in dry.lines if line.startswith("+ ")]
    count = f"{len(found['altered'])} carried over with another meaning, {len(found['left_out'])} not carried over"
    assert dry.lines[-1].endswith(count)
    for note in (*found["altered"], *found["left_out"]):
        assert set(note) == {"file", "line", "place", "item", "why"}
        assert note["why"]
        assert any(note["item"] in line and note["why"] in line for line in dry.lines)

    done = snapshot(run)
    again = run.good("import", *source)
    assert again.lines[-1].startswith("nothing to change; ")
    assert not [line for line in again.lines if line.startswith(("+", "~", "-"))]
    assert snapshot(run) == done != untouched


def test_each_change_is_in_the_audit_log(run, tmp_path):
    run.good("policy", "list")
    with contextlib.closing(sqlite3.connect(run.folder / "store.db")) as db:
        (before,) = db.execute("SELECT MAX(id) FROM audit").fetchone()
        found = run.good("import", "pihole", write_teleporter(tmp_path / "t.zip"), "--json").json
        entries = [row[0] for row in db.execute("SELECT what FROM audit WHERE id > ?", (before,))]
    assert len(entries) == len(found["changes"]) + 1
    assert entries[-1] == "import pihole"
    for what in ("group kids", "feed pihole-kids", "list pihole-rules.txt", "record nas.lan A 192.0.2.10",
                 "policy block domain:games.example for group:kids"):  # fmt: skip
        assert what in entries


def test_prefix_names_all(run, tmp_path):
    run.good("import", "pihole", write_teleporter(tmp_path / "t.zip"), "--prefix", "home")
    names = {group["name"] for group in run.good("groups", "list", "--json").json}
    assert names == {"home-kids", "home-outside"}
    assert (run.folder / "lists" / "home-rules.txt").exists()
    assert not list((run.folder / "lists").glob("pihole*"))
    for word in ("A b", "-x", "", "x" * 21):
        assert "prefix" in run("import", "hosts", text_file(tmp_path, "h", HOSTS), "--prefix", word).sentence


LIST = b"0.0.0.0 hosts.example\nplain.example\n||below.example^\n"


@pytest.mark.parametrize("product", ["pihole", "adguard"])
def test_rows_of_lists_are_read_as_they_were_there(run, tmp_path, product):
    with ListThread() as lists:
        lists.server.serve(LIST)
        url = lists.url()
        if product == "pihole":
            rows = f"INSERT INTO adlist (id, address) VALUES (99, '{url}'); INSERT INTO adlist_by_group VALUES (99, 0);"
            path = write_gravity(tmp_path / "gravity.db", [], rows)
        else:
            path = text_file(tmp_path, "a.yaml", f"filters:\n- url: {url}\n  name: own\n")
        run.good("import", product, path)
        (feed,) = [feed for feed in run.good("feeds", "list", "--json").json if feed["url"] == url]
        run.good("feeds", "add", url, "--name", feed["name"], "--format", feed["format"], "--allow-private")
        run.good("sync", feed["name"])
    verdict = Verdicts(run)
    for word, wanted in [("hosts", "NONE"), ("plain", "NONE"), ("below", "BLOCK")]:
        assert (verdict(f"{word}.example"), verdict(f"www.{word}.example")) == ("BLOCK", wanted)


def test_what_is_here_stays(run, tmp_path):
    run.good("groups", "add", "kids", "192.0.2.99", "--order", "7")
    run.good("policy", "allow", "games.example", "--group", "kids")
    run.good("feeds", "disable", "doh")
    (run.folder / "local.records").write_text("nas.lan A 192.0.2.77\nfiles.lan A 192.0.2.78")
    done = run.good("import", "pihole", write_teleporter(tmp_path / "t.zip"))
    (kids,) = [group for group in run.good("groups", "list", "--json").json if group["name"] == "kids"]
    members = ["192.0.2.7", "192.0.2.8", "192.0.2.99", "mac:00:11:22:33:44:55"]
    assert (kids["order"], kids["members"]) == (7, members)
    verdict = Verdicts(run)
    assert verdict("games.example", "192.0.2.99") == "ALLOW"
    for said in [
        "block: statement on domain:games.example for group:kids: here it is said already: allow; that stays",
        "nas.lan A 192.0.2.10: the name has other A records here, which stay",
        "files.lan CNAME nas.lan: a name that is an alias has no other records",
        "is feed doh here and off, which stays; switch it on with: sinkhole feeds enable doh",
        "domainlist row 5: games.example: is block there, and allow here for group kids: domain:games.example allow",
    ]:
        assert said in done.out
    records = (run.folder / "local.records").read_text().splitlines()
    assert records[:3] == ["nas.lan A 192.0.2.77", "files.lan A 192.0.2.78", "# imported from pihole"]
    assert "nas.lan AAAA 2001:db8::10" in records


def test_second_file_of_a_kind_adds_rows(run, tmp_path):
    run.good("import", "hosts", text_file(tmp_path, "one", "0.0.0.0 one.example\n"))
    run.good("import", "hosts", text_file(tmp_path, "two", "0.0.0.0 two.example\n"))
    verdict = Verdicts(run)
    assert [verdict(f"{name}.example") for name in ("one", "two", "three")] == ["BLOCK", "BLOCK", "NONE"]


def test_list_of_somebody_else_is_not_overwritten(run, tmp_path):
    run.good("feeds", "list")
    (run.folder / "lists" / "hosts-rules.txt").write_text("mine.example\n")
    path = text_file(tmp_path, "hosts", HOSTS)
    assert "hosts-rules.txt: is in the way, and no import wrote it" in run("import", "hosts", path).sentence
    assert (run.folder / "lists" / "hosts-rules.txt").read_text() == "mine.example\n"
    (run.folder / "lists" / "hosts-rules.txt").unlink()
    run.good("feeds", "add", "file:other.txt", "--name", "hosts-rules")
    assert "feed hosts-rules: is there already, for file:other.txt" in run("import", "hosts", path).sentence
    run.good("import", "hosts", path, "--prefix", "old")


def test_import_that_breaks_an_expectation_is_refused(run, tmp_path):
    policy = text_file(tmp_path, "p.toml", run.good("policy", "export").out + EXPECTATION)
    run.good("policy", "apply", policy, "--yes")
    before = snapshot(run)
    path = write_gravity(tmp_path / "g.db", [(1, DENY, "ads.example.org", 1, None, (0,))])
    done = run("import", "pihole", path)
    assert done.status == 1
    assert "broken: ads.example.org A for " in done.out
    assert done.lines[-1].startswith("refused: nothing is changed")
    assert snapshot(run) == before
    assert run("import", "pihole", path, "--json").json["done"] is False


EXPECTATION = '\n[[expectations]]\nname = "ads.example.org"\nexpect = "allow"\n'


def test_forced_import_is_noted(run, tmp_path):
    policy = text_file(tmp_path, "p.toml", run.good("policy", "export").out + EXPECTATION)
    run.good("policy", "apply", policy, "--yes")
    domains = [(1, DENY_REGEX, r"(\.|^)example\.org$", 1, None, (1,)), (2, DENY, "ads.example.org", 1, None, (0,))]
    done = run("import", "pihole", write_gravity(tmp_path / "g.db", domains), "--force")
    # The list waits for approval: what a person forces is stored, what a feed brings is held to the expectations.
    assert done.status == 1
    assert "feed pihole-rules: version 1 is held back" in done.error
    with contextlib.closing(sqlite3.connect(run.folder / "store.db")) as db:
        entries = [row[0] for row in db.execute("SELECT what FROM audit")]
    assert any(what.startswith("expectation overridden: ads.example.org") for what in entries)


@pytest.mark.parametrize("place", ["store_policy", "note"])
def test_failure_leaves_all_as_it_was(run, tmp_path, monkeypatch, place):
    run.good("import", "hosts", text_file(tmp_path, "one", "0.0.0.0 one.example\n192.0.2.1 nas.lan\n"))
    before = snapshot(run)
    calls = []

    def fail(*_args):
        calls.append(place)
        if len(calls) == (1 if place == "store_policy" else 3):
            raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(import_apply, place, fail)
    path = text_file(tmp_path, "two", "0.0.0.0 two.example\n192.0.2.2 web.lan\n192.0.2.3 tv.lan\n")
    assert "somewhere: cannot be written: No space left on device; nothing is changed" in (
        run("import", "hosts", path).error
    )
    monkeypatch.undo()
    assert snapshot(run) == before
    assert [name.name for name in (run.folder / "lists").iterdir()] == ["hosts-rules.txt"]
    assert not list(run.folder.glob(".local*"))


@pytest.mark.parametrize("name", ["local.records", "lists/hosts-rules.txt"])
def test_file_that_changed_meanwhile_is_left_alone(run, tmp_path, monkeypatch, name):
    run.good("import", "hosts", text_file(tmp_path, "one", "0.0.0.0 one.example\n192.0.2.1 nas.lan\n"))
    path = text_file(tmp_path, "two", "0.0.0.0 two.example\n192.0.2.2 web.lan\n")
    judge = import_.judge_import

    def judge_late(*arguments):
        judged = judge(*arguments)
        with (run.folder / name).open("a") as file:
            file.write("# by hand\n")
        return judged

    monkeypatch.setattr(import_, "judge_import", judge_late)
    done = run("import", "hosts", path)
    assert (done.status, "a file was changed by someone else meanwhile" in done.error) == (2, True)
    assert "two" not in (run.folder / "lists" / "hosts-rules.txt").read_text()
    assert "web" not in (run.folder / "local.records").read_text()


def test_filtering_that_is_off_comes_in_switched_off(run, tmp_path):
    text = ADGUARD.replace("  filtering_enabled: true\n", "  filtering_enabled: false\n", 1)
    run.good("import", "adguard", text_file(tmp_path, "a.yaml", text))
    feeds = {feed["name"]: feed["enabled"] for feed in run.good("feeds", "list", "--json").json}
    assert {name for name, on in feeds.items() if name.startswith("adguard-") and on} == {"adguard-ai"}
    verdict = Verdicts(run)
    assert verdict("ads.example.org") == "NONE"
    run.good("feeds", "enable", "adguard-rules")
    run.good("sync", "adguard-rules")
    verdict = Verdicts(run)
    assert verdict("ads.example.org") == "BLOCK"


def test_names_that_the_catalogue_has_are_told(run, tmp_path):
    domains = [(1, ALLOW, "chatgpt.com", 1, None, (0,)), (2, DENY, "example.org", 1, None, (0,))]
    run.good("policy", "allow", "example.org")
    done = run.good("import", "pihole", write_gravity(tmp_path / "g.db", domains))
    assert "domainlist row 1: chatgpt.com: is allow there, and block here: ai block" in done.out
    assert "domainlist row 2: example.org: is block there, and allow here: domain:example.org allow" in done.out


def test_impact_counts_the_rows_of_lists(run, tmp_path):
    run.good("policy", "remove", "ai")
    done = run.good("import", "hosts", text_file(tmp_path, "h", "0.0.0.0 chatgpt.com\n"), "--dry-run")
    assert "impact for clients in no group: 1 known name allow -> block, such as chatgpt.com" in done.lines


def test_broken_records_are_told_before_anything_is_done(run, tmp_path):
    run.good("policy", "list")
    (run.folder / "local.records").write_text("nas.lan A 192.0.2.1\nnonsense\n")
    before = snapshot(run)
    assert "local.records: line 2: record: column 9" in run("import", "hosts", text_file(tmp_path, "h", HOSTS)).sentence
    assert snapshot(run) == before


def test_hostile_words_do_not_reach_the_terminal(run, tmp_path):
    domains = [(1, DENY, "ads.example.org", 1, "a\x1b[2Jb\nc", (0,)), (2, DENY, "\x1b[2J\u202e", 1, None, (0,))]
    done = run.good("import", "pihole", write_gravity(tmp_path / "g.db", domains))
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert "\x1b" not in run.good("policy", "list").out


def test_hostile_words_in_a_mistake_do_not_reach_the_terminal(run, tmp_path):
    text = 'blocking:\n  denylists:\n    "\\e[2Jx": {a: b}\n  clientGroupsBlock: {default: ["\\e[2Jx"]}\n'
    assert "\\x1b[2Jx: wanted a list" in run("import", "blocky", text_file(tmp_path, "config.yml", text)).sentence


def test_kind_that_is_none(run):
    done = run("import", "pihol", "x", place=False)
    assert done.status == 2
    assert "pihole" in done.error


def test_many_rules_are_all_rows(run, tmp_path):
    domains = [(n, DENY_REGEX, rf"(\.|^)x{n}\.example$", 1, None, (0,)) for n in range(1, 200)]
    run.good("import", "pihole", write_gravity(tmp_path / "g.db", domains))
    assert "domain:" not in run.good("policy", "list").out
    verdict = Verdicts(run)
    assert verdict("www.x150.example") == "BLOCK"


def test_import_that_was_killed_is_cleaned_up_after(run, tmp_path, monkeypatch):
    """Local records that were there are never away, and nothing of half an import stays."""
    hosts = tmp_path / "hosts"
    hosts.write_text("0.0.0.0 ads.example\n192.0.2.55 nas.example\n")
    run.good("groups", "list")
    records = run.folder / "local.records"
    records.write_text("old.example A 192.0.2.1\n")
    pid = os.fork()
    if pid == 0:
        monkeypatch.setattr("sinkhole.app.import_apply.store_policy", lambda *_: os.kill(os.getpid(), 9))
        try:
            run("import", "hosts", hosts)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9
    assert "old.example" in records.read_text()
    assert "cleaned up after an import" in run.good("import", "hosts", hosts, "--dry-run").error
    assert records.read_text() == "old.example A 192.0.2.1\n"
    assert not list((run.folder / "lists").iterdir())
    run.good("import", "hosts", hosts)
    assert records.read_text().startswith("old.example A 192.0.2.1\n# imported from")
    assert not [path.name for path in run.folder.iterdir() if path.name.startswith((".local", ".import"))]


def test_exception_in_force_is_no_impact_of_an_import(run, tmp_path):
    """Both sides of the comparison have it."""
    run.good("groups", "add", "lab", "192.0.2.0/24")
    run.good("exception", "request", "deepseek", "--group", "lab", "--for", "7d", "--reason", "a paper", "--approve")
    hosts = tmp_path / "hosts"
    hosts.write_text("0.0.0.0 ads.example\n")
    done = run.good("import", "hosts", hosts, "--dry-run")
    assert [line for line in done.lines if line.startswith("impact")] == ["impact no known name gets another verdict"]
