"""Secrets that whoever holds one may show: made at random, stored by their digest alone.

They have 256 bits of chance, so a plain digest cannot be guessed backwards; passwords are another matter.
"""

import hashlib
import secrets

_OCTETS = 32


def new_secret(prefix: str = "") -> str:
    """Return a new one, fit for a cookie, a header and a URL."""
    return prefix + secrets.token_urlsafe(_OCTETS)


def secret_digest(secret: str) -> str:
    """Return the hexadecimal SHA-256 by which it is stored and found."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
