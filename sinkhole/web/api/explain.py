"""Explain what a client would be answered, and why."""

from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from sinkhole.app.explain import lines_of
from sinkhole.app.explain_now import explain_now
from sinkhole.web.context import Context
from sinkhole.web.model import Model, Moment, Word


class ExplainQuery(Model):
    """What would be asked."""

    name: Word = Field(description="A host name.")
    type: Word = Field("A", description="Query type.")
    client: Word = Field("127.0.0.1", description="Address of the client that would ask.")
    at: Moment | None = Field(None, description="As if asked at this time; left out: now.")


class Explained(Model):
    """What would be answered, and why. `outcome`: BLOCK, COACH, MONITOR, ALLOW, or NONE where nothing matched."""

    name: str
    type: str
    client: str
    groups: list[str]
    members: list[str]
    generation: int
    outcome: str
    answer: str
    note: str | None
    verdict: dict[str, Any]
    override: dict[str, Any] | None
    lines: list[str] = Field(description="The same as sentences for people.")


def explain_name(context: Context, query: ExplainQuery) -> Explained:
    """Explain what a client would be answered for a name, by the function that answers it."""
    when = query.at or datetime.now(UTC)
    found = explain_now(context.settings, query.name, query.type, query.client, when)
    told = found.to_json()
    return Explained(**(told | {"groups": list(found.groups), "members": list(found.members)}), lines=lines_of(found))
