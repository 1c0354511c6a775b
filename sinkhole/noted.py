"""What is noted of what happened, as it is kept and as it is sent: alerts, and entries of the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a person should know. Texts in it may come from the network.

    Attributes:
        id: its number in the store.
        at: epoch seconds.
        kind: one of `config.out_schema.AlertKind`, or `test`.
        cause: what it is about, such as a vendor; of one kind and cause there is one in a period.
        text: a sentence.
        facts: more, by name.
    """

    id: int
    at: int
    kind: str
    cause: str
    text: str
    facts: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change: when (epoch seconds), who, from where, what, and the values before and after as JSON.

    `digest` is the hexadecimal SHA-256 that chains it to the entry before; None where another program wrote it.
    """

    id: int
    at: int
    who: str
    origin: str
    what: str
    before: str | None
    after: str | None
    digest: str | None
