"""The listening sockets of all workers, bound once by the supervisor and inherited.

Each worker has sockets of its own (SO_REUSEPORT) for each address. The supervisor keeps them open, so a worker that
dies leaves its queue behind and its successor answers it; and no privilege is needed to start one again.
"""

import socket
from dataclasses import dataclass

from sinkhole.errors import ListenError
from sinkhole.transport.addresses import ListenAddress, bind_tcp, bind_udp, parse_listen

_PORTS_TRIED = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """The UDP and TCP socket of one worker on one address."""

    udp: socket.socket
    tcp: socket.socket

    def close(self) -> None:
        """Close both; queries still queued in them are lost."""
        self.udp.close()
        self.tcp.close()


class Listeners:
    """Sockets by slot and address. With `workers` workers, worker n serves slot n, n + workers and so on.

    So a slot is not given up when there are fewer workers: queries queue in its sockets, and the system goes on putting
    some there until the last process has closed them.
    """

    def __init__(self) -> None:
        self._pairs: dict[int, dict[ListenAddress, Pair]] = {}

    def open(self, listen: tuple[str, ...], workers: int) -> None:
        """Bind what is not bound yet, for each slot; on failure nothing that was there before is touched.

        Raises:
            ListenError: an address is held by someone else, or not ours to bind.
        """
        wanted = [parse_listen(text) for text in listen]
        before = {address for pairs in self._pairs.values() for address in pairs}
        for address in wanted:
            if address not in before and address.port:
                _prove_free(address)
        for slot in range(max(workers, len(self._pairs))):
            pairs = self._pairs.setdefault(slot, {})
            for address in wanted:
                if address not in pairs:
                    pairs[address] = self._bind(address)

    def _bind(self, address: ListenAddress) -> Pair:
        for pairs in self._pairs.values():
            if address in pairs:  # the port that the system chose for 0 is the port of all workers
                host, port = pairs[address].udp.getsockname()[:2]
                address = ListenAddress(host, port)
                break
        return _bind_pair(address)

    def of(self, worker: int, workers: int) -> list[Pair]:
        """Return the sockets that one of so many workers serves."""
        return [pair for slot, pairs in self._pairs.items() if slot % workers == worker for pair in pairs.values()]

    def close_others(self, worker: int, workers: int) -> None:
        """In a forked worker: close the sockets of the other workers."""
        for slot, pairs in self._pairs.items():
            if slot % workers != worker:
                for pair in pairs.values():
                    pair.close()

    def keep_only(self, listen: tuple[str, ...]) -> None:
        """Close the addresses that a new configuration no longer has; workers close theirs when they end."""
        wanted = {parse_listen(text) for text in listen}
        for pairs in self._pairs.values():
            for address in pairs.keys() - wanted:
                pairs.pop(address).close()

    def bound(self) -> list[str]:
        """Return the addresses as `ADDRESS:PORT`, with the ports really bound."""
        return [_text(pair.udp.getsockname()) for pair in self._pairs.get(0, {}).values()]

    def close(self) -> None:
        """Close all."""
        for pairs in self._pairs.values():
            for pair in pairs.values():
                pair.close()
        self._pairs.clear()


def _bind_pair(address: ListenAddress) -> Pair:
    """Bind both transports to one port; of a port that the system chose, either may be taken, so try some.

    TCP goes first: a port that UDP is given may still be in TIME_WAIT for TCP.
    """
    for attempts_left in reversed(range(1 if address.port else _PORTS_TRIED)):
        tcp = bind_tcp(address, reuseport=True)
        try:
            return Pair(bind_udp(ListenAddress(address.host, tcp.getsockname()[1]), reuseport=True), tcp)
        except ListenError:
            tcp.close()
            if not attempts_left:
                raise
    raise AssertionError("the last attempt returns or raises")


def _prove_free(address: ListenAddress) -> None:
    """Fail where another process serves the address: SO_REUSEPORT alone would let us share it in silence."""
    bind_udp(address, reuseport=False).close()
    bind_tcp(address, reuseport=False).close()


def _text(name: tuple[str, int]) -> str:
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
