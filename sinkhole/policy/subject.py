"""What a statement is about: a name, a product, a vendor, its models, a category, a country, a feed, or all of AI."""

from dataclasses import dataclass
from enum import IntEnum

from sinkhole.errors import PolicyError


class SubjectKind(IntEnum):
    """The kinds of subject; the greater is the more specific and wins."""

    UNREVIEWED = -20
    """Names that look like AI, that nothing is known of, and that nobody has looked at yet; see `policy.signs`."""
    LOOKALIKES = -10
    """Names that imitate a vendor's, and are not the vendor's; a guess, so whatever is known of a name goes before."""
    AI = 0
    FEED = 10
    BYPASS = 15
    """A way round the resolver or round policy: encrypted DNS, gateways, translation proxies …"""
    JURISDICTION = 20
    CATEGORY = 30
    MODELS = 35
    """A vendor and every third party that serves its models."""
    VENDOR = 40
    PRODUCT = 50
    DOMAIN = 60
    ADDRESS = 61
    """An address or network in answers (A, AAAA, hints); as specific as a name, but never compared with one."""


_ALONE = {"ai": SubjectKind.AI, "lookalikes": SubjectKind.LOOKALIKES, "unreviewed": SubjectKind.UNREVIEWED}
"""Subjects of which there is one; they have no value."""
_WITH_VALUE = {kind.name.lower(): kind for kind in SubjectKind if kind not in _ALONE.values()}


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """One subject, written `kind:value` (`vendor:deepseek`, `product:openai/api`, `jurisdiction:CN`) or as one word."""

    kind: SubjectKind
    value: str = ""

    @classmethod
    def from_text(cls, text: str) -> "Subject":
        """Read `kind:value` or the name of a lone subject; the CLI resolves other bare words against the catalogue.

        Raises:
            PolicyError: the kind is unknown or the value is missing.
        """
        if text in _ALONE:
            return cls(_ALONE[text])
        word, colon, value = text.partition(":")
        kind = _WITH_VALUE.get(word)
        if kind is None or not colon or not value:
            alone, known = ", ".join(_ALONE), ", ".join(_WITH_VALUE)
            raise PolicyError(f"subject is {alone} or one of {known} with a value; found {text!r}")
        return cls(kind, value.upper() if kind is SubjectKind.JURISDICTION else value.lower().rstrip("."))

    def __str__(self) -> str:
        kind = self.kind.name.lower()
        return kind if kind in _ALONE else f"{kind}:{self.value}"
