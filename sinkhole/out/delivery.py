"""Bring a stream of events to a receiver: at its pace, again where it was away, with nobody waiting for it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sinkhole.errors import OutError
from sinkhole.log import Log
from sinkhole.out.dead_letter import DeadLetters
from sinkhole.out.event import Event
from sinkhole.out.sender import RefusedError, Sender, WaitError

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 300.0
LOOK_INTERVAL: Final = 1.0
"""Seconds between looks at whether there is something to send."""
_SEND_LIMIT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Lot:
    """Events in order, and the place in the stream behind them; there may be none, where all were left out."""

    events: Sequence[Event]
    end: int


class Stream(Protocol):
    """Where events come from. What it cannot do now it does at a later call, and raises nothing."""

    async def next(self) -> Lot | None:
        """Return what follows, None for nothing yet."""

    async def advance(self, lot: Lot) -> None:
        """Note that a lot was taken."""

    async def note_failure(self, why: str) -> None:
        """Note why the receiver takes nothing now."""


class Delivery:
    """Sends what a stream has, forever.

    Args:
        name: of the receiver, for the log.
        stream: what is sent.
        sender: how; other streams to the same receiver may share it.
        lock: held while it is used.
        dead: takes what the receiver refuses; None: it is logged and left.
        give_up: seconds after which events that are answered with errors count as refused.
        clock: monotonic seconds.
        sleep: waits.
    """

    def __init__(
        self,
        name: str,
        stream: Stream,
        sender: Sender,
        lock: asyncio.Lock,
        *,
        dead: DeadLetters | None = None,
        give_up: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._stream = stream
        self._sender = sender
        self._lock = lock
        self._dead = dead
        self._give_up = give_up
        self._clock = clock
        self._sleep = sleep
        self._log = Log("out")
        self._pause = FIRST_PAUSE
        self._is_failing = False

    async def run(self) -> None:
        """Go on until cancelled; whatever goes wrong is logged once and tried again."""
        while True:
            try:
                is_moving = await self.step()
            except Exception:  # the edge of a task: one receiver must not end the others
                self._log.exception("out.failed", receiver=self._name)
                is_moving = False
            if not is_moving:
                await self._sleep(LOOK_INTERVAL)

    async def step(self) -> bool:
        """Send one lot, as often as it takes; return whether there was one."""
        lot = await self._stream.next()
        if lot is None:
            return False
        if lot.events:
            await self._bring(lot.events)
        await self._stream.advance(lot)
        return True

    async def _bring(self, events: Sequence[Event]) -> None:
        """Return when the events were taken, or are in the dead-letter file."""
        began = self._clock()
        while True:
            try:
                async with self._lock, asyncio.timeout(_SEND_LIMIT):
                    await self._sender.send(events)
            except TimeoutError:
                await self._wait(WaitError("it took too long"))
            except RefusedError as error:
                self._bury(events, str(error))
                return
            except WaitError as error:
                if error.is_answer and self._clock() - began >= self._give_up:
                    self._bury(events, str(error))
                    return
                await self._wait(error)
            else:
                self._note_success()
                return

    async def _wait(self, error: WaitError) -> None:
        if not self._is_failing:
            self._is_failing = True
            self._log.warning("out.waiting", receiver=self._name, why=error, effect="it is sent what it missed later")
        await self._stream.note_failure(str(error))
        # Jitter: many that lost the same receiver at one moment must not come back at one moment.
        pause = max(self._pause, error.after or 0.0) * random.uniform(0.5, 1.5)
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)
        await self._sleep(pause)

    def _bury(self, events: Sequence[Event], why: str) -> None:
        try:
            if self._dead is not None:
                self._dead.put(events, why)
        except OutError as error:
            why = f"{why}; {error}"
        where = self._dead.path if self._dead is not None else "nowhere"
        self._log.error("out.refused", receiver=self._name, events=len(events), why=why, kept=where)

    def _note_success(self) -> None:
        if self._is_failing:
            self._log.info("out.taken_again", receiver=self._name)
        self._is_failing = False
        self._pause = FIRST_PAUSE
