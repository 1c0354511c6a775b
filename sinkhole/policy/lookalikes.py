"""The guard against lookalikes: names that imitate a vendor of the catalogue without being one of its own.

It is asked only for names that no catalogue entry matches, so it need not know which names are genuine. An ordinary
name falls through a sieve; what does not is searched for all brands and for slips of the finger, and only what they
find is looked at closely. All is linear in the length of the name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sinkhole.policy.brand import WORD, Brand, BrandMark
from sinkhole.policy.confusables import FOLDED, HYPHEN, JOINERS, PARTS, Reading, has_alabel, read_label, skeleton
from sinkhole.policy.memo import remember
from sinkhole.policy.place import Place, registered_label
from sinkhole.policy.sieve import Sieve
from sinkhole.policy.typos import Typos
from sinkhole.policy.word_search import any_of
from sinkhole.protocol.names import labels_of, name_from_text, parents_of

_MAX_PLAIN: Final = 10_000
"""Names remembered in which nothing imitates, about 1.5 MB: of what is right below them only the first label is new."""
_MAX_LATEST: Final = 1000
"""The latest of them that were asked about: each is asked about twice, to judge it and to count it."""
_UNPRINTED: Final = re.compile(rb"[^a-z0-9]+")


class ImitationKind(Enum):
    """How a name imitates.

    BRAND: the label that someone registered is the brand, or holds it (`deepseek.example`, `deepseek-login.example`).
    TYPO: a word is a slip of the finger away (`deepsek.example`).
    CONFUSABLE: letters or digits look like those of the brand (`0penai.example`, `xn--…`).
    SUBDOMAIN: the brand is in a label below someone's name (`deepseek.evil.example`), be it his own or his customer's.
    EMBEDDED: a vendor's whole domain is below someone's name (`deepseek.com.evil.example`). That may be deceit, but as
        well a machine that appends its search domain to a genuine name, or a mail server that asks a list over DNS.
    """

    BRAND = "brand"
    TYPO = "typo"
    CONFUSABLE = "confusable"
    SUBDOMAIN = "subdomain"
    EMBEDDED = "embedded"


_BELOW: Final = frozenset((ImitationKind.SUBDOMAIN, ImitationKind.EMBEDDED))


@dataclass(frozen=True, slots=True)
class Imitation:
    """Which vendor a name imitates, by which of its brands, how, and the reason in words."""

    vendor: str
    brand: str
    kind: ImitationKind
    reason: str

    def __str__(self) -> str:
        return f"imitates {self.vendor}: {self.reason}"


@dataclass(frozen=True, slots=True)
class BrandBook:
    """What the guard goes by.

    Attributes:
        brands: no token twice.
        companions: words that may be grown together with a misspelt brand behind it.
        leads: words that may be grown together with a misspelt brand in front of it.
        suffixes: top-level domains that are companions of any brand.
        innocents: names, for themselves and all below; or words without a dot, which hold a brand or are near one.
    """

    brands: tuple[Brand, ...]
    companions: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    innocents: tuple[str, ...] = ()

    def to_json_row(self) -> list[Any]:
        """Return the fields in order, as a list that JSON can hold."""
        return [[b.to_json_row() for b in self.brands], self.companions, self.leads, self.suffixes, self.innocents]

    @classmethod
    def from_json_row(cls, row: list[Any]) -> "BrandBook":
        """Read what `to_json_row` wrote."""
        brands, *words = row
        return cls(tuple(map(Brand.from_json_row, brands)), *map(tuple, words))


NO_BRANDS: Final = BrandBook(())
"""Nothing imitates."""


class Lookalikes:
    """Finds names that imitate; immutable but for a memo of names in which nothing does.

    Attributes:
        starts: a text in which something imitates holds one of them, or letters that are read as others.

    Raises:
        FormError: an innocent name is none.
    """

    def __init__(self, book: BrandBook) -> None:
        companions = [word.encode("ascii") for word in book.companions]
        marks = [BrandMark(brand) for brand in book.brands]
        self._plain: set[bytes] = set()
        self._latest: set[bytes] = set()
        self._by_token = {mark.token: mark for mark in marks}
        self._by_skeleton = {mark.skeleton: mark for mark in marks}
        self._brands = any_of(self._by_skeleton)
        self._suffixes = frozenset(suffix.encode("ascii") for suffix in book.suffixes)
        words = [word.encode("ascii") for word in book.innocents if "." not in word]
        self._innocent_names = frozenset(name_from_text(name) for name in book.innocents if "." in name)
        self._innocent_words = any_of([word for word in words if self._brands.search(skeleton(word))])
        self._typos = Typos(self._by_token, [word.encode("ascii") for word in book.leads], companions, words)
        self.starts = (*self._by_skeleton, *self._typos.edges)
        self._sieve = Sieve(self.starts, FOLDED, PARTS)
        self._bones = Sieve(self._by_skeleton, FOLDED, size=4)

    def find(self, name: bytes) -> Imitation | None:
        """Return whom a folded name in wire form imitates, or None."""
        if name in self._latest or self._is_plain(name):
            return None
        labels = labels_of(name)
        registered = registered_label(labels)
        if registered is None or any(parent in self._innocent_names for parent in parents_of(name)):
            return None
        for at in range(registered, -1, -1):
            found = self._judge(Place(labels, at, registered))
            if found is not None:
                return found
        return None

    def find_open(self, name: bytes) -> Imitation | None:
        """Return whom a name imitates in the part that someone registered, or None.

        A brand in a label below it is the owner's or his customer's business (`openai.corp.example`), and a vendor's
        whole domain below it is more often a search domain than deceit, unless what follows is written to go on after
        it (`chatgpt.com-login.example`): policy leaves both alone.
        """
        found = self.find(name)
        return None if found is None or found.kind in _BELOW else found

    def _is_plain(self, name: bytes) -> bool:
        """Return whether a name needs no closer look, and remember that."""
        below = name[0] + 1
        parent = name[below:]
        is_known = parent in self._plain
        text = name[:below] if is_known else without_last(name)
        if self._sieve.passes(text) and self.may_imitate(text):
            return False
        if not is_known:
            remember(self._plain, parent, _MAX_PLAIN)
        remember(self._latest, name, _MAX_LATEST)
        return True

    def may_imitate(self, text: bytes) -> bool:
        """Return whether labels that fall through no sieve, each behind its length, are worth a closer look.

        What imitates does so within one.
        """
        bones = skeleton(text)
        if self._bones.passes(bones) and self._brands.search(bones) is not None:
            return True
        return has_alabel(text) or self._typos.has_slip(text) or (HYPHEN in text and _has_length_of_joiner(text))

    def _judge(self, place: Place) -> Imitation | None:
        reading = read_label(place.labels[place.at])
        has_suffix = not place.is_below and place.labels[-1] in self._suffixes
        reading = reading._replace(
            plain=self._innocent_words.sub(b"?", reading.plain), bare=self._innocent_words.sub(b"?", reading.bare)
        )
        for mark in self._marks_in(reading):
            zone = next(filter(place.is_within, mark.zones), None)
            if zone is not None:
                domain = b".".join(zone).decode("ascii")
                is_deceit = mark.is_urged_by(place.labels[place.registered])
                kind = ImitationKind.BRAND if is_deceit else ImitationKind.EMBEDDED
                return _imitation(mark, kind, f"{domain} below {place.owner}")
            if mark.stands_in(reading.plain, has_suffix=has_suffix):
                return _written(mark, reading.plain, place)
            if mark.seems_to_stand_in(reading, has_suffix=has_suffix):
                return _imitation(mark, ImitationKind.CONFUSABLE, f"confusable letters for {mark.brand.token}")
        return self._slip(reading, has_suffix)

    def _marks_in(self, reading: Reading) -> Iterator[BrandMark]:
        for found in dict.fromkeys(self._brands.findall(skeleton(reading.bare))):
            yield self._by_skeleton[found]

    def _slip(self, reading: Reading, has_suffix: bool) -> Imitation | None:
        words = WORD.findall(reading.bare)
        for slip in self._typos.find(reading.bare):
            mark = self._by_token[slip.token]
            beside = [slip.beside, *(word for word in words if word not in slip.word)]
            if mark.counts_misspelt(beside, is_clear=slip.is_clear, has_suffix=has_suffix):
                return _imitation(mark, ImitationKind.TYPO, f"edit distance {slip.distance} from {mark.brand.token}")
        return None


def without_last(name: bytes) -> bytes:
    """Return what stands before the top-level domain, in which nobody imitates: `com` begins brands, too."""
    at = last = 0
    while length := name[at]:
        last = at
        at += length + 1
    return name[:last]


def _has_length_of_joiner(text: bytes) -> bool:
    """Return whether a label's length is the octet of `-`: without that its word grows onto the one before."""
    at = 0
    while at < len(text):
        if text[at] in JOINERS:
            return True
        at += text[at] + 1
    return False


def _written(mark: BrandMark, text: bytes, place: Place) -> Imitation:
    token = mark.brand.token
    if place.is_below:
        return _imitation(mark, ImitationKind.SUBDOMAIN, f"{token} in a label below {place.owner}")
    holder = text if mark.token in text else text.translate(None, JOINERS)
    beside = _UNPRINTED.sub(b" ", holder.replace(mark.token, b" ")).decode("ascii").split()
    reason = f"{token} beside {', '.join(beside)}" if beside else f"{token} under another suffix"
    return _imitation(mark, ImitationKind.BRAND, reason)


def _imitation(mark: BrandMark, kind: ImitationKind, reason: str) -> Imitation:
    return Imitation(mark.brand.vendor, mark.brand.token, kind, reason)
