"""Clients in the store: what to call them in reports, and in which groups they are now."""

from collections.abc import Mapping, Sequence

from sinkhole.app.state import State
from sinkhole.clients.table import Row, identity_of_row
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Membership, parse_client
from sinkhole.policy.identity import Identity
from sinkhole.policy.member import mac_from_text
from sinkhole.store.client_store import ClientStore, SeenClient
from sinkhole.store.pseudonym import client_writer


def client_store(state: State) -> ClientStore:
    """Return the clients of an installation, written as its settings say."""
    return ClientStore(state.store, client_writer(state.settings.record.clients, state.folder))


def clients_by_text(state: State) -> dict[str, SeenClient]:
    """Return all clients that are kept, by their address as it is stored; their queries are not counted."""
    return {one.text: one for one in client_store(state).known()}


def memberships_now(policy: Policy, table: Mapping[str, Row], client: SeenClient) -> Sequence[Membership] | None:
    """Return the memberships of a client that was seen, the strongest first; None for a pseudonym.

    Args:
        policy: the policy in force.
        table: who is at which address at this moment.
    """
    if parse_client(client.text) is not None:
        row = table.get(client.text)
        return policy.memberships(client.text, None if row is None else identity_of_row(row))
    named = named_identity(client.text)
    return None if named is None else policy.memberships("", named)


def named_identity(text: str) -> Identity | None:
    """Return who a client is that a forwarder named without its address (`mac:…`, `id:…`); None for another text."""
    word, _, value = text.partition(":")
    if word == "mac":
        mac = mac_from_text(value)
        return None if mac is None else Identity(mac)
    return Identity(ids=(value,)) if word == "id" and value else None


def groups_now(policy: Policy, table: Mapping[str, Row], client: SeenClient) -> tuple[str, ...]:
    """Return the groups a client is in now, the strongest first.

    Of a pseudonym, and of a client behind a forwarder that gave no address, they are those of its last query.
    """
    if parse_client(client.text) is None:
        return client.groups
    found = memberships_now(policy, table, client) or ()
    return tuple(dict.fromkeys(one.group for one in found))
