"""What an import does to an installation, found out before anything is changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from sinkhole.app.import_feeds import plan_feeds
from sinkhole.app.import_groups import merged_groups, note_groups
from sinkhole.app.import_lists import ListFile, plan_lists
from sinkhole.app.import_names import Names
from sinkhole.app.import_records import plan_records
from sinkhole.app.import_rules import sort_rules
from sinkhole.app.import_statements import ImportedStatements
from sinkhole.app.policy_changes import Change, changes, stored_policy
from sinkhole.app.policy_file import PolicyFile
from sinkhole.app.records_file import RECORDS, records_text
from sinkhole.app.state import State
from sinkhole.foreign.model import Foreign, Place
from sinkhole.policy.feed import Feed


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes:
        foreign: what was read, with notes on what is not carried over, or with another meaning.
        names: what things are called here.
        before, after: policy.
        feeds: those that are added or configured anew.
        files: list files, those that stay as they are too.
        records: lines that are added to the file of local records.
        records_before: what that file holds.
    """

    foreign: Foreign
    names: Names
    before: PolicyFile
    after: PolicyFile
    feeds: tuple[Feed, ...]
    files: tuple[ListFile, ...]
    records: tuple[str, ...]
    records_before: str

    @property
    def policy_changes(self) -> list[Change]:
        """What changes of policy."""
        return changes(self.before, self.after)

    @property
    def new_files(self) -> tuple[ListFile, ...]:
        """The list files that are written."""
        return tuple(file for file in self.files if file.is_changed)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.policy_changes or self.feeds or self.new_files or self.records)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield what is done: of what kind (`policy`, `feed`, `list`, `record`), and in words."""
        for change in self.policy_changes:
            yield "policy", str(change)
        for feed in self.feeds:
            yield "feed", f"+ feed {feed.name}: {feed.url}, {'on' if feed.enabled else 'off'}"
        for file in self.new_files:
            rows = "1 row" if len(file.rules) == 1 else f"{len(file.rules)} rows"
            yield "list", f"+ list file {file.path.name}: {rows}"
        for line in self.records:
            yield "record", f"+ record in {RECORDS}: {line}"


def plan_import(state: State, foreign: Foreign, prefix: str | None) -> Plan:
    """Find out what an import does; what it cannot do is noted.

    Raises:
        ForeignFileError: the prefix is no good, or a list file of somebody else is in the way.
        ConfigError: the file of local records is broken.
    """
    names = Names(foreign.product, prefix)
    before = stored_policy(state)
    feeds = plan_feeds(state, foreign, names)
    own = sort_rules(foreign)
    files = plan_lists(state, own.lists, names, is_on=not foreign.is_off)
    statements = ImportedStatements(foreign, names, state.catalogue().catalogue)
    for planned in feeds:
        statements.add_feed(planned)
    for file in files:
        statements.add_file(file, Place(file.path.name))
    for one, scope in own.statements:
        statements.add_rule(one, scope)
    for said in foreign.statements:
        statements.add_said(said)
    records_before = records_text(state.folder)
    records = plan_records(state, foreign)
    groups = merged_groups(before.groups, foreign, names, statements.groups)
    after = PolicyFile(groups, statements.beside(before.statements), before.expectations).in_order()
    note_groups(foreign, names)
    here = {feed.name: feed for feed, _ in state.feeds.all()}
    configured = [*(planned.feed for planned in feeds), *(file.feed for file in files)]
    changed = tuple(feed for feed in configured if here.get(feed.name) != feed)
    return Plan(foreign, names, before, after, changed, tuple(files), records, records_before)
