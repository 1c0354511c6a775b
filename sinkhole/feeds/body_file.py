"""The file a fetched body goes into: inflated, counted, hashed and limited while it arrives."""

import hashlib
import zlib
from pathlib import Path
from typing import Final

from sinkhole.errors import FeedError

CODINGS: Final = frozenset({"identity", "gzip", "x-gzip", "deflate"})
"""Content codings that are understood (RFC 9110, section 8.4.1); deflate is the zlib form, as the RFC has it."""

_STEP: Final = 65_536
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32


class BodyFile:
    """Writes one body to a new file.

    Args:
        path: the file, which must not exist.
        coding: one of `CODINGS`.
        max_octets: limit of what arrives and of what it inflates to.
    """

    def __init__(self, path: Path, coding: str, max_octets: int) -> None:
        self._max_octets = max_octets
        self._received = 0
        self._hash = hashlib.sha256()
        self._inflater = None if coding == "identity" else zlib.decompressobj(_GZIP_OR_ZLIB)
        self._file = path.open("xb")
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take in what arrived.

        Raises:
            FeedError: there is too much of it, or it is not compressed as was said.
        """
        self._received += len(data)
        if self._received > self._max_octets:
            raise FeedError(f"the body has more than {self._max_octets} octets")
        if self._inflater is None:
            self._keep(data)
        else:
            self._inflate(data)

    def finish(self) -> str:
        """Close the file; return the SHA-256 of what it holds.

        Raises:
            FeedError: the compressed body was cut off.
        """
        self.close()
        if self._inflater is not None and not self._inflater.eof:
            raise FeedError("the body was cut off: its compressed data ends too early")
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file, complete or not."""
        self._file.close()

    def _inflate(self, data: bytes) -> None:
        # In steps, so that a bomb is noticed after one step too many and not after its gigabytes.
        while data:
            if self._inflater is None or self._inflater.eof:
                self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)  # the next member (RFC 1952, section 2.2)
            try:
                self._keep(self._inflater.decompress(data, _STEP))
            except zlib.error as error:
                raise FeedError("the body is not compressed as its Content-Encoding says") from error
            data = self._inflater.unconsumed_tail or self._inflater.unused_data

    def _keep(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._max_octets:
            raise FeedError(f"the body has more than {self._max_octets} octets once it is decompressed")
        self._hash.update(data)
        self._file.write(data)
