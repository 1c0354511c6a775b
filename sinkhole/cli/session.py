"""Open the state of an installation for one command, and put what it changed in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sinkhole.app import data_dir
from sinkhole.app.state import State, catalogue_of_folder, open_state
from sinkhole.cli.options import Place
from sinkhole.cli.output import print_fact, print_line
from sinkhole.errors import FeedError, StoreError
from sinkhole.late import late
from sinkhole.log import configure

if TYPE_CHECKING:
    from sinkhole.app import apply, compiled, preview
    from sinkhole.catalogue.load import Catalogue
else:
    apply = late("sinkhole.app.apply")
    compiled = late("sinkhole.app.compiled")
    preview = late("sinkhole.app.preview")


_PATIENCE = 30.0
"""Seconds that a command waits for a lock: on a machine with too much to do, a person waits rather than tries again."""


@contextmanager
def opened(place: Place, log_level: str = "warning") -> Iterator[State]:
    """Give the open state, with logs of `log_level` and worse only."""
    settings = place.settings()
    configure(log_level)
    data_dir.prepare(settings.server.data_dir)
    state = open_state(settings, busy_timeout=_PATIENCE)
    try:
        yield state
    finally:
        state.close()


def catalogue_of(place: Place) -> Catalogue:
    """Return the catalogue in force; the one that came with Sinkhole where there is no data folder, or it is no use."""
    configure("warning")
    try:
        return catalogue_of_folder(place.settings()).catalogue
    except (OSError, StoreError) as error:
        click.echo(f"{error}; this is the catalogue that came with Sinkhole", err=True)
        return compiled.shipped_catalogue()


def put_in_force(state: State, said: str, feed: str | None = None) -> apply.Applied:
    """Apply a change, print what was done and which feeds are without their new version, and return it.

    Args:
        feed: the one that the change is about.

    Raises:
        FeedError: the new version of that feed is not in force, since it breaks an expectation.
    """
    applied = apply.apply(state)
    for name, why in applied.refused.items():
        if name == feed:
            raise FeedError(f"{why}; change the expectations first, with: sinkhole policy apply FILE")
        click.echo(f"sinkhole: {why}", err=True)
    print_line(f"{said}: {applied}")
    print_fact("generation", applied.generation)
    print_fact("in_force", applied.late == 0)
    print_fact("refused_feeds", dict(applied.refused))
    return applied


def print_preview(state: State, change: Callable[[], object]) -> None:
    """Print what a change of policy would do; nothing is changed."""
    for line in preview.preview(state, change):
        print_line(line)
