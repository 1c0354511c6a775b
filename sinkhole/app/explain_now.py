"""Explain what a client would be answered now, or at another time, as the command line and the admin side do it."""

from __future__ import annotations

import functools
from datetime import datetime
from typing import TYPE_CHECKING

from sinkhole.app.apply import settings_of_server
from sinkhole.app.explain import Explanation, explain
from sinkhole.app.state import policy_in_force
from sinkhole.app.who_is_it import published_identity
from sinkhole.config.schema import Settings
from sinkhole.late import late
from sinkhole.policy.address import client_address

if TYPE_CHECKING:
    from sinkhole.app import follow
else:
    follow = late("sinkhole.app.follow")


def explain_now(settings: Settings, name: str, qtype: str, client: str, when: datetime) -> Explanation:
    """Explain a question by the policy in force, and by what its answer leads to where a server runs.

    Raises:
        FormError: the name or the type cannot be read.
        PolicyError: the client's address cannot be read, or there is no policy.
    """
    policy = policy_in_force(settings)
    running = settings_of_server(settings)
    who = published_identity(settings, client_address(client))
    judge = functools.partial(follow.follow, running, identity=who) if running else None
    return explain(policy, name, qtype, client, when, judge, who)
