"""What a fetch brings."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said about the body we have, for a conditional request (RFC 9110, section 13.1)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete body. `hosts` are the names it came from: of the URL and of every redirect."""

    body: Path
    sha256: str
    size: int
    validators: Validators
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotModified:
    """The body we have is still the newest."""

    hosts: tuple[str, ...]
