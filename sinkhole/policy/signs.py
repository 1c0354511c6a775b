"""Signs that a name is an AI service of which no catalogue knows: words in it, its suffix, a vendor's brand.

It is a guess by the name alone, and asked only for names that no rule knows. Each sign has a weight, and the signs of
one label must reach a threshold together: what stands in another label is somebody else's choice. All is linear in
the length of the name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sinkhole.policy.brand import WORD
from sinkhole.policy.confusables import has_alabel, read_label
from sinkhole.policy.lookalikes import Imitation, Lookalikes
from sinkhole.policy.place import registered_label
from sinkhole.policy.word_search import any_of
from sinkhole.protocol.names import ROOT, labels_of, name_from_text, parents_of

_HOST_LABEL: Final = re.compile(rb"[a-z0-9_-]+")
Weights = tuple[tuple[str, int], ...]
"""Words, each with its weight."""


@dataclass(frozen=True, slots=True)
class SignBook:
    """What names are looked at for. Words are lower-case ASCII letters; a weight counts once a label.

    Attributes:
        threshold: weight from which on a label is a sign of AI.
        suffixes: top-level domains; their weight is that of the label that someone registered below them.
        words: count as a whole word, between hyphens, digits and dots.
        parts: count anywhere in a label.
        edges: count where a longer word begins or ends with them.
        topics: count once, and only beside another sign.
        topic_weight: of any of them.
        brand_weight: of a brand of the catalogue that the guard against lookalikes finds.
        innocents: names, for themselves and all below; or words without a dot, in which nothing counts.
    """

    threshold: int
    suffixes: Weights = ()
    words: Weights = ()
    parts: Weights = ()
    edges: Weights = ()
    topics: tuple[str, ...] = ()
    topic_weight: int = 0
    brand_weight: int = 0
    innocents: tuple[str, ...] = ()

    def to_json_row(self) -> list[Any]:
        """Return the fields in order, as a list that JSON can hold."""
        return [
            self.threshold, self.suffixes, self.words, self.parts, self.edges, self.topics, self.topic_weight,
            self.brand_weight, self.innocents,
        ]  # fmt: skip

    @classmethod
    def from_json_row(cls, row: list[Any]) -> "SignBook":
        """Read what `to_json_row` wrote."""
        threshold, suffixes, words, parts, edges, topics, topic_weight, brand_weight, innocents = row
        return cls(
            int(threshold), _weights(suffixes), _weights(words), _weights(parts), _weights(edges), tuple(topics),
            int(topic_weight), int(brand_weight), tuple(innocents),
        )  # fmt: skip


NO_SIGNS: Final = SignBook(1)
"""Nothing looks like AI."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A name that looks like AI.

    Attributes:
        domain: folded wire form: the registered domain where the signs are in it, else from the label that shows them
            on; what is above is somebody else's.
        reasons: the signs, in words.
    """

    domain: bytes
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"looks like AI: {', '.join(self.reasons)}"


class Signs:
    """Finds names that look like AI; immutable.

    Args:
        book: what to look for.
        lookalikes: knows the brands.

    Attributes:
        words: in a label that shows a sign is one of them, but for its brand and its suffix.

    Raises:
        FormError: an innocent name is none.
    """

    def __init__(self, book: SignBook, lookalikes: Lookalikes) -> None:
        self._book = book
        self._lookalikes = lookalikes
        self._words = _by_octets(book.words)
        self._parts = _by_octets(book.parts)
        self._edges = _by_octets(book.edges)
        self._suffixes = _by_octets(book.suffixes)
        self._starts = tuple(bytes((len(suffix),)) + suffix for suffix in self._suffixes)
        self._endings = tuple(start + ROOT for start in self._starts)
        self.words = (*self._words, *self._parts, *self._edges)
        self._hints = any_of(self.words)
        self._bordered = _bordered([*self._words, *self._edges], self._parts)
        self._any_part = any_of(self._parts)
        self._any_topic = any_of([topic.encode("ascii") for topic in book.topics])
        self._innocent_words = any_of([word.encode("ascii") for word in book.innocents if "." not in word])
        self._innocent_names = frozenset(name_from_text(name) for name in book.innocents if "." in name)

    def find(self, name: bytes) -> Suspect | None:
        """Return what of a folded name in wire form looks like AI, or None."""
        imitation = self._lookalikes.find_open(name) if self._book.brand_weight else None
        if imitation is None and not name.endswith(self._endings) and not self.has_hint(name):
            return None
        labels = labels_of(name)
        registered = registered_label(labels)
        if registered is None or any(parent in self._innocent_names for parent in parents_of(name)):
            return None
        for at in range(registered, -1, -1):
            found = dict(self._signs_of(labels[at]))
            if at == registered:
                found |= self._signs_of_domain(labels[-1], imitation)
            if found and (topic := self._any_topic.search(labels[at])):
                found[f"{_text(topic[0])} beside it"] = self._book.topic_weight
            if sum(found.values()) >= self._book.threshold:
                return _suspect(name, labels, at, tuple(found))
        return None

    def has_trace(self, key: bytes) -> bool:
        """Return whether a name's suffix is a sign, a word may stand in it, or any where a label is an A-label.

        What has none of that has a hint where another label of the same name has one, and only there.

        Args:
            key: of the name (`reversed_key`), or its top-level domain.
        """
        return key.startswith(self._starts) or has_alabel(key) or self.has_hint(key)

    def has_hint(self, text: bytes) -> bool:
        """Return whether a word may stand in a name, or in some labels: `ai` does in many, seldom at a word's edge.

        Where a label is an A-label, the name is read more closely, all of it.
        """
        return self._hints.search(text) is not None and (has_alabel(text) or self._bordered.search(text) is not None)

    def _signs_of(self, label: bytes) -> Iterator[tuple[str, int]]:
        text = self._innocent_words.sub(b"?", read_label(label).plain)
        words = WORD.findall(text)
        for word in words:
            if word in self._words:
                yield f"the word {_text(word)} in {_text(label)}", self._words[word]
        for part in self._any_part.findall(text):
            yield f"{_text(part)} in {_text(label)}", self._parts[part]
        for edge, weight in self._edges.items():
            word = next((word for word in words if word != edge and _has_edge(word, edge)), None)
            if word is not None:
                yield f"{_text(edge)} at the edge of {_text(word)}", weight

    def _signs_of_domain(self, suffix: bytes, imitation: Imitation | None) -> Iterator[tuple[str, int]]:
        if suffix in self._suffixes:
            yield f"its suffix .{_text(suffix)}", self._suffixes[suffix]
        if imitation is not None:
            yield f"it {imitation}", self._book.brand_weight


def is_host(labels: tuple[bytes, ...]) -> bool:
    """Return whether a host can be called so: letters, digits, hyphens and underscores."""
    return all(map(_HOST_LABEL.fullmatch, labels))


def _suspect(name: bytes, labels: tuple[bytes, ...], at: int, reasons: tuple[str, ...]) -> Suspect | None:
    """Return the part of a name from label `at` on; None where no host can be called so."""
    if not is_host(labels[at:]):
        return None
    return Suspect(name[sum(len(label) + 1 for label in labels[:at]) :], reasons)


def _bordered(words: Iterable[bytes], parts: Iterable[bytes]) -> re.Pattern[bytes]:
    """Return an expression that finds a word with no letter before or behind it, or a part anywhere."""
    word, part = any_of(words).pattern, any_of(parts).pattern
    return re.compile(rb"(?<![a-z])%b|%b(?![a-z])|%b" % (word, word, part))


def _has_edge(word: bytes, edge: bytes) -> bool:
    return word.startswith(edge) or word.endswith(edge)


def _weights(rows: list[Any]) -> Weights:
    return tuple((str(word), int(weight)) for word, weight in rows)


def _by_octets(weights: Weights) -> Mapping[bytes, int]:
    return {word.encode("ascii"): weight for word, weight in weights}


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "backslashreplace")
