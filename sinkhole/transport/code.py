"""Whether the query path runs compiled (decision 31) or is interpreted; it does the same either way."""

from importlib.machinery import EXTENSION_SUFFIXES
from typing import Final, Literal

from sinkhole.transport import dispatch

Code = Literal["compiled", "interpreted"]

CODE: Final[Code] = "compiled" if str(dispatch.__file__).endswith(tuple(EXTENSION_SUFFIXES)) else "interpreted"
"""That of this process."""
