"""The duties of section R-W, asked of the running server from outside: octets in, octets out."""

import json
import struct
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from tests.e2e.outside import Datagrams, Stream, ask_both, query, raw, rcode, read
from tests.e2e.scripted import SOA, TRUE_IPV4
from tests.fakes import reply
from tests.fuzz.mutator import mutations

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
BLOCKED = "chat.deepseek.com"
A_IN = b"\x00\x01\x00\x01"
OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"


@pytest.fixture
def udp(product):
    with Datagrams(product.port) as found:
        yield found


def option(code: int, data: bytes = b"") -> dns.edns.GenericOption:
    return dns.edns.GenericOption(code, data)


def opts_of(message: dns.message.Message) -> dict[int, bytes]:
    return {int(o.otype): o.to_wire() for o in message.options}


def big_txt(name: str, size: int) -> str:
    return f"{name}. 300 IN TXT " + " ".join('"' + "x" * 200 + '"' for _ in range(size // 200))


def test_response_repeats_id_question_and_rd(udp, product):
    """R-W01: id, question in its very letters, RD; QR and RA set, Z clear."""
    for name in ("wWw.ExAmPle.ORG", "cHaT.DeepSeek.COM", "LocalHost"):
        for rd in (0x0100, 0):
            wire = bytearray(query(name, number=0xBEEF))
            wire[2:4] = struct.pack("!H", rd | 0x0040)  # Z is set in the query
            for got in ask_both(product, bytes(wire)):
                assert got[:2] == b"\xbe\xef"
                assert got[12 : len(wire)] == wire[12:]
                flags = struct.unpack("!H", got[2:4])[0]
                assert flags & 0x8000
                assert flags & 0x0080
                assert not flags & 0x0040
                assert flags & 0x0100 == rd


def test_responses_are_dropped(udp):
    """R-W02: QR=1 is met with silence."""
    wire = bytearray(query("example.org"))
    wire[2] |= 0x80
    udp.send(bytes(wire))
    assert udp.until_good() == []


def test_runts_are_dropped(udp, product):
    """R-W03: 0 to 11 octets: silence, and nothing in the log."""
    # The last that the control process tells of its start, whatever is asked meanwhile.
    product.wait_for(r" audit\.head ")
    said = len(product.log)
    for length in range(12):
        udp.send(query("example.org")[:length])
    assert udp.until_good() == []
    assert product.log[said:].splitlines() == []


def test_other_than_one_question(udp):
    """R-W04: QDCOUNT 0, 2, 65535: FORMERR (RFC 9619)."""
    one = query("example.org")[12:]
    for count, body in ((0, b""), (2, one + one), (65535, one), (0, one)):
        assert rcode(udp.ask(raw(body, counts=(count, 0, 0, 0)))) == FORMERR


def test_cut_packets(udp):
    """R-W05: a packet cut at any octet gets FORMERR or silence."""
    whole = query("www.example.org", use_edns=0, options=[option(65001, b"12345678")])
    for length in range(12, len(whole)):
        udp.send(whole[:length])
    replies = udp.until_good()
    assert all(rcode(wire) == FORMERR for wire in replies)


def test_compression_pointers(udp):
    """R-W06: self, mutual, forward, header, deep chains of pointers: refused, in time that grows with the packet."""
    hostile = [
        b"\xc0\x0c" + A_IN,
        b"\xc0\x0e\xc0\x0c" + A_IN,
        b"\xc0\x20" + A_IN + bytes(30),
        b"\x03www\xc0\x0c" + A_IN,
        b"\xc0\xff" + A_IN,
        b"\xff\xff" + A_IN,
    ]
    for body in hostile:
        udp.send(raw(body))
    deep = b"".join(struct.pack("!H", 0xC000 | max(12, 12 + 2 * (n - 1))) for n in range(200))
    record = b"\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00"
    began = time.monotonic()
    for _ in range(50):
        udp.send(raw(b"\x01a\x00" + A_IN + (deep + record) * 20, counts=(1, 0, 0, 20)))
    replies = udp.until_good()
    assert time.monotonic() - began < 2
    assert all(rcode(wire) == FORMERR for wire in replies)


def test_labels_and_names_too_long(udp):
    """R-W07: label types 01 and 10, names over 255, labels over 63."""
    wrong = [b"\x41" + b"a" * 65 + b"\0", b"\x81" + b"a" * 65 + b"\0", (b"\x3f" + b"a" * 63) * 4 + b"\0"]
    for name in wrong:
        assert rcode(udp.ask(raw(name + A_IN))) == FORMERR


def test_names_are_8_bit_clean(udp, product, world):
    """R-W08: any octet in a label comes through, and is escaped where it is printed."""
    for label in (b"\0", b"a.b", b"a b", b"\xff", b"<b>", b"a\nb", b"\\", b'"', b"\x1b[31m"):
        name = bytes([len(label)]) + label + b"\x05clean\x07example\0"
        got = udp.ask(raw(name + A_IN))
        assert rcode(got) == NOERROR
        assert got[12 : 12 + len(name)] == name
        assert any(name.lower() in seen.wire.lower() for seen in world.seen)
        evil = bytes([len(label)]) + label + b"\x08deepseek\x03com\0"
        assert read(udp.ask(raw(evil + A_IN))).answer[0][0].to_text() == "0.0.0.0"
    deadline = time.monotonic() + 10
    while "a\\010b.deepseek.com" not in (shown := product.cli("hits", "tail", "-n", "200").stdout):
        assert time.monotonic() < deadline, shown
    assert "\x1b" not in shown
    for line in product.cli("hits", "export", "--json").stdout.splitlines():
        json.loads(line)


def test_other_opcodes(product, world):
    """R-W09: NOTIMP with the opcode echoed, over UDP and TCP, and nothing forwarded."""
    for opcode in (1, 2, 4, 5, 6, 15):
        for name in ("opcodes.example", BLOCKED):
            wire = bytearray(query(name))
            wire[2] = opcode << 3
            for got in ask_both(product, bytes(wire)):
                assert rcode(got) == NOTIMP
                assert got[2] >> 3 & 15 == opcode
    assert not world.asked("opcodes.example")


def test_transfers_and_keys(product, world):
    """R-W10: AXFR, IXFR, TKEY, TSIG, MAILA, MAILB: an error at once, over UDP and TCP."""
    for qtype in ("AXFR", "IXFR", "TKEY", "TSIG", "MAILA", "MAILB"):
        wire = bytearray(query("transfer.example", "A"))
        wire[-4:-2] = struct.pack("!H", dns.rdatatype.from_text(qtype))
        began = time.monotonic()
        for got in ask_both(product, bytes(wire)):
            assert rcode(got) in (FORMERR, NOTIMP, REFUSED, 9)
        assert time.monotonic() - began < 1
    assert not world.asked("transfer.example")


def test_other_classes(udp, product, world):
    """R-W11: CHAOS is answered here and keeps the version to itself; other classes are refused."""
    for name in ("version.bind", "id.server", "hostname.bind", "version.server"):
        got = read(udp.ask(query(name, "TXT", rdclass="CH")))
        assert (got.rcode(), got.answer) == (dns.rcode.REFUSED, [])
    for number in (2, 3, 4, 254, 255, 1234, 65535):
        for name in ("classes.example", BLOCKED):
            wire = bytearray(query(name))
            wire[-2:] = struct.pack("!H", number)
            for got in ask_both(product, bytes(wire)):
                assert rcode(got) in (FORMERR, NOTIMP, REFUSED)
    assert not world.asked("classes.example")


def test_unknown_types_pass_unchanged(product, world):
    """R-W12: TYPE65300, binary TXT, SVCB with unknown keys, byte for byte (RFC 3597)."""
    records = {
        "TYPE65300": r"TYPE65300 \# 6 c00cffabcdef",
        "TXT": r'TXT "\000\255\192\012" "" "<x>"',
        "SVCB": r"SVCB \# 23 0001 03737663076578616d706c6500 ff00 0004 deadbeef",
        "NULL": r"TYPE10 \# 4 00010203",
        "HTTPS": "HTTPS 1 . alpn=h2 port=8443",
        "LOC": "LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
    }
    for qtype, data in records.items():
        name = f"{qtype.lower()}.unknown.example"
        world.say(name, f"{name}. 300 IN {data}")
        expected = read(reply(query(name, qtype, use_edns=0), f"{name}. 300 IN {data}")).answer
        for got in ask_both(product, query(name, qtype, use_edns=0)):
            answer = read(got).answer
            assert [item.to_wire() for item in answer[0]] == [item.to_wire() for item in expected[0]]


def test_any_is_minimal(product, world):
    """R-W13: ANY gets HINFO, at most 1232 octets (RFC 8482), and is not forwarded."""
    for got in ask_both(product, query("any.example", "ANY", use_edns=0)):
        message = read(got)
        assert dns.rdatatype.to_text(message.answer[0].rdtype) == "HINFO"
        assert len(got) <= 1232
    assert not world.asked("any.example")


ANSWER_KINDS = {
    "forwarded": query("opt-{}.example"),
    "blocked": query(BLOCKED),
    "local": query("localhost"),
    "denied": query("host.invalid"),
    "failed": query("broken.example"),
    "chaos": query("version.bind", "TXT", rdclass="CH"),
    "any": query("any.example", "ANY"),
    "refused": query("example.org", "AXFR"),
}


def test_opt_out_only_with_opt_in(product, world):
    """R-W14: OPT in, OPT out; none in, none out: forwarded, cached, blocked, local, error answers."""
    world.script("broken.example", lambda wire: [(0, reply(wire, rcode="SERVFAIL"))])
    for kind, wire in ANSWER_KINDS.items():
        for with_opt in (False, True, False, True):
            sent = wire[:10] + b"\x00\x01" + wire[12:] + OPT if with_opt else wire
            for got in ask_both(product, sent):
                assert (read(got).edns == 0) is with_opt, kind
    for body, counts in ((b"\x41" * 66 + b"\0" + A_IN, (1, 0, 0, 0)), (b"", (0, 0, 0, 0))):
        for got in ask_both(product, raw(body, counts=counts)):
            assert read(got).edns == -1


@pytest.mark.parametrize("version", [1, 100, 255])
def test_edns_versions(product, world, version):
    """R-W15: version > 0 gets BADVERS with version 0 and no data, before any policy."""
    for name in ("versions.example", BLOCKED, "localhost"):
        for got in ask_both(product, query(name, use_edns=version)):
            message = read(got)
            assert message.rcode() == dns.rcode.BADVERS
            assert message.edns == 0
            assert message.answer == []
    assert not world.asked("versions.example")


def test_two_opt_records(product):
    """R-W16: FORMERR."""
    for got in ask_both(product, raw(query("example.org")[12:] + OPT + OPT, counts=(1, 0, 0, 2))):
        assert rcode(got) == FORMERR


def test_options_are_ignored_and_checked(udp, product):
    """R-W17: unknown options and flags are not echoed; lengths are checked; 15000 empty options are cheap."""
    for flags in (0, 0x4000, 0x0001):
        got = read(udp.ask(query("example.org", use_edns=0, ednsflags=flags, options=[option(65001, b"x" * 20)])))
        assert got.rcode() == NOERROR
        assert opts_of(got) == {}
        assert got.ednsflags & 0x7FFF == 0
    body = query("example.org")[12:]
    for length, data in ((4, b"\xfd\xe9\x00\x10"), (40, b"\xfd\xe9\x00\x00"), (3, b"\xfd\xe9\x00")):
        wire = raw(body + OPT[:-2] + struct.pack("!H", length) + data, counts=(1, 0, 0, 1))
        assert rcode(udp.ask(wire)) == FORMERR
    many = b"\xfd\xe9\x00\x00" * 15000
    wire = raw(body + OPT[:-2] + struct.pack("!H", len(many)) + many, counts=(1, 0, 0, 1))
    with Stream(product.port) as stream:
        began = time.monotonic()
        for _ in range(20):
            assert rcode(stream.ask(wire)) in (NOERROR, FORMERR)
        assert time.monotonic() - began < 2


def test_answer_sizes(udp, world):
    """R-W18: 512 without OPT, smaller sizes count as 512, never more than 1232."""
    world.say("fat.example", big_txt("fat.example", 3000))
    world.say("middle.example", big_txt("middle.example", 1000))
    for size, limit in ((None, 512), (0, 512), (511, 512), (512, 512), (1232, 1232), (4096, 1232), (65535, 1232)):
        for name in ("fat.example", "middle.example"):
            edns = {} if size is None else {"use_edns": 0, "payload": size}
            got = udp.ask(query(name, "TXT", **edns))
            assert len(got) <= limit
            fits = name == "middle.example" and limit == 1232
            assert bool(read(got).flags & dns.flags.TC) is not fits


def test_truncated_answers(udp, product, world):
    """R-W19: TC=1 with question and OPT, counts that agree; the whole over TCP."""
    world.say("cut.example", big_txt("cut.example", 3000))
    for edns in (-1, 0):
        got = read(udp.ask(query("cut.example", "TXT", use_edns=edns)))
        assert got.flags & dns.flags.TC
        assert got.question[0].name.to_text() == "cut.example."
        assert got.edns == edns
    assert len(read(ask_both(product, query("cut.example", "TXT"))[1]).answer[0][0].strings) == 15


def test_dnssec_records_only_with_do(product, world):
    """R-W20: DO copied; RRSIG and NSEC never without it, also when a DO query filled the cache."""
    signature = "A 13 2 300 20300101000000 20260101000000 1 example. c2lnbmF0dXJl"
    world.script(
        "signed.example",
        lambda wire: [
            (0, reply(wire, f"signed.example. 300 IN A {TRUE_IPV4}", f"signed.example. 300 IN RRSIG {signature}"))
        ],
    )
    nsec = "none.signed.example. 300 IN NSEC z.example. A RRSIG NSEC"
    world.script("none.signed.example", lambda wire: [(0, reply(wire, rcode="NXDOMAIN", authority=[SOA, nsec]))])
    for name in ("signed.example", "none.signed.example"):
        for do in (True, False, True, False):
            for got in ask_both(product, query(name, use_edns=0, want_dnssec=do)):
                message = read(got)
                types = {rrset.rdtype for rrset in message.answer + message.authority}
                assert bool(types & {dns.rdatatype.RRSIG, dns.rdatatype.NSEC}) is do
                assert bool(message.ednsflags & dns.flags.DO) is do
        for got in ask_both(product, query(name)):
            message = read(got)
            assert not {rrset.rdtype for rrset in message.answer + message.authority} & {46, 47}


def test_cd_and_ad(udp, world):
    """R-W21: CD copied and passed on; AD of an upstream that nobody trusts is not."""
    world.script("proven.example", lambda wire: [(0, reply(wire, "proven.example. 300 IN A 192.0.2.1", flags="AD"))])
    for cd in (0, dns.flags.CD):
        for ad in (0, dns.flags.AD):
            for do in (False, True):
                wire = query("proven.example", flags=dns.flags.RD | cd | ad, use_edns=0, want_dnssec=do)
                for name_wire in (wire, query(BLOCKED, flags=dns.flags.RD | cd | ad, use_edns=0, want_dnssec=do)):
                    got = read(udp.ask(name_wire))
                    assert got.flags & dns.flags.CD == cd
                    assert not got.flags & dns.flags.AD
    seen = [dns.message.from_wire(s.wire) for s in world.asked("proven.example")]
    assert {bool(message.flags & dns.flags.CD) for message in seen} == {True, False}


def test_options_stay_on_their_hop(udp, world):
    """R-W22: nothing of the upstream's OPT reaches the client, nothing of the client's the upstream."""

    def junk(wire):
        message = dns.message.make_response(dns.message.from_wire(wire))
        message.use_edns(0, ednsflags=0x40FF, payload=4000, options=[option(65001, b"junk"), option(10, b"c" * 24)])
        return [(0, message.to_wire())]

    world.script("hop.example", junk)
    mine = [option(8, b"\x00\x01\x18\x00\xc0\x00\x02"), option(10, b"cookie01"), option(65002, b"secret"), option(3)]
    got = read(udp.ask(query("hop.example", use_edns=0, payload=4000, options=mine)))
    assert opts_of(got).keys() <= {15}
    assert got.payload == 1232
    assert got.ednsflags & 0x7FFF == 0
    seen = dns.message.from_wire(world.asked("hop.example")[0].wire)
    assert opts_of(seen) == {}
    assert b"secret" not in world.asked("hop.example")[0].wire


def test_extended_errors(udp):
    """R-W23: the right code, UTF-8 text without NUL, and dropped rather than truncated when it does not fit."""
    got = read(udp.ask(query(BLOCKED, use_edns=0)))
    assert struct.unpack("!H", opts_of(got)[15][:2])[0] == 15
    assert "\0" not in opts_of(got)[15][2:].decode()
    long = ".".join(["x" * 63] * 3 + ["y" * 48, "deepseek.com"])
    assert len(long) == 253
    got = udp.ask(query(long, use_edns=0, payload=512))
    assert len(got) <= 512
    assert not read(got).flags & dns.flags.TC


def test_cookies_do_no_harm(product):
    """R-W24: a cookie alone breaks nothing; of a wrong length at most FORMERR."""
    for size in (8, 16, 24, 40):
        for got in ask_both(product, query("example.org", use_edns=0, options=[option(10, b"c" * size)])):
            assert rcode(got) == NOERROR
    for size in (7, 41):
        for got in ask_both(product, query("example.org", use_edns=0, options=[option(10, b"c" * size)])):
            assert rcode(got) in (NOERROR, FORMERR)


def test_errors_are_small(udp, world):
    """R-W25: an error is at most 100 octets longer than its query."""
    world.script("sorry.example", lambda wire: [(0, reply(wire, rcode="SERVFAIL"))])
    wires = [
        query("sorry.example", use_edns=0), query("x.invalid", use_edns=0), query("example.org", "AXFR", use_edns=0),
        query("version.bind", "TXT", rdclass="CH", use_edns=0), query("example.org", use_edns=1),
        raw(b"\x41", number=9),
        raw(query("example.org")[12:] + OPT + OPT, counts=(1, 0, 0, 2)), query("x" * 60 + ".example", "IXFR"),
    ]  # fmt: skip
    for wire in wires:
        assert len(udp.ask(wire)) <= len(wire) + 100


def test_mutated_queries(udp, product):
    """R-W26: 4000 mutated queries over UDP and 300 over TCP: it lives, each reply has QR=1 and an id that was asked."""
    seeds = [
        query("www.example.org"), query(BLOCKED, "HTTPS", use_edns=0, options=[option(10, b"12345678")]),
        query("mail.example.org", "MX", use_edns=0, want_dnssec=True), query("version.bind", "TXT", rdclass="CH"),
    ]  # fmt: skip
    said = len(product.log)
    wires = [wire[:1200] for wire in mutations(seeds, 20260301, count=4000, seconds=60)]
    sent: set[bytes] = set()
    for start in range(0, len(wires), 100):
        batch = wires[start : start + 100]
        sent |= {wire[:2] for wire in batch}  # an answer that waited for its upstream comes batches later
        for wire in batch:
            udp.send(wire)
        for got in udp.until_good():
            assert got[2] & 0x80
            assert got[:2] in sent
    for wire in mutations(seeds, 7, count=300, seconds=30):
        with Stream(product.port) as stream:
            stream.send(wire[:1200], query("alive.example", number=0xFEED))
            got = stream.receive()
            assert got is None or got[2] & 0x80
    assert product.addresses("alive.example") == [TRUE_IPV4]
    assert "Traceback" not in product.log[said:]
    assert "query.failed" not in product.log[said:]
