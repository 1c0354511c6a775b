"""List files that an import writes: rules that are no statements, in adblock form."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sinkhole.app.data_dir import LISTS
from sinkhole.app.import_names import Names
from sinkhole.app.import_rules import LocalList
from sinkhole.app.state import State
from sinkhole.errors import ForeignFileError
from sinkhole.foreign.model import Scope
from sinkhole.policy.feed import Feed
from sinkhole.policy.rule import Rule
from sinkhole.policy.schedule import Schedule

HEAD = "! Written by `sinkhole import {}`; the next import of the same writes it anew.\n"


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list file as it is to be, and the feed that it is.

    `is_changed` tells whether it is something else now, or not there.
    """

    feed: Feed
    path: Path
    text: str
    scope: Scope
    schedule: Schedule | None
    rules: tuple[Rule, ...]
    is_changed: bool

    @property
    def name(self) -> str:
        """The name of the feed."""
        return self.feed.name


def plan_lists(
    state: State, lists: Sequence[LocalList], names: Names, product: str, *, is_on: bool
) -> list[ListFile]:  # fmt: skip
    """Return the files that lists become.

    Raises:
        ForeignFileError: a file that no import wrote is in the way.
    """
    folder = state.settings.feeds.list_dir or state.folder / LISTS
    head = HEAD.format(product)
    files = []
    schedules: dict[Scope, list[Schedule | None]] = {}
    for one in lists:
        seen = schedules.setdefault(one.scope, [None])
        if one.schedule not in seen:
            seen.append(one.schedule)
        name = names.rules(names.group(one.scope), seen.index(one.schedule))
        path = folder / f"{name}.txt"
        text = head + "".join(f"{row}\n" for row in one.rows())
        feed = Feed(name, f"file:{path.name}", "adblock", enabled=is_on, local=True)
        files.append(ListFile(feed, path, text, one.scope, one.schedule, one.rules, _text_of(path, head) != text))
    return files


def _text_of(path: Path, head: str) -> str | None:
    """Return what a file holds, None where there is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ForeignFileError(f"{path}: is in the way, and cannot be read: {error}") from error
    if not text.startswith(head):
        raise ForeignFileError(f"{path}: is in the way, and no import wrote it; give other names with --prefix")
    return text
