"""Remember failures for a few seconds, so that a dead domain does not hammer the upstreams (RFC 9520)."""

from collections import OrderedDict
from dataclasses import replace
from typing import Final

from sinkhole.protocol.reply import Ede
from sinkhole.protocol.types import EdeCode
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.answer_store import Key

MAX_FAILURES: Final = 10_000
"""Failures held; the oldest goes first, which costs one more try at its name and nothing else."""


class FailureMemory:
    """Failures by question; times are monotonic seconds."""

    def __init__(self, max_failures: int = MAX_FAILURES) -> None:
        self._max_failures = max_failures
        self._failures: OrderedDict[Key, tuple[float, Answer]] = OrderedDict()

    def remember(self, key: Key, answer: Answer, now: float) -> None:
        """Keep a failure for its own `ttl`, if it has one."""
        self.forget(key)
        if answer.ttl:
            self._failures[key] = (now + answer.ttl, answer)
            if len(self._failures) > self._max_failures:
                self._failures.popitem(last=False)

    def forget(self, key: Key) -> None:
        """Drop what is known of `key`: it has been answered."""
        self._failures.pop(key, None)

    def find(self, key: Key, now: float) -> Answer | None:
        """Return the failure of `key` that still holds, marked as a remembered one, with what is left of its life."""
        found = self._failures.get(key)
        if found is None:
            return None
        until, answer = found
        if now >= until:
            self.forget(key)
            return None
        body = replace(answer.body, ede=(*answer.body.ede, Ede(EdeCode.CACHED_ERROR)))
        return replace(answer, body=body, ttl=until - now)
