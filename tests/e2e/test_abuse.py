"""The duties of sections R-P and R-O, asked of the running server from outside; floods have a file of their own."""

import os
import pwd
import re
import socket
import stat
import struct
import subprocess
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import pytest

from bench.servers import free_port
from tests.e2e.conftest import UpstreamThread
from tests.e2e.outside import Datagrams, Stream, query, rcode, read
from tests.e2e.running import COMMAND, HOST, clean_environment, running, sinkhole, sinkhole_json
from tests.e2e.scripted import TRUE_IPV4, Scripted

CONFIG = """
[access]
allow = ["127.0.0.0/26"]
rate = 50
burst = 100
rate_exempt = ["127.0.0.1"]
slip = 2
"""
BLOCKED = "chat.deepseek.com"
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
OUTSIDER = "127.0.0.66"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} (DEBUG|INFO|WARNING|ERROR) [a-z_.]+( |$)")


def test_strangers_are_refused(product, world):
    """R-P01: who is not allowed gets REFUSED or nothing, over UDP and TCP, also for what is cached; logged once."""
    product.addresses("open.example")
    said = len(product.log)
    for _ in range(50):
        for name in ("open.example", "other.example", BLOCKED, "localhost"):
            with Datagrams(product.port, source=OUTSIDER) as udp:
                got = udp.ask(query(name))
                assert got is None or (rcode(got), read(got).answer) == (REFUSED, [])
            with Stream(product.port, source=OUTSIDER) as tcp:
                try:
                    got = tcp.ask(query(name))
                except OSError:
                    got = None
                assert got is None or (rcode(got), read(got).answer) == (REFUSED, [])
    assert not world.asked("other.example")
    assert product.log[said:].count("client.refused") <= 2


def test_default_is_no_open_resolver(tmp_path):
    """R-P01: unless told otherwise: loopback, link-local and private networks."""
    shown = sinkhole("config", "show", data_dir=tmp_path).stdout
    line = next(line for line in shown.splitlines() if line.strip().startswith("allow"))
    assert "127.0.0.0/8" in shown
    assert "0.0.0.0/0" not in line
    assert "::/0" not in line


def test_rate_limit(product):
    """R-P02: a burst of 500 of one client: the burst is served, some of the rest get TC=1; others are not touched."""
    with Datagrams(product.port, source="127.0.0.7") as udp:
        for n in range(500):
            udp.send(query("rate.example", number=n))
        replies = []
        while (got := udp.receive(0.5)) is not None:
            replies.append(read(got))
        with Stream(product.port, source="127.0.0.7") as tcp:
            assert rcode(tcp.ask(query("rate.example"))) == NOERROR
    served = [message for message in replies if message.answer]
    slipped = [message for message in replies if message.flags & dns.flags.TC]
    assert 90 <= len(served) <= 250
    assert len(slipped) >= 50
    assert len(replies) < 400
    with Datagrams(product.port, source="127.0.0.8") as udp:
        assert rcode(udp.ask(query("rate.example"))) == NOERROR
    with Datagrams(product.port) as udp:
        for n in range(500):
            assert rcode(udp.ask(query("rate.example", number=n))) == NOERROR


def test_slow_names_do_not_use_up_everything(tmp_path):
    """R-P03: 3000 slow names: the excess gets SERVFAIL at once; blocked and cached answers are not subject."""
    with UpstreamThread(Scripted()) as up, running(tmp_path / "data", upstream=up.port) as server:
        server.addresses("cached.example")
        up.paused = True
        with Datagrams(server.port) as udp:
            excess: list[dns.message.Message] = []
            for n in range(3000):
                udp.send(query(f"n{n}.slow{n}.example", number=n, use_edns=0))
                while n % 50 == 49 and (got := udp.receive(0.02)) is not None:
                    excess.append(read(got))
            assert len(excess) >= 500
            assert {int(message.rcode()) for message in excess} == {SERVFAIL}
            assert any("too many" in message.options[0].text for message in excess)
            for name in (BLOCKED, "cached.example", "localhost"):
                asked = time.monotonic()
                assert server.addresses(name)
                assert time.monotonic() - asked < 0.5
        up.paused = False
        deadline = time.monotonic() + 15
        while server.ask(f"t{time.monotonic_ns()}.example", timeout=10).rcode() != dns.rcode.NOERROR:
            assert time.monotonic() < deadline


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_descriptors_return_to_the_start_level(product):
    """R-P04: after 2000 connections and 2000 queries that had to wait."""
    worker = product.pids()["worker-0"]
    product.addresses("before.descriptors.example")
    before = descriptors(worker)
    for _ in range(20):
        streams = [Stream(product.port) for _ in range(45)]
        for stream in streams:
            stream.send(query("tcp.descriptors.example"))
        for stream in streams:
            stream.sock.close()
    with Datagrams(product.port) as udp:
        for n in range(2000):
            udp.send(query(f"n{n}.descriptors.example", number=n))
            if n % 50 == 49:
                for _ in range(50):
                    assert udp.receive() is not None
    deadline = time.monotonic() + 10
    while descriptors(worker) > before + 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_runs_as_its_own_user_without_capabilities(tmp_path, world):
    """R-P05: started as root it binds a low port, becomes the user it was told, and keeps no capability."""
    user = pwd.getpwnam("nobody")
    config = tmp_path / "c.toml"
    config.write_text('[server]\nuser = "nobody"\n')
    data = tmp_path / "data"
    for folder in (tmp_path, *list(tmp_path.parents)[:-2]):
        folder.chmod(folder.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
    with running(data, "--config", config, upstream=world.port) as server:
        assert server.addresses(BLOCKED) == ["0.0.0.0"]
        for pid in server.pids().values():
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
            assert {int(uid) for uid in status["Uid"].split()} == {user.pw_uid}
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        server.cli("policy", "list")


def test_bad_packets_make_no_log(product):
    """R-P06: 10,000 bad packets: answered or not, never a crash, hardly a line."""
    said = len(product.log)
    with Datagrams(product.port) as udp:
        for n in range(10_000):
            udp.send(struct.pack("!H", n) + os.urandom(n % 60))
            if n % 100 == 99:
                udp.until_good(number=0xFFFF)
    assert product.log[said:].count("\n") <= 10
    assert "Traceback" not in product.log


def test_log_lines_cannot_be_forged(tmp_path, world):
    """R-P07: names with newlines and escapes, at the loudest level: every line is one of ours."""
    config = tmp_path / "c.toml"
    config.write_text('[server]\nlog_level = "debug"\n')
    with running(tmp_path / "data", "--config", config, upstream=world.port) as server, Datagrams(server.port) as udp:
        for label in (b"a\nERROR forged", b"\r\n2026", b"\x1b[31m", b"x\0y"):
            for tail in (b"\x08deepseek\x03com\0", b"\x07example\0"):
                body = bytes([len(label)]) + label + tail + b"\0\1\0\1"
                udp.ask(struct.pack("!6H", 1, 0x100, 1, 0, 0, 0) + body)
        server.stop()
        for line in server.log.splitlines():
            assert LOG_LINE.match(line), line
        assert "\x1b" not in server.log


def test_ready_means_ready(tmp_path, world):
    """R-O05: at the moment of READY=1 queries are answered, by the rules."""
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(place))
        notify.settimeout(20)
        port = free_port()
        process = subprocess.Popen(
            [*COMMAND, "serve", "--data-dir", str(tmp_path / "data"), "--listen", f"{HOST}:{port}",
             "--upstream", f"{HOST}:{world.port}"],
            env=clean_environment() | {"NOTIFY_SOCKET": str(place)}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            said = b""
            while b"READY=1" not in said:
                said = notify.recv(4096)
            with Datagrams(port) as udp, Stream(port) as tcp:
                for ask in (udp.ask, tcp.ask):
                    assert [str(item) for item in read(ask(query(BLOCKED))).answer[0]] == ["0.0.0.0"]
                    assert [str(item) for item in read(ask(query("ready.example"))).answer[0]] == [TRUE_IPV4]
            process.terminate()
            while b"STOPPING=1" not in said:
                said = notify.recv(4096)
            assert process.wait(6) == 0
        finally:
            process.kill()
            process.wait()


def test_restored_instance_answers_the_same(tmp_path, world):
    """R-O08: backup and restore are one command each."""
    names = (BLOCKED, "api.openai.com", "api.mistral.ai", "free.example", "mine.example")
    with running(tmp_path / "data", upstream=world.port) as server:
        server.cli("policy", "allow", "vendor:openai")
        server.cli("policy", "block", "domain:mine.example")
        before = [server.addresses(name) for name in names]
        server.cli("backup", tmp_path / "all.backup")
    sinkhole("restore", tmp_path / "all.backup", data_dir=tmp_path / "other")
    with running(tmp_path / "other", upstream=world.port) as server:
        assert [server.addresses(name) for name in names] == before


def test_statistics_agree_with_what_was_sent(tmp_path, world):
    """R-O11: 1000 blocked queries, over both transports, cached or not, are 1000 hits."""
    with running(tmp_path / "data", upstream=world.port) as server:
        with Datagrams(server.port) as udp, Stream(server.port) as tcp:
            for n in range(500):
                assert udp.ask(query(BLOCKED if n % 2 else f"n{n}.deepseek.com", number=n)) is not None
                assert tcp.ask(query(BLOCKED, number=n)) is not None
                assert udp.ask(query("free.example", number=n)) is not None
        server.wait_for(r"process\.ready process=control", 60)  # who stores them, which a busy machine starts late
        assert server.stop() == 0
    rows = sinkhole_json("hits", "top", "--by", "vendor", data_dir=tmp_path / "data")
    assert [(row["vendor"], row["hits"], row["blocked"]) for row in rows] == [("deepseek", 1000, 1000)]


def test_check_agrees_with_the_answers(product):
    """R-O12: rule, feed or vendor, group, and what lost; the outcome is what the server answers."""
    for name in (BLOCKED, "www.openai.com", "free.example", "deepseek.com.example", "localhost"):
        explained = sinkhole_json("check", name, data_dir=product.data_dir)
        is_blocked = "0.0.0.0" in product.addresses(name)
        assert (explained["outcome"] == "BLOCK") is is_blocked, name
        if is_blocked:
            assert explained["verdict"]["rule"]
            assert explained["verdict"]["vendor"]
            assert explained["verdict"]["subject"]
