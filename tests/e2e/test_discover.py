"""Unknown AI on a running server: seen in its traffic, reviewed, and blocked until then where policy says so."""

import time

from tests.e2e.conftest import TRUE_ADDRESS, UpstreamThread
from tests.e2e.running import Server, running, sinkhole_json
from tests.fakes import FakeUpstream, answers

NAMES = {
    ("www.novel-gpt.example", "A"): [TRUE_ADDRESS],
    ("helper.example", "CNAME"): ["api.deepseek.com"],
    ("api.deepseek.com", "A"): [TRUE_ADDRESS],
    ("example.org", "A"): [TRUE_ADDRESS],
    ("gpt.corp.example", "A"): [TRUE_ADDRESS],
}


def until(told, seconds=8.0):
    """Return what `told` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := told()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
    return found


def queue(server: Server):
    return {one["domain"]: one for one in sinkhole_json("discover", "list", "--state", "all", data_dir=server.data_dir)}


def test_names_are_seen_reviewed_and_blocked_until_then(tmp_path):
    config = tmp_path / "sinkhole.toml"
    with UpstreamThread(FakeUpstream(answers(NAMES))) as upstream:
        config.write_text(f'[[upstream.zones]]\nzone = "corp.example"\nservers = ["127.0.0.1:{upstream.port}"]\n')
        with running(tmp_path / "data", "--config", config, upstream=upstream.port) as server:
            for name in ("www.novel-gpt.example", "helper.example", "example.org", "gpt.corp.example", "gone.ai"):
                server.ask(name)
            found = until(lambda: len(seen := queue(server)) == 2 and seen)
            assert found["novel-gpt.example"]["reasons"] == ["gpt in novel-gpt", "novel beside it"]
            assert found["novel-gpt.example"]["examples"] == ["www.novel-gpt.example"]
            assert found["helper.example"]["reasons"] == ["its answer leads to api.deepseek.com of deepseek"]
            assert server.addresses("www.novel-gpt.example") == [TRUE_ADDRESS]

            server.cli("policy", "block", "unreviewed")
            assert server.addresses("www.novel-gpt.example") == ["0.0.0.0"]
            assert server.addresses("helper.example") == ["0.0.0.0"]
            assert server.addresses("other-gpt.example") == ["0.0.0.0"]
            assert server.addresses("gpt.corp.example") == [TRUE_ADDRESS]
            assert server.addresses("example.org") == [TRUE_ADDRESS]
            assert "other-gpt.example" in until(lambda: len(seen := queue(server)) == 3 and seen)

            server.cli("discover", "ignore", "novel-gpt.example", "--reason", "a game")
            assert server.addresses("www.novel-gpt.example") == [TRUE_ADDRESS]
            server.cli("discover", "accept", "other-gpt.example", "--vendor", "other")
            explained = sinkhole_json("check", "other-gpt.example", data_dir=server.data_dir)
            assert (explained["outcome"], explained["verdict"]["product"]) == ("BLOCK", "other/chat")
            server.cli("policy", "allow", "vendor:other")
            server.ask("other-gpt.example")
            assert sinkhole_json("check", "other-gpt.example", data_dir=server.data_dir)["outcome"] == "ALLOW"
            assert "server.failed" not in server.log
        assert "novel-gpt.example" in (tmp_path / "data" / "compiled" / "policy.json").read_text()


def test_name_that_shows_in_its_answer_alone_comes_into_policy_by_itself(tmp_path):
    """Where it is allowed what its answer leads to, only the queue knows of it; the server publishes that."""
    with (
        UpstreamThread(FakeUpstream(answers(NAMES))) as upstream,
        running(tmp_path / "data", upstream=upstream.port) as server,
    ):
        server.cli("policy", "allow", "ai")
        server.cli("policy", "block", "unreviewed")
        assert TRUE_ADDRESS in server.addresses("helper.example")
        until(lambda: queue(server))
        until(lambda: sinkhole_json("check", "helper.example", data_dir=server.data_dir)["outcome"] == "BLOCK", 20)
        assert server.addresses("helper.example") == ["0.0.0.0"]


def test_nothing_is_counted_where_it_is_off_and_clients_only_where_wanted(tmp_path):
    config = tmp_path / "sinkhole.toml"
    with UpstreamThread(FakeUpstream(answers(NAMES))) as upstream:
        for number, text in enumerate(("[discover]\nenabled = false\n", '[record]\nqueries = "none"\n')):
            config.write_text(text)
            with running(tmp_path / f"off{number}", "--config", config, upstream=upstream.port) as server:
                server.ask("www.novel-gpt.example")
            assert queue(server) == {}
        config.write_text("[discover]\nclients = true\n")
        with running(tmp_path / "on", "--config", config, upstream=upstream.port) as server:
            server.ask("www.novel-gpt.example")
            until(lambda: queue(server))
        (found,) = queue(server).values()
        assert (found["count"], found["clients"]) == (1, 1)
        shown = sinkhole_json("discover", "show", "novel-gpt.example", data_dir=server.data_dir)
        assert shown["clients"] == ["127.0.0.1"]


def test_a_restart_counts_nothing_twice(tmp_path):
    with UpstreamThread(FakeUpstream(answers(NAMES))) as upstream:
        for _ in range(2):
            with running(tmp_path / "data", upstream=upstream.port) as server:
                server.ask("www.novel-gpt.example")
        assert queue(server)["novel-gpt.example"]["count"] == 2
