"""Signatures of webhooks, as Standard Webhooks 1.0 has them."""

import base64
import hashlib
import hmac

from sinkhole.errors import OutError

_PREFIX = "whsec_"


def sign(key: bytes, number: str, at: str, body: bytes) -> str:
    """Return the signature of a request."""
    digest = hmac.new(key, f"{number}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def key_from_text(text: str) -> bytes:
    """Read a secret: `whsec_` and base64, as Standard Webhooks has it, else the text itself; raises OutError."""
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        raise OutError(f"wanted base64 behind {_PREFIX}") from None
