"""The policy of a fresh install."""

from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action


def default_statements() -> tuple[Statement, ...]:
    """Return the statements to begin with: the whole AI catalogue is blocked for all."""
    return (Statement(1, Subject(SubjectKind.AI), Action.BLOCK, reason="default policy"),)
