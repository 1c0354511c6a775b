"""Follow the answer of a name that is not blocked by itself, through the very chain that the server runs.

A name may be blocked by what its answer leads to: a CNAME, an HTTPS target, an address.
"""

import asyncio
import secrets
import time
from datetime import datetime

from sinkhole.config.schema import RecordSettings, Settings
from sinkhole.policy.engine import Policy
from sinkhole.policy.identity import Identity
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.message import write_query
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question, read_query
from sinkhole.protocol.types import qtype_from_text
from sinkhole.resolver.answer import Source
from sinkhole.resolver.build import build_chain
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Client, Query
from sinkhole.upstream.forwarder import Forwarder

FOLLOW_WITHIN = 3.0
"""Seconds: whoever asks `check` at 3 a.m. does not wait for a dead upstream."""


def follow(
    settings: Settings,
    policy: Policy,
    name: str,
    qtype: str,
    client: str,
    when: datetime,
    identity: Identity | None = None,
) -> Verdict | None:
    """Return the verdict on the answer of a name, or None where no answer is to be had in time."""
    who = Client(client, policy.scope_of(client, identity), identity)
    return asyncio.run(_follow(settings, policy, name, qtype, who, when))


async def _follow(
    settings: Settings, policy: Policy, name: str, qtype: str, who: Client, when: datetime
) -> Verdict | None:
    question = Question(name_from_text(name), qtype_from_text(qtype))
    message = read_query(write_query(question, id=secrets.randbelow(65_536)))
    forwarder = Forwarder(settings.upstream, listen=settings.server.listen)
    nowhere = Hits(RecordSettings(queries="none"))
    chain = build_chain(settings, PolicyBox(policy), forwarder, nowhere, clock=time.monotonic)
    query = Query(message, who, is_stream=False, when=when, explain=True)
    try:
        async with asyncio.timeout(FOLLOW_WITHIN):
            answer = await chain(query)
    except TimeoutError:
        return None
    finally:
        await chain.close()
        await forwarder.close()
    return None if answer.source is Source.ERROR else answer.verdict
