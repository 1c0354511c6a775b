"""The secret key that the catalogue is signed with, in the form of minisign's key files without a password.

A key file with a password is not read: sign with the minisign tool itself, whose signatures are as good as ours.
"""

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sinkhole.catalogue.signature import (
    KEY_ALGORITHM,
    PublicKey,
    Signature,
    digest_of,
    from_base64,
    key_id_text,
)
from sinkhole.errors import CatalogueError

_NO_PASSWORD: Final = bytes(2)
_CHECKSUM: Final = b"B2"
_NO_DERIVATION: Final = bytes(48)
"""The salt and the two limits of scrypt, which is not used."""
_OCTETS: Final = 158
_PUBLIC_SUFFIX: Final = ".pub"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret key; `seed` are the 32 octets that all else of it follows from (RFC 8032, section 5.1.5)."""

    id: bytes
    seed: bytes

    @classmethod
    def new(cls) -> Self:
        """Return a key that nobody has had before."""
        return cls(os.urandom(8), os.urandom(32))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a key file without a password.

        Raises:
            CatalogueError: it cannot be read, is none, is damaged, or has a password.
        """
        try:
            lines = path.read_bytes()[:4096].decode("ascii", "replace").splitlines()
        except OSError as error:
            raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from error
        if len(lines) != 2:
            raise CatalogueError(f"{path}: wanted a comment and a secret key of minisign, in two lines")
        octets = from_base64(lines[1], _OCTETS, f"{path}: secret key")
        if octets[:2] != KEY_ALGORITHM or octets[4:6] != _CHECKSUM:
            raise CatalogueError(f"{path}: is no secret key of minisign")
        if octets[2:4] != _NO_PASSWORD:
            raise CatalogueError(
                f"{path}: has a password, which only minisign itself asks for; export without --sign, then run: "
                f"minisign -S -s {path} -m FOLDER/catalogue.json"
            )
        key = cls(octets[54:62], octets[62:94])
        # The tool itself leaves the checksum empty where there is no password.
        if octets[94:126] != key.public.key or octets[126:] not in (key.checksum(), bytes(32)):
            raise CatalogueError(f"{path}: is damaged: its parts do not belong together")
        return key

    @property
    def public(self) -> PublicKey:
        """The key that verifies what this one signs."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return PublicKey(self.id, public.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def checksum(self) -> bytes:
        """Return the checksum that a key file ends in."""
        parts = KEY_ALGORITHM + self.id + self.seed + self.public.key
        return hashlib.blake2b(parts, digest_size=32).digest()

    def write(self, path: Path) -> Path:
        """Write the key for its owner alone, and the public key beside it; return the path of that.

        Raises:
            CatalogueError: one of the files exists already, or cannot be written.
        """
        public = path.with_name(path.name + _PUBLIC_SUFFIX)
        octets = KEY_ALGORITHM + _NO_PASSWORD + _CHECKSUM + _NO_DERIVATION
        octets += self.id + self.seed + self.public.key + self.checksum()
        name = key_id_text(self.id)
        secret_text = f"untrusted comment: minisign secret key {name}\n{base64.b64encode(octets).decode()}\n"
        public_text = f"untrusted comment: minisign public key {name}\n{self.public.to_text()}\n"
        if public.exists():
            raise CatalogueError(f"{public}: is there already; no key is ever overwritten")
        for file, text, mode in ((path, secret_text, 0o600), (public, public_text, 0o644)):
            try:
                with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "w") as new:
                    new.write(text)
            except FileExistsError as error:
                raise CatalogueError(f"{file}: is there already; no key is ever overwritten") from error
            except OSError as error:
                raise CatalogueError(f"{file}: cannot be written: {error.strerror}") from error
        return public

    def sign(self, file: Path, comment: str) -> Signature:
        """Return the signature of a file; `comment` is signed with it, and is one line.

        Raises:
            OSError: the file cannot be read.
        """
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        signature = private.sign(digest_of(file))
        return Signature(self.id, signature, comment, private.sign(signature + comment.encode()))
