"""Lists as hostile hosts may send them: rules, rejections or FeedFormatError come out, nothing else (R-L16).

The mutator is seeded, so a failure repeats; its time is bounded, so the suite's is.
"""

import time
from dataclasses import replace
from ipaddress import ip_network
from random import Random

import pytest

from sinkhole.errors import FeedFormatError
from sinkhole.feeds.detect import detect
from sinkhole.feeds.parse import READERS, parse
from sinkhole.feeds.print_rule import print_rule
from sinkhole.policy.mask import compile_mask
from sinkhole.policy.rule import Match, Rejection, Rule
from sinkhole.protocol.names import name_from_text

SECONDS = 0.4
CORPUS = {
    "hosts": b"# h\n0.0.0.0 a.example b.example # c\n::1 localhost\n127.0.0.1\tx.example.\n",
    "domains": b"a.example\n*.b.example\n+.c.example # c\nb\xc3\xbccher.example\n",
    "adblock": b"""[Adblock]
! c
||a.example^$important,dnstype=A|~AAAA
@@|b.example^$client='x\\'y'|~192.0.2.0/24
*ads*
/^a[0-9]+$/$dnsrewrite=NOERROR;MX;10 m.example
0.0.0.0 h.example
c.example##.ad
||d.example^$denyallow=e.d.example
""",
    "rpz": b"""$TTL 1h
$ORIGIN r.example.
@ IN SOA a b (1 2
3 4 5)
a.example CNAME .
*.b.example IN 60 CNAME rpz-passthru.
c A 192.0.2.1
24.0.113.0.203.rpz-ip CNAME .
64.zz.1.db8.2a00.rpz-ip CNAME rpz-passthru.
""",
    "dnsmasq": b"address=/a.example/b.example/192.0.2.1\nlocal=/c.example/\nserver=/d.example/\n# c\n",
    "unbound": b'server:\nlocal-zone: "a.example." static # c\nlocal-data: "b.example 60 IN AAAA ::1"\n',
    "v2fly": b"include:x\nfull:a.example @cn\nkeyword:abcd\nregexp:^a$\ndomain:b.example &y\n",
    "clash": b"payload:\n  - '+.a.example'\nDOMAIN-SUFFIX,b.example,no-resolve\nDOMAIN-REGEX,^a$\n.c.example\n",
    "squidguard": b"a.example\nb.example\n",
    "catalogue": b"""{"sinkhole": 1, "vendors": [{"products": [{"domains": [
{"name": "a.*.example.org", "match": "wildcard"}]}]}]}""",
}
DICTIONARY = [
    b"||", b"|", b"^", b"$", b"*", b"@@", b".", b"..", b"\\", b"/", b"#", b"##", b"\0", b"\xff", b"\xc3",
    b"\xe2\x80\xae", b",", b"=", b";", b"'", b'"', b"(", b")", b"~", b":", b"xn--", b"com", b"co.uk", b"\r", b"\n",
    b" ", b"\t", b"0x7f", b"192.0.2.1", b"2001:db8::1", b"-", b"a" * 64, b"a." * 130, b"\xc3\xbc", b"dnsrewrite=",
    b"client=", b"badfilter", b"CNAME", b".rpz-ip", b"zz", b"$ORIGIN ", b"[" * 300, b"(a+)+", b"{1000}", b"include:",
    b"\xef\xbb\xbf", b"\xff\xfe",
]  # fmt: skip


def mutate(octets: bytes, random: Random) -> bytes:
    """Return `octets` with a few cuts, insertions, repetitions and swaps."""
    data = bytearray(octets)
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(data) + 1)
        match random.randrange(5):
            case 0:
                data[at:at] = random.choice(DICTIONARY)
            case 1:
                del data[at : at + random.randint(1, 8)]
            case 2:
                data[at:at] = data[at : at + random.randint(1, 40)] * random.randint(1, 3)
            case 3 if at < len(data):
                data[at] = random.randrange(256)
            case _:
                other = random.choice(list(CORPUS.values()))
                start = random.randrange(len(other))
                data[at:at] = other[start : start + random.randint(1, 40)]
    return bytes(data)


def read(data: bytes, kind: str, *, local: bool) -> list[Rule | Rejection]:
    """Parse; the list includes its own first rows under any name."""
    rows = data.splitlines(keepends=True)
    try:
        return list(parse(rows, kind, local=local, include=lambda _: rows[:9]))
    except FeedFormatError:
        return []


def check(row: Rule | Rejection) -> None:
    """Fail unless the row is one that the rest of the program can rely on."""
    if isinstance(row, Rejection):
        assert row.why
        assert row.line >= 0
        assert row.column >= 1
        assert row.text.isprintable()
        return
    assert row.line >= 1
    if row.match is Match.MASK:
        assert compile_mask(row.name).expression
    elif row.match is Match.ADDRESS:
        assert ip_network(row.name)
    elif row.match is not Match.REGEX:
        assert name_from_text(row.name)
    printed = print_rule(row)
    kind = "rpz" if row.match is Match.ADDRESS else "adblock"
    assert list(parse([printed.encode()], kind, local=True)) == [replace(row, line=1)], printed


@pytest.mark.parametrize("kind", [*READERS, "auto"])
@pytest.mark.parametrize("local", [False, True])
def test_a_reader_yields_rows_or_the_documented_error(kind: str, local: bool) -> None:
    random = Random(f"{kind} {local}")
    seed = CORPUS.get(kind) or b"\n".join(CORPUS.values())
    end = time.monotonic() + SECONDS
    rounds = 0
    while time.monotonic() < end:
        rounds += 1
        for row in read(mutate(seed, random), kind, local=local):
            check(row)
    assert rounds > 5


def test_detection_answers_with_a_format_or_the_documented_error() -> None:
    random = Random("detect")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        data = mutate(random.choice(list(CORPUS.values())), random)
        try:
            kind = detect(data)
        except FeedFormatError:
            continue
        assert kind in READERS
