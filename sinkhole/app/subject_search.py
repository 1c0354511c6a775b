"""Find what a statement may be about, by a part of its name: for whoever does not know how it is called here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sinkhole.catalogue.host_name import name_mistake
from sinkhole.catalogue.load import Catalogue
from sinkhole.errors import FormError
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.protocol.names import name_from_text, name_to_text

SHOWN = 30
_LONE = (
    ("ai", "the whole catalogue"), ("lookalikes", "names that imitate a vendor's"),
    ("unreviewed", "names that look like AI, and nobody has reviewed"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """A subject as it is written, and what it is in words."""

    subject: str
    said: str


def subjects_like(text: str, catalogue: Catalogue, feeds: Sequence[str], limit: int = SHOWN) -> list[Option]:
    """Return the subjects whose name has a text in it, the closest first; none for an empty text.

    Args:
        feeds: names of the lists that there are.
    """
    wanted = text.strip().lower()
    if not wanted:
        return []
    kind, _, value = wanted.rpartition(":")
    ranked = []
    for place, option in enumerate(_all(catalogue, feeds)):
        own_kind, _, own = option.subject.lower().rpartition(":")
        if kind and own_kind != kind:
            continue
        rank = _rank(value, own, option.said.lower())
        if rank is not None:
            ranked.append((rank, own_kind == "models", len(own), place, option))
    found = [option for *_, option in sorted(ranked, key=lambda one: one[:4])[:limit]]
    return found + ([named] if (named := _name(wanted)) and len(found) < limit else [])


def _rank(wanted: str, own: str, said: str) -> int | None:
    for rank, fits in enumerate((own == wanted, own.startswith(wanted), said.startswith(wanted), wanted in own)):
        if fits:
            return rank
    return 4 if wanted in said else None


def _all(catalogue: Catalogue, feeds: Sequence[str]) -> Iterator[Option]:
    for word, said in _LONE:
        yield Option(word, said)
    for vendor in catalogue.vendors:
        yield _option(SubjectKind.VENDOR, vendor.id, vendor.name)
    for product in catalogue.products.values():
        yield _option(SubjectKind.PRODUCT, product.id, product.name)
    for name, category in catalogue.categories.items():
        yield _option(SubjectKind.CATEGORY, name, category.meaning)
    for country in catalogue.jurisdictions:
        yield _option(SubjectKind.JURISDICTION, country, f"vendors under the law of {country}")
    for way in catalogue.bypass:
        yield _option(SubjectKind.BYPASS, way.id, way.name)
    for feed in feeds:
        yield _option(SubjectKind.FEED, feed, "a list")
    for vendor in catalogue.vendors:
        yield _option(SubjectKind.MODELS, vendor.id, f"{vendor.name} and whoever serves its models")


def _option(kind: SubjectKind, value: str, said: str) -> Option:
    return Option(str(Subject(kind, value)), said)


def _name(text: str) -> Option | None:
    """Return a text as the subject that is a name, where it can be one."""
    if "." not in text.strip(".") or ":" in text:
        return None
    try:
        name = name_to_text(name_from_text(text)).lower().rstrip(".")
    except FormError:
        return None
    if name_mistake(name):
        return None
    return Option(f"domain:{name}", "this name, and all below it")
