"""What a statement is about: a name, a product, a vendor, a category, a jurisdiction, a feed, or all of AI."""

from dataclasses import dataclass
from enum import IntEnum

from sinkhole.errors import PolicyError


class SubjectKind(IntEnum):
    """The kinds of subject; the greater is the more specific and wins."""

    AI = 0
    FEED = 10
    JURISDICTION = 20
    CATEGORY = 30
    VENDOR = 40
    PRODUCT = 50
    DOMAIN = 60
    ADDRESS = 61
    """An address or network in answers (A, AAAA, hints); as specific as a name, but never compared with one."""


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """One subject, written `kind:value` (`vendor:deepseek`, `product:openai/api`, `jurisdiction:CN`), or `ai`."""

    kind: SubjectKind
    value: str = ""

    @classmethod
    def from_text(cls, text: str) -> "Subject":
        """Read `kind:value` or `ai`; a bare word is not accepted here (the CLI resolves it against the catalogue).

        Raises:
            PolicyError: the kind is unknown or the value is missing.
        """
        if text == "ai":
            return cls(SubjectKind.AI)
        kind, colon, value = text.partition(":")
        known = [k.name.lower() for k in SubjectKind if k is not SubjectKind.AI]
        if kind not in known or not colon or not value:
            raise PolicyError(f"subject is ai or one of {', '.join(known)} with a value; found {text!r}")
        value = value.upper() if kind == "jurisdiction" else value.lower().rstrip(".")
        return cls(SubjectKind[kind.upper()], value)

    def __str__(self) -> str:
        return "ai" if self.kind is SubjectKind.AI else f"{self.kind.name.lower()}:{self.value}"
