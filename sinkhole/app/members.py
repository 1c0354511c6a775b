"""Read a member of a group as people write it, and say what a kind of member needs to be known by."""

from collections.abc import Iterable

from sinkhole.app.subjects import nearest
from sinkhole.config.schema import ClientSettings
from sinkhole.errors import PolicyError
from sinkhole.policy.groups import ClientGroups
from sinkhole.policy.member import WORDS, MemberKind, member_from_text
from sinkhole.policy.statement import Group


def member_text(text: str) -> str:
    """Return a member in the one spelling in which members are stored and compared.

    Raises:
        PolicyError: it is none; the nearest word is told.
    """
    try:
        return str(member_from_text(text))
    except PolicyError as error:
        word = text.strip().partition(":")[0]
        if ":" in text and word.isalpha() and (near := nearest(word, WORDS)) and word.lower() not in WORDS:
            raise PolicyError(f"{text!r}: there is no kind of member {word!r}{near}") from error
        if ":" not in text and "/" not in text and any(c.isalpha() for c in text):
            raise PolicyError(f"{error}; a name is written name:{word}, a client-id id:{word}") from error
        raise


def unknown_kinds(groups: Iterable[Group], settings: ClientSettings) -> list[str]:
    """Return in sentences which members nobody can be recognised by, since no source for them is on."""
    kinds = ClientGroups(tuple(groups)).kinds
    told_by_others = settings.leases or settings.forwarders
    said = []
    if MemberKind.MAC in kinds and settings.neighbours == "never" and not told_by_others:
        said.append("members by MAC address match nobody while clients.neighbours is never")
    if MemberKind.ID in kinds and not told_by_others:
        said.append("members by client-id match nobody until clients.leases or clients.forwarders is set")
    if MemberKind.NAME in kinds and not settings.reverse_names:
        said.append("members by name match nobody: clients.reverse_names is off")
    return said
