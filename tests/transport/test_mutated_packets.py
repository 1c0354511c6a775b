"""Packets that nobody means: the server answers what it can, stays silent else, and lives (R-W26, R-P06)."""

import random
import struct

import dns.edns
import pytest

from tests.transport.asking import framed, question, read_end, read_framed
from tests.transport.serving import Serving

SEED = 20260302
DATAGRAMS = 4000
STREAMS = 300


def corpus() -> list[bytes]:
    """Queries of many kinds, all well-formed."""
    queries = [
        question(name, qtype, **options)
        for name in ("example.org", "a" * 63 + ".example.org", ".", "\\000\\255\\010.example.org")
        for qtype in ("A", "HTTPS", "ANY", "AXFR", "TYPE65300")
        for options in (
            {},
            {"use_edns": 0, "want_dnssec": True},
            {"use_edns": 0, "options": [dns.edns.GenericOption(code, b"\x00" * 8) for code in (8, 10, 11, 12, 65001)]},
        )
    ]
    queries += [question("version.bind", "TXT", rdclass="CH"), question(use_edns=7)]
    return [query.to_wire() for query in queries]


def mutate(wire: bytes, chance: random.Random) -> bytes:
    """Change a packet as a fault or an attacker might: bits, octets, length, counts, pointers."""
    packet = bytearray(wire)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(packet)) if packet else 0
        match chance.randrange(7):
            case 0 if packet:
                packet[at] ^= 1 << chance.randrange(8)
            case 1 if packet:
                packet[at] = chance.choice((0, 1, 0x3F, 0x40, 0x80, 0xC0, 0xFF))
            case 2:
                del packet[at:]
            case 3:
                packet[at:at] = chance.randbytes(chance.randint(1, 20))
            case 4 if len(packet) >= 12:
                struct.pack_into("!H", packet, 4 + 2 * chance.randrange(4), chance.choice((0, 1, 2, 255, 65535)))
            case 5 if len(packet) >= 14:
                struct.pack_into("!H", packet, 12, 0xC000 | chance.randrange(len(packet)))
            case _:
                packet += packet[: chance.randint(0, 40)]
    return bytes(packet)


async def test_mutated_datagrams_leave_the_server_up(caplog):
    """R-W26: 4000 mutated queries over UDP; each answer has QR=1 and the right id. R-P06: and nothing in the log."""
    chance = random.Random(SEED)
    wires = corpus()
    answered = set()
    async with Serving() as serving:
        with serving.datagram_client() as client:
            for number in range(DATAGRAMS):
                ident = number.to_bytes(2, "big")
                client.send(ident + mutate(chance.choice(wires), chance)[2:])
                if number % 50 == 49:
                    last = question(f"{number}.example.org")
                    last.id = 0xFFFF
                    *replies, good = await client.drain(last.to_wire())
                    assert good[3] & 0xF == 0
                    for reply in replies:
                        assert int.from_bytes(reply[:2], "big") <= number
                        assert reply[:2] not in answered
                        assert reply[2] & 0x80
                        answered.add(reply[:2])
    assert len(answered) > DATAGRAMS / 3
    assert not caplog.records


async def test_mutated_streams_leave_the_server_up(caplog):
    """R-W26: 300 mutated queries over TCP, with lengths that are right and lengths that are not."""
    chance = random.Random(SEED)
    wires = corpus()
    async with Serving(settings={"tcp_idle_timeout": 0.05}) as serving:
        for _ in range(STREAMS):
            packet = mutate(chance.choice(wires), chance)
            said = framed(packet) if chance.random() < 0.7 else mutate(framed(packet), chance)
            reader, writer = await serving.stream()
            writer.write(said)
            writer.write_eof()
            got = await read_end(reader)
            while got:
                (length,) = struct.unpack_from("!H", got)
                assert got[4] & 0x80
                got = got[2 + length :]
            writer.close()
        assert (await serving.tcp(question())).answer
    assert not caplog.records


@pytest.mark.parametrize("size", [0, 1, 11, 12, 511, 4096, 65507])
@pytest.mark.parametrize("octet", [0x00, 0x3F, 0x40, 0xFF])
async def test_ten_thousand_bad_packets_leave_the_log_small(size, octet, caplog):
    """R-P06: the handler catches everything and logs at a limited rate."""
    async with Serving() as serving:
        with serving.datagram_client() as client:
            for _ in range(10):
                for _ in range(36):
                    client.send(bytes([octet]) * size)
                query = question()
                query.id = 0x1234
                assert (await client.drain(query.to_wire()))[-1][3] & 0xF == 0
    assert len(caplog.records) <= 1


async def test_hostile_options_cost_little():
    """R-W17: 15000 empty options in one packet, over both transports."""
    options = struct.pack("!HH", 65001, 0) * 15_000
    wire = bytearray(question(use_edns=0).to_wire())
    struct.pack_into("!H", wire, len(wire) - 2, len(options))
    async with Serving() as serving:
        with serving.datagram_client() as client:
            for _ in range(20):
                assert (await client.exchange(bytes(wire) + options))[:2] == wire[:2]
        reader, writer = await serving.stream()
        writer.write(framed(bytes(wire) + options))
        assert (await read_framed(reader))[:2] == wire[:2]
        writer.close()
