"""`sinkhole clients`: who was seen, and who a client is."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from sinkhole.app.client_names import client_store, groups_now, named_identity
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.state import policy_in_force
from sinkhole.app.who_is_it import (
    Belonging,
    ask_server,
    belongings,
    noted_facts,
    published_identity,
)
from sinkhole.cli.complete import complete_client
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import local_time, print_json, print_line, print_table, utc_time
from sinkhole.cli.session import opened
from sinkhole.cli.since import Since
from sinkhole.clients.known import Fact, Known
from sinkhole.clients.table import read_table
from sinkhole.config.schema import Settings, is_activity_kept
from sinkhole.policy.address import client_address
from sinkhole.policy.identity import Identity
from sinkhole.store.client_store import SeenClient

_NAMED = "named by a forwarder"
_HEADER = ("client", "mac", "name", "groups", "first", "last", "queries")


@click.group()
def clients() -> None:
    """Show who was seen, and who a client is."""


@clients.command("list", short_help="List the clients that were seen.")
@place_options
@click.option("--since", type=Since(), default="7d", show_default=True, help="7d, 12h, 30min, or a local date.")
@click.option("--without-group", is_flag=True, help="Only those that are in no group.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_clients(place: Place, since: int, without_group: bool, as_json: bool) -> None:
    """List the clients that asked, with what is known of them and the groups they are in now.

    Queries are counted by the hour, in UTC. Of a client that is stored as a pseudonym the groups are those of its last
    query.

    \b
    Example: sinkhole clients list --without-group --since 24h
    """
    settings = place.settings()
    policy, table = policy_in_force(settings), read_table(compiled_folder(settings.server.data_dir))
    with opened(place) as state:
        found = [(one, groups_now(policy, table, one)) for one in client_store(state).seen(since)]
    if without_group:
        found = [(one, groups) for one, groups in found if not groups]
    if as_json:
        print_json([_as_dict(one, groups) for one, groups in found])
        return
    rows = [
        (one.text, one.identity.mac, one.name, ", ".join(groups) or "-", local_time(one.first), local_time(one.last),
         one.queries)
        for one, groups in found
    ]  # fmt: skip
    print_table(_HEADER, rows, empty=_why_none(settings, since, without_group))


def _as_dict(one: SeenClient, groups: Sequence[str]) -> dict[str, object]:
    return {
        "client": one.text, "mac": one.identity.mac, "names": one.identity.names, "ids": one.identity.ids,
        "host": one.host, "groups": groups, "first": utc_time(one.first), "last": utc_time(one.last),
        "queries": one.queries,
    }  # fmt: skip


def _why_none(settings: Settings, since: int, without_group: bool) -> str:
    if not is_activity_kept(settings):
        return "nothing is recorded of clients: see record.clients, record.queries and clients.activity_days"
    return f"no client {'without a group ' if without_group else ''}was seen since {local_time(since)}"


@clients.command(short_help="Say who a client is, and its groups.")
@place_options
@click.argument("address", metavar="ADDR", shell_complete=complete_client)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(place: Place, address: str, as_json: bool) -> None:
    """Say who the client at ADDR is and how that is known, in which groups it is by which member, and which wins.

    Of a client that a forwarder named without its address (mac:…, id:…) the networks it is in are not known here.

    \b
    Example: sinkhole clients show 192.0.2.7
    """
    named = named_identity(address)
    client = client_address(address) if named is None else f"mac:{named.mac}" if named.mac else address
    settings = place.settings()
    policy = policy_in_force(settings)
    known = ask_server(settings, client) if named is None else Known(named, None, noted_facts(named, None, _NAMED))
    with opened(place) as state:
        seen = client_store(state).find(client)
    identity, facts = _who(settings, client, known, seen)
    groups = belongings(policy.memberships(client, identity))
    if as_json:
        print_json({
            "client": client, "facts": [asdict(fact) for fact in facts],
            "groups": [asdict(one) for one in groups], "seen": _as_dict(seen, seen.groups) if seen else None,
        })  # fmt: skip
        return
    print_line(client)
    for label, text in _lines(facts, groups, seen):
        print_line(f"  {label:<11} {text}" if label or text else "")


def _who(
    settings: Settings, client: str, known: Known | None, seen: SeenClient | None
) -> tuple[Identity | None, tuple[Fact, ...]]:
    """Return who a client is by the server, else by the table it left, else what was noted, which decides nothing."""
    if known is not None:
        return known.identity, known.facts
    published = published_identity(settings, client)
    if published is not None:
        return published, noted_facts(published, None, "table of the workers")
    return None, noted_facts(seen.identity, seen.host, "noted in the store; decides nothing now") if seen else ()


def _lines(facts: Sequence[Fact], groups: Sequence[Belonging], seen: SeenClient | None) -> list[tuple[str, str]]:
    lines = [(fact.what, f"{fact.value}  ({fact.source})") for fact in facts]
    lines += [] if facts else [("known", "by its address alone")]
    for one in groups:
        label = "group" if one.place > 1 else "wins"
        tie = ", a tie with the group before it" if one.is_tie else ""
        lines.append((label, f"{one.group} by {', '.join(one.members)}{tie}"))
        lines += [("", f"  {one.why}")] if one.why else []
    lines += [] if groups else [("group", "none: the policy for all holds")]
    if seen is None:
        return [*lines, ("seen", "never")]
    when = f"{local_time(seen.first)} to {local_time(seen.last)}"
    return [*lines, ("seen", f"{when}, queries: {seen.queries}")]
