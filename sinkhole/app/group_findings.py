"""What `doctor` says of groups: ties, members that nobody can be recognised by, lease files that cannot be read."""

from collections.abc import Iterator

from sinkhole.app.members import unknown_kinds
from sinkhole.app.state import State
from sinkhole.clients.lease_file import LeaseError, LeaseFile
from sinkhole.policy.overlaps import ties_of

_TIES_TOLD = 5


def group_findings(state: State) -> Iterator[str]:
    """Yield what is wrong, a sentence each."""
    groups, settings = state.policy.groups(), state.settings.clients
    ties = ties_of(groups)
    for tie in ties[:_TIES_TOLD]:
        one, other = tie.winner, tie.loser
        yield f"a tie: {one.member} of {one.group} and {other.member} of {other.group}; another --order settles it"
    if len(ties) > _TIES_TOLD:
        yield f"{len(ties) - _TIES_TOLD} more ties; see: sinkhole groups overlaps"
    yield from unknown_kinds(groups, settings)
    for path in settings.leases:
        file = LeaseFile(path)
        try:
            file.look()
        except LeaseError as error:
            yield str(error)
        else:
            if file.leases.malformed:
                yield f"lease file {path} (format {file.format}): entries that cannot be read: {file.leases.malformed}"
