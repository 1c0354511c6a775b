"""Who holds a port: found in /proc, so that "address in use" can name a process."""

import ipaddress
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_STATES = {"tcp": "0A", "udp": "07"}
"""LISTEN, and the one state of an unconnected UDP socket (Linux, include/net/tcp_states.h)."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a port; `name` as the kernel keeps it, at most 15 characters."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


def find_holder(host: str, port: int, transport: str, proc: Path = PROC) -> Holder | None:
    """Find the process whose socket keeps `host` and `port` from being bound.

    Args:
        host: the address wanted, numeric.
        port: the port wanted.
        transport: `udp` or `tcp`.
        proc: the proc file system.

    Returns:
        The process, or None where it cannot be seen (another user's, another namespace's).
    """
    inodes = set(_inodes(host, port, transport, proc))
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for folder in sorted(proc.glob("[0-9]*"), key=lambda path: int(path.name)):
        with suppress(OSError):  # it ended, or it is another user's
            if any(str(fd.readlink()) in wanted for fd in (folder / "fd").iterdir()):
                name = (folder / "comm").read_text().strip()
                # A process may name itself as it likes, and the name goes to a terminal.
                return Holder(int(folder.name), re.sub(r"[^\x21-\x7e]", "?", name))
    return None


def _inodes(host: str, port: int, transport: str, proc: Path) -> Iterator[str]:
    """Yield the inodes of sockets on the port whose address is the wanted one, or where either is a wildcard."""
    wanted = ipaddress.ip_address(host.partition("%")[0])
    for table in (transport, f"{transport}6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            held, _, held_port = fields[1].partition(":")
            if int(held_port, 16) != port or fields[3] != _STATES[transport]:
                continue
            address = _read_address(held)
            if address == wanted or address.is_unspecified or wanted.is_unspecified:
                yield fields[9]


def _read_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address as /proc/net writes it: 32-bit words in the order of the machine."""
    words = [int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8)]
    return ipaddress.ip_address(b"".join(words))
