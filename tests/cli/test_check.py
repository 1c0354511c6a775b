"""`sinkhole check`, of the policy in force and of one list file."""

import os

import pytest

from sinkhole.app import data_dir

LIST = """\
||blocked.example^
@@||fine.blocked.example^
|moved.example^$dnsrewrite=192.0.2.1
||tracked.example^$removeparam=utm
"""


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text(LIST)
    return path


def test_explains_a_block(run):
    """R-O12: verdict, rule, vendor, product, client, and what lost."""
    run.good("policy", "block", "deepseek", "--reason", "decision 12")
    lines = run.good("check", "chat.deepseek.com").lines
    told = {line[2:13].strip(): line[14:] for line in lines[1:-1]}
    assert lines[0] == "chat.deepseek.com A"
    assert told["answer"] == "0.0.0.0, TTL 10, EDE 15"
    assert told["decided by"] == "vendor:deepseek block for all, statement 7"
    assert told["reason"] == "decision 12"
    assert told["vendor"] == "deepseek (CN)"
    assert told["client"] == "127.0.0.1 in no group"
    assert told["policy"] == "generation 1"
    assert "  outranked   ai block for all (chat.deepseek.com and below): vendor:deepseek is more specific" in lines
    assert lines[-1] == "BLOCK"


def test_outcomes(run):
    run.good("policy", "monitor", "mistral")
    run.good("policy", "allow", "openai")
    words = ["chat.deepseek.com", "api.mistral.ai", "api.openai.com", "example.org"]
    assert [run.good("check", word).lines[-1] for word in words] == ["BLOCK", "MONITOR", "ALLOW", "NONE"]
    assert "decided by  nothing matches" in run.good("check", "example.org").out
    run.good("policy", "remove", "ai")
    assert "decided by  no statement; it is in the catalogue" in run.good("check", "chat.deepseek.com").out


def test_json_has_the_same_facts(run):
    run.good("groups", "add", "lab", "10.0.0.0/8")
    told = run.good("check", "Chat.DeepSeek.com", "--client", "10.1.1.1", "--type", "https", "--json").json
    assert (told["outcome"], told["type"], told["groups"]) == ("BLOCK", "HTTPS", ["lab"])
    assert told["answer"] == "no data, TTL 10, EDE 15"
    assert (told["verdict"]["action"], told["verdict"]["vendor"]) == ("block", "deepseek")
    assert all(loser["action"] in ("block", "monitor", "allow") for loser in told["verdict"]["losers"])


@pytest.mark.parametrize(("mode", "answer"), [("nxdomain", "NXDOMAIN, TTL 10, EDE 15"), ("refused", "REFUSED, EDE 15"),
                                              ("nodata", "no data, TTL 10, EDE 15")])  # fmt: skip
def test_answer_is_told_as_the_settings_have_it(run, mode, answer):
    """R-B01: NXDOMAIN, NODATA or REFUSED instead of an address."""
    run.config.write_text(f'[upstream]\nservers = ["127.0.0.1:9"]\n[blocking]\nmode = "{mode}"\n')
    assert f"answer      {answer}" in run.good("check", "chat.deepseek.com").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a..b",), "name 'a..b': a label has 1 to 63 octets; found 0"),
        (("example.org", "--type", "FOO"), "found 'FOO'"),
        (("example.org", "--client", "somebody"), "'somebody' is no address such as 192.0.2.7"),
    ],
)
def test_wrong_questions(run, words, said):
    assert said in run("check", *words).sentence


@pytest.mark.parametrize("at", ["tomorrow", "2026-13-01 08:00", "08:00"])
def test_wrong_time(run, at):
    done = run("check", "example.org", "--at", at)
    assert done.status == 2
    assert at in done.error
    assert "wanted a time from 1970 to 2999" in run("check", "example.org", "--at", "0001-01-01 00:00").error


def test_running_server_is_not_compiled_for(run):
    """Its settings may be others than those of the command, so only what it published counts."""
    run.good("check", "example.org")
    run.config.write_text('[blocking]\nmode = "nxdomain"\n')
    held = data_dir.lock(run.folder)
    try:
        assert "answer      0.0.0.0" in run.good("check", "chat.deepseek.com").out
    finally:
        os.close(held)
    assert "answer      NXDOMAIN" in run.good("check", "chat.deepseek.com").out


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("a.blocked.example", "BLOCK"),
        ("fine.blocked.example", "ALLOW"),
        ("other.example", "NONE"),
        ("moved.example", "REWRITE A 192.0.2.1"),
    ],
)
def test_list_file_alone(run, rules, name, word):
    """A list author tests a list without server or store; the last line is the verdict."""
    done = run("check", name, "--rules", rules, place=False)
    assert done.status == 0
    assert done.lines[-1] == word
    assert done.lines[0] == f"{rules}: 3 rows accepted, 1 not"
    assert "line 4, column 20: " in done.lines[1]
    assert (len(done.lines) == 3) == (word == "NONE")
    assert not run.folder.exists()


def test_list_file_does_not_depend_on_the_time(run, rules):
    done = run("check", "a.blocked.example", "--rules", rules, "--at", "2026-11-24 08:00", place=False)
    assert done.status == 2
    assert "--at is for policy" in done.error


def test_list_file_as_json(run, rules):
    told = run("check", "a.blocked.example", "--rules", rules, "--json", place=False).json
    assert (told["outcome"], told["line"], told["rows"]) == ("BLOCK", 1, 3)
    assert [row["line"] for row in told["rejections"]] == [4]
    none = run("check", "other.example", "--rules", rules, "--json", place=False).json
    assert (none["outcome"], none["line"]) == ("NONE", None)


def test_many_rejections_are_summed_up(run, tmp_path):
    path = tmp_path / "bad.txt"
    path.write_text("ok.example.org\n" + "two words\n" * 25)
    lines = run("check", "ok.example.org", "--rules", path, "--format", "domains", place=False).lines
    assert lines[0].endswith("1 row accepted, 25 not")
    assert len([line for line in lines if "line " in line and "decides" not in line]) == 20
    assert any(line.startswith("  and 5 more: ") for line in lines)
    assert lines[-1] == "BLOCK"


@pytest.mark.parametrize(
    ("content", "words", "said"),
    [
        (None, (), "cannot be read: No such file or directory"),
        ("<html><body>sign in</body></html>", (), "own.txt"),
        ("a.example.org", ("--format", "word"), "found 'word'"),
    ],
)
def test_file_that_is_no_list(run, tmp_path, content, words, said):
    path = tmp_path / "own.txt"
    if content:
        path.write_text(content)
    assert said in run("check", "example.org", "--rules", path, *words, place=False).sentence


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("203.0.113.7", "BLOCK"),
        ("203.0.113.9", "ALLOW"),
        ("203.0.114.7", "NONE"),
        ("2001:db8:113::7", "BLOCK"),
    ],
)
def test_address_is_judged_by_a_policy_zone(run, tmp_path, address, word):
    zone = tmp_path / "zone.rpz"
    zone.write_text(
        "24.0.113.0.203.rpz-ip CNAME .\n32.9.113.0.203.rpz-ip CNAME rpz-passthru.\n48.zz.113.db8.2001.rpz-ip CNAME .\n"
    )
    assert run.good("check", address, "--rules", zone, "--format", "rpz").lines[-1] == word
