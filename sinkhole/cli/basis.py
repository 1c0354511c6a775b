"""The option that says who wanted a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sinkhole.late import late
from sinkhole.policy.basis import Basis
from sinkhole.policy.verdict import Action

if TYPE_CHECKING:
    from sinkhole.app import subjects
else:
    subjects = late("sinkhole.app.subjects")

_WORDS = tuple(basis.value for basis in Basis)
_Command = TypeVar("_Command", bound=Callable[..., Any])


def basis_option(action: Action) -> Callable[[_Command], _Command]:
    """Give `--basis` to a command that makes statements with this action, if it is one that blocks."""
    if action <= Action.MONITOR:
        return lambda command: command
    return click.option(
        "--basis",
        callback=_read,
        metavar="|".join(_WORDS),
        help="Who wants it; told by the extended DNS error. Left out: what the group or server says.",
    )


def _read(_context: click.Context, _option: click.Parameter, text: str | None) -> Basis | None:
    if text is None:
        return None
    if text not in _WORDS:
        raise click.BadParameter(f"wanted one of {', '.join(_WORDS)}; found {text!r}{subjects.nearest(text, _WORDS)}")
    return Basis(text)
