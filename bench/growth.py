"""How the cost of an answer grows with names, groups of clients, and clients."""

import random
import socket
import time
from dataclasses import replace

import dns.message

from bench import servers
from bench.call import Call
from bench.peers.peer import Peer, Running, running
from bench.peers.sinkhole import Sinkhole, pids
from bench.proc import cpu_seconds
from bench.queries import WORKLOADS, Questions, blocked_names
from bench.rounds import measure, warm

COUNTS = (1_000, 200_000, 1_000_000)
GROUPS = 50
CLIENTS = (1, 1000)
_BURST = 200


def growth(call: Call) -> None:
    """Measure a Sinkhole for each number of names and one with groups, in turn; then clients on one of them."""
    found = []
    for count in COUNTS:
        peer = Peer(f"names-{count}", None, "", Sinkhole())
        found.append(_start(call, peer, count))
    found.append(_start(call, Peer(f"groups-{GROUPS}", None, "", Sinkhole(groups=GROUPS)), COUNTS[0]))
    questions = replace(call, names=COUNTS[0]).questions()  # all know the first names
    warm(found, questions)
    measure(call, found, [WORKLOADS[name] for name in ("blocked", "different", "miss")], questions)
    clients(call, found[0], questions)


def _start(call: Call, peer: Peer, count: int) -> Running:
    return call.stack.enter_context(running(peer, call.folder / peer.name, blocked_names(count), call.upstream))


def clients(call: Call, server: Running, questions: Questions) -> None:
    """Ask blocked and cached names from one address and from a thousand; keep the worker's time an answer."""
    worker = next(pid for name, pid in pids(call.folder / server.peer.name).items() if name.startswith("worker"))
    for number in range(call.rounds):
        for count in CLIENTS if number % 2 else CLIENTS[::-1]:
            chance = random.Random(1)
            asked = [questions.sample(WORKLOADS[chance.choice(("blocked", "cached"))])[0] for _ in range(_BURST)]
            before = cpu_seconds(worker)
            answered = _ask(server.port, asked, count, call.seconds)
            took = cpu_seconds(worker) - before
            call.add("processor time an answer", f"{count:,} clients", "sinkhole", took / answered * 1e6, "µs")


def _ask(port: int, names: list[str], count: int, seconds: float) -> int:
    """Ask bursts from so many addresses of 127/8 in turn; return how many answers came."""
    wires = [dns.message.make_query(name, "A").to_wire() for name in names]
    sockets = [_socket(port, number) for number in range(count)]
    answered = turn = 0
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            used = []
            for wire in wires:
                sock = sockets[turn % count]
                turn += 1
                sock.send(wire)
                used.append(sock)
            for sock in used:
                try:
                    sock.recv(4096)
                except TimeoutError:
                    continue
                answered += 1
    finally:
        for sock in sockets:
            sock.close()
    if not answered:
        raise SystemExit("clients: nothing was answered")
    return answered


def _socket(port: int, number: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((f"127.9.{number // 250}.{number % 250 + 1}", 0))
    sock.connect((servers.HOST, port))
    sock.settimeout(1)
    return sock
