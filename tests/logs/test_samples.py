"""Each format on a sample: real lines where the head of the sample says so, else written from documentation."""

import datetime as dt
import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock
from sinkhole.logs.reading import LogReading
from sinkhole.logs.text_formats import TEXT_FORMATS, format_of

SAMPLES = Path(__file__).parent / "samples"
NOON = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC).timestamp()
EVENING = dt.datetime(2026, 11, 26, 22, tzinfo=dt.UTC).timestamp()
REAL = [
    ("127.0.0.2", "chat.deepseek.com"), ("127.0.0.2", "chat.deepseek.com"), ("127.0.0.3", "api.openai.com"),
    ("127.0.0.3", "www.example.org"), ("127.0.0.2", "claude.ai"), ("127.0.0.4", "lists.example.net"),
]  # fmt: skip
PROXIED = [
    ("127.0.0.2", "chat.deepseek.com"), ("127.0.0.2", "api.openai.com"), ("127.0.0.2", "www.example.org"),
    ("127.0.0.2", "claude.ai"),
]  # fmt: skip
ONCE = [("192.0.2.2", "chat.deepseek.com"), ("192.0.2.3", "api.openai.com"), ("2001:db8::4", "claude.ai"),
        ("192.0.2.3", "www.example.org")]  # fmt: skip
TWICE = [ONCE[0], ONCE[0], ONCE[1], ONCE[3], ONCE[2]]
BY_USER = [
    ("ann@example.org", "chat.deepseek.com"), ("jo-laptop", "api.openai.com"), ("2001:db8::4", "claude.ai"),
]  # fmt: skip
FOUND = {
    "bind.log": ("bind", REAL), "bind-iso.log": ("bind", REAL), "dnsdist.log": ("dnsdist", REAL),
    "dnsdist-untimed.log": ("dnsdist", REAL), "dnsdist-verbose.log": ("dnsdist", REAL),
    "dnsmasq.log": ("dnsmasq", REAL), "dnsmasq-extra.log": ("dnsmasq", REAL), "powerdns.log": ("powerdns", REAL),
    "powerdns-structured.log": ("powerdns", REAL), "squid.log": ("squid", PROXIED),
    "squid-combined.log": ("squid", PROXIED), "unbound.log": ("unbound", REAL),
    "unbound-replies.log": ("unbound", REAL), "unbound-tagged.log": ("unbound", REAL),
    "adguard.json": ("adguard", TWICE), "zeek.log": ("zeek", TWICE),
    "zeek.json": ("zeek", [ONCE[0], ONCE[1], ONCE[3], ONCE[2]]),
    "windows-dns.log": ("windows-dns", ONCE), "windows-dns-de.log": ("windows-dns", ONCE),
    "windows-dns-gb.log": ("windows-dns", ONCE),
    "umbrella.csv": ("umbrella", [ONCE[0], ONCE[0], ("Doe, Jo (jo@example.org)", "api.openai.com"), ONCE[3], ONCE[2]]),
    "cloudflare.csv": ("cloudflare", [BY_USER[0], *BY_USER[:2], ("jo-laptop", "www.example.org"), BY_USER[2]]),
    "cloudflare.json": ("cloudflare", BY_USER),
    "zscaler.csv": ("zscaler", [BY_USER[0], BY_USER[0], ONCE[1], ONCE[3], ONCE[2]]),
    "zscaler.json": ("zscaler", [BY_USER[0], ("jo@example.org", "api.openai.com"), ONCE[2]]),
    "nextdns.csv": ("nextdns", [
        ("Ann's laptop (AB12C)", "chat.deepseek.com"), ("Ann's laptop (AB12C)", "chat.deepseek.com"),
        ("phone (CD34E)", "api.openai.com"), ("phone (CD34E)", "www.example.org"), ONCE[2],
    ]),
}  # fmt: skip
TELL_REFUSAL = ("adguard.json", "umbrella.csv", "cloudflare.csv", "cloudflare.json", "zscaler.csv", "zscaler.json",
                "nextdns.csv")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def written():
    """Let the samples be written on the day they tell of, whenever they were checked out: it gives them their year."""
    for path in SAMPLES.iterdir():
        os.utime(path, (EVENING + 3600,) * 2)


def read(path, wanted=None):
    reading = LogReading(path, dt.UTC, wanted)
    try:
        return list(reading.queries()), reading.summary()
    finally:
        reading.close()


def test_every_sample_and_every_format_is_tried():
    assert {path.name for path in SAMPLES.iterdir()} == set(FOUND)
    assert {name for name, _ in FOUND.values()} == {one.name for one in TEXT_FORMATS}


@pytest.mark.parametrize("sample", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_sample_says_whether_it_is_real(sample):
    assert any(word in sample.read_text() for word in ("# real lines of", "# written from"))


@pytest.mark.parametrize("sample", sorted(FOUND))
def test_format_is_found_out_and_each_query_read(sample):
    name, wanted = FOUND[sample]
    queries, summary = read(SAMPLES / sample)
    assert summary.title == format_of(name).title
    assert [(client, text.lower().rstrip(".")) for _, client, text, _ in queries] == wanted
    assert summary.unreadable == (1 if sample == "adguard.json" else 0)


@pytest.mark.parametrize("sample", sorted(FOUND))
def test_format_may_be_said(sample):
    assert read(SAMPLES / sample, FOUND[sample][0])[0] == read(SAMPLES / sample)[0]


@pytest.mark.parametrize(
    "sample", sorted(set(FOUND) - {"windows-dns-gb.log", "dnsdist-untimed.log", "dnsdist-verbose.log"})
)
def test_times_are_those_of_the_log(sample):
    is_real = "# real lines of" in (SAMPLES / sample).read_text()
    begin, end = (EVENING, EVENING + 3600) if is_real else (NOON - 3600, NOON + 60)
    assert all(begin <= at < end for at, *_ in read(SAMPLES / sample)[0])


def test_date_that_is_ambiguous_is_not_one_to_come(tmp_path):
    """5 November, not 11 May: by the region; and 11 May where November is yet to come."""
    queries, _ = read(SAMPLES / "windows-dns-gb.log")
    assert dt.datetime.fromtimestamp(queries[0][0], dt.UTC) == dt.datetime(2026, 11, 5, 12, tzinfo=dt.UTC)
    old = tmp_path / "dns.log"
    old.write_bytes((SAMPLES / "windows-dns-gb.log").read_bytes())
    os.utime(old, (NOON - 60 * 86_400,) * 2)
    assert dt.datetime.fromtimestamp(read(old)[0][0][0], dt.UTC) == dt.datetime(2026, 5, 11, 12, tzinfo=dt.UTC)


def test_lines_without_a_time_are_told(tmp_path):
    queries, summary = read(SAMPLES / "dnsdist-untimed.log")
    assert summary.untimed == len(queries) == 6
    assert {at for at, *_ in queries} == {(SAMPLES / "dnsdist-untimed.log").stat().st_mtime}


@pytest.mark.parametrize("sample", TELL_REFUSAL)
def test_what_that_resolver_refused_is_known(sample):
    refused = {name.rstrip("."): was for _, _, name, was in read(SAMPLES / sample)[0]}
    assert refused["chat.deepseek.com"] is True
    assert refused["api.openai.com"] is False


def test_denied_requests_of_a_proxy_are_refused(tmp_path):
    log = tmp_path / "access.log"
    log.write_text(
        "1795731296.959   0 192.0.2.2 TCP_DENIED/403 0 CONNECT chat.deepseek.com:443 - HIER_NONE/- text/html\n"
        "1795731297.000   9 192.0.2.2 TCP_TUNNEL/200 10 CONNECT 192.0.2.80:443 - HIER_DIRECT/192.0.2.80 -\n"
        "1795731297.000   9 192.0.2.2 TCP_TUNNEL/200 10 CONNECT [2001:db8::80]:443 - HIER_DIRECT/- -\n"
        "1795731298.000   9 192.0.2.2 TCP_MISS/200 10 GET http://user@claude.ai:8080/x?y - HIER_DIRECT/- -\n"
        "1795731299.000   9 192.0.2.2 NONE_NONE/400 10 NONE error:invalid-request - HIER_NONE/- -\n"
    )
    queries, summary = read(log)
    assert [(name, was) for _, _, name, was in queries] == [("chat.deepseek.com", True), ("claude.ai", False)]
    assert summary.unreadable == 0


def test_windows_log_with_its_blanks_collapsed(tmp_path):
    """As collectors of logs pass it on."""
    (tmp_path / "dns.log").write_text(
        "9/3/2026 2:06:38 PM 1720 PACKET 02306B10 UDP Rcv 192.0.2.2 be06 Q [0001 D NOERROR] A (6)claude(2)ai(0)\n"
        "9/3/2026 2:06:38 PM 1720 PACKET 02306B10 UDP Rcv 192.0.2.53 be07 R Q [8081 DR NOERROR] A (6)claude(2)ai(0)\n"
    )
    ((at, client, name, _),), summary = read(tmp_path / "dns.log")
    assert (client, name, summary.unreadable) == ("192.0.2.2", "claude.ai", 0)
    assert dt.datetime.fromtimestamp(at, dt.UTC) == dt.datetime(2026, 9, 3, 14, 6, 38, tzinfo=dt.UTC)


TOKENS = (
    " query[A] x", " query[", "client ", "client 1#2: ", "1", "a ", "(1)a", " PACKET  1 UDP Rcv ", " question for '",
    "Remote ", "Packet from ", " info: 1 ", 'qname="\\\\', "\t", '"', ",", '{"a":[', "<1>", " CONNECT ", "a|A' ",
    "Got query for x|A from ", "#1", " ", "|A", " query: a", "ts=", "a",
)  # fmt: skip
HEADS = (
    "", "Nov 24 12:00:00 dnsmasq[7]: query[A] ", "1795731296.959   6002 192.0.2.2 ", "client 192.0.2.2%",
    "11/24/2026 12:00:00 PM 0E6C PACKET  00000012D5A2B2F0 UDP Rcv ", "client 192.0.2.2#1 (x): query: ",
    "Nov 24 12:00:00 gw x: question for '", 'msg="Question" qname="', "Remote 192.0.2.2 wants '", "Got query for ",
    '192.0.2.2 - - [26/Nov/2026:22:15:16 +0000] "G ',
)  # fmt: skip


@pytest.mark.parametrize("one", TEXT_FORMATS, ids=lambda one: one.name)
def test_no_line_takes_long(one):
    """A line of twice the length takes no four times as long: expressions do not go back and forth."""
    read_line = one.open(Clock(dt.UTC, NOON))
    for head in HEADS:
        for token in TOKENS:
            began = time.process_time()
            with suppress(LogFormatError):
                read_line(head + token * (60_000 // len(token)))
            assert time.process_time() - began < 1, (head, token)


def test_query_and_its_reply_are_one(tmp_path):
    """Unbound with log-queries and log-replies tells each twice; with log-replies alone, once."""
    both = (SAMPLES / "unbound-replies.log").read_text().splitlines()
    replies = tmp_path / "replies.log"
    replies.write_text("\n".join(line for line in both if " NOERROR " in line or " NXDOMAIN " in line) + "\n")
    assert len(read(replies)[0]) == len(read(SAMPLES / "unbound-replies.log")[0]) == 6


@pytest.mark.parametrize(
    ("line", "client", "name"),
    [
        ("<30>Nov 24 12:00:00 gw dnsmasq[7]: query[A] claude.ai from 192.0.2.9", "192.0.2.9", "claude.ai"),
        ("2026-11-24T12:00:00.1+00:00 gw dnsmasq[7]: query[AAAA] claude.ai from fe80::1%eth0", "fe80::1", "claude.ai"),
        ("2026-11-24T12:00:00Z gw unbound[7:0]: [7:0] info: 192.0.2.9 claude.ai. A IN", "192.0.2.9", "claude.ai."),
        ("Nov 24 12:00:00 gw named[7]: client 192.0.2.9#53 (claude.ai): view lan: query: claude.ai IN A + (192.0.2.1)",
         "192.0.2.9", "claude.ai"),
        ("Nov 24 12:00:00 gw named[7]: client @0x7f 2001:db8::9#53 (claude.ai): query: claude.ai IN A + (::1)",
         "2001:db8::9", "claude.ai"),
        ("Nov 24 12:00:00 gw pdns_recursor[7]: 3 [1/1] question for 'claude.ai|A' from [2001:db8::9]:53",
         "2001:db8::9", "claude.ai"),
        ("Nov 24 12:00:00 gw pdns_server[7]: Remote 192.0.2.9 wants 'claude.ai|A', do = 0, bufsize = 512: packetcache",
         "192.0.2.9", "claude.ai"),
        ("Nov 24 12:00:00 gw dnsdist[7]: Got query for claude.ai.|A from 192.0.2.9:53 (TCP), relayed to up",
         "192.0.2.9", "claude.ai."),
    ],
)  # fmt: skip
def test_lines_through_syslog_and_of_other_versions(tmp_path, line, client, name):
    log = tmp_path / "syslog"
    log.write_text(f"Nov 24 11:59:59 gw systemd[1]: Started something.\n{line}\n")
    os.utime(log, (NOON + 3600,) * 2)
    ((at, found, text, _),), summary = read(log)
    assert (at // 1, found, text, summary.unreadable) == (NOON, client, name, 0)
