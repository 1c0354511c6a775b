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
        kind, colon, value = text.partition(":")
        known = [k.name.lower() for k in SubjectKind if k not in _ALONE.values()]
        if kind not in known or not colon or not value:
            alone = ", ".join(_ALONE)
            raise PolicyError(f"subject is {alone} or one of {', '.join(known)} with a value; found {text!r}")
        value = value.upper() if kind == "jurisdiction" else value.lower().rstrip(".")
        return cls(SubjectKind[kind.upper()], value)

    def __str__(self) -> str:
        kind = self.kind.name.lower()
        return kind if kind in _ALONE else f"{kind}:{self.value}"
