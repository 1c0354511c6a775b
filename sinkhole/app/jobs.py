"""The jobs of a process that runs until a signal, or until one of them ends: half a process is worse than a new one."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


class Jobs:
    """Tasks that belong together. SIGTERM and SIGINT end the wait for them; SIGHUP is for the supervisor alone."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)

    def start(self, *jobs: Coroutine[Any, Any, None]) -> None:
        """Run jobs as tasks."""
        for job in jobs:
            task = asyncio.get_running_loop().create_task(job)
            task.add_done_callback(lambda _task: self._stop.set())
            self._tasks.append(task)

    async def until_stopped(self) -> list[BaseException]:
        """Wait until told to stop, or until one ends; return why, for each that failed."""
        await self._stop.wait()
        return [error for task in self._tasks if task.done() and (error := task.exception())]

    async def cancel(self) -> None:
        """End all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
