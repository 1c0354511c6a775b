"""A dispatch with the straight path and one without, and an upstream that answers by the first label."""

import asyncio
import struct
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise

import dns.message
import dns.rdatatype

from sinkhole.config.schema import Settings, UpstreamSettings
from sinkhole.policy.image import NameIndex
from sinkhole.policy.verdict import BlockAnswer
from sinkhole.resolver.build import build_chain
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.sightings import Sightings
from sinkhole.transport.dispatch import Dispatch
from sinkhole.transport.gate import ClientGate
from sinkhole.transport.later import Returner
from sinkhole.transport.packet_cache import PacketCache
from sinkhole.upstream import Forwarder
from tests.fakes import FakeUpstream, reply
from tests.policy import world
from tests.policy.test_signs import BOOK, BRANDS
from tests.transport.serving import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOA = "example. 300 IN SOA ns.example. admin.example. 1 3600 600 86400 60"
OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
A = {
    1: bytes((198, 51, 100, 7)), 28: bytes.fromhex("20010db8000000000000000000000007"),
    65: b"\0\1\0\0\1\0\3\2h2",
}  # fmt: skip
HOSTS = ("192.168.1.9", "192.168.1.10")


def parts(query):
    """The query's header fields, the end of its question, and its type."""
    end = query.index(b"\0", 12) + 5
    return query[:2], end, int.from_bytes(query[end - 4 : end - 2])


def record(qtype, ttl=300, data=None, owner=b"\xc0\x0c", rclass=1):
    data = A.get(qtype, b"\x03abc") if data is None else data
    return owner + struct.pack("!HHIH", qtype, rclass, ttl & 0xFFFFFFFF, len(data)) + data


def raw(query, *records, flags=0x8180, additional=OPT, count=None, asked=None):
    """An answer made by hand; `additional` as in its section."""
    ident, end, _ = parts(query)
    counts = struct.pack("!5H", flags, 1, len(records) if count is None else count, 0, 1 if additional else 0)
    return ident + counts + (asked or query[12:end]) + b"".join(records) + additional


def only(**options):
    return lambda query: raw(query, record(parts(query)[2], options.pop("ttl", 300)), **options)


def text(*lines, **options):
    def make(query):
        name = dns.message.from_wire(query).question[0].name.to_text()
        kind = dns.rdatatype.to_text(parts(query)[2])
        data = {"A": "198.51.100.8", "HTTPS": "1 . alpn=h2 ipv4hint=198.51.100.8"}.get(kind, "2001:db8::8")
        words = {"name": name, "first": name.partition(".")[0].lower(), "kind": kind, "data": data}
        return reply(query, *(line.format(**words) for line in lines), **options)

    return make


def addresses(*last, ttl=300, prefix=None):
    def make(query):
        qtype = parts(query)[2]
        start = prefix or {1: bytes((198, 51, 100)), 28: A[28][:15]}.get(qtype, b"\x02a")
        return raw(query, *(record(qtype, ttl, start + bytes((one,))) for one in last))

    return make


def ttls(*values):
    return lambda query: raw(query, *(
        record(parts(query)[2], ttl, A.get(parts(query)[2], b"\1")[:-1] + bytes((n,))) for n, ttl in enumerate(values)
    ))  # fmt: skip


def private(query):
    data = {1: bytes((10, 0, 0, 1)), 28: bytes.fromhex("fd000000000000000000000000000001")}
    return raw(query, record(parts(query)[2], data=data.get(parts(query)[2])), record(parts(query)[2]))


def swapped(query):
    return raw(query, record(parts(query)[2]), asked=query[12 : parts(query)[1]].swapcase())


def aliases(links, *, last="t{n}.other.example.", start="{name}", end=("{last} 60 IN {kind} {data}",), **options):
    """A chain of so many links, and what is at its end."""
    names = [start, *(f"t{n}.other.example." for n in range(1, links)), last.format(n=links)]
    lines = [f"{owner} {300 + n} IN CNAME {target}" for n, (owner, target) in enumerate(pairwise(names))]
    return text(*lines, *(line.replace("{last}", names[-1]) for line in end), **options)


def alias(target, *more, owner=b"\xc0\x0c", ttl=300, rclass=1):
    """One alias made by hand, and addresses at the place where its target is written."""

    def make(query):
        _, end, qtype = parts(query)
        data = target(query) if callable(target) else target
        behind = [one(query) for one in more] or [record(qtype, owner=struct.pack("!H", 0xC000 | (end + 12)))]
        return raw(query, record(5, ttl, data, owner, rclass), *behind)

    return make


def services(*datas, ttl=300):
    return lambda query: raw(query, *(record(65, ttl, data) for data in datas))


HINTED = b"\0\1\0\0\4\0\4"
CHAINED = {
    "links": aliases(2), "three": aliases(3), "most": aliases(16), "beyond": aliases(17), "twenty": aliases(20),
    "vendor": aliases(2, last="x.deepseek.example."), "never": aliases(2, last="status.deepseek.example."),
    "watch": aliases(1, last="x.watched.example."), "listed": aliases(1, last="x.ads.example."),
    "allowed": aliases(1, last="api.allowed.example."), "toai": aliases(1, last="x.novelai.net."),
    "shout": aliases(2, last="X.DEEPSEEK.example."), "case": aliases(2, last="T9.OTHER.EXAMPLE."),
    "loop": text("{name} 300 IN CNAME a.example.", "a.example. 300 IN CNAME {name}"),
    "circle": text("{name} 300 IN CNAME a.example.", "a.example. 9 IN CNAME b.example.",
        "b.example. 9 IN CNAME A.example."),
    "self": text("{name} 300 IN CNAME {name}"), "off": aliases(2, start="other.example."),
    "order": text("u.example. 60 IN {kind} {data}", "t.example. 300 IN CNAME u.example.",
        "{name} 300 IN CNAME t.example."),
    "fork": text("{name} 300 IN CNAME a.example.", "{name} 300 IN CNAME b.example.", "a.example. 60 IN {kind} {data}"),
    "again": text("{name} 300 IN CNAME a.example.", "{name} 200 IN CNAME A.example.", "a.example. 60 IN {kind} {data}"),
    "both": text("{name} 300 IN CNAME a.example.", "{name} 60 IN {kind} {data}", "a.example. 60 IN {kind} {data}"),
    "synth": text("example. 300 IN DNAME other.test.", "{name} 0 IN CNAME {first}.other.test.",
        "{first}.other.test. 60 IN {kind} {data}"),
    "nolink": text("example. 300 IN DNAME other.test.", "{first}.other.test. 60 IN {kind} {data}"),
    "dname": text("example. 300 IN DNAME other.test.", "{name} 0 IN CNAME a.b.other.test.",
        "a.b.other.test. 60 IN {kind} {data}"),
    "signed": aliases(1, end=("{last} 60 IN {kind} {data}",
        "{last} 60 IN RRSIG A 8 2 300 20300101000000 20200101000000 1 example. AAAA")),
    "dangling": aliases(2, end=()),
    "stray": aliases(2, end=("{last} 60 IN {kind} {data}", "b.example. 60 IN {kind} {data}")),
    "odd": aliases(2, end=("{last} 60 IN {kind} {data}", "{last} 60 IN TXT x")),
    "auth": aliases(2, authority=[SOA]), "ns": aliases(2, authority=["example. 300 IN NS ns.example."]),
    "added": aliases(2, additional=["t2.other.example. 60 IN A 198.51.100.9"]),
    "twins": aliases(1, end=("{last} 60 IN {kind} {data}", "{last} 61 IN {kind} {data}")),
    "private1": alias(b"\1t\xc0\x0c", lambda q: record(1, data=bytes((10, 0, 0, 1)), owner=b"\1t\xc0\x0c")),
    "middle": alias(lambda q: b"\1t" + struct.pack("!H", 0xC000 | (13 + q[12]))),
    "inside": alias(b"\1t\xc0\x0d"), "above": alias(b"\1t\xc0\x0c"), "ahead": alias(b"\1t\xc0\xff"),
    "spin": alias(lambda q: struct.pack("!H", 0xC000 | (parts(q)[1] + 12))), "zone": alias(b"\0"),
    "whole1": alias(lambda q: b"\1t" + q[12 : parts(q)[1] - 4].swapcase()), "chaos": alias(b"\1t\xc0\x0c", rclass=3),
    "pointer": alias(b"\1t\xc0\x0c", owner=b"\xc0\x0e"), "trail": alias(b"\1t\xc0\x0c\0"),
    "zerolink": alias(b"\1t\xc0\x0c", ttl=0), "signlink": alias(b"\1t\xc0\x0c", ttl=0x80000001),
    "longlink": alias(b"\1t\xc0\x0c", ttl=0x7FFFFFFF), "byte": alias(b"\3\xff\0 \xc0\x0c"),
    "anxd": aliases(2, end=(), rcode="NXDOMAIN", authority=[SOA]), "anod": aliases(2, end=(), authority=[SOA]),
    "yx": text(rcode="YXDOMAIN"), "nxbare": text(rcode="NXDOMAIN"),
    "nxfar": text(rcode="NXDOMAIN", authority=["other.test. 300 IN SOA ns.example. a.example. 1 2 3 4 5"]),
    "nxroot": text(rcode="NXDOMAIN", authority=[". 86400 IN SOA a.root. n.root. 1 2 3 4 86400"]),
    "sooner": text(authority=["Example. 3000 IN SOA ns.EXAMPLE. a.example. 1 2 3 4 7"]),
    "soazero": text(authority=["example. 0 IN SOA ns.example. a.example. 1 2 3 4 7"]),
    "minzero": text(authority=["example. 300 IN SOA ns.example. a.example. 1 2 3 4 0"]),
    "soalong": text(rcode="NXDOMAIN", authority=["example. 90000 IN SOA ns.example. a.example. 1 2 3 4 2147483647"]),
    "twosoa": text(authority=[SOA, "other.test. 60 IN SOA ns.example. a.example. 1 2 3 4 5"]),
    "soans": text(authority=[SOA, "example. 300 IN NS ns.example."]),
    "refer": text(authority=["example. 300 IN NS ns.example."]),
    "nsec": text(authority=[SOA, "example. 60 IN NSEC z.example. A"]),
    "nxdata": text("{name} 300 IN {kind} {data}", rcode="NXDOMAIN", authority=[SOA]),
    "nxaa": lambda q: raw(q, flags=0x8583, additional=b""), "nora": lambda q: raw(q, flags=0x8100, additional=b""),
    "svc": services(b"\0\1\0\0\1\0\3\2h2"), "hint": services(HINTED + A[1]),
    "inner": services(HINTED + bytes((10, 0, 0, 1))),
    "badhint": services(b"\0\1\0\0\4\0\3\1\2\3"), "svcalias": services(b"\0\0\1x\7example\0"),
    "svcvendor": services(b"\0\0\1x\x08deepseek\7example\0"), "svcown": services(b"\0\1\1x\7watched\7example\0"),
    "keys": services(b"\0\1\0\0\5\0\4abcd"), "unordered": services(b"\0\1\0\0\4\0\4" + A[1] + b"\0\1\0\3\2h2"),
    "svctwo": services(b"\0\1\0", b"\0\2\0"), "svcsame": services(b"\0\1\0", b"\0\1\0"), "svcshort": services(b"\0\1"),
    "svcpoint": services(b"\0\1\xc0\x0c"), "svczero": services(b"\0\1\0", ttl=0),
}  # fmt: skip
"""Answers with aliases, denials and service records, true ones and others."""

MAKERS = {
    **CHAINED,
    "one": only(), "bare": only(additional=b""), "aa": only(flags=0x8580), "ad": only(flags=0x81A0),
    "tc": only(flags=0x8380), "servfail": only(flags=0x8182), "refused": only(flags=0x8185),
    "many": addresses(1, 2, 3), "twice": addresses(4, 4), "crowd": addresses(*range(28)), "mass": addresses(*range(40)),
    "ttls": ttls(30, 300, 7), "zero": ttls(0), "some": ttls(0, 300), "sign": ttls(0x80000001), "long": ttls(0x7FFFFFFF),
    "brief": ttls(5), "private": private, "mapped": addresses(1, prefix=bytes.fromhex("00" * 10 + "ffff0a0000")),
    "alias": text("{name} 300 IN CNAME t.other.example.", "t.other.example. 60 IN {kind} {data}"),
    "open": text("{name} 300 IN CNAME one-end.example."),
    "cloaked": text("{name} 300 IN CNAME x.deepseek.example.", "x.deepseek.example. 60 IN {kind} {data}"),
    "nx": text(rcode="NXDOMAIN", authority=[SOA]), "nodata": text(authority=[SOA]), "nothing": text(),
    "whole": text("{name} 300 IN {kind} {data}"), "extra": text("{name} 300 IN {kind} {data}", additional=[SOA]),
    "beside": text("{name} 300 IN {kind} {data}", authority=[SOA]),
    "txt": lambda query: raw(query, record(16)), "class": lambda query: raw(query, record(parts(query)[2], rclass=3)),
    "short": lambda query: raw(query, record(parts(query)[2], data=b"\1\2\3")),
    "cut": lambda query: only()(query)[:-3],
    "torn": lambda query: only(additional=b"")(query)[:-1], "more": lambda query: only()(query) + b"\0",
    "count": lambda query: raw(query, record(parts(query)[2]), count=2),
    "ede": only(additional=b"\0\0\x29\x04\xd0\0\0\0\0\0\x06\0\x0f\0\x02\0\x0a"),
    "rcode": only(additional=b"\0\0\x29\x04\xd0\1\0\0\0\0\0"), "do": only(additional=b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"),
    "padded": only(additional=b"\0\0\x29\x04\xd0\0\0\0\0\0\x0a\0\x0c\0\6" + bytes(6)),
    "unpadded": only(additional=b"\0\0\x29\x04\xd0\0\0\0\0\0\4\0\x0c\0\0"),
    "overpadded": only(additional=b"\0\0\x29\x04\xd0\0\0\0\0\0\x0a\0\x0c\0\7" + bytes(6)),
    "version": only(additional=b"\0\0\x29\x04\xd0\0\1\0\0\0\0"), "query": only(flags=0x0180), "op": only(flags=0x8980),
    "owner": lambda query: raw(query, record(parts(query)[2], owner=b"\x05other\x07example\0")),
    "swapped": swapped, "error": lambda query: query[:2] + b"\x81\x81" + bytes(8),
}  # fmt: skip
"""What upstreams say to a name that begins with the word."""
UNREAD = ("inside", "ahead", "spin", "pointer", "trail")
IGNORED = ("cut", "overpadded", "torn", "more", "count", "short", "query", "op", *UNREAD)
"""What is no answer, so that the wait goes on."""
TURNING = ("swapped", "error", "tc")
"""What changes how an upstream is asked, for this question or for an hour."""


def upstream(wire):
    """Answer by the first label; over TCP, after noise, or to what has no EDNS, plainly."""
    word = wire[13 : 13 + wire[12]].lower().decode("latin-1").partition("-")[0]
    if word == "noise":
        good = only()(wire)
        return [(0, b""), (0, bytes((good[0] ^ 1,)) + good[1:]), (0, good[:20]), (0.01, good)]
    return [(0, MAKERS.get(word, only())(wire))]


class Told(Returner):
    """Gives replies to a function, in place of the network."""

    def __init__(self, tell):
        self._tell = tell

    def give_back(self, reply, place):
        self._tell(reply)


class Rig:
    """A dispatch with the real chain and forwarder."""

    def __init__(self, policy, up, *, is_straight, timeout=2.0, scheme="udp", **settings):
        settings = {"record": {"queries": "all"}, **settings}
        self.settings = Settings.model_validate(settings)
        limits = settings.pop("upstream", {})
        servers = UpstreamSettings(servers=(f"{scheme}://{up.url}",), timeout=timeout, tries=2, **limits)
        self.clock, self.wall, self.box = Clock(1000.0), Clock(NOON.timestamp()), PolicyBox(policy)
        self.hits, self.sightings = Hits(self.settings.record), Sightings(self.box, clients=True)
        self.forwarder = Forwarder(servers, clock=self.clock)
        self.chain = build_chain(
            self.settings, self.box, self.forwarder, self.hits, clock=self.clock, sightings=self.sightings,
            forwarder=self.forwarder if is_straight else None,
        )  # fmt: skip
        gate = ClientGate(self.settings.access, lambda host: self.box.current.scope_of(host), clock=self.clock)
        self.cache = PacketCache()
        self.has_come_before = True  # each query, so that its reply is kept at once, as the chain's are
        self.long = 0
        self.dispatch = Dispatch(
            gate, self.cache, self.chain, self.box, self.hits, self.settings.transport, at_once=self.chain.at_once,
            begin=self._begin, straight=self.chain.straight, local=self.chain.local_zones,
            clock=self.clock, wall=self.wall,
        )  # fmt: skip

    def _begin(self, query, done):
        self.long += 1
        return self.chain.begin(query, done)

    def begin(self, wire, host=HOSTS[0]):
        """Return a future of the reply."""
        future = asyncio.get_running_loop().create_future()
        if self.has_come_before:
            self.cache.doorkeeper.has_seen(wire[2:])
        self.dispatch.tick()
        outcome = self.dispatch.datagram(wire, host)
        if isinstance(outcome, bytes) or outcome is None:
            future.set_result(outcome)
        else:
            outcome.returner, outcome.place = Told(future.set_result), ((), ())
        return future

    async def ask(self, wire, host=HOSTS[0]):
        return await asyncio.wait_for(self.begin(wire, host), 5)

    def left(self):
        """What is left behind: hits, sightings, where answers came from."""
        self.dispatch.flush_hits()
        rows = sorted(self.hits.drain(100_000), key=lambda row: (row.client, row.name, row.qtype, row.count))
        seen = sorted(self.sightings.drain(1000), key=lambda one: one.domain)
        return rows, seen, dict(self.chain.sources)

    async def close(self):
        await self.chain.close()
        await self.forwarder.close()


def make_policy(*said, groups=()):
    lists = [world.listed("ads", "ads.example", part_of_ai=True)]
    chat = world.product("deepseek/chat", world.domain("deepseek.example"))
    vendors = [world.vendor("deepseek", chat, never=("status.deepseek.example",))]
    index = NameIndex.from_rules(lists, vendors, (), (), BRANDS, BOOK)
    said = said or ("block vendor:deepseek", "block ai", "monitor domain:watched.example", "monitor lookalikes")
    return world.Policy(index, world.statements(*said), groups, BlockAnswer(), 1)


@asynccontextmanager
async def rigs(*flags, policy=None, handler=upstream, **settings):
    made = []
    async with FakeUpstream(handler) as up:
        try:
            made = [Rig(policy or make_policy(), up, is_straight=flag, **settings) for flag in flags]
            yield (up, *made)
        finally:
            for rig in made:
                await rig.close()
