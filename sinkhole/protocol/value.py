"""Values that are made for every query: frozen for the type checker, and not at run time.

A frozen dataclass sets each field through `object.__setattr__`, which makes it three times as dear to create. Nothing
else tells the two apart: they are compared, hashed and copied alike, and the checker lets nobody change either.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen, slots):
        """Return the decorator; `frozen` and `slots` are spelt out for the type checker."""
        assert frozen  # noqa: S101 - a changeable one is a plain dataclass
        return dataclass(slots=slots, unsafe_hash=True)


__all__ = ["value"]
