"""Take a certificate and its key from files into a TLS context, with a sentence that says what is wrong with them."""

import ssl
from pathlib import Path

from sinkhole.errors import ConfigError

_OTHER_KEY = "KEY_VALUES_MISMATCH"


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None = None) -> None:
    """Load them. A pass phrase is never asked for, since nobody would answer.

    Args:
        key: None where it is in the file of the certificate.

    Raises:
        ConfigError: they cannot be used; the sentence begins with the file.
    """
    for file in (certificate, key or certificate):
        try:
            file.read_bytes()  # OpenSSL does not say which of the two it cannot read
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason == _OTHER_KEY:
            raise ConfigError(f"{key or certificate}: is not the key of the certificate in {certificate}") from error
        found = "" if key is None else f", and in {key} its key"
        raise ConfigError(
            f"{certificate}: wanted a PEM file of a certificate{found or ' and its key'}, without a pass phrase"
        ) from error
