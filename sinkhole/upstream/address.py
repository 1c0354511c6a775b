"""The address of an upstream, as the settings spell it."""

import ipaddress
import string
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from sinkhole.errors import ConfigError, FormError
from sinkhole.protocol.names import name_from_text, name_to_text


class Scheme(StrEnum):
    """How an upstream is spoken to."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    HTTPS = "https"


DEFAULT_PORTS = {Scheme.UDP: 53, Scheme.TCP: 53, Scheme.TLS: 853, Scheme.HTTPS: 443}
DEFAULT_PATH = "/dns-query"


@dataclass(frozen=True, slots=True)
class UpstreamAddress:
    """Where an upstream is.

    Attributes:
        scheme: how it is spoken to.
        host: an IP address, or a host name in lower case without final dot that bootstrap must look up.
        port: its port.
        path: path of the URL, for https only; else empty.
        server_name: the name, or address, its certificate must have; for tls and https only, else empty.
    """

    scheme: Scheme
    host: str
    port: int
    path: str = ""
    server_name: str = ""

    @property
    def is_literal(self) -> bool:
        """Say whether `host` is an IP address and needs no look-up."""
        return _is_address(self.host)

    @property
    def is_secure(self) -> bool:
        """Say whether it is spoken to encrypted, with its certificate verified."""
        return self.scheme in (Scheme.TLS, Scheme.HTTPS)

    def __str__(self) -> str:
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}{self.path}"


def parse_upstream(text: str, where: str = "upstream.servers") -> UpstreamAddress:
    """Read `1.1.1.1`, `[::1]:5353`, `tls://dns.example`, `tls://1.1.1.1#dns.example`, `https://dns.example/dns-query`.

    Args:
        text: address or URL; the name after `#` is what the certificate must have.
        where: path of the setting, for the error.

    Raises:
        ConfigError: the text is none of these.
    """
    scheme_text, separator, rest = text.strip().partition("://")
    if not separator:
        scheme_text, rest = Scheme.UDP, text.strip()
    try:
        return _parse(scheme_text.lower(), rest)
    except (ValueError, FormError) as error:
        raise ConfigError(f"{where}: {text!r} is not the address of an upstream: {error}") from None


def bracketed(host: str) -> str:
    """Return the host as URLs write it: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def _parse(scheme_text: str, rest: str) -> UpstreamAddress:
    if scheme_text not in DEFAULT_PORTS:
        raise ValueError(f"wanted udp, tcp, tls or https, found {scheme_text!r}")
    scheme = Scheme(scheme_text)
    rest, _, wanted_name = rest.partition("#")
    authority, slash, path = rest.partition("/")
    if scheme is not Scheme.HTTPS and path:
        raise ValueError(f"only https has a path, found {path!r}")
    host_text, port = _split_port(authority, DEFAULT_PORTS[scheme])
    host = _host(host_text)
    if scheme in (Scheme.UDP, Scheme.TCP):
        if wanted_name:
            raise ValueError("a name after # is for tls and https, which check certificates")
        return UpstreamAddress(scheme, host, port)
    # Providers publish URI templates (RFC 8484, section 4.1); POST needs none of the variables.
    path = quote((slash + path).removesuffix("{?dns}"), safe=string.punctuation) or DEFAULT_PATH
    server_name = _host(wanted_name) if wanted_name else host
    return UpstreamAddress(scheme, host, port, path if scheme is Scheme.HTTPS else "", server_name)


def _split_port(authority: str, default: int) -> tuple[str, int]:
    if _is_address(authority):
        return authority, default
    if authority.startswith("["):
        host, bracket, tail = authority[1:].partition("]")
        if not bracket or not _is_address(host):
            raise ValueError("wanted an IPv6 address in brackets")
        if not tail:
            return host, default
        if not tail.startswith(":"):
            raise ValueError(f"wanted :PORT after the bracket, found {tail!r}")
        return host, _port(tail[1:])
    host, colon, port = authority.partition(":")
    return host, _port(port) if colon else default


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"wanted a port from 1 to 65535, found {text!r}")
    return int(text)


def _host(text: str) -> str:
    if _is_address(text):
        return str(ipaddress.ip_address(text))
    if not text or "@" in text or text.replace(".", "").isdigit():
        raise ValueError(f"wanted a host name or an IP address, found {text!r}")
    return name_to_text(name_from_text(text)).lower()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
