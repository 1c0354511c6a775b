"""Signatures of the catalogue, in the form of minisign: what we sign its tool verifies, and what it signs, we do.

    untrusted comment: …
    base64 of "ED", the id of the key, the Ed25519 signature of the BLAKE2b-512 digest of the file
    trusted comment: …
    base64 of the Ed25519 signature of the first signature and the trusted comment

Source: https://jedisct1.github.io/minisign/, "Signature format", "Public key format".
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sinkhole.errors import CatalogueError

SUFFIX: Final = ".minisig"
"""Added to the name of a file, it names the file of its signature."""
MAX_OCTETS: Final = 16_384
"""Of a signature file; minisign writes comments of 1 and 8 kB at most."""
KEY_ALGORITHM: Final = b"Ed"
_PREHASHED: Final = b"ED"
_UNTRUSTED: Final = "untrusted comment: "
_TRUSTED: Final = "trusted comment: "
_ID_OCTETS: Final = 8
_KEY_OCTETS: Final = 32
_SIGNATURE_OCTETS: Final = 64


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The key that signatures are verified with; `id` tells it from others, `key` is 32 octets (RFC 8032)."""

    id: bytes
    key: bytes

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the one word `RW…`, or the text of a `.pub` file.

        Raises:
            CatalogueError: it is no public key of minisign.
        """
        words = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(_UNTRUSTED)]
        wanted = len(KEY_ALGORITHM) + _ID_OCTETS + _KEY_OCTETS
        if len(words) != 1:
            raise CatalogueError("public key: wanted one word of 56 characters that begins with RW")
        octets = from_base64(words[0], wanted, "public key")
        if not octets.startswith(KEY_ALGORITHM):
            raise CatalogueError("public key: is of another kind than Ed25519; it begins with RW")
        return cls(octets[2:10], octets[10:])

    def to_text(self) -> str:
        """Return the key as one word, as `--key` and `minisign -P` take it."""
        return base64.b64encode(KEY_ALGORITHM + self.id + self.key).decode()


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of a file. `comment` is signed too, by `comment_signature`."""

    key_id: bytes
    signature: bytes
    comment: str
    comment_signature: bytes

    @classmethod
    def from_octets(cls, octets: bytes) -> Self:
        """Read a signature file.

        Raises:
            CatalogueError: it is none, or one of the old kind that signs the file itself instead of its digest.
        """
        try:
            lines = [line.rstrip("\r") for line in octets.decode("utf-8").rstrip("\r\n").split("\n")]
        except UnicodeDecodeError as error:
            raise CatalogueError("signature: is not UTF-8") from error
        if len(octets) > MAX_OCTETS or len(lines) != 4 or not lines[0].startswith(_UNTRUSTED):
            raise CatalogueError("signature: wanted the four lines of a minisign signature")
        if not lines[2].startswith(_TRUSTED):
            raise CatalogueError("signature: line 3: wanted a trusted comment")
        head = from_base64(lines[1], len(_PREHASHED) + _ID_OCTETS + _SIGNATURE_OCTETS, "signature: line 2")
        if head.startswith(KEY_ALGORITHM):
            raise CatalogueError("signature: is of the old kind, which signs no digest; sign without -l")
        if not head.startswith(_PREHASHED):
            raise CatalogueError("signature: line 2: is of another kind than Ed25519 of BLAKE2b")
        return cls(
            key_id=head[2:10],
            signature=head[10:],
            comment=lines[2].removeprefix(_TRUSTED),
            comment_signature=from_base64(lines[3], _SIGNATURE_OCTETS, "signature: line 4"),
        )

    def to_octets(self, untrusted_comment: str) -> bytes:
        """Return the file that `from_octets` and minisign read."""
        head = base64.b64encode(_PREHASHED + self.key_id + self.signature).decode()
        tail = base64.b64encode(self.comment_signature).decode()
        return f"{_UNTRUSTED}{untrusted_comment}\n{head}\n{_TRUSTED}{self.comment}\n{tail}\n".encode()


def verify(file: Path, signature: Signature, key: PublicKey) -> str:
    """Return the trusted comment of a file that `key` has signed; memory does not grow with the file.

    Raises:
        CatalogueError: another key signed it, or the file or the comment is not what was signed.
        OSError: it cannot be read.
    """
    if signature.key_id != key.id:
        raise CatalogueError(
            f"signature: was made with key {key_id_text(signature.key_id)}, wanted {key_id_text(key.id)}"
        )
    public = Ed25519PublicKey.from_public_bytes(key.key)
    try:
        public.verify(signature.signature, digest_of(file))
    except InvalidSignature:
        raise CatalogueError("signature: the file is not the one that was signed") from None
    try:
        public.verify(signature.comment_signature, signature.signature + signature.comment.encode())
    except InvalidSignature:
        raise CatalogueError("signature: the trusted comment is not the one that was signed") from None
    return signature.comment


def digest_of(file: Path) -> bytes:
    """Return what is signed of a file: its BLAKE2b-512 digest (RFC 7693)."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, hashlib.blake2b).digest()


def key_id_text(key_id: bytes) -> str:
    """Return the id of a key as the minisign tool prints it: a little-endian number, without leading zeros."""
    return f"{int.from_bytes(key_id, 'little'):X}"


def from_base64(text: str, octets: int, where: str) -> bytes:
    """Return exactly so many octets.

    Raises:
        CatalogueError: it is no base64, or has another length.
    """
    try:
        found = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CatalogueError(f"{where}: is not base64") from error
    if len(found) != octets:
        raise CatalogueError(f"{where}: wanted {octets} octets, found {len(found)}")
    return found
