"""The local certificate authority of the block page: a key and a certificate that is good for catalogue names alone.

Its certificate has critical name constraints (RFC 5280, section 4.2.1.10): whoever installs it believes it about these
names and about no other, also if the key is stolen. Addresses are excluded, and it may vouch for servers only.
"""

import datetime as dt
import ipaddress
import os
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sinkhole.blockpage.constraints import covering
from sinkhole.errors import SinkholeError

CERTIFICATE, KEY = "ca.pem", "ca.key"
DEFAULT_DAYS = 1095
MOST_OCTETS = 65_535
"""Firefox reads no longer certificate."""
_EARLY = dt.timedelta(hours=1)
"""By which the clock of a client may be behind."""
_NOTHING_OF_THE_KIND = (
    x509.IPAddress(ipaddress.ip_network("0.0.0.0/0")),
    x509.IPAddress(ipaddress.ip_network("::/0")),
)


class AuthorityError(SinkholeError):
    """The authority cannot be made, read or used."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and its key; `names` are those it may vouch for, with all below them."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    names: frozenset[str]

    @property
    def begins(self) -> dt.datetime:
        """From when it is good."""
        return self.certificate.not_valid_before_utc

    @property
    def ends(self) -> dt.datetime:
        """Until when it is good."""
        return self.certificate.not_valid_after_utc

    @property
    def pem(self) -> bytes:
        """The certificate as it is installed."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The certificate, for systems that want DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as browsers show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def covers(self, name: str) -> bool:
        """Return whether it may vouch for a name."""
        return covering(name, self.names) is not None


def make_authority(
    names: Sequence[str], now: dt.datetime, *, title: str, days: int = DEFAULT_DAYS, before: Authority | None = None
) -> Authority:
    """Return a new authority for these names and all below them.

    Args:
        now: aware time.
        title: what certificate stores list it as.
        before: the one that it takes the place of: key and title stay, so that a client with the old certificate goes
            on to believe what that permits.

    Raises:
        AuthorityError: there is no name, or the certificate would be too long.
    """
    if not names:
        raise AuthorityError("the authority would be good for no name, since the catalogue has none")
    key = ec.generate_private_key(ec.SECP256R1()) if before is None else before.key
    subject = _subject(title) if before is None else before.certificate.subject
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    constraints = x509.NameConstraints([x509.DNSName(name) for name in names], list(_NOTHING_OF_THE_KIND))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(constraints, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    made = Authority(certificate, key, frozenset(names))
    if len(made.der) > MOST_OCTETS:
        raise AuthorityError(
            f"the certificate would have {len(made.der)} octets for {len(names)} names, and browsers read {MOST_OCTETS}"
        )
    return made


def write_authority(folder: Path, authority: Authority) -> None:
    """Put key (mode 0600) and certificate in place, each whole or not at all.

    Raises:
        AuthorityError: the folder cannot be written.
    """
    key = authority.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / KEY, key, 0o600)
        _write(folder / CERTIFICATE, authority.pem, 0o644)
    except OSError as error:
        raise AuthorityError(f"{folder}: the authority cannot be written: {error.strerror}") from error


def read_authority(folder: Path) -> Authority | None:
    """Return the authority of a folder, None where there is none.

    Raises:
        AuthorityError: it cannot be read, others may read its key, or key and certificate do not belong together.
    """
    try:
        pem, secret = (folder / CERTIFICATE).read_bytes(), (folder / KEY).read_bytes()
        mode = (folder / KEY).stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AuthorityError(f"{error.filename}: cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise AuthorityError(f"{folder / KEY}: others may read the key; run: chmod go= {folder / KEY}")
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(secret, None)
        constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise AuthorityError(f"{folder}: is no authority of ours: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise AuthorityError(f"{folder}: {KEY} is not the key of {CERTIFICATE}")
    permitted = constraints.permitted_subtrees or ()
    return Authority(certificate, key, frozenset(one.value for one in permitted if isinstance(one, x509.DNSName)))


def _subject(title: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title[:64])])


def _write(path: Path, data: bytes, mode: int) -> None:
    fd, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(mode)
        Path(draft).rename(path)
    finally:
        Path(draft).unlink(missing_ok=True)
