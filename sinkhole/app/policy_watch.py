"""Swap in a new policy as soon as it is published, in one step and with nothing answered by the old one after."""

import asyncio
import time
from pathlib import Path

from sinkhole.errors import PolicyError
from sinkhole.log import Log
from sinkhole.policy.document import DOCUMENT_NAME, load_policy
from sinkhole.resolver.policy_box import PolicyBox

LOOK_INTERVAL = 0.5
"""Seconds between looks at the folder: the control process announces a generation, this is for when it cannot."""


class PolicyWatch:
    """Hold `box` at the newest generation of `folder`; whoever caches what a policy judged looks at the box."""

    def __init__(self, folder: Path, box: PolicyBox) -> None:
        self._folder = folder
        self._box = box
        self._log = Log("policy")
        self._seen = (0, 0)  # what was published since the first load is found by the first look

    @property
    def generation(self) -> int:
        """The generation in force."""
        return self._box.current.generation

    def _stamp(self) -> tuple[int, int]:
        try:
            stat = (self._folder / DOCUMENT_NAME).stat()
        except OSError:
            return (0, 0)
        return (stat.st_ino, stat.st_mtime_ns)

    def take_newest(self) -> int:
        """Load what is published, if it is not in force yet; return the generation in force.

        A file that cannot be loaded is reported once and changes nothing: the old policy goes on.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return self.generation
        is_first_look, self._seen = self._seen == (0, 0), stamp
        began = time.monotonic()
        try:
            policy = load_policy(self._folder)
        except PolicyError as error:
            self._log.error("policy.refused", why=error, kept=self.generation)
            return self.generation
        # Later on the same number does not mean the same policy: a damaged one may have been mended under its number.
        if is_first_look and policy.generation == self.generation:
            return self.generation
        self._box.current = policy
        took = round((time.monotonic() - began) * 1000, 1)
        self._log.info("policy.swapped", generation=policy.generation, took_ms=took)
        return policy.generation

    async def run(self) -> None:
        """Look at the folder until cancelled."""
        while True:
            await asyncio.sleep(LOOK_INTERVAL)
            self.take_newest()
