"""A disk that seems full, and a small one."""

import ctypes
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_LIBC = ctypes.CDLL(None, use_errno=True)


@contextmanager
def mounted(folder: Path, mib: int) -> Iterator[Path]:
    """Give a new folder that is a file system of so many MiB; skip the test where none can be mounted."""
    folder.mkdir(mode=0o700)
    options = f"size={mib}m,mode=700".encode()
    if _LIBC.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options) != 0:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        _LIBC.umount2(os.fsencode(folder), 2)


@contextmanager
def limited_files(octets: int) -> Iterator[None]:
    """Have files of this process fail to grow beyond a size, which needs no root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))  # Python ignores the signal: the write fails
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
