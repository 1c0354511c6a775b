"""Changing a running server: policy, configuration; nothing lost, nothing answered by the old policy after."""

import signal
import threading
import time

import dns.exception
import dns.message
import dns.query

from tests.e2e.conftest import TRUE_ADDRESS
from tests.e2e.running import HOST, running, sinkhole_json


def test_policy_is_in_force_when_the_command_returns(server):
    """R-C21: also for an answer that is cached."""
    assert server.addresses("api.mistral.ai") == ["0.0.0.0"]
    server.cli("policy", "allow", "mistral")
    assert server.addresses("api.mistral.ai") == [TRUE_ADDRESS]
    server.cli("policy", "block", "domain:mistral.ai")
    assert server.addresses("api.mistral.ai") == ["0.0.0.0"]
    server.cli("policy", "remove", "domain:mistral.ai")
    assert server.addresses("api.mistral.ai") == [TRUE_ADDRESS]


def test_group_policy(server):
    """R-B12: the most specific group of a client decides; an unknown client gets the default."""
    server.cli("groups", "add", "lab", "127.0.0.1/32")
    server.cli("policy", "allow", "vendor:openai", "--group", "lab")
    assert server.addresses("api.openai.com") == [TRUE_ADDRESS]
    other = dns.query.udp(dns.message.make_query("api.openai.com", "A"), HOST, 5, server.port, source="127.0.0.2")
    assert [str(item) for item in other.answer[0]] == ["0.0.0.0"]
    explained = sinkhole_json("check", "api.openai.com", "--client", "10.1.2.3", data_dir=server.data_dir)
    assert explained["outcome"] == "BLOCK"


def test_check_says_what_happens(server):
    """R-O12: the explanation is the answer."""
    explained = sinkhole_json("check", "chat.deepseek.com", data_dir=server.data_dir)
    assert explained["outcome"] == "BLOCK"
    assert explained["verdict"]["vendor"] == "deepseek"
    text = server.cli("check", "chat.deepseek.com").stdout
    assert text.strip().splitlines()[-1] == "BLOCK"


def test_no_query_is_lost_while_policy_and_configuration_change(tmp_path, upstream):
    """R-O01, R-F02: queries all the time, policy changes and reloads in between, no loss and no wrong answer."""
    config = tmp_path / "sinkhole.toml"
    config.write_text("[cache]\nentries = 1000\n")
    with running(tmp_path / "data", "--config", config, upstream=upstream.port) as server:
        stop = threading.Event()
        wrong: list[object] = []
        asked = [0]

        def ask() -> None:
            while not stop.is_set():
                try:
                    if server.addresses("chat.deepseek.com", timeout=3) != ["0.0.0.0"]:
                        wrong.append("answered truly")
                    if server.addresses("example.org", timeout=3) != [TRUE_ADDRESS]:
                        wrong.append("not answered truly")
                except (dns.exception.DNSException, OSError) as error:
                    wrong.append(error)
                asked[0] += 2
                time.sleep(0.005)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for round_number in range(4):
            said = len(server.log)
            if round_number % 2:
                server.process.send_signal(signal.SIGHUP)
                server.wait_for(r"config\.reloaded changed=False", start=said)
            else:
                config.write_text(f"[cache]\nentries = {2000 + round_number}\n")
                server.process.send_signal(signal.SIGHUP)
                server.wait_for(r"process\.ready process=control", 15, start=said)
            server.cli("policy", "monitor", "vendor:mistral")
            server.cli("policy", "remove", "vendor:mistral")
        stop.set()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert asked[0] > 100


def test_broken_configuration_on_reload_changes_nothing(tmp_path, upstream):
    """R-O03: on reload a mistake keeps the old configuration."""
    config = tmp_path / "sinkhole.toml"
    config.write_text("")
    with running(tmp_path / "data", "--config", config, upstream=upstream.port) as server:
        config.write_text("[server]\nworkers = 'many'\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(r"config\.refused .*server\.workers")
        assert server.addresses("example.org") == [TRUE_ADDRESS]


def test_workers_and_addresses_change_on_reload(tmp_path, upstream):
    config = tmp_path / "sinkhole.toml"
    config.write_text("")
    with running(tmp_path / "data", "--config", config, upstream=upstream.port) as server:
        config.write_text("[server]\nworkers = 2\n")
        said = len(server.log)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(r"process\.ready process=worker-1", 10, start=said)
        assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
        config.write_text("")
        said = len(server.log)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(r"config\.reloaded changed=True", 10, start=said)
        for _ in range(20):
            assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
