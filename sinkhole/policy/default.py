"""The policy of a fresh install."""

from collections.abc import Sequence

from sinkhole.policy.bypass import Bypass
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action

REASON = "default policy"
"""Of the statements that a fresh install has."""


def default_statements(ways: Sequence[Bypass]) -> tuple[Statement, ...]:
    """Return the statements to begin with.

    The whole AI catalogue is blocked for all, names that imitate a vendor's are watched, and of the ways round policy
    each is treated as the catalogue says it should be.
    """
    chosen = [
        (Subject(SubjectKind.AI), Action.BLOCK),
        (Subject(SubjectKind.LOOKALIKES), Action.MONITOR),
        *((Subject(SubjectKind.BYPASS, way.id), way.action) for way in ways if way.action is not None),
    ]
    return tuple(Statement(n, subject, action, reason=REASON) for n, (subject, action) in enumerate(chosen, 1))
