"""What `doctor` says of groups: ties, members that nobody can be recognised by, lease files that cannot be read."""

from collections.abc import Iterable, Iterator, Sequence

from sinkhole.app.members import unknown_kinds
from sinkhole.app.state import State
from sinkhole.clients.lease_file import LeaseError, LeaseFile
from sinkhole.clients.neighbours import NeighbourError, read_neighbours
from sinkhole.config.schema import Settings
from sinkhole.policy.address import parse_network
from sinkhole.policy.groups import ClientGroups
from sinkhole.policy.member import MemberKind
from sinkhole.policy.overlaps import ties_of
from sinkhole.policy.statement import Group

_TIES_TOLD = 5
_FROM_THE_LINK = frozenset({MemberKind.MAC, MemberKind.ID})


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
    yield from _neighbours(groups, state.settings)
    yield from _forwarders(state.settings)
    for path in settings.leases:
        file = LeaseFile(path)
        try:
            file.look()
        except LeaseError as error:
            yield str(error)
        else:
            if file.leases.malformed:
                yield f"lease file {path} (format {file.format}): entries that cannot be read: {file.leases.malformed}"


def _neighbours(groups: Sequence[Group], settings: Settings) -> Iterator[str]:
    how = settings.clients.neighbours
    if how == "never" or (how == "needed" and ClientGroups(groups).kinds.isdisjoint(_FROM_THE_LINK)):
        return
    try:
        read_neighbours()
    except NeighbourError as error:
        yield str(error)


def _forwarders(settings: Settings) -> Iterator[str]:
    access = settings.access
    for text in settings.clients.forwarders:
        if not _is_within(text, access.allow):
            yield f"the forwarder {text} is refused: it is not within access.allow"
        elif access.rate and not _is_within(text, access.rate_exempt):
            yield f"the forwarder {text} is limited as if it were one client: it is not within access.rate_exempt"


def _is_within(text: str, networks: Iterable[str]) -> bool:
    inner = parse_network(text)
    found = [outer for outer in map(parse_network, networks) if outer.version == inner.version]
    return any(outer.prefixlen <= inner.prefixlen and inner.network_address in outer for outer in found)
