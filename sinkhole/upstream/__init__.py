"""Ask upstream resolvers over UDP, TCP, TLS and HTTPS, safely."""

from sinkhole.upstream.address import UpstreamAddress, parse_upstream
from sinkhole.upstream.failure import UpstreamBusy, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.forwarder import Forwarder
from sinkhole.upstream.system import system_upstreams

__all__ = [
    "Forwarder",
    "UpstreamAddress",
    "UpstreamBusy",
    "UpstreamFailure",
    "UpstreamTimeout",
    "parse_upstream",
    "system_upstreams",
]
