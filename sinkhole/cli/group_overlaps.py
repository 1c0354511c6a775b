"""`sinkhole groups overlaps`: where two groups reach the same clients."""

import click

from sinkhole.app.client_names import client_store, memberships_now
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.state import policy_in_force
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import print_json, print_line, print_table
from sinkhole.cli.session import opened
from sinkhole.cli.since import Since
from sinkhole.clients.table import read_table
from sinkhole.policy.overlaps import Meeting, Overlap, meetings_of, overlaps_of

_SHOWN = 3


@click.command(short_help="Show where two groups reach the same clients.")
@place_options
@click.option("--since", type=Since(), default="7d", show_default=True, help="Clients seen since then are looked at.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def overlaps(place: Place, since: int, as_json: bool) -> None:
    """Show members of two groups that reach the same clients, and clients that were seen in several groups.

    In a tie neither group goes before the other: of two statements the stricter holds, and which blocked answer is
    given goes by the names of the groups. Another --order for one of them settles it.

    \b
    Example: sinkhole groups overlaps
    """
    settings = place.settings()
    policy, table = policy_in_force(settings), read_table(compiled_folder(settings.server.data_dir))
    with opened(place) as state:
        found = overlaps_of(state.policy.groups())
        seen = [(one.text, memberships_now(policy, table, one)) for one in client_store(state).known(since)]
    met = meetings_of((text, memberships) for text, memberships in seen if memberships)
    if as_json:
        print_json({"members": [_overlap_as_dict(one) for one in found], "clients": [_meeting_as_dict(m) for m in met]})
        return
    rows = [(_which(one.is_tie, one.winner.group), one.winner.group, str(one.winner.member), one.loser.group,
             str(one.loser.member)) for one in found]  # fmt: skip
    print_table(("wins", "group", "member", "group", "member"), rows, empty="no members of two groups overlap")
    if met:
        print_line()
        print_table(("wins", "group", "group", "clients", "such as"), [_row(one) for one in met], empty="")


def _which(is_tie: bool, winner: str) -> str:
    return "tie" if is_tie else winner


def _row(one: Meeting) -> tuple[object, ...]:
    shown = ", ".join(one.clients[:_SHOWN])
    return (_which(one.is_tie, one.winner), one.winner, one.loser, len(one.clients), shown)


def _overlap_as_dict(one: Overlap) -> dict[str, object]:
    return {
        "wins": None if one.is_tie else one.winner.group, "is_tie": one.is_tie,
        "members": [{"group": m.group, "member": str(m.member), "order": m.order} for m in (one.winner, one.loser)],
    }  # fmt: skip


def _meeting_as_dict(one: Meeting) -> dict[str, object]:
    wins = None if one.is_tie else one.winner
    return {"wins": wins, "is_tie": one.is_tie, "groups": [one.winner, one.loser], "clients": one.clients}
