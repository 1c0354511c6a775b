"""What all ways to a receiver have in common, and what they say when it takes nothing."""

import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from sinkhole.certificate_file import load_certificate
from sinkhole.errors import ConfigError, OutError
from sinkhole.out.event import Event

CONNECT_WITHIN: Final = 10.0
SEND_WITHIN: Final = 30.0
"""Seconds to connect, and for one batch."""


class WaitError(OutError):
    """The receiver is away or busy: the same events are sent again later, `after` seconds if it said so.

    `is_answer` tells that it was there and answered, which a receiver that only ever refuses does too.
    """

    def __init__(self, said: str, after: float | None = None, *, is_answer: bool = False) -> None:
        super().__init__(said)
        self.after = after
        self.is_answer = is_answer


class RefusedError(OutError):
    """The receiver will not take these events, however often they are sent."""


class Sender(Protocol):
    """A way to one receiver."""

    async def send(self, events: Sequence[Event]) -> None:
        """Bring events there, all of them or, as far as can be known, none.

        Raises:
            WaitError: not now.
            RefusedError: never.
        """

    async def close(self) -> None:
        """End connections."""


def why(error: OSError | TimeoutError) -> str:
    """Return what went wrong with a connection, in words of this system alone."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or 'no reason given'}"
    return os.strerror(error.errno) if isinstance(error.errno, int) and error.errno > 0 else "the connection failed"


def tls_context(ca_file: Path | None, certificate: Path | None = None) -> ssl.SSLContext:
    """Return what a client needs for TLS 1.2 and above, with the name of the server checked.

    Raises:
        OutError: a file cannot be read or used.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            load_certificate(context, certificate)
    except ConfigError as error:
        raise OutError(str(error)) from error
    except ssl.SSLError as error:
        raise OutError(f"{ca_file}: wanted a PEM file of certificates") from error
    except OSError as error:
        raise OutError(f"{ca_file}: cannot be read: {error.strerror}") from error
    return context


def read_secret(path: Path) -> str:
    """Return the first line of a file.

    Raises:
        OutError: it cannot be read, has nothing in it, or what no header can carry.
    """
    try:
        line = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise OutError(f"{path}: cannot be read: {said}") from error
    if not line or not line.isascii() or not line.isprintable():
        raise OutError(f"{path}: wanted a line of printable ASCII")
    return line
