"""Blocked answers that say why, asked of the running server from outside."""

import itertools
import json
import time
from collections.abc import Iterator

import dns.edns
import dns.flags
import dns.message
import dns.query
import pytest

from tests.e2e.running import HOST, Server, rcode_of, sinkhole_json

OUTSIDE = "127.0.0.99"
CONFIG = """
[blocking]
contact = ["mailto:it@example.org", "https://help.example.org/"]
organisation = "Example Org"
explain_to = ["127.0.0.0/26"]
sde_option = 65001
[policy]
search_suffixes = ["ai-lab.example"]
"""
NAME = "chat.deepseek.com"
SENTENCE = "deepseek is blocked by policy vendor:deepseek"
FIELDS = {"c": ["mailto:it@example.org"], "j": SENTENCE, "s": 5, "o": "Example Org", "l": "en"}
MODES = {"127.0.0.11": "nxdomain", "127.0.0.12": "nodata", "127.0.0.13": "refused", "127.0.0.14": "address"}
SIGNALS = (dns.edns.EDEOption(0), dns.edns.GenericOption(65001, b""))


@pytest.fixture(scope="module")
def stated(product) -> Iterator[Server]:
    """The server with a statement that says who wanted it, and a group for each way to answer."""
    product.cli("policy", "block", "vendor:deepseek", "--reason", "order 7", "--until", "2100-01-01")
    product.cli("policy", "block", "vendor:mistral", "--basis", "law")
    product.cli("policy", "block", "vendor:openai", "--basis", "request")
    for source, mode in MODES.items():
        product.cli("groups", "add", mode, source, "--mode", mode)
    return product


def ask(server: Server, name: str, qtype: str = "A", *, source: str = HOST, tcp: bool = False, **options):
    query = dns.message.make_query(name, qtype, **{"use_edns": 0, **options})
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, HOST, timeout=5, port=server.port, source=source)


def error_of(message: dns.message.Message) -> tuple[int, str]:
    (option,) = message.options
    return int(option.code), option.text or ""


def texts(section) -> list[str]:
    return [text.decode() for rrset in section for item in rrset for text in item.strings]


def test_code_by_who_wanted_it(stated):
    """RFC 8914: 15 is the operator's own policy, 16 somebody else's demand, 17 the client's own wish."""
    assert error_of(ask(stated, NAME)) == (15, SENTENCE)
    assert error_of(ask(stated, "chat.mistral.ai"))[0] == 16
    assert error_of(ask(stated, "chatgpt.com"))[0] == 17


@pytest.mark.parametrize("signal", SIGNALS, ids=["empty-error", "own-option"])
@pytest.mark.parametrize("tcp", [False, True])
def test_structured_error_never_reaches_who_did_not_ask(stated, signal, tcp):
    """The packet cache keeps neither for the other, whoever asks first."""
    name = f"{'t' if tcp else 'u'}{int(signal.otype)}.{NAME}"
    for reads in itertools.chain([True, False] * 3, [False, True] * 3):
        got = ask(stated, name, tcp=tcp, options=[signal] if reads else [])
        code, said = error_of(got)
        assert code == 15
        assert (json.loads(said) if reads else said) == (FIELDS if reads else SENTENCE)


def test_option_with_data_is_no_signal(stated):
    """draft-ietf-dnsop-structured-dns-error, section 5.3."""
    assert error_of(ask(stated, NAME, options=[dns.edns.GenericOption(65001, b"x")])) == (15, SENTENCE)


def test_structured_error_fits_the_payload(stated):
    """No TC for its sake: section 5.2."""
    name = ".".join(["a" * 60, "b" * 60, "c" * 60, "d" * 30, NAME])
    got = ask(stated, name, options=[SIGNALS[0]], payload=512)
    code, said = error_of(got)
    assert (code, json.loads(said)["s"]) == (15, 5)
    assert not got.flags & dns.flags.TC
    assert len(got.answer) == 1


TOLD = [
    "vendor=deepseek", "policy=block vendor:deepseek for all", "reason=order 7", "contact=mailto:it@example.org",
    "contact=https://help.example.org/",
]  # fmt: skip


@pytest.mark.parametrize("tcp", [False, True])
def test_txt_tells_why(stated, tcp):
    got = ask(stated, NAME, "TXT", tcp=tcp)
    told = texts(got.answer)
    assert (rcode_of(got), told[:-1], got.answer[0].ttl) == ("NOERROR", TOLD, 10)
    assert told[-1].startswith("until=2")
    assert error_of(got) == (15, SENTENCE)


def test_txt_is_for_the_networks_that_may_ask_alone(stated):
    """Both are in no group and share finished replies, but never this one; whoever asks first."""
    for source in (HOST, OUTSIDE, HOST, OUTSIDE, OUTSIDE, HOST):
        got = ask(stated, f"shared.{NAME}", "TXT", source=source)
        assert bool(got.answer) is (source == HOST)
        assert rcode_of(got) == "NOERROR"


@pytest.mark.parametrize(("source", "mode"), MODES.items())
def test_txt_in_every_mode(stated, source, mode):
    """RFC 8020: beside an NXDOMAIN nothing is in the answer section, so the text stands in the additional one."""
    got = ask(stated, NAME, "TXT", source=source)
    if mode == "nxdomain":
        assert (rcode_of(got), got.answer) == ("NXDOMAIN", [])
        assert texts(got.additional)[:2] == TOLD[:2]
    else:
        assert rcode_of(got) == "NOERROR"
        assert texts(got.answer)[:2] == TOLD[:2]
    assert texts(ask(stated, "txt.free.example", "TXT", source=source).answer) == []


def test_search_suffix_is_nobodys_attempt(stated):
    """What a stub makes of a name by its search domain is neither judged nor recorded; the same elsewhere is."""
    noise, likeness = f"{NAME}.ai-lab.example", f"{NAME}.ai-labs.example"
    for name in (noise, likeness):
        assert ask(stated, name).answer
    assert sinkhole_json("check", noise, data_dir=stated.data_dir)["outcome"] == "NONE"
    assert sinkhole_json("check", likeness, data_dir=stated.data_dir)["outcome"] == "MONITOR"
    deadline = time.monotonic() + 20
    while likeness not in (hits := stated.cli("hits", "top", "--by", "name", "--limit", "100", "--json").stdout):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert noise not in hits
    stated.cli("policy", "block", f"domain:{noise}")
    assert [item.to_text() for item in ask(stated, noise).answer[0]] == ["0.0.0.0"]


def test_no_encrypted_resolver_is_advertised(stated, world):
    """RFC 9462, section 6.4: NODATA, whatever the type, and nobody else is asked."""
    for qtype in ("SVCB", "HTTPS", "A"):
        for name in ("_dns.resolver.arpa", "resolver.arpa"):
            got = ask(stated, name, qtype)
            assert (rcode_of(got), got.answer, len(got.authority)) == ("NOERROR", [], 1)
    assert not world.asked("resolver.arpa")
