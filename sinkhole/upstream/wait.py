"""What waits for something to read, and for no longer than until some moment."""

from typing import Final

from mypy_extensions import mypyc_attr

from sinkhole.upstream.turn import Unfinished

NEVER: Final = float("inf")


@mypyc_attr(allow_interpreted_subclasses=True)
class Wait(Unfinished):
    """What waits, and is told when there is something to read, and when the wait is over."""

    __slots__ = ()

    def receive(self) -> None:
        """Read what there is to read, if anything: a vigil asks before anybody knows."""
        raise NotImplementedError

    def expire(self, now: float) -> float:
        """End what is over at `now`, in loop time; return when the next is, `NEVER` if nothing else waits."""
        raise NotImplementedError
