"""How we trust encrypted upstreams: certificates are verified by name, dates and authority, or nothing is sent.

There is no fall-back to clear text (strict profile, RFC 8310, section 5).
"""

import ssl
from pathlib import Path

from sinkhole.errors import ConfigError


class Trust:
    """Make the TLS contexts, when the first upstream needs them: reading the system's authorities takes a while.

    Args:
        ca_file: PEM file of the trusted authorities; None: the system's.
    """

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        self._dot: ssl.SSLContext | None = None
        self._https: ssl.SSLContext | None = None
        self._http1: ssl.SSLContext | None = None

    def for_dot(self) -> ssl.SSLContext:
        """Return the context for DNS over TLS.

        Raises:
            ConfigError: the file of authorities cannot be read.
        """
        if self._dot is None:
            self._dot = self._context()
            self._dot.set_alpn_protocols(["dot"])
        return self._dot

    def for_https(self) -> ssl.SSLContext:
        """Return the context for DNS over HTTPS.

        Raises:
            ConfigError: the file of authorities cannot be read.
        """
        if self._https is None:
            self._https = self._context()
            self._https.set_alpn_protocols(["h2", "http/1.1"])
        return self._https

    def for_http1(self) -> ssl.SSLContext:
        """Return the context for DNS over HTTPS by HTTP/1.1.

        Raises:
            ConfigError: the file of authorities cannot be read.
        """
        if self._http1 is None:
            self._http1 = self._context()
            self._http1.set_alpn_protocols(["http/1.1"])
        return self._http1

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._ca_file)
        except OSError as error:
            raise ConfigError(
                f"upstream.ca_file: wanted a PEM file of certificates, found {str(self._ca_file)!r}: {error}"
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
