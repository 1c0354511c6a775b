"""The form of `blocklists/discovery.toml`: signs that a name is an AI service of which the catalogue does not know."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from sinkhole.catalogue.host_name import name_mistake
from sinkhole.catalogue.lookalikes import InnocentEntry, Word
from sinkhole.policy.signs import SignBook, Weights

FILE: Final = "discovery.toml"
_SHORT: Final = 2
"""Letters of a word that stands by chance in half of all longer words."""

Weight = Annotated[int, Field(ge=1, le=9)]


class DiscoveryFile(BaseModel):
    """The whole file; see `policy.signs.SignBook` for what each kind of sign means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: Weight
    suffixes: dict[Word, Weight]
    words: dict[Word, Weight]
    parts: dict[Word, Weight]
    edges: dict[Word, Weight]
    topics: tuple[Word, ...]
    topic_weight: Weight
    brand_weight: Weight
    innocents: tuple[InnocentEntry, ...]

    def to_book(self) -> SignBook:
        """Return what policy works with."""
        return SignBook(
            threshold=self.threshold,
            suffixes=_weights(self.suffixes),
            words=_weights(self.words),
            parts=_weights(self.parts),
            edges=_weights(self.edges),
            topics=self.topics,
            topic_weight=self.topic_weight,
            brand_weight=self.brand_weight,
            innocents=tuple(innocent.text for innocent in self.innocents),
        )


def lint_discovery(file: DiscoveryFile, is_suffix: Callable[[str], bool]) -> list[str]:
    """Return every mistake, each with what to do about it; `is_suffix` knows the public suffixes."""
    mistakes = [*_weighed(file), *_twice(file), *_innocents(file)]
    mistakes += [f"suffixes: {suffix!r} is no top-level domain" for suffix in file.suffixes if not is_suffix(suffix)]
    return [f"{FILE}: {why}" for why in mistakes]


def _weighed(file: DiscoveryFile) -> Iterator[str]:
    for part in file.parts:
        if len(part) <= _SHORT:
            yield f"parts: {part!r} stands by chance in half of all names; make it a word or an edge"
    if file.topic_weight >= file.threshold:
        yield f"topic_weight: {file.topic_weight} reaches the threshold beside nothing; a topic only adds to a sign"
    strongest = max([*file.words.values(), *file.parts.values(), *file.suffixes.values(), file.brand_weight])
    if strongest + file.topic_weight < file.threshold:
        yield f"threshold: {file.threshold} is more than any sign reaches with a topic beside it"


def _twice(file: DiscoveryFile) -> Iterator[str]:
    for word in file.words.keys() & file.parts.keys():
        yield f"words: {word!r} is among the parts too, and would count twice"
    for topic, times in Counter(file.topics).items():
        if times > 1:
            yield f"topics: {topic!r} is there twice"
        if topic in file.words or topic in file.parts:
            yield f"topics: {topic!r} is a sign by itself"
    for text, times in Counter(innocent.text for innocent in file.innocents).items():
        if times > 1:
            yield f"innocents: {text!r} is there twice"


def _innocents(file: DiscoveryFile) -> Iterator[str]:
    for innocent in file.innocents:
        if innocent.word is not None and (innocent.word in file.words or innocent.word in file.parts):
            yield f"innocents: {innocent.word!r} is a sign, which would never be seen"
        if innocent.name is None:
            continue
        if "." not in innocent.name:
            yield f"innocents: {innocent.name!r} is no name with a dot; a word is given as word"
        elif why := name_mistake(innocent.name):
            yield f"innocents: {innocent.name}: {why}"


def _weights(found: dict[str, int]) -> Weights:
    return tuple(found.items())
