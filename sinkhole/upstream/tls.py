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
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}

    def offering(self, *protocols: str) -> ssl.SSLContext:
        """Return the context of connections that offer these protocols (ALPN).

        Raises:
            ConfigError: the file of authorities cannot be read.
        """
        if protocols not in self._contexts:
            context = self._context()
            context.set_alpn_protocols(protocols)
            self._contexts[protocols] = context
        return self._contexts[protocols]

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._ca_file)
        except OSError as error:
            raise ConfigError(
                f"upstream.ca_file: wanted a PEM file of certificates, found {str(self._ca_file)!r}: {error}"
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
