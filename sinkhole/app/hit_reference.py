"""Lead a reference of the block page back to the recorded queries that came before the visit."""

from dataclasses import dataclass

from sinkhole.app.notice import notice_key
from sinkhole.app.state import State
from sinkhole.blockpage.reference import Reference, reference_of
from sinkhole.errors import PolicyError
from sinkhole.store.hit_search import ids_between
from sinkhole.store.reports import HitLine, Reports

BEFORE = 60
"""Minutes before the visit in which its query may have been: browsers keep answers for a minute, systems for longer."""
_AFTER = 1
MOST = 20


@dataclass(frozen=True, slots=True)
class Referred:
    """What a reference leads to.

    Attributes:
        minute: of the visit, since the epoch.
        is_same_client: whether the rows are of the very address that came; else of others that asked for the name,
            such as the same machine over the other IP version.
    """

    minute: int
    lines: tuple[HitLine, ...]
    is_same_client: bool


def find_reference(state: State, text: str) -> Referred:
    """Return the rows that a reference leads to, the newest first; none where they are not kept, or not yet.

    Raises:
        PolicyError: it is no reference.
        StoreError: the key or the store cannot be used.
    """
    try:
        wanted = Reference.from_text(text)
    except ValueError as error:
        raise PolicyError(str(error)) from error
    key = notice_key(state.folder)
    for is_same in (True, False):

        def is_meant(client: str, name: str, is_same: bool = is_same) -> bool:
            found = reference_of(key, client, name.lower().rstrip("."), wanted.minute)
            return found == wanted if is_same else found.name == wanted.name

        ids = ids_between(state.store, wanted.minute - BEFORE, wanted.minute + _AFTER, is_meant, MOST)
        if ids:
            reports = Reports(state.store, state.settings.record.attempt_window)
            lines = tuple(line for number in ids for line in reports.lines(after=number - 1, limit=1))
            return Referred(wanted.minute, lines, is_same)
    return Referred(wanted.minute, (), is_same_client=False)
