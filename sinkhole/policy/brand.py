"""Words by which people know a vendor, and whether one of them stands in a label."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sinkhole.policy.confusables import JOINERS, Reading, joined_skeleton, skeleton, unmask_digits

WORD: Final = re.compile(rb"[a-z~]+")
_ENDINGS: Final = frozenset((b"com", b"net", b"org", b"ai", b"cn", b"io"))
_CLEAR: Final = 7
"""Letters of a brand from which on a word that is one letter away is no other word."""
_RARE: Final = 5
"""Letters of a brand from which on no honest word of another script looks like it."""


class BrandKind(Enum):
    """How much of a label must be the brand.

    DISTINCTIVE: any part, joiners left out; no honest word holds it (`deepseek`).
    WHOLE: a whole word, or one grown together with a companion (`qwen`, `lmstudio`, which is in `filmstudio`).
    COMMON: the same, and a companion, because it is a word or a name by itself (`claude`).
    """

    DISTINCTIVE = "distinctive"
    WHOLE = "whole"
    COMMON = "common"


@dataclass(frozen=True, slots=True)
class Brand:
    """A word by which people know a vendor.

    Attributes:
        vendor: id in the catalogue.
        token: three or more lower-case ASCII letters.
        kind: when it counts.
        companions: lower-case words that count beside it.
        domains: domains of the vendor that hold the token, none of them below another.
    """

    vendor: str
    token: str
    kind: BrandKind
    companions: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()

    def to_json_row(self) -> list[Any]:
        """Return the fields in order, as a list that JSON can hold."""
        return [self.vendor, self.token, self.kind.value, self.companions, self.domains]

    @classmethod
    def from_json_row(cls, row: list[Any]) -> "Brand":
        """Read what `to_json_row` wrote."""
        vendor, token, kind, companions, domains = row
        return cls(vendor, token, BrandKind(kind), tuple(companions), tuple(domains))


class BrandMark:
    """A brand, ready to be looked for in folded labels."""

    def __init__(self, brand: Brand) -> None:
        self.brand = brand
        self.token = brand.token.encode("ascii")
        self.skeleton = skeleton(self.token)
        self.zones = [tuple(domain.encode("ascii").split(b".")) for domain in brand.domains]
        self._is_common = brand.kind is BrandKind.COMMON
        self._companions = frozenset(word.encode("ascii") for word in brand.companions)

    def stands_in(self, text: bytes, *, has_suffix: bool) -> bool:
        """Return whether it is written in a label so that it counts; `has_suffix`: the suffix is a companion."""
        if self.brand.kind is BrandKind.DISTINCTIVE:
            return self.token in text.translate(None, JOINERS)
        words = WORD.findall(text)
        if self.token in words and (not self._is_common or has_suffix or self._is_beside(words)):
            return True
        return any(_rest_of(word, self.token) in self._companions for word in words)

    def seems_to_stand_in(self, reading: Reading, *, has_suffix: bool) -> bool:
        """Return the same of what letters and digits that look alike make a label say.

        `l` for `i` is no proof by itself (`open-all`), so there even a distinctive brand must be a whole word.
        """
        words = WORD.findall(joined_skeleton(reading.bare))
        if self.brand.kind is BrandKind.DISTINCTIVE:
            words += WORD.findall(skeleton(reading.bare))
            texts = (reading.bare, *unmask_digits(reading.bare))
            return self.skeleton in words or any(self.stands_in(text, has_suffix=has_suffix) for text in texts)
        if self.skeleton not in words:
            return False
        if not self._is_common or has_suffix or (reading.is_foreign and len(self.token) >= _RARE):
            return True
        return self._is_beside(WORD.findall(reading.bare))

    def counts_misspelt(self, words: Collection[bytes], *, is_clear: bool, has_suffix: bool) -> bool:
        """Return whether a word that is near it counts.

        Args:
            words: what stands beside that word.
            is_clear: how they differ is a slip of the finger by itself.
            has_suffix: the suffix is a companion.
        """
        if not self._is_common and (is_clear or len(self.token) >= _CLEAR):
            return True
        return (has_suffix and self._is_common) or self._is_beside(words)

    def is_urged_by(self, label: bytes) -> bool:
        """Return whether a label is written to go on after a whole domain of the vendor (`com-login`, `login`)."""
        words = WORD.findall(label)
        return self._is_beside(words) or (len(words) > 1 and words[0] in _ENDINGS)

    def _is_beside(self, words: Collection[bytes]) -> bool:
        return not self._companions.isdisjoint(words)


def _rest_of(word: bytes, token: bytes) -> bytes:
    if word.startswith(token):
        return word[len(token) :]
    return word[: -len(token)] if word.endswith(token) else b""
