"""The options that every command takes, and the settings they lead to."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sinkhole.cli.output import told_as_json
from sinkhole.config.load import Check, load_settings
from sinkhole.config.schema import Settings
from sinkhole.late import late

if TYPE_CHECKING:
    from sinkhole.app import check_settings
else:
    check_settings = late("sinkhole.app.check_settings")


@dataclass(frozen=True, slots=True)
class Place:
    """Which installation a command works on."""

    config: Path | None
    data_dir: Path | None

    def settings(self) -> Settings:
        """Load the settings; addresses and names in them are left to the server, which alone uses them.

        Raises:
            ConfigError: with every mistake.
        """
        return load_settings(self.config, os.environ, {"server.data_dir": self.data_dir})

    def checked_settings(self, check: Check | None = None, **flags: Any) -> Settings:
        """Load the settings as a server needs them: addresses and names can be read.

        Args:
            check: finds what the schema cannot; None: what a running server needs.
            flags: dotted paths with `__` for the dot, None for not given.

        Raises:
            ConfigError: with every mistake.
        """
        given = {key.replace("__", "."): value for key, value in flags.items()}
        check = check or check_settings.mistakes_of
        return load_settings(self.config, os.environ, {"server.data_dir": self.data_dir, **given}, check)


force_option = click.option(
    "--force", is_flag=True, help="Even if it breaks an expectation; the audit log notes which."
)
"""For what changes policy: see `app.expectations`."""

dry_run_option = click.option("--dry-run", is_flag=True, help="Show what it would do, and do not do it.")
"""For what changes policy: see `app.preview`."""


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that tells what it did `--json`: its lines and facts as one value (see `output.told_as_json`)."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON: what it says, and what it did.")
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, **rest: Any) -> Any:
        if not as_json:
            return command(*args, **rest)
        with told_as_json():
            return command(*args, **rest)

    return wrapped


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--config` and `--data-dir`, and pass them as one `place`."""

    @click.option("--config", type=click.Path(path_type=Path), envvar="SINKHOLE_CONFIG", help="TOML file of settings.")
    @click.option(
        "--data-dir", type=click.Path(path_type=Path), envvar="SINKHOLE_DATA_DIR", help="Folder of all state."
    )
    @functools.wraps(command)
    def wrapped(*args: Any, config: Path | None, data_dir: Path | None, **rest: Any) -> Any:
        return command(*args, place=Place(config, data_dir.absolute() if data_dir else None), **rest)

    return wrapped
