"""Read the subjects that people write, against the catalogue, feeds and groups of an installation."""

from collections.abc import Sequence

from sinkhole.app.state import State
from sinkhole.app.subjects import nearest, read_subject
from sinkhole.errors import PolicyError
from sinkhole.policy.subject import Subject


def subject_in(state: State, text: str) -> Subject:
    """Read a subject.

    Raises:
        PolicyError: it is none; the nearest is told.
    """
    lists = [feed.name for feed, _ in state.feeds.all() if feed.key is None]
    return read_subject(text, state.catalogue().catalogue, lists)


def subjects_in(state: State, words: Sequence[str]) -> tuple[Subject, ...]:
    """Read subjects, each once."""
    return tuple(dict.fromkeys(subject_in(state, word) for word in words))


def expect_group(state: State, group: str | None) -> None:
    """Refuse a group that there is not.

    Raises:
        PolicyError: with the nearest name.
    """
    names = [found.name for found in state.policy.groups()]
    if group is not None and group not in names:
        raise PolicyError(f"there is no group {group!r}{nearest(group, names)}")
