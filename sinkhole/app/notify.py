"""Tell systemd how the service stands (sd_notify): ready, reloading, stopping, alive. Without systemd, nothing."""

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Send states to the socket that systemd named in the environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        usec = environment.get("WATCHDOG_USEC", "")
        self.watchdog_interval: float | None = int(usec) / 2e6 if usec.isdigit() else None
        """Seconds between `WATCHDOG=1` messages, half of what systemd tolerates; None: no watchdog."""

    def send(self, state: str) -> None:
        """Send `READY=1`, `STOPPING=1`, `WATCHDOG=1` …; a missing or broken socket is no failure of ours."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            try:
                sock.sendto(state.encode(), address)
            except OSError:
                os.environ.pop("NOTIFY_SOCKET", None)
                self._address = ""
