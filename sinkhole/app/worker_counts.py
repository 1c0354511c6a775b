"""What one worker counts for the figures of the server; reading it costs the queries nothing."""

from typing import Any

from sinkhole.resolver.build import Chain
from sinkhole.transport.dispatch import Dispatch
from sinkhole.transport.gate import ClientGate
from sinkhole.transport.packet_cache import PacketCache
from sinkhole.upstream.forwarder import Forwarder

MADE, PACKET_CACHE = "made", "packet-cache"
"""Sources of answers beside those of `resolver.answer.Source`: made of pieces of others, and the packet cache."""


class WorkerCounts:
    """Reads the counts of the parts of a worker."""

    def __init__(
        self, gate: ClientGate, packets: PacketCache, dispatch: Dispatch, chain: Chain, forwarder: Forwarder
    ) -> None:
        self._gate = gate
        self._packets = packets
        self._dispatch = dispatch
        self._chain = chain
        self._forwarder = forwarder

    def now(self) -> dict[str, Any]:
        """Return the counts, as JSON holds them: numbers that only grow, and how things stand."""
        cached, made = self._dispatch.given
        return {
            "queries": self._gate.activities.total,
            "answers": {**self._chain.sources, PACKET_CACHE: cached, MADE: made},
            "packets": len(self._packets),
            "upstreams": [
                [f"{server.address.scheme}://{server.address.host}:{server.address.port}", server.health.answers,
                 server.health.failures, round(server.health.waited, 6), server.health.is_down]
                for server in self._forwarder.servers
            ],
        }  # fmt: skip
