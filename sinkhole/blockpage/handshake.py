"""Which TLS handshakes are answered: those for names that are blocked and that the authority may vouch for.

All others are refused with an alert at once, so that no client is left waiting.
"""

import datetime as dt
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path

from sinkhole.blockpage.authority import CERTIFICATE, KEY, AuthorityError, read_authority
from sinkhole.blockpage.leaf import Leaves, server_context
from sinkhole.blockpage.limits import Limit
from sinkhole.blockpage.visit import read_host
from sinkhole.log import Log

CONNECTION: ContextVar[tuple[str, socket.socket]] = ContextVar("connection")
"""Client address and socket of the connection whose handshake goes on: `ssl` tells its callback neither."""
_LOOK_INTERVAL = 1.0
_ISSUED_A_SECOND, _ISSUED_AT_ONCE = 10.0, 40
_UNRECOGNIZED_NAME = bytes.fromhex("15030300020270")
"""A fatal alert (RFC 6066, section 3): asyncio hangs up without sending the one that OpenSSL has ready."""

MayPose = Callable[[str, str, dt.datetime], bool]


class Handshakes:
    """Holds the authority of a folder and what it issued; takes a new authority as soon as it is there.

    Args:
        folder: that of the authority.
        may_pose_as: says whether a name is blocked for a client at an aware time.
    """

    def __init__(self, folder: Path, may_pose_as: MayPose) -> None:
        self._folder = folder
        self._may_pose_as = may_pose_as
        self._leaves: Leaves | None = None
        self._names: Callable[[str], bool] = lambda name: False
        self._waiting = server_context()
        self._waiting.sni_callback = self._named
        self._looked = float("-inf")
        self._stamp: object = None
        self._issuing = Limit(_ISSUED_A_SECOND, _ISSUED_AT_ONCE)
        self._log = Log("page")

    def context(self) -> ssl.SSLContext | None:
        """Return the context in which clients name who they want; None where there is no authority."""
        self._look()
        return None if self._leaves is None else self._waiting

    def _named(self, connection: ssl.SSLObject, server_name: str | None, _context: ssl.SSLContext) -> int | None:
        client, sock = CONNECTION.get()
        leaves = self._leaves
        name = read_host(server_name or "")
        now = dt.datetime.now(dt.UTC)
        if leaves is not None and name is not None and self._is_served(leaves, client, name, now):
            connection.context = leaves.context(name, now)
            return None
        with suppress(OSError):
            sock.send(_UNRECOGNIZED_NAME)
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    def _is_served(self, leaves: Leaves, client: str, name: str, now: dt.datetime) -> bool:
        if not self._names(name) or not self._may_pose_as(client, name, now):
            return False
        return leaves.has(name, now) or self._issuing.take("", time.monotonic())

    def _look(self) -> None:
        """Take the authority in that is in the folder now; looked for once a second."""
        if time.monotonic() - self._looked < _LOOK_INTERVAL:
            return
        self._looked = time.monotonic()
        stamp = tuple(_stamp(self._folder / name) for name in (CERTIFICATE, KEY))
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            authority = read_authority(self._folder)
        except AuthorityError as error:
            self._log.error("page.no_authority", why=error, effect="HTTPS is refused")
            authority = None
        self._leaves = None if authority is None else Leaves(authority)
        if authority is not None:
            self._names = authority.covers
            self._log.info("page.authority", fingerprint=authority.fingerprint, names=len(authority.names))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_ino, stat.st_mtime_ns, stat.st_mode)
