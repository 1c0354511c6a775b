"""Read a subject as people write it: `vendor:deepseek`, or a bare word where only one thing is called so."""

import difflib
from collections import Counter
from collections.abc import Sequence

from sinkhole.catalogue.host_name import name_mistake
from sinkhole.catalogue.load import Catalogue
from sinkhole.errors import FormError, PolicyError
from sinkhole.policy.member import network_text
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.protocol.names import name_from_text, name_to_text

_SHOWN = 3
_LEAST_PART = 3
"""Characters that a word must have before what contains it is offered."""

__all__ = ["nearest", "network_text", "read_subject"]
_LONE = ("ai", "lookalikes", "unreviewed")


def read_subject(text: str, catalogue: Catalogue, feeds: Sequence[str]) -> Subject:
    """Return the subject that `text` names.

    Args:
        text: `kind:value`, `ai`, `lookalikes`, `unreviewed`, a domain, or a bare id of anything but `models`: vendors.
        feeds: names of the feeds there are.

    Raises:
        PolicyError: nothing is called so (the nearest names are told), or more than one thing is.
    """
    text = text.strip()
    if text.lower() in _LONE:
        return Subject.from_text(text.lower())
    if ":" in text:
        return _check(Subject.from_text(text), catalogue, feeds)
    named = {kind: values for kind, values in _known(catalogue, feeds).items() if kind is not SubjectKind.MODELS}
    found = [Subject(kind, value) for kind, values in named.items() for value in values
             if value.lower() == text.lower()]  # fmt: skip
    if len(found) > 1:
        raise PolicyError(f"{text!r} is ambiguous: write {' or '.join(str(subject) for subject in found)}")
    if found:
        return found[0]
    if "." in text:
        return _check(Subject(SubjectKind.DOMAIN, text.lower().rstrip(".")), catalogue, feeds)
    everything = [*_LONE, *(value for values in named.values() for value in values)]
    raise PolicyError(f"nothing is called {text!r}{nearest(text, everything)}")


def words_of(catalogue: Catalogue, feeds: Sequence[str]) -> list[str]:
    """Return all subjects that can be named, as `kind:value` and, where one thing is called so, as a bare word."""
    known = _known(catalogue, feeds)
    named = [str(Subject(kind, value)) for kind, values in known.items() for value in values]
    bare = Counter(
        value.lower() for kind, values in known.items() if kind is not SubjectKind.MODELS for value in values
    )
    return [*_LONE, *sorted(named), *sorted(word for word, times in bare.items() if times == 1)]


def _known(catalogue: Catalogue, feeds: Sequence[str]) -> dict[SubjectKind, Sequence[str]]:
    return {
        SubjectKind.VENDOR: tuple(catalogue.by_id),
        SubjectKind.PRODUCT: tuple(catalogue.products),
        SubjectKind.MODELS: tuple(catalogue.by_id),
        SubjectKind.CATEGORY: tuple(catalogue.categories),
        SubjectKind.JURISDICTION: catalogue.jurisdictions,
        SubjectKind.BYPASS: tuple(way.id for way in catalogue.bypass),
        SubjectKind.FEED: feeds,
    }


def _check(subject: Subject, catalogue: Catalogue, feeds: Sequence[str]) -> Subject:
    if subject.kind is SubjectKind.DOMAIN:
        return Subject(SubjectKind.DOMAIN, _domain(subject))
    if subject.kind is SubjectKind.ADDRESS:
        return Subject(SubjectKind.ADDRESS, network_text(subject.value))
    known = _known(catalogue, feeds).get(subject.kind)
    if known is not None and subject.value not in known:
        kind = "vendor" if subject.kind is SubjectKind.MODELS else subject.kind.name.lower()
        raise PolicyError(f"there is no {kind} {subject.value!r}{nearest(subject.value, known)}")
    return subject


def _domain(subject: Subject) -> str:
    if not subject.value:
        raise PolicyError("domain:. is all names there are; a statement is about a domain such as domain:example.org")
    try:
        name = name_to_text(name_from_text(subject.value)).lower()
    except FormError as error:
        raise PolicyError(f"{subject}: is no domain: {error}") from error
    if mistake := name_mistake(name):
        raise PolicyError(f"{subject}: is no domain: {mistake}")
    return name


def nearest(text: str, known: Sequence[str]) -> str:
    """Return `; did you mean …?` with what is spelled most like `text`, else what it is a part of; empty for none."""
    near = difflib.get_close_matches(text.lower(), known, n=_SHOWN, cutoff=0.7)
    if not near and len(text) >= _LEAST_PART:
        near = sorted({word for word in known if text.lower() in word}, key=lambda word: (len(word), word))[:_SHOWN]
    if not near:
        return ""
    return f"; did you mean {' or '.join(part for part in (', '.join(near[:-1]), near[-1]) if part)}?"
