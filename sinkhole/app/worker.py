"""A resolver worker: its listening sockets, its upstreams, the newest compiled policy, and a line to report hits.

It never opens the store, fetches a feed or waits for the control process.
"""

import asyncio
import os
import time
from contextlib import suppress
from typing import Any

import uvloop

from sinkhole.app.collection import calm_collector, collect_now_and_then
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.control_link import ControlLink
from sinkhole.app.identity_watch import IdentityWatch
from sinkhole.app.jobs import Jobs
from sinkhole.app.listeners import Pair
from sinkhole.app.own_suffixes import own_suffixes
from sinkhole.app.policy_watch import PolicyWatch
from sinkhole.app.short_turns import take_short_turns
from sinkhole.app.stall import beat, until_orphaned
from sinkhole.app.worker_counts import WorkerCounts
from sinkhole.config.schema import Settings, is_queue_kept
from sinkhole.log import Log
from sinkhole.policy.document import load_policy
from sinkhole.resolver.build import build_chain
from sinkhole.resolver.cache_budget import CacheBudget
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.sightings import Sightings
from sinkhole.resolver.who import Who
from sinkhole.transport.code import CODE
from sinkhole.transport.connections import Connections
from sinkhole.transport.dispatch import Dispatch
from sinkhole.transport.gate import ClientGate
from sinkhole.transport.packet_cache import PacketCache
from sinkhole.transport.tcp import TcpListener
from sinkhole.transport.udp import UdpListener
from sinkhole.upstream.forwarder import Forwarder

LAST_HANDOVER = 0.4
"""Seconds that the last hits may take to be acknowledged at a stop, beside what the drain left of its time."""


def run(settings: Settings, slot: int, pairs: list[Pair], lifeline: int, status: int) -> int:
    """Serve until SIGTERM or until the supervisor is gone; return the exit status."""
    calm_collector()
    take_short_turns()
    # A turn of asyncio's own loop takes some 10 µs, which at full load many queries share, and a lone one feels.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Worker(settings, slot, pairs).serve(lifeline, status))


class _Worker:
    """The parts of one worker, wired."""

    def __init__(self, settings: Settings, slot: int, pairs: list[Pair]) -> None:
        self._settings = settings
        self._slot = slot
        self._pairs = pairs
        self._log = Log("worker")

    async def serve(self, lifeline: int, status: int) -> int:
        """Wire, listen, and go on until told to stop; return the exit status, 1 where a part of it failed."""
        jobs = Jobs()
        listeners = self._wire()
        jobs.start(
            self._link.run(), self._watch.run(), self._identities.run(), beat(status), collect_now_and_then(),
            self._die_with_supervisor(lifeline),
        )  # fmt: skip
        for listener in listeners:
            listener.start()
        failed = await jobs.until_stopped()
        for error in failed:
            self._log.error("worker.job_failed", slot=self._slot, why=repr(error))
        for listener in listeners:
            listener.stop()
        seconds = self._settings.server.drain_timeout
        deadline = time.monotonic() + seconds + LAST_HANDOVER
        await asyncio.gather(*(listener.drain(seconds) for listener in listeners))
        await self._link.finish(max(LAST_HANDOVER, deadline - time.monotonic()))
        await jobs.cancel()
        await self._chain.close()
        await self._forwarder.close()
        return int(bool(failed))

    def _wire(self) -> list[UdpListener | TcpListener]:
        settings = self._settings
        folder = compiled_folder(settings.server.data_dir)
        box = PolicyBox(load_policy(folder))
        hits = Hits(settings.record)
        sightings = None
        if is_queue_kept(settings):
            sightings = Sightings(box, own_suffixes(settings), clients=settings.discover.clients)
        self._forwarder = Forwarder(settings.upstream, listen=settings.server.listen)
        budget = CacheBudget(settings.cache.max_bytes)
        self._chain = build_chain(
            settings, box, self._forwarder, hits, clock=time.monotonic, sightings=sightings, budget=budget,
            forwarder=self._forwarder,
        )  # fmt: skip
        shown = settings.record.clients == "full"
        self._identities = IdentityWatch(folder, lambda addresses: dispatch.forget_clients(addresses))
        who = Who(box, self._identities.of)
        gate = ClientGate(
            settings.access, lambda address: box.current.scope_of(address), log_clients=shown, who=who,
            forwarders=settings.clients.forwarders,
        )  # fmt: skip
        packets = PacketCache(settings.cache.entries, budget)
        dispatch = Dispatch(
            gate, packets, self._chain, box, hits, settings.transport,
            at_once=self._chain.at_once, begin=self._chain.begin,
            straight=self._chain.straight, local=self._chain.local_zones, slip=settings.access.slip,
        )  # fmt: skip
        self._counts = WorkerCounts(gate, packets, dispatch, self._chain, self._forwarder)
        self._watch = PolicyWatch(folder, box)
        self._link = ControlLink(
            settings.server.data_dir, hits, self._watch.take_newest, self._counters,
            sightings=sightings, clients=gate, load_clients=self._identities.take_newest,
        )  # fmt: skip
        connections = Connections.from_settings(settings.transport)
        datagrams = [UdpListener(pair.udp, dispatch, settings.transport.datagrams) for pair in self._pairs]
        self._form = datagrams[0].form
        return [
            *datagrams,
            *(TcpListener(pair.tcp, dispatch, settings.transport, connections=connections) for pair in self._pairs),
        ]

    def _counters(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(), "slot": self._slot, "generation": self._watch.generation,
            "datagrams": self._form, "code": CODE, "listen": [pair.udp.getsockname()[:2] for pair in self._pairs],
            **self._counts.now(),
        }  # fmt: skip

    async def _die_with_supervisor(self, lifeline: int) -> None:
        await until_orphaned(lifeline)
        self._log.error("worker.orphaned", slot=self._slot)
        with suppress(Exception):  # nobody is left to report to, the port must be free for the next supervisor
            await self._link.finish(0.2)
        os._exit(1)
