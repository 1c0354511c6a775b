"""Certificates for single names, issued while a client waits, and kept: few, short-lived, never on disk."""

import datetime as dt
import os
import ssl
from collections import OrderedDict
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sinkhole.blockpage.authority import Authority
from sinkhole.blockpage.constraints import covering

LIFE = dt.timedelta(days=3)
_EARLY = dt.timedelta(hours=1)
_RENEWED_BEFORE = dt.timedelta(hours=12)
MOST_KEPT = 128
"""Certificates kept, each with a TLS context of some 100 kB; which was not asked for longest goes."""


class Leaves:
    """Issues certificates of one authority. All have one key, which lives as long as this object.

    Args:
        authority: what signs them.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._kept: OrderedDict[tuple[str, ...], tuple[ssl.SSLContext, dt.datetime]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def has(self, name: str, now: dt.datetime) -> bool:
        """Return whether the certificate of a name need not be issued first."""
        kept = self._kept.get(self._subjects(name))
        return kept is not None and now < kept[1]

    def context(self, name: str, now: dt.datetime) -> ssl.SSLContext:
        """Return the TLS context for a name that the authority covers; `now` is an aware time."""
        names = self._subjects(name)
        kept = self._kept.get(names)
        if kept is None or now >= kept[1]:
            certificate = self.issue(names, now)
            kept = (self._load(certificate), certificate.not_valid_after_utc - _RENEWED_BEFORE)
            self._kept[names] = kept
        self._kept.move_to_end(names)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return kept[0]

    def issue(self, names: Sequence[str], now: dt.datetime) -> x509.Certificate:
        """Return a certificate for names, whether or not the authority may vouch for them."""
        authority = self._authority
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sinkhole block page")]))
            .issuer_name(authority.certificate.subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(max(now - _EARLY, authority.begins))
            .not_valid_after(min(now + LIFE, authority.ends))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
            )
            .sign(authority.key, hashes.SHA256())
        )

    def _subjects(self, name: str) -> tuple[str, ...]:
        """Return the names of the certificate that a name gets: shared by all names right below the same one."""
        top = covering(name, self._authority.names)
        parent = name.partition(".")[2]
        base = name if name == top else parent
        return (base, f"*.{base}")

    def _load(self, certificate: x509.Certificate) -> ssl.SSLContext:
        """Return a context with a certificate. The ssl module reads files alone, so it is given one in memory."""
        context = server_context()
        key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        fd = os.memfd_create("leaf", os.MFD_CLOEXEC)
        try:
            os.write(fd, key + certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(f"/proc/self/fd/{fd}")
        finally:
            os.close(fd)
        return context


def server_context() -> ssl.SSLContext:
    """Return a context without a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.num_tickets = 0  # a connection is for one visit
    return context
