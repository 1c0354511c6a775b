"""`sinkhole groups`: groups of clients by address, network, MAC address, name and client-id."""

import click

from sinkhole.app.group_changes import (
    Answering,
    add_to_group,
    address_of_version,
    groups_by_name,
    remarks_on_group,
    remove_from_group,
    remove_group,
)
from sinkhole.cli.complete import complete_group, complete_member
from sinkhole.cli.group_overlaps import overlaps
from sinkhole.cli.options import Place, force_option, json_option, place_options
from sinkhole.cli.output import count_of, print_json, print_table, printable
from sinkhole.cli.session import opened, put_in_force
from sinkhole.errors import PolicyError
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import BlockAnswer, BlockMode


@click.group()
def groups() -> None:
    """Manage groups of clients; a client may be in several: the most specific member wins, then the lower order.

    Members, the most specific first: id:LAPTOP-7, mac:aa:bb:cc:dd:ee:ff, 192.0.2.7, name:*.lab.example, mac:aa:bb:cc,
    192.0.2.0/24.
    """


@groups.command("list")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_groups(place: Place, as_json: bool) -> None:
    """List groups with their members.

    \b
    Example: sinkhole groups list --json
    """
    with opened(place) as state:
        found = state.policy.groups()
    if as_json:
        print_json([_as_dict(group) for group in found])
        return
    rows = [(g.name, g.order, _answer_in_words(g.answer), ", ".join(g.members)) for g in found]
    print_table(("group", "order", "blocked answer", "members"), rows, empty="no groups: policy is the same for all")


def _as_dict(group: Group) -> dict[str, object]:
    answer = group.answer
    return {
        "name": group.name, "order": group.order, "members": group.members,
        "mode": answer.mode.value if answer else None,
        "ipv4": answer.ipv4 if answer else None, "ipv6": answer.ipv6 if answer else None,
    }  # fmt: skip


def _answer_in_words(answer: BlockAnswer | None) -> str:
    if answer is None:
        return "as the server"
    if answer.mode is not BlockMode.ADDRESS:
        return str(answer.mode.value)
    return " ".join(address for address in (answer.ipv4, answer.ipv6) if address)


class _Address(click.ParamType[str]):
    """An address of one IP version."""

    def __init__(self, version: int) -> None:
        self.name = f"IPv{version} address"
        self._version = version

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it in its usual spelling."""
        try:
            return address_of_version(str(value), self._version)
        except PolicyError as error:
            self.fail(str(error), param, ctx)


@groups.command(short_help="Add a group, or members to one.")
@place_options
@json_option
@click.argument("name", shell_complete=complete_group)
@click.argument("members", nargs=-1, required=True)
@click.option("--order", type=int, metavar="N", help="Between equally specific members the lower wins; 100 if untold.")
@click.option("--mode", type=click.Choice([m.value for m in BlockMode]), help="How blocked names are answered.")
@click.option("--ipv4", type=_Address(4), metavar="ADDR", help="Sinkhole address for A in this group.")
@click.option("--ipv6", type=_Address(6), metavar="ADDR", help="Sinkhole address for AAAA in this group.")
@force_option
def add(
    place: Place, name: str, members: tuple[str, ...], order: int | None, mode: str | None, ipv4: str | None,
    ipv6: str | None, force: bool,
) -> None:  # fmt: skip
    """Add a group NAME of MEMBERS, or add members to it.

    A member is an address or network, a MAC address (mac:aa:bb:cc:dd:ee:ff) or its first octets (mac:aa:bb:cc), a
    reverse name (name:*.lab.example), or a client-id (id:LAPTOP-7).

    \b
    Example: sinkhole groups add lab 192.0.2.0/24 mac:aa:bb:cc:dd:ee:ff
    """
    answering = Answering(BlockMode(mode) if mode else None, ipv4, ipv6)
    with opened(place) as state:
        before = groups_by_name(state).values()
        group = add_to_group(state, name, members, order, answering, force=force)
        put_in_force(state, f"group {name} has {count_of(len(group.members), 'member')}")
        for said in remarks_on_group(state, before, group):
            click.echo(f"sinkhole: {printable(said)}", err=True)


@groups.command(short_help="Remove members of a group, or the group.")
@place_options
@json_option
@click.argument("name", shell_complete=complete_group)
@click.argument("members", nargs=-1, shell_complete=complete_member)
@force_option
def remove(place: Place, name: str, members: tuple[str, ...], force: bool) -> None:
    """Remove MEMBERS from group NAME; without members, remove the group and the statements on it.

    \b
    Example: sinkhole groups remove lab mac:aa:bb:cc:dd:ee:ff
    """
    with opened(place) as state:
        if not members:
            remove_group(state, name, force=force)
            put_in_force(state, f"removed group {name}")
            return
        left = remove_from_group(state, name, members, force=force).members
        put_in_force(state, f"group {name} has {count_of(len(left), 'member')}")


groups.add_command(overlaps)
