"""How long each server takes to its first right answer, and its memory, by number of names; a second worker's share."""

import time
from dataclasses import replace

from bench.call import Call
from bench.peers.peer import Peer, running
from bench.peers.sinkhole import Sinkhole
from bench.proc import pss_mib
from bench.queries import blocked_names

COUNTS = (200_000, 1_000_000)
SETTLES = 3.0
"""Seconds after the first answer until memory is looked at."""


def loading(call: Call) -> None:
    """Start each peer once a number of names, one after the other."""
    for count in COUNTS:
        small = replace(call, names=count)
        for peer in call.peers:
            if not peer.is_limit and not peer.is_logging and not peer.name.endswith("-apart"):
                _load(small, peer)
        if any(peer.name == "sinkhole" for peer in call.peers):
            two = _load(small, Peer("sinkhole-2-workers", None, "", Sinkhole(workers=2)))
            one = next(f.value for f in reversed(call.results.figures) if (f.what, f.server) == ("memory", "sinkhole"))
            call.add("memory of a further worker", f"{count:,} names", "sinkhole", two - one, "MiB")


def _load(call: Call, peer: Peer) -> float:
    """Start one server; keep its time and memory, and return the memory."""
    of = f"{call.names:,} names"
    with running(peer, call.folder / f"{peer.name}-{call.names}", blocked_names(call.names), call.upstream) as server:
        time.sleep(SETTLES)
        memory = pss_mib(server.pid)
    call.add("ready", of, peer.name, server.ready_s, "s")
    call.add("memory", of, peer.name, memory, "MiB")
    return memory
