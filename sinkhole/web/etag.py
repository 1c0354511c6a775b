"""Entity tags (RFC 9110, section 8.8.3): of what a resource says, so that nobody overwrites what another changed."""

import hashlib

from pydantic import BaseModel


def etag_of(found: BaseModel) -> str:
    """Return the strong tag of a resource."""
    return f'"{hashlib.sha256(found.model_dump_json().encode()).hexdigest()[:32]}"'


def is_in(tag: str | None, field: str) -> bool:
    """Return whether a field (`If-Match`, `If-None-Match`) names a tag; None is that of what is not there."""
    if field.strip() == "*":
        return tag is not None
    return tag in [part.strip().removeprefix("W/") for part in field.split(",")]
