"""A seeded mutator: the same seed makes the same inputs, so a failure can be run again."""

import random
import time
from collections.abc import Iterator, Sequence
from typing import Final

_TELLING: Final = (b"\x00", b"\x01", b"\x3f", b"\x40", b"\x7f", b"\x80", b"\xc0\x0c", b"\xc0\x00", b"\xff", b"\xff\xff")


def mutations(seeds: Sequence[bytes], seed: int, *, count: int, seconds: float) -> Iterator[bytes]:
    """Yield mutated inputs until there were so many, or so much time is over.

    Args:
        seeds: well-formed inputs to begin with; each comes out unchanged first.
        seed: of the random numbers.
        count: how many inputs at most.
        seconds: how long at most.
    """
    yield from seeds
    chance = random.Random(seed)
    until = time.monotonic() + seconds
    for _ in range(count):
        if time.monotonic() > until:
            return
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2, 3, 8))):
            _mutate(data, chance, seeds)
        yield bytes(data)


def _mutate(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    """Change an input in one place, in one of the ways that parsers fall over."""
    at = chance.randrange(len(data) + 1)
    match chance.randrange(7):
        case 0:
            data[at : at + 1] = bytes((chance.randrange(256),))
        case 1 if at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        case 2:
            del data[at:]
        case 3:
            del data[at : at + chance.randrange(1, 20)]
        case 4:
            telling = chance.choice(_TELLING)
            data[at : at + len(telling)] = telling
        case 5:
            other = chance.choice(seeds)
            start = chance.randrange(len(other) + 1)
            data[at:at] = other[start : start + chance.randrange(1, 40)]
        case _:
            data[at:at] = bytes(data[at : at + 12]) * chance.randrange(1, 4)
