"""Looks at answers while the load counts them."""

import threading
from collections.abc import Callable

from bench import servers

EVERY = 0.05


class Sampler:
    """Asks one question every 50 ms from a thread of its own; used with `with`.

    Args:
        port: where to.
        draw: gives a name and the address that is right for it.
        is_idle: whether to ask nothing: what the server says is no answer.
    """

    def __init__(self, port: int, draw: Callable[[], tuple[str, str]], *, is_idle: bool = False) -> None:
        self.sampled = 0
        self.wrong: list[str] = []
        self._port = port
        self._draw = draw
        self._is_idle = is_idle
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Sampler":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, and wait for the last answer."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(EVERY) and not self._is_idle:
            name, right = self._draw()
            found = servers.ask(self._port, name)
            if found == servers.NO_REPLY:
                continue  # what is lost, the load counts
            self.sampled += 1
            if found != right:
                self.wrong.append(f"{name}: wanted {right}, found {found}")
