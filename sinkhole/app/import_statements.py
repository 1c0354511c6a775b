"""The statements that an import makes. What is said here already stays as it is."""

from collections.abc import Iterable, Sequence

from sinkhole.app.import_feeds import PlannedFeed
from sinkhole.app.import_lists import ListFile
from sinkhole.app.import_names import Names
from sinkhole.app.policy_file import identity, title_of
from sinkhole.app.subjects import read_subject
from sinkhole.catalogue.load import Catalogue
from sinkhole.errors import PolicyError
from sinkhole.foreign.model import Foreign, ForeignRule, ForeignStatement, Place, Scope
from sinkhole.policy.schedule import Schedule
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action

_MAX_REASON = 200


class ImportedStatements:
    """Collects statements; notes those that cannot be made, or that something said here goes before.

    Args:
        catalogue: what subjects may name.
    """

    def __init__(self, foreign: Foreign, names: Names, catalogue: Catalogue) -> None:
        self._foreign = foreign
        self._names = names
        self._catalogue = catalogue
        self._found: dict[object, tuple[Statement, Place]] = {}

    @property
    def groups(self) -> set[str]:
        """The groups that statements are for."""
        return {statement.group for statement, _ in self._found.values() if statement.group is not None}

    def add_feed(self, planned: PlannedFeed) -> None:
        """Add what is to be said of a list that is fetched: blocked for whom it is meant for, allowed for the rest."""
        if planned.feed.part_of_ai:
            return  # its rows belong to `ai`, as those of the lists that came with Sinkhole
        one = planned.source
        self._add_list(planned.feed.name, one.scopes, one.schedule, one.reason, one.place)
        if not planned.is_ours:
            self._spare_outside(planned.feed.name, one.scopes, one.place)
        elif self._foreign.outside and None in one.scopes:
            why = f"is feed {planned.feed.name} here, which goes on to hold for group {self._names.outside} too"
            self._foreign.alter(one.place, one.url, why)

    def add_file(self, file: ListFile, place: Place) -> None:
        """Add what is to be said of a list file."""
        self._add_list(file.name, (file.scope,), file.schedule, None, place)
        self._spare_outside(file.name, (file.scope,), place)

    def _add_list(
        self, name: str, scopes: Sequence[Scope], schedule: Schedule | None, reason: str | None, place: Place
    ) -> None:
        subject = Subject(SubjectKind.FEED, name)
        for scope in scopes:
            self._add(subject, Action.BLOCK, self._names.group(scope), reason, schedule, place)

    def _spare_outside(self, name: str, scopes: Sequence[Scope], place: Place) -> None:
        """Allow a list that is for everybody for those to whom nothing of that kind applies."""
        if None in scopes and self._foreign.outside:
            subject = Subject(SubjectKind.FEED, name)
            self._add(subject, Action.ALLOW, self._names.outside, "is not for these", None, place)

    def add_rule(self, one: ForeignRule, scope: Scope) -> None:
        """Add a rule that is about one domain."""
        action = Action.from_text(one.rule.action.value)
        subject = Subject(SubjectKind.DOMAIN, one.rule.name)
        self._add(subject, action, self._names.group(scope), one.reason, one.schedule, one.place)

    def add_said(self, one: ForeignStatement) -> None:
        """Add what is a statement as it stands."""
        try:
            subject = read_subject(one.subject, self._catalogue, ())
        except PolicyError as error:
            self._foreign.leave_out(one.place, one.subject, str(error))
            return
        self._add(subject, one.action, self._names.group(one.scope), one.reason, one.schedule, one.place)

    def _add(
        self, subject: Subject, action: Action, group: str | None, reason: str | None, schedule: Schedule | None,
        place: Place,
    ) -> None:  # fmt: skip
        said = _told(reason or f"imported from {self._foreign.product}")
        statement = Statement(0, subject, action, group, said, schedule=schedule)
        known = self._found.get(identity(statement))
        if known is None or action > known[0].action:
            self._found[identity(statement)] = (statement, place)

    def beside(self, before: Iterable[Statement]) -> tuple[Statement, ...]:
        """Return them together with those that are here; of two about the same what is here stays."""
        here = {identity(statement): statement for statement in before}
        merged = dict(here)
        for key, (statement, place) in self._found.items():
            known = here.get(key)
            if known is None:
                merged[key] = statement
            elif known.action is not statement.action:
                why = f"here it is said already: {known.action}; that stays"
                self._foreign.leave_out(place, f"{statement.action}: {title_of(statement)}", why)
        return tuple(merged.values())


def _told(reason: str) -> str:
    return "".join(c if c.isprintable() else " " for c in reason[:_MAX_REASON])
