"""A group of commands some of which are loaded only when they are used."""

import gc
import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that has further commands in modules of their own.

    Args:
        later: the module that each of them is in, under its own name, by that name.
    """

    def __init__(self, *args: Any, later: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._later = later

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all, without loading any."""
        return sorted({*super().list_commands(ctx), *self._later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command, loaded if it has to be."""
        module = self._later.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        return load_command(module, cmd_name)


def load_command(module: str, name: str) -> click.Command:
    """Load a module, and return its command `name`.

    What modules define stays as long as the process: the collector would walk it again and again while it grows.
    """
    gc.disable()
    try:
        command: click.Command = getattr(importlib.import_module(module), name)
    finally:
        gc.freeze()
        gc.enable()
    return command
