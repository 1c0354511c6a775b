"""One visit of the page: who came, for which name, and what kind of answer fits."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_is_host = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*(?![0-9]){_LABEL}").fullmatch
"""A host name of A-labels; its last label does not begin with a digit, so that no address is one."""
LANGUAGES = ("en", "de")


class Wants(Enum):
    """What kind of answer a client can use."""

    PAGE = "page"
    JSON = "json"
    IMAGE = "image"
    TEXT = "text"
    NOTHING = "nothing"
    """Scripts, styles, fonts, frames, WebSockets: whatever is in the body, nobody reads it."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit.

    Attributes:
        client: address of the client.
        host: the name that was wanted, in lower case; None where the Host header holds none.
        language: of the page.
        is_secure: over TLS.
    """

    client: str
    host: str | None
    wants: Wants
    language: str
    is_secure: bool = False


def read_host(text: str) -> str | None:
    """Return the name of a Host header, without port and final dot; None where it is no name, such as an address."""
    name, _, port = text.strip().lower().partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return None
    name = name.removesuffix(".")
    return name if _is_host(name) else None


def read_wants(headers: Mapping[str, str]) -> Wants:
    """Return what fits: browsers say it in Sec-Fetch-Dest, others in Accept (RFC 9110, section 12.5.1)."""
    destination = headers.get("Sec-Fetch-Dest", "").strip().lower()
    accept = headers.get("Accept", "*/*").lower()
    if headers.get("Upgrade"):
        return Wants.NOTHING
    if destination in ("", "document", "empty"):
        if "text/html" in accept:
            return Wants.PAGE
        if "json" in accept or "json" in headers.get("Content-Type", "").lower():
            return Wants.JSON
        return Wants.IMAGE if accept.startswith("image/") else Wants.TEXT
    return Wants.IMAGE if destination == "image" else Wants.NOTHING


def read_language(accepted: str, language: str) -> str:
    """Return the language of the page.

    Args:
        accepted: what the browser says (Accept-Language; RFC 9110, section 12.5.4).
        language: the setting; `auto`: as the browser says.
    """
    if language != "auto":
        return language
    ranked = sorted(_ranges(accepted), key=lambda found: -found[1])
    return next((tag for tag, quality in ranked if tag in LANGUAGES and quality > 0), LANGUAGES[0])


def _ranges(accepted: str) -> Sequence[tuple[str, float]]:
    found = []
    for part in accepted[:200].lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            found.append((tag.partition("-")[0], float(weight or 1)))
        except ValueError:
            continue
    return found
