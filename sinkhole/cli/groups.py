"""`sinkhole groups`: groups of clients by address and network."""

import re
from dataclasses import replace

import click

from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import print_json, print_table
from sinkhole.cli.session import opened, put_in_force
from sinkhole.errors import PolicyError
from sinkhole.policy.groups import ClientGroups
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import BlockAnswer, BlockMode
from sinkhole.resolver.blocked import block_answer

_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")


@click.group()
def groups() -> None:
    """Manage groups of clients; a client may be in several, the most specific network wins, then the lower order."""


@groups.command("list")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_groups(place: Place, as_json: bool) -> None:
    """List groups with their members."""
    with opened(place) as state:
        found = state.policy.groups()
    if as_json:
        print_json(
            [
                {
                    "name": g.name,
                    "order": g.order,
                    "members": g.members,
                    "mode": g.answer.mode.value if g.answer else None,
                }
                for g in found
            ]
        )
        return
    rows = [
        (g.name, g.order, g.answer.mode.value if g.answer else "as the server", ", ".join(g.members)) for g in found
    ]
    print_table(("group", "order", "blocked answer", "members"), rows, empty="no groups: policy is the same for all")


@groups.command()
@place_options
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
@click.option("--order", type=int, help="Between equally specific networks the lower wins; 100 unless told.")
@click.option("--mode", type=click.Choice([m.value for m in BlockMode]), help="How blocked names are answered.")
@click.option("--ipv4", help="Sinkhole address for A in this group.")
@click.option("--ipv6", help="Sinkhole address for AAAA in this group.")
def add(
    place: Place, name: str, members: tuple[str, ...], order: int | None, mode: str | None, ipv4: str | None,
    ipv6: str | None,
) -> None:  # fmt: skip
    """Add a group NAME of MEMBERS (addresses and networks), or add members to it."""
    if not _NAME.match(name):
        raise PolicyError(f"group name {name!r}: wanted lower-case letters, digits and inner -")
    with opened(place) as state:
        known = {group.name: group for group in state.policy.groups()}
        group = known.get(name, Group(name, ()))
        group = replace(
            group,
            members=tuple(dict.fromkeys((*group.members, *members))),
            order=group.order if order is None else order,
            answer=_answer(group.answer or block_answer(state.settings.blocking), mode, ipv4, ipv6)
            if mode or ipv4 or ipv6
            else group.answer,
        )
        ClientGroups([group])  # refuses members that are no networks, before anything is stored
        state.policy.put_group(group)
        put_in_force(state, f"group {name} has {len(group.members)} members")


def _answer(base: BlockAnswer, mode: str | None, ipv4: str | None, ipv6: str | None) -> BlockAnswer:
    """Change what is given; with one address given, the other family has none (as in the settings)."""
    answer = replace(base, mode=BlockMode(mode)) if mode else base
    return replace(answer, ipv4=ipv4, ipv6=ipv6) if ipv4 or ipv6 else answer


@groups.command()
@place_options
@click.argument("name")
@click.argument("members", nargs=-1)
def remove(place: Place, name: str, members: tuple[str, ...]) -> None:
    """Remove MEMBERS from group NAME; without members, remove the group and the statements on it."""
    with opened(place) as state:
        known = {group.name: group for group in state.policy.groups()}
        if name not in known:
            raise PolicyError(f"there is no group {name!r}")
        if not members:
            state.policy.remove_group(name)
            put_in_force(state, f"removed group {name}")
            return
        missing = [member for member in members if member not in known[name].members]
        if missing:
            raise PolicyError(f"group {name} has no member {', '.join(missing)}")
        left = tuple(member for member in known[name].members if member not in members)
        state.policy.put_group(replace(known[name], members=left))
        put_in_force(state, f"group {name} has {len(left)} members")
