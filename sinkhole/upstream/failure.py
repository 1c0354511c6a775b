"""How asking an upstream can fail: what callers of the forwarder see, and what only this package handles.

The texts go to clients as EXTRA-TEXT of an extended error (RFC 8914), so they name no address, ours or an upstream's.
"""
# ruff: noqa: N818 - the names say what happened; Error after each would say it twice

import math
from typing import ClassVar, Final

from sinkhole.errors import UpstreamError
from sinkhole.protocol.types import EdeCode

ENDED: Final = "the connection was closed before the answer"


class UpstreamTimeout(UpstreamError):
    """No upstream answered in time, or all of them refused."""

    ede: ClassVar[int] = EdeCode.NO_REACHABLE_AUTHORITY


class UpstreamFailure(UpstreamError):
    """Upstreams were reached, or failed to be reached, in a way that gave no usable answer."""

    ede: ClassVar[int] = EdeCode.NETWORK_ERROR


class UpstreamBusy(UpstreamError):
    """Too many queries are waiting for upstreams already; this one was not sent."""

    ede: ClassVar[int] = EdeCode.OTHER


class AnswerTruncated(UpstreamError):
    """The answer came with TC=1; nothing of it may be used (RFC 2181, section 9)."""


class CaseChanged(UpstreamError):
    """The answer fits but for the letter case of its question: a careless upstream, or a forger."""


class EdnsRefused(UpstreamError):
    """The upstream answered a query with EDNS by a bare error header (RFC 6891, section 7)."""


class ConnectionEnded(UpstreamError):
    """The connection was closed before the answer came.

    Args:
        why: in words.
        left: seconds that the answer might still have taken.
    """

    def __init__(self, why: str, left: float = math.inf) -> None:
        super().__init__(why)
        self.left = left


class AlpnRefused(UpstreamError):
    """The upstream agreed to no protocol, or another one, than it was asked for (RFC 7301)."""
