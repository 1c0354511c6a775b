"""Lists written for other programs: read back by our own readers, and taken by the programs themselves."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from bench.servers import free_port
from sinkhole.feeds.parse import parse
from sinkhole.feeds.print_list import Listing, print_list
from sinkhole.feeds.written_formats import WRITTEN
from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.judge import judge
from sinkhole.policy.rule import Match, Rejection, Rule, RuleAction
from sinkhole.policy.vendor import DomainMatch
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType
from tests.catalogue.world import shipped

EXACT, SUFFIX, WILDCARD = DomainMatch.EXACT, DomainMatch.SUFFIX, DomainMatch.WILDCARD
LISTING = Listing(
    title="all of\ntest",
    version=2026112601,
    names=[
        (SUFFIX, "acme.example"),
        (SUFFIX, "chat.acme.example"),
        (EXACT, "deep.acme.example"),
        (EXACT, "host.shared.example"),
        (WILDCARD, "api.*.cloud.example"),
        (WILDCARD, "*-ai.cloud.example"),
        (SUFFIX, "xn--bcher-kva.example"),
        (SUFFIX, "_dmarc.under.example"),
    ],
    open=("status.acme.example",),
    remarks=("left out: 3 hosts",),
)
BLOCKED = {
    "acme.example": SUFFIX, "x.acme.example": SUFFIX, "a.b.chat.acme.example": SUFFIX, "deep.acme.example": SUFFIX,
    "host.shared.example": EXACT, "api.eu.cloud.example": WILDCARD, "eu-ai.cloud.example": WILDCARD,
    "xn--bcher-kva.example": SUFFIX, "x._dmarc.under.example": SUFFIX,
}  # fmt: skip
"""Names that are blocked, and by which kind of entry."""
OPEN = (
    "example", "x.host.shared.example", "shared.example", "api.a.b.cloud.example", "api.cloud.example",
    "-ai.cloud.example", "x.eu-ai.cloud.example", "notacme.example", "status.acme.example",
)  # fmt: skip
CARRIED = {
    "hosts": {SUFFIX, EXACT}, "domains": set(), "adblock": {SUFFIX, EXACT, WILDCARD}, "rpz": {SUFFIX, EXACT},
    "dnsmasq": {SUFFIX}, "unbound": {SUFFIX, EXACT},
}  # fmt: skip


def read_back(text: str, list_format: str) -> tuple[NameIndex, list[Rejection]]:
    found = list(parse(text.encode().splitlines(keepends=True), list_format, local=True))
    rules = [row for row in found if isinstance(row, Rule)]
    return NameIndex.from_rules([FeedRules(Feed("x", "file:x", local=True), rules)]), [
        row for row in found if isinstance(row, Rejection)
    ]


def is_blocked(index: NameIndex, name: str) -> bool:
    wire = name_from_text(name)
    match = index.find(wire)
    outcome = judge(match.rows.get(0, []), wire, QType.A) if match else None
    return outcome is not None and outcome.action is RuleAction.BLOCK


@pytest.mark.parametrize("list_format", WRITTEN)
def test_list_reads_back_as_what_it_says(list_format):
    """Less may be blocked than the catalogue says, where the format cannot say it; never more."""
    index, rejected = read_back(print_list(LISTING, list_format).text, list_format)
    # What opens a name below a blocked one blocks nothing, and these two readers read what blocks.
    assert [row.text for row in rejected] == {
        "dnsmasq": ["server=/status.acme.example/#"],
        "unbound": ['local-zone: "status.acme.example." always_transparent'],
    }.get(list_format, [])
    too_much = {name for name in OPEN if is_blocked(index, name)}
    assert too_much == ({"status.acme.example"} if rejected else set())
    blocked = {name for name in BLOCKED if is_blocked(index, name)}
    wanted = {name for name, match in BLOCKED.items() if match in CARRIED[list_format]}
    if list_format == "hosts":
        wanted -= {"x.acme.example", "a.b.chat.acme.example", "x._dmarc.under.example"}
    if list_format == "domains":
        # acme.example has a name below it that must stay open, which a list of names cannot say.
        wanted = {"a.b.chat.acme.example", "xn--bcher-kva.example", "x._dmarc.under.example"}
    assert blocked == wanted


@pytest.mark.parametrize("list_format", WRITTEN)
def test_head_tells_what_is_not_carried(list_format):
    printed = print_list(LISTING, list_format)
    head = [line for line in printed.text.splitlines() if line.startswith(WRITTEN[list_format].comment + " ")]
    assert "all of\\ntest; catalogue of Sinkhole, version 2026112601" in head[0]
    assert any("left out: 3 hosts" in line for line in head)
    missing = [line for line in head if "not carried: " in line and "carried: " not in line.partition("not")[0]]
    assert len(missing) == printed.missing
    assert any(f"carried: {printed.carried} names" in line for line in head)
    one_label = [line for line in missing if "api.*.cloud.example (* is one label or a part of one)" in line]
    assert bool(one_label) is (WILDCARD not in CARRIED[list_format])


def test_hosts_names_each_and_the_others_only_what_is_not_covered():
    hosts = print_list(LISTING, "hosts")
    assert "0.0.0.0 chat.acme.example" in hosts.text.splitlines()
    assert "6 of the names are meant" not in hosts.text
    assert "4 of the names are meant with all names below them" in hosts.text
    adblock = print_list(LISTING, "adblock")
    assert "chat.acme.example" not in adblock.text
    assert "carried: 6 names, which cover 2 more; not carried: 0" in adblock.text


def test_name_that_must_itself_stay_open_is_not_carried():
    listing = Listing("t", 1, [(SUFFIX, "acme.example")], open=("acme.example",))
    for list_format in WRITTEN:
        printed = print_list(listing, list_format)
        assert (printed.carried, printed.missing) == (0, 1)


def whole() -> Listing:
    domains = [d for v in shipped().vendors for p in v.products for d in p.domains if not d.opt_in]
    return Listing("everything", shipped().version, [(d.match, d.name) for d in domains])


@pytest.mark.parametrize("list_format", WRITTEN)
def test_shipped_catalogue_reads_back(list_format):
    printed = print_list(whole(), list_format)
    index, rejected = read_back(printed.text, list_format)
    assert rejected == []
    for match, name in whole().names:
        if match in CARRIED[list_format] or (list_format == "domains" and match is SUFFIX):
            assert is_blocked(index, name.replace("*", "x"))
            assert list_format == "hosts" or match is not SUFFIX or is_blocked(index, f"below.{name}")


@pytest.mark.parametrize("list_format", WRITTEN)
def test_format_is_told_from_the_list_itself(list_format):
    rows = print_list(whole(), list_format).text.encode().splitlines(keepends=True)
    by_itself = [row for row in parse(rows, "auto", local=True) if isinstance(row, Rule)]
    assert by_itself == [row for row in parse(rows, list_format, local=True) if isinstance(row, Rule)]
    assert {row.match for row in by_itself} <= set(Match)


def tool(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {package})")
    return found


def run(*words: str | Path) -> str:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stderr + done.stdout


@pytest.mark.parametrize("listing", [LISTING, whole()], ids=["small", "shipped"])
def test_unbound_takes_its_list(tmp_path, listing):
    path = tmp_path / "unbound.conf"
    path.write_text(print_list(listing, "unbound").text)
    run(tool("unbound-checkconf", "unbound"), path)


@pytest.mark.parametrize("listing", [LISTING, whole()], ids=["small", "shipped"])
def test_bind_takes_its_zone(tmp_path, listing):
    path = tmp_path / "rpz.zone"
    path.write_text(print_list(listing, "rpz").text)
    said = run(tool("named-checkzone", "bind9-utils"), "rpz.example", path)
    assert f"loaded serial {listing.version}" in said
    assert "warning" not in said


@pytest.mark.parametrize("listing", [LISTING, whole()], ids=["small", "shipped"])
def test_dnsmasq_takes_its_list(tmp_path, listing):
    path = tmp_path / "dnsmasq.conf"
    path.write_text(print_list(listing, "dnsmasq").text)
    assert "syntax check OK" in run(tool("dnsmasq", "dnsmasq-base"), "--test", f"--conf-file={path}")


def ask(port: int, name: str) -> dns.message.Message:
    until = time.monotonic() + 10
    while True:
        try:
            return dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=port, timeout=1)
        except (dns.exception.Timeout, OSError):
            if time.monotonic() > until:
                raise


@pytest.fixture
def upstream() -> Iterator[int]:
    """A stranger's server that knows every name: dnsmasq again, with one address for all."""
    port = free_port()
    words = [tool("dnsmasq", "dnsmasq-base"), "--no-daemon", "--conf-file=/dev/null", "--no-hosts", "--no-resolv",
             f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--address=/#/192.0.2.7",
             "--user=root", "--pid-file="]  # fmt: skip
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        ask(port, "example.org")
        yield port
        process.terminate()


@pytest.mark.skipif(shutil.which("dnsmasq", path="/usr/sbin:/usr/bin") is None, reason="dnsmasq is not installed")
@pytest.mark.parametrize("program", ["dnsmasq", "unbound"])
def test_programs_block_what_their_list_says(tmp_path, upstream, program):
    """Asked over the network: what is carried is blocked, and what is not, or must stay open, is answered."""
    port = free_port()
    (tmp_path / "list.txt").write_text(print_list(LISTING, program).text)
    if program == "dnsmasq":
        words = [tool("dnsmasq", "dnsmasq-base"), "--no-daemon", f"--conf-file={tmp_path}/list.txt", "--no-hosts",
                 "--no-resolv", f"--server=127.0.0.1#{upstream}", f"--port={port}", "--listen-address=127.0.0.1",
                 "--bind-interfaces", "--user=root", "--pid-file="]  # fmt: skip
    else:
        (tmp_path / "unbound.conf").write_text(
            f'server:\n interface: 127.0.0.1@{port}\n username: ""\n chroot: ""\n directory: "{tmp_path}"\n'
            ' pidfile: ""\n use-syslog: no\n do-not-query-localhost: no\n module-config: "iterator"\n'
            f'include: "{tmp_path}/list.txt"\nforward-zone:\n name: "."\n forward-addr: 127.0.0.1@{upstream}\n'
        )
        words = [tool("unbound", "unbound"), "-d", "-c", f"{tmp_path}/unbound.conf"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        try:
            for name, match in BLOCKED.items():
                reply = ask(port, name)
                answers = [str(item) for rrset in reply.answer for item in rrset]
                assert (answers != ["192.0.2.7"]) is (match in CARRIED[program]), name
                assert answers in ([], ["0.0.0.0"], ["192.0.2.7"])
            for name in OPEN:
                assert [str(item) for rrset in ask(port, name).answer for item in rrset] == ["192.0.2.7"], name
        finally:
            process.terminate()
