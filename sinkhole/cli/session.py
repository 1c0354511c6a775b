"""Open the state of an installation for one command, and put what it changed in force."""

from collections.abc import Iterator
from contextlib import contextmanager

from sinkhole.app import data_dir
from sinkhole.app.apply import apply
from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.state import State, open_state
from sinkhole.app.subjects import read_subject
from sinkhole.cli.options import Place
from sinkhole.cli.output import print_line
from sinkhole.log import configure
from sinkhole.policy.subject import Subject


@contextmanager
def opened(place: Place, log_level: str = "warning") -> Iterator[State]:
    """Give the open state, with logs of `log_level` and worse only."""
    settings = place.settings()
    configure(log_level)
    data_dir.prepare(settings.server.data_dir)
    state = open_state(settings)
    try:
        yield state
    finally:
        state.close()


def put_in_force(state: State, said: str) -> None:
    """Apply a change and print what was done."""
    print_line(f"{said}: {apply(state)}")


def subject_of(state: State, text: str) -> Subject:
    """Read a subject against the catalogue and the feeds of this installation."""
    return read_subject(text, shipped_catalogue(), [feed.name for feed, _ in state.feeds.all()])
