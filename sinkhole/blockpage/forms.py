"""Tokens in forms: proof that a form was given to this client, for this name, not long ago (against CSRF).

A page of another site cannot read what this one gave to a client, and what an attacker is given fits no other client.
"""

import hmac
from base64 import urlsafe_b64encode

LIFE = 3600
"""Seconds in which a form may be sent: writing a reason takes a while."""
_EARLY = 5
"""Seconds by which the clock may have been set back since."""
_MOST_DIGITS = 12


def write_form_token(key: bytes, form: str, client: str, host: str, now: float) -> str:
    """Return the token of a form (its name) for a client and a name; `now` is epoch seconds."""
    return f"{int(now)}.{_seal(key, form, client, host, int(now))}"


def is_form_token(key: bytes, token: str, form: str, client: str, host: str, now: float) -> bool:
    """Return whether a token was written for this form, client and name, within `LIFE`."""
    given, _, seal = token.partition(".")
    if not (given.isascii() and given.isdigit()) or len(given) > _MOST_DIGITS:
        return False
    wanted = _seal(key, form, client, host, int(given))
    is_ours = hmac.compare_digest(wanted.encode(), seal.encode("utf-8", "replace"))
    return is_ours and int(given) - _EARLY <= now < int(given) + LIFE


def _seal(key: bytes, form: str, client: str, host: str, at: int) -> str:
    digest = hmac.digest(key, f"form {form} {client} {host} {at}".encode(), "sha256")
    return urlsafe_b64encode(digest).decode().rstrip("=")
