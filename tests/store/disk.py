"""A disk that seems full."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def limited_files(octets: int) -> Iterator[None]:
    """Have files of this process fail to grow beyond a size, which needs no root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))  # Python ignores the signal: the write fails
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
