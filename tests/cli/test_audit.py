"""`sinkhole audit`: who changed what, and whether the record of it is whole."""

import re
import sqlite3
from contextlib import closing

import pytest

from sinkhole.store.audit import current_user

WHOLE = re.compile(r"whole: (\d+) entr(?:y|ies), head (\d+:[0-9a-f]{64})")


@pytest.fixture
def log(run):
    """A data folder with a few changes of policy."""
    run.good("policy", "block", "deepseek", "--reason", "the court says so", "--ticket", "SEC-1")
    run.good("policy", "monitor", "deepseek", "--reason", "for now")
    run.good("policy", "remove", "deepseek")
    return run


def forge(run, *statements):
    """Change the log as somebody with access to the file could: the triggers are no obstacle to them."""
    with closing(sqlite3.connect(run.folder / "store.db", isolation_level=None)) as connection:
        (kept,) = connection.execute(
            "SELECT group_concat(sql, ';') FROM sqlite_master WHERE type = 'trigger'"
        ).fetchone()
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        assert "append-only" in kept


def newest(run):
    return run.good("audit", "list", "--limit", "1", "--json").json[0]


def test_changes_are_listed_newest_first(log):
    lines = log.good("audit", "list", "deepseek").lines
    assert lines[0].split() == ["entry", "when", "who", "from", "what"]
    told = ["policy remove vendor:deepseek for all", "policy monitor vendor:deepseek for all"]
    assert [line.endswith(what) for line, what in zip(lines[1:3], told, strict=True)] == [True, True]
    assert all(current_user() in line for line in lines[1:])


def test_search_looks_into_the_values(log):
    assert [e["what"] for e in log.good("audit", "list", "SEC-1", "--json").json] == [
        "policy monitor vendor:deepseek for all",
        "policy block vendor:deepseek for all",
    ]
    assert log.good("audit", "list", "nowhere").lines == ["no change that fits"]


def test_since_leaves_out_what_is_older(log):
    forge(log, "UPDATE audit SET at = 1000 WHERE id > 1")
    assert log.good("audit", "list", "--since", "2020-01-01", "deepseek").lines == ["no change that fits"]


def test_one_change_is_shown_before_and_after(log):
    number = log.good("audit", "list", "for now", "--json").json[-1]["id"]
    shown = log.good("audit", "show", number).lines
    assert shown[0].startswith("policy monitor vendor:deepseek for all, by ")
    assert "  reason: the court says so -> for now" in shown
    assert "  group: none" in shown
    value = log.good("audit", "show", number, "--json").json
    assert (value["before"]["reason"], value["after"]["reason"]) == ("the court says so", "for now")
    assert value["origin"]


def test_unknown_number_is_told(run):
    assert run("audit", "show", "999999").sentence == "there is no entry 999999 in the audit log"


def test_whole_log_is_whole_and_goes_on_from_its_head(log):
    done = log.good("audit", "verify")
    found = WHOLE.fullmatch(done.out.strip())
    assert found
    assert int(found[1]) == newest(log)["id"]
    log.good("policy", "block", "mistral")
    assert log.good("audit", "verify", "--head", found[2], "--json").json["whole"] is True


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE audit SET who = 'nobody' WHERE id = 3", [3]),
        ("UPDATE audit SET at = at - 1 WHERE id = 3", [3]),
        ("UPDATE audit SET origin = 'elsewhere' WHERE id = 3", [3]),
        ("""UPDATE audit SET "after" = NULL WHERE id = 3""", [3]),
        ("UPDATE audit SET digest = NULL WHERE id = 3", [3, 4]),
        ("DELETE FROM audit WHERE id = 3", [4]),
        ("DELETE FROM audit WHERE id = 1", [2]),
        ("INSERT INTO audit (at, who, what) VALUES (1, 'admin', 'nothing')", None),
    ],
)
def test_forged_log_is_not_whole(log, change, told):
    forge(log, change)
    done = log("audit", "verify", "--json")
    assert (done.status, done.json["whole"]) == (1, False)
    assert done.json["broken"] == (told or [newest(log)["id"]])
    first = log("audit", "verify").lines[0]
    assert first == f"entry {done.json['broken'][0]} is not what was written, or the entry before it is missing"


def test_cut_end_is_told_by_a_head_that_was_noted(log):
    found = WHOLE.fullmatch(log.good("audit", "verify").out.strip())
    assert found
    number = newest(log)["id"]
    forge(log, f"DELETE FROM audit WHERE id = {number}")
    assert log("audit", "verify").status == 0, "by itself a cut end looks whole"
    done = log("audit", "verify", "--head", found[2])
    assert (done.status, done.lines) == (1, [f"entry {number} is gone: the log is not the one of that head"])
    log.good("policy", "block", "mistral")
    assert log("audit", "verify", "--head", found[2]).lines == [
        f"entry {number} is another: the log is not the one of that head"
    ]


@pytest.mark.parametrize("head", ["", "12", "12:abc", "x:" + 64 * "0", "12:" + 64 * "F"])
def test_head_that_is_none_is_refused(run, head):
    assert "is not NUMBER:DIGEST as audit verify prints it" in run("audit", "verify", "--head", head).error


def test_value_that_is_no_json_is_shown_as_it_is(log):
    forge(log, """UPDATE audit SET "after" = '{broken' WHERE id = 2""")
    assert log.good("audit", "show", "2", "--json").json["after"] == "{broken"
    assert "{broken" in log.good("audit", "show", "2").out
