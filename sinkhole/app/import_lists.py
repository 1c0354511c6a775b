"""List files that an import writes: rules that are no statements, in adblock form."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sinkhole.app.data_dir import list_folder
from sinkhole.app.import_names import Names
from sinkhole.app.import_rules import LocalList
from sinkhole.app.state import State
from sinkhole.errors import ForeignFileError
from sinkhole.feeds.formats.adblock import AdblockReader
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.foreign.model import Scope
from sinkhole.policy.feed import Feed
from sinkhole.policy.rule import Rule
from sinkhole.policy.schedule import Schedule

HEAD = "! Written by `sinkhole import`, which adds rows and removes none.\n"
_READER = AdblockReader(ReadOptions(local=True, regexes=True))


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list file as it is to be, and the feed that it is.

    `before` is what rows it has, None where it is not there.
    """

    feed: Feed
    path: Path
    text: str
    scope: Scope
    schedule: Schedule | None
    rules: tuple[Rule, ...]
    before: tuple[str, ...] | None

    @property
    def is_changed(self) -> bool:
        """Whether it is to be something else than it is."""
        return self.before is None or self.text != HEAD + "".join(f"{row}\n" for row in self.before)

    @property
    def name(self) -> str:
        """The name of the feed."""
        return self.feed.name


def plan_lists(
    state: State, lists: Sequence[LocalList], names: Names, *, is_on: bool
) -> list[ListFile]:  # fmt: skip
    """Return the files that lists become; rows that an earlier import wrote stay.

    Raises:
        ForeignFileError: a file that no import wrote, or another feed, is in the way.
    """
    folder = list_folder(state.settings)
    here = {feed.name: feed for feed, _ in state.feeds.all()}
    files = []
    schedules: dict[Scope, list[Schedule | None]] = {}
    for one in lists:
        seen = schedules.setdefault(one.scope, [None])
        if one.schedule not in seen:
            seen.append(one.schedule)
        name = names.rules(one.scope, seen.index(one.schedule))
        path = folder / f"{name}.txt"
        before = rows_of(path)
        rows = list(dict.fromkeys((*(before or ()), *one.rows())))
        text = HEAD + "".join(f"{row}\n" for row in rows)
        feed = Feed(name, f"file:{path.name}", "adblock", enabled=is_on, local=True)
        known = here.get(name, feed)
        if known.url != feed.url:
            raise ForeignFileError(f"feed {name}: is there already, for {known.url}; give other names with --prefix")
        files.append(ListFile(known, path, text, one.scope, one.schedule, _rules(rows), before))
    return files


def rows_of(path: Path) -> tuple[str, ...] | None:
    """Return the rows of a file that an import wrote, None where there is none.

    Raises:
        ForeignFileError: no import wrote it, or it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ForeignFileError(f"{path}: is in the way, and cannot be read: {error}") from error
    if not text.startswith(HEAD):
        raise ForeignFileError(f"{path}: is in the way, and no import wrote it; give other names with --prefix")
    return tuple(text.removeprefix(HEAD).splitlines())


def _rules(rows: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules of rows; those that somebody wrote by hand may be none."""
    found: list[Rule] = []
    for row in rows:
        with suppress(RowError):
            found += [rule for rule in _READER.read(row, 0) if isinstance(rule, Rule)]
    return tuple(found)
