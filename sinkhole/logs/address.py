"""Addresses and hosts as logs write them."""

from urllib.parse import urlsplit


def without_port(text: str) -> str:
    """Return the address of `192.0.2.1:53`, `[2001:db8::1]:53`, `192.0.2.1` or `2001:db8::1`."""
    if text[:1] == "[":
        return text[1:].partition("]")[0]
    if text.count(":") == 1:
        return text.partition(":")[0]
    return text


def host_of(method: str, url: str) -> str | None:
    """Return the host of a request to a proxy; None where it is an address, or none is told."""
    if method == "CONNECT":
        host = without_port(url)
    elif "://" in url:
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return None
    else:
        return None
    is_name = bool(host) and ":" not in host and not host.rpartition(".")[2].isdecimal()
    return host if is_name else None
