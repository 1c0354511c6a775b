"""Load a part of Sinkhole when it is first used, where the one that needs it seldom gets that far.

A command that prints a table would else load all that compiles policy, half a second of work. Written so, the type
checker and import-linter see an ordinary import:

    if TYPE_CHECKING:
        from sinkhole.app import preview
    else:
        preview = late("sinkhole.app.preview")

Nothing that a worker answers with is loaded so: it is all there before the first query.
"""

import importlib
from typing import Any


class _Late:
    """Stands for a module until something of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        # The import system's own locks make this safe in threads, which its LazyLoader is not before Python 3.12.
        return getattr(importlib.import_module(self._name), attribute)


def late(name: str) -> Any:
    """Return what stands for the module `name`."""
    return _Late(name)
