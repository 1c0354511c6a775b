"""Coaching, exceptions, pauses and lockdowns on a running server: in force at once, and over by themselves."""

import sqlite3
import time
from datetime import UTC, datetime

import dns.message
import dns.query

from sinkhole.app.coach import issue, redeem
from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.policy.document import load_policy
from sinkhole.protocol.names import name_from_text
from tests.e2e.conftest import TRUE_ADDRESS
from tests.e2e.running import HOST, Server, running, sinkhole_json

NAME = "chat.deepseek.com"
PAGE = "192.0.2.250"
BLOCKED, TRUE = ["0.0.0.0"], [TRUE_ADDRESS]


def addresses_for(server: Server, source: str, name: str = NAME) -> list[str]:
    """Ask as a client with another loopback address."""
    reply = dns.query.udp(dns.message.make_query(name, "A"), HOST, 5, server.port, source=source)
    return [str(item) for rrset in reply.answer for item in rrset]


def test_each_goes_before_the_next_and_all_end_early(server):
    def found() -> tuple[list[str], list[str]]:
        return server.addresses(NAME), addresses_for(server, "127.0.0.9")

    assert found() == (BLOCKED, BLOCKED)
    server.cli("groups", "add", "lab", "127.0.0.9")
    server.cli("pause", "15m", "--group", "lab")
    assert found() == (BLOCKED, TRUE)
    server.cli("exception", "request", "deepseek", "--for", "1d", "--client", HOST, "--reason", "r", "--approve")
    assert found() == (TRUE, TRUE)
    server.cli("lockdown", "--for", "1h")
    assert found() == (BLOCKED, BLOCKED)
    server.cli("lockdown", "end")
    assert found() == (TRUE, TRUE)
    server.cli("pause", "end", "--group", "lab")
    server.cli("exception", "revoke", "1")
    assert found() == (BLOCKED, BLOCKED)


def test_lockdown_reaches_what_statements_allow_through_an_alias_too(server):
    server.cli("policy", "allow", "mistral")
    assert server.addresses("api.mistral.ai") == TRUE
    server.cli("lockdown", "--for", "1h", "--subject", "mistral")
    assert server.addresses("api.mistral.ai") == BLOCKED
    assert server.addresses("example.org") == TRUE


def end_in(server: Server, seconds: int) -> int:
    """Let all that is in force end soon, and put that in force; return when."""
    ends = int(time.time()) + seconds
    with sqlite3.connect(server.data_dir / "store.db") as connection:
        connection.execute('UPDATE "override" SET ends = ?', (ends,))
        connection.execute("UPDATE policy_exception SET expires = ?", (ends,))
    connection.close()
    server.cli("policy", "monitor", "domain:example.net")
    return ends


def test_pause_and_exception_end_by_themselves(server):
    """R-B13: no command, no timer of anybody; and no TTL reaches beyond the end."""
    server.cli("pause", "15m", "--subject", "deepseek")
    server.cli("exception", "request", "openai", "--for", "1d", "--reason", "r", "--approve")
    ends = end_in(server, 5)
    for name in (NAME, "api.openai.com"):
        reply = server.ask(name)
        assert [str(item) for item in reply.answer[0]] == TRUE
        assert reply.answer[0].ttl <= 5
    time.sleep(max(0.0, ends - time.time()) + 0.1)
    assert server.addresses(NAME) == server.addresses("api.openai.com") == BLOCKED
    assert sinkhole_json("pause", "list", data_dir=server.data_dir) == []
    (row,) = sinkhole_json("exception", "list", "--state", "expired", data_dir=server.data_dir)
    assert row["subject"] == "vendor:openai"


def test_pause_survives_a_restart_with_its_end(tmp_path, upstream):
    with running(tmp_path / "data", upstream=upstream.port) as server:
        server.cli("pause", "15m")
        (before,) = sinkhole_json("pause", "list", data_dir=server.data_dir)
    with running(tmp_path / "data", upstream=upstream.port) as server:
        assert server.addresses(NAME) == TRUE
        assert sinkhole_json("pause", "list", data_dir=server.data_dir) == [before]


def test_hits_and_check_name_what_decided(tmp_path, upstream):
    with running(tmp_path / "data", upstream=upstream.port) as server:
        server.cli("pause", "15m", "--reason", "demo")
        server.ask(NAME)
        server.ask(NAME)
        told = sinkhole_json("check", NAME, data_dir=server.data_dir)
        assert (told["outcome"], told["override"]["name"], told["override"]["reason"]) == ("MONITOR", "pause:1", "demo")
        server.stop()
        rows = sinkhole_json("hits", "top", "--by", "subject", data_dir=server.data_dir)
    assert [(row["subject"], row["hits"], row["allowed"]) for row in rows] == [("pause:1", 2, 2)]


def test_coached_client_goes_on_after_the_notice(tmp_path, upstream):
    config = tmp_path / "sinkhole.toml"
    config.write_text(f'[blocking]\nmode = "nxdomain"\nipv4 = "{PAGE}"\n[coach]\nminutes = 5\n')
    with running(tmp_path / "data", "--config", config, upstream=upstream.port) as server:
        server.cli("policy", "coach", "deepseek", "--config", config)
        reply = server.ask(NAME, use_edns=0)
        assert ([str(item) for item in reply.answer[0]], reply.answer[0].ttl) == ([PAGE], 10)
        assert reply.options[0].text.endswith("; you may go on after reading the notice")
        assert str(server.ask("api.openai.com").rcode()) == "3"
        settings = load_settings(config, {}, {"server.data_dir": server.data_dir})
        policy = load_policy(server.data_dir / "compiled")
        verdict = policy.decide(name_from_text(NAME), 1, policy.scope_of(HOST), datetime.now(UTC))
        state = open_state(settings, who="block page")
        redeem(state, issue(state, verdict, HOST), HOST)
        state.close()
        server.cli("policy", "monitor", "domain:example.net", "--config", config)  # any change publishes it
        assert server.addresses(NAME) == TRUE
        assert addresses_for(server, "127.0.0.9") == [PAGE]
        (grant,) = sinkhole_json("coach", "grants", "--config", str(config), data_dir=server.data_dir)
        assert grant["client"] == HOST
        server.cli("coach", "end", str(grant["id"]), "--config", config)
        assert server.addresses(NAME) == [PAGE]
        server.stop()
        rows = sinkhole_json("hits", "top", "--by", "subject", "--config", str(config), data_dir=server.data_dir)
    found = {row["subject"]: (row["coached"], row["allowed"]) for row in rows}
    assert found == {"vendor:deepseek": (3, 0), "grant:1": (0, 1), "ai": (0, 0)}
