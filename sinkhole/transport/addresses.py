"""Addresses to listen on: read from text, bound for UDP and TCP, with one clear sentence when that fails."""

import errno
import ipaddress
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sinkhole.errors import ListenError
from sinkhole.transport.holder import PROC, find_holder

IP_PKTINFO = 8
"""Linux; the socket module names it from Python 3.14 on."""
_IP_MTU_DISCOVER = 10
_IPV6_MTU_DISCOVER = 23
_PMTUDISC_OMIT = 5
"""Do not learn path MTUs: a forged ICMP message could otherwise make us send fragments (RFC 9715, section 3.1)."""
_RECEIVE_BUFFER = 4 * 1024 * 1024
"""Octets asked for; the kernel cuts it to net.core.rmem_max. A burst waits there while a task runs."""
_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """An address in its numeric form (IPv6 may have a `%zone`) and a port; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def family(self) -> socket.AddressFamily:
        """The address family of the host."""
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ipaddress.ip_address(self.host).is_loopback


def parse_listen(text: str) -> ListenAddress:
    """Read `ADDRESS:PORT` or `[IPV6]:PORT`.

    Raises:
        ListenError: it is neither; host names are not looked up.
    """
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ListenError(f"cannot listen on {text!r}: an IPv6 address is written in brackets, as [::1]:5300")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ListenError(f"cannot listen on {text!r}: wanted ADDRESS:PORT, such as 127.0.0.1:5300") from None
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ListenError(f"cannot listen on {text!r}: wanted a port from 0 to 65535 after the address")
    return ListenAddress(str(address), int(port))


def bind_udp(address: ListenAddress, *, reuseport: bool = True, proc: Path = PROC) -> socket.socket:
    """Bind a non-blocking UDP socket; one on a wildcard address reports which address each query came to.

    Args:
        address: where to listen.
        reuseport: share the port with the other workers' sockets (SO_REUSEPORT).
        proc: where the kernel tells who holds a port.

    Raises:
        ListenError: the address is held, not ours, or not permitted.
    """
    return _bind(address, socket.SOCK_DGRAM, reuseport, _prepare_udp, proc)


def bind_tcp(address: ListenAddress, *, reuseport: bool = True, proc: Path = PROC) -> socket.socket:
    """Bind a non-blocking TCP socket and listen; arguments and errors are those of `bind_udp`."""
    return _bind(address, socket.SOCK_STREAM, reuseport, _prepare_tcp, proc)


def _bind(
    address: ListenAddress,
    kind: socket.SocketKind,
    reuseport: bool,
    prepare: Callable[[socket.socket], None],
    proc: Path,
) -> socket.socket:
    try:
        with ExitStack() as stack:
            sock = stack.enter_context(socket.socket(address.family, kind))
            sock.setblocking(False)
            if address.family == socket.AF_INET6:
                # 0.0.0.0 and [::] are two listeners; without this the second would find the port taken.
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if reuseport:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            prepare(sock)
            sock.bind((address.host, address.port))
            if kind is socket.SOCK_STREAM:
                sock.listen(_BACKLOG)
            stack.pop_all()
            return sock
    except OSError as error:
        raise ListenError(explain_failure(address, kind, error, proc)) from error


def _prepare_udp(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_OMIT)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_OMIT)


def _prepare_tcp(sock: socket.socket) -> None:
    # Only TCP: with it two UDP sockets could share a port unseen, and here it just ignores TIME_WAIT.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def explain_failure(address: ListenAddress, kind: socket.SocketKind, error: OSError, proc: Path = PROC) -> str:
    """Say in one sentence why an address cannot be listened on, and what helps."""
    transport = "TCP" if kind is socket.SOCK_STREAM else "UDP"
    wanted = f"cannot listen on {address} ({transport})"
    if error.errno == errno.EADDRINUSE:
        holder = find_holder(address.host, address.port, transport.lower(), proc)
        if holder is None:
            return f"{wanted}: the port is in use, by whom is not ours to see (try as root, or another port)"
        if holder.name.startswith("systemd-resolve"):
            return (
                f"{wanted}: {holder} holds the port; set DNSStubListener=no in /etc/systemd/resolved.conf and restart "
                "systemd-resolved, or listen on one address of this machine instead of all"
            )
        return f"{wanted}: {holder} holds the port; stop it or choose another port"
    if error.errno == errno.EACCES:
        return (
            f"{wanted}: ports below 1024 are for root; give the process CAP_NET_BIND_SERVICE (the systemd unit does) "
            "or choose a port from 1024 on"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{wanted}: no interface of this machine has that address"
    if error.errno == errno.EAFNOSUPPORT:
        return f"{wanted}: this machine has no IPv6; leave the address out"
    return f"{wanted}: {os.strerror(error.errno) if error.errno else error}"
