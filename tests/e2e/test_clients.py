"""Who is asking, from the command line to the answer: a running server, its control process, and strangers that ask."""

import os
import signal
import time
from collections.abc import Iterator

import dns.edns
import dns.message
import dns.query
import pytest

from tests.e2e.conftest import TRUE_ADDRESS
from tests.e2e.running import HOST, Server, running, sinkhole_json

MAC, OTHER = "aa:bb:cc:dd:ee:07", "aa:bb:cc:dd:ee:08"
NAME = "chat.deepseek.com"
CONFIG = """
records = ["pc9.lab.example 300 A 127.0.0.9", "9.0.0.127.in-addr.arpa 300 PTR pc9.lab.example"]
[clients]
leases = [{leases!r}]
forwarders = ["127.0.0.20/32"]
interval = 0.5
[feeds]
sync = false
"""
SOON = 8.0


@pytest.fixture
def leases(tmp_path):
    path = tmp_path / "leases"
    path.write_text(f"1900000000 {MAC} 127.0.0.7 laptop-7 00:4c:41:50:54:4f:50\n")
    return path


@pytest.fixture
def server(tmp_path, upstream, leases) -> Iterator[Server]:
    """A server that allows DeepSeek for a group of clients of every kind, and blocks it for the rest."""
    config = tmp_path / "sinkhole.toml"
    config.write_text(CONFIG.format(leases=str(leases)))
    with running(tmp_path / "data", "--config", str(config), upstream=upstream.port) as found:
        found.cli("groups", "add", "lab", f"mac:{MAC}", "name:*.lab.example", "id:branch-7")
        found.cli("groups", "add", "house", "127.0.0.0/8")
        found.cli("policy", "block", "vendor:deepseek", "--group", "house")
        found.cli("policy", "allow", "vendor:deepseek", "--group", "lab")
        yield found


def ask(server, source, *options, name=NAME, tcp=False):
    query = dns.message.make_query(name, "A", use_edns=0, options=list(options))
    how = dns.query.tcp if tcp else dns.query.udp
    reply = how(query, HOST, timeout=5, port=server.port, source=source)
    return [str(item) for rrset in reply.answer for item in rrset]


def until(is_so, seconds=SOON):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def mac_option(mac):
    return dns.edns.GenericOption(65001, bytes.fromhex(mac.replace(":", "")))


def test_mac_address_of_a_lease_decides_and_follows_the_lease(server, leases):
    """R-B12: within seconds of a change, also for answers that are in the packet cache."""
    until(lambda: ask(server, "127.0.0.7") == [TRUE_ADDRESS])
    for _ in range(3):
        assert ask(server, "127.0.0.7") == [TRUE_ADDRESS]
        assert ask(server, "127.0.0.8") == ["0.0.0.0"]
    leases.write_text(f"1900000000 {MAC} 127.0.0.8 laptop-7 *\n")
    until(lambda: ask(server, "127.0.0.8") == [TRUE_ADDRESS])
    assert ask(server, "127.0.0.7") == ["0.0.0.0"]
    assert ask(server, "127.0.0.8", tcp=True) == [TRUE_ADDRESS]


def test_reverse_name_decides_once_it_is_verified(server):
    """The first answer is by the address; the name is asked for at once, through own records."""
    first = ask(server, "127.0.0.9")
    assert first in (["0.0.0.0"], [TRUE_ADDRESS])
    until(lambda: ask(server, "127.0.0.9") == [TRUE_ADDRESS])
    assert ask(server, "127.0.0.10") == ["0.0.0.0"]
    shown = sinkhole_json("clients", "show", "127.0.0.9", data_dir=server.data_dir)
    assert {"what": "name", "value": "pc9.lab.example", "source": "reverse name, verified"} in shown["facts"]


def test_trusted_forwarder_names_the_client_and_nobody_else_does(server):
    until(lambda: ask(server, "127.0.0.7") == [TRUE_ADDRESS])
    for _ in range(2):
        assert ask(server, "127.0.0.20", mac_option(MAC)) == [TRUE_ADDRESS]
        assert ask(server, "127.0.0.20", mac_option(OTHER)) == ["0.0.0.0"]
        assert ask(server, "127.0.0.20", dns.edns.ECSOption("127.0.0.7", 32)) == [TRUE_ADDRESS]
        assert ask(server, "127.0.0.20", dns.edns.GenericOption(65074, b"BRANCH-7")) == [TRUE_ADDRESS]
        assert ask(server, "127.0.0.20") == ["0.0.0.0"]
        assert ask(server, "127.0.0.21", mac_option(MAC)) == ["0.0.0.0"]
    hits = lambda: sinkhole_json("hits", "top", "--by", "client", data_dir=server.data_dir)  # noqa: E731
    until(lambda: {f"mac:{OTHER}", "127.0.0.20", "127.0.0.21"} <= {one["client"] for one in hits()})


def test_clients_are_counted_and_listed(server):
    for _ in range(5):
        ask(server, "127.0.0.7")
    ask(server, "127.0.0.30", name="use-application-dns.net")

    def listed():
        return {one["client"]: one for one in sinkhole_json("clients", "list", data_dir=server.data_dir)}

    until(lambda: {"127.0.0.7", "127.0.0.30"} <= listed().keys(), 15)
    until(lambda: listed()["127.0.0.7"]["mac"] == MAC, 15)
    found = listed()
    assert (found["127.0.0.7"]["queries"], found["127.0.0.7"]["groups"]) == (5, ["lab", "house"])
    assert found["127.0.0.30"]["groups"] == ["house"]
    scores = {one["client"]: one for one in sinkhole_json("report", "bypass", data_dir=server.data_dir)}
    assert scores["127.0.0.30"]["canaries"]["days"] == 1


def test_count_survives_a_kill_of_the_control_process(server):
    """Handed over with the hits, exactly once; and who is who is known again at once."""
    until(lambda: ask(server, "127.0.0.7") == [TRUE_ADDRESS])
    until(lambda: ask(server, "127.0.0.9") == [TRUE_ADDRESS])
    os.kill(server.pids()["control"], signal.SIGKILL)
    for _ in range(10):
        assert ask(server, "127.0.0.9") == [TRUE_ADDRESS]
        assert ask(server, "127.0.0.31") == ["0.0.0.0"]
    until(lambda: server.log.count("process=control") > 1)

    def queries():
        found = sinkhole_json("clients", "list", data_dir=server.data_dir)
        return {one["client"]: one["queries"] for one in found}.get("127.0.0.31")

    until(lambda: queries() == 10, 20)
    assert ask(server, "127.0.0.9") == [TRUE_ADDRESS]
    time.sleep(1.0)
    assert ask(server, "127.0.0.9") == [TRUE_ADDRESS]
    assert queries() == 10


def test_check_explains_by_which_member(server):
    until(lambda: ask(server, "127.0.0.7") == [TRUE_ADDRESS])
    done = server.cli("check", NAME, "--client", "127.0.0.7").stdout
    assert f"127.0.0.7 in lab by mac:{MAC}, house by 127.0.0.0/8" in done
    assert done.splitlines()[-1] == "ALLOW"
