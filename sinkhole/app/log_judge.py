"""Judge names of logs: which vendor they are of, and what policy says of them. Nothing is written."""

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from sinkhole.app.compiled import compiled_folder
from sinkhole.app.policy_reading import Known, read_policy
from sinkhole.catalogue.load import Catalogue
from sinkhole.errors import FormError
from sinkhole.policy.document import load_policy
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import EVERYONE, Scope
from sinkhole.policy.image import NameIndex
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action, BlockAnswer
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType

_WATCH: Final = (Statement(1, Subject(SubjectKind.AI), Action.MONITOR),)
"""What tells a vendor's name from one that a vendor shares with others: that a statement on `ai` reaches it."""
_FEED: Final = re.compile(r"feed:([A-Za-z0-9-]+)")
_MOST_NAMES: Final = 100_000
"""Names whose verdict is kept, for each scope; when there are more, all are judged anew."""
_MOST_CLIENTS: Final = 500_000
_MOST_SCOPES: Final = 8
Names = dict[str, "Judged | None"]


class Judged(NamedTuple):
    """A name of a vendor, as asked for by a client of a group."""

    vendor: str
    group: str | None
    action: Action


class LogJudge:
    """Judges names by a policy and, for vendors, by the catalogue in it.

    Args:
        index: the compiled names.
        policy: over these names; None to tell vendors only.
        basis: what that is, in words.
    """

    def __init__(self, index: NameIndex, policy: Policy | None, basis: str) -> None:
        self.basis = basis
        self.policy = policy
        self._watch = Policy(index, _WATCH, (), BlockAnswer(), 0)
        self._of_scope: dict[Scope, Names] = {}
        self._of_client: dict[str, tuple[Scope, Names]] = {}
        self._from, self._until = (math.inf, -math.inf) if policy else (-math.inf, math.inf)

    def judge(self, name: str, client: str, at: float) -> Judged | None:
        """Return what a name is, in the text of a log; None where it is of no vendor.

        Args:
            client: an address, or what else a log tells clients by, which is then in no group.
            at: epoch seconds: schedules and expiries are those of then.
        """
        if not self._from <= at < self._until:
            self._begin(at)
        found = self._of_client.get(client)
        if found is None:
            found = self._names_of(client)
        scope, names = found
        try:
            return names[name]
        except KeyError:
            if len(names) >= _MOST_NAMES:
                names.clear()
            judged = names[name] = self._judge(name, scope, at)
            return judged

    def _begin(self, at: float) -> None:
        """Forget all verdicts, and note how long those from now on are right."""
        self._of_client.clear()
        self._of_scope.clear()
        change = None if self.policy is None else self.policy.next_change(datetime.fromtimestamp(at, UTC))
        before = None if self.policy is None else self.policy.next_change(datetime.fromtimestamp(0, UTC))
        self._from = -math.inf if before is None else at
        self._until = math.inf if change is None else change.timestamp()

    def _names_of(self, client: str) -> tuple[Scope, Names]:
        scope = EVERYONE if self.policy is None else self.policy.scope_of(client)
        if len(self._of_client) >= _MOST_CLIENTS:
            self._of_client.clear()
        if scope not in self._of_scope and len(self._of_scope) >= _MOST_SCOPES:
            self._of_client.clear()
            self._of_scope.clear()
        found = self._of_client[client] = (scope, self._of_scope.setdefault(scope, {}))
        return found

    def _judge(self, name: str, scope: Scope, at: float) -> Judged | None:
        try:
            wire = name_from_text(name)
        except FormError:
            return None
        when = datetime.fromtimestamp(at, UTC)
        watched = self._watch.decide(wire, QType.A, EVERYONE, when)
        if self.policy is None:
            return Judged(watched.vendor, None, Action.MONITOR) if watched.vendor and watched.subject else None
        verdict = self.policy.decide(wire, QType.A, scope, when)
        vendor = verdict.vendor or watched.vendor
        if vendor is None or (watched.subject is None and verdict.subject is None):
            return None
        return Judged(vendor, scope.groups[0] if scope.groups else None, verdict.action)


def judge_by_catalogue(catalogue: Catalogue) -> LogJudge:
    """Return a judge that tells vendors only."""
    basis = f"the catalogue of {catalogue.published.isoformat()} ({len(catalogue.vendors)} vendors)"
    return LogJudge(_index_of(catalogue), None, basis)


def judge_by_file(catalogue: Catalogue, file: Path, text: str) -> LogJudge:
    """Return a judge by a policy file over the catalogue; lists that it names are not here, and decide nothing.

    Raises:
        PolicyError: with every mistake of the file.
    """
    answer = BlockAnswer()
    wanted = read_policy(text, str(file), Known(catalogue, sorted(set(_FEED.findall(text))), (), answer))
    index = _index_of(catalogue)
    overrides = tuple(one.to_override() for one in wanted.exceptions)
    policy = Policy(index, wanted.statements, wanted.groups, answer, 0, overrides=overrides)
    return LogJudge(index, policy, f"the policy file {file.name}")


def judge_by_folder(folder: Path) -> LogJudge:
    """Return a judge by the policy that is published in a data folder, which is only read.

    Raises:
        PolicyError: there is none.
    """
    policy = load_policy(compiled_folder(folder))
    return LogJudge(policy.index, policy, f"the policy of {folder}, generation {policy.generation}")


def _index_of(catalogue: Catalogue) -> NameIndex:
    return NameIndex.from_rules((), catalogue.vendors, catalogue.never_block, catalogue.bypass)
