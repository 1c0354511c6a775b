"""Whether a request may be another site's doing (CSRF): by what browsers say of it, which pages cannot forge.

`Sec-Fetch-Site` (Fetch Metadata) and `Origin` (RFC 6454). SameSite=Strict of the cookie is a second wall, not the one.
"""

from collections.abc import Mapping

from sinkhole.web.peer import Peer

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


def objection(headers: Mapping[str, str], method: str, peer: Peer, *, is_browser: bool) -> str | None:
    """Return why a request is refused, or None.

    Args:
        is_browser: whether it rests on a cookie or a form, so that a browser must say where it comes from.
    """
    if method in SAFE_METHODS:
        return None
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None and site != "same-origin":
        return "the request comes from another site"
    if origin is not None and origin.lower() != peer.origin:
        return "the request comes from another origin"
    if is_browser and site is None and origin is None:
        return f"the request does not say where it comes from; send the header Origin: {peer.origin}"
    return None
