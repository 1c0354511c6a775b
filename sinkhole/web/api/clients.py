"""Clients that were seen, and the groups they are in now."""

import time
from datetime import datetime

from pydantic import Field

from sinkhole.app.client_names import client_store, groups_now
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.state import State, policy_in_force
from sinkhole.clients.table import read_table
from sinkhole.store.client_store import SeenClient
from sinkhole.web.api.hits import DAY
from sinkhole.web.model import Flag, Model, Moment, Page, Paged, moment, part_of


class ClientQuery(Paged):
    """Which clients."""

    since: Moment | None = Field(None, description="Only those seen since then; left out: 7 days ago.")
    without_group: Flag = Field(False, description="Only those that are in no group.")


class ClientShown(Model):
    """A client that was seen, and the groups it is in now."""

    client: str
    mac: str | None
    names: list[str]
    ids: list[str]
    host: str | None
    groups: list[str]
    first: datetime
    last: datetime
    queries: int

    @classmethod
    def of(cls, one: SeenClient, groups: tuple[str, ...]) -> "ClientShown":
        """Return a client."""
        return cls(
            client=one.text, mac=one.identity.mac, names=list(one.identity.names), ids=list(one.identity.ids),
            host=one.host, groups=list(groups), first=moment(one.first), last=moment(one.last), queries=one.queries,
        )  # fmt: skip


def list_clients(state: State, query: ClientQuery) -> Page[ClientShown]:
    """List the clients that were seen."""
    since = int(time.time()) - 7 * DAY if query.since is None else int(query.since.timestamp())
    policy, table = policy_in_force(state.settings), read_table(compiled_folder(state.folder))
    found = client_store(state).seen(since)
    if query.without_group:
        found = [one for one in found if not groups_now(policy, table, one)]
    shown, following = part_of(found, query, lambda one: one.text)
    return Page[ClientShown](
        items=[ClientShown.of(one, groups_now(policy, table, one)) for one in shown], next=following
    )
