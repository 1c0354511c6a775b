"""What the parts of the admin side share, wired once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from sinkhole.app.metrics_site import Figures
from sinkhole.app.passwords import Passwords
from sinkhole.config.schema import Settings
from sinkhole.web.actor import Actor
from sinkhole.web.flashes import Flashes
from sinkhole.web.in_hand import InHand
from sinkhole.web.live import Live
from sinkhole.web.login import Login
from sinkhole.web.peer import Peer, Peers
from sinkhole.web.repeats import Repeats
from sinkhole.web.syncing import Syncing
from sinkhole.web.work import Work

Status = Callable[[], dict[str, Any]]
"""What the control process says of itself: generation, workers, store, when it was started."""


@dataclass(frozen=True, slots=True)
class Context:
    """The parts."""

    settings: Settings
    work: Work
    login: Login
    peers: Peers
    in_hand: InHand
    live: Live
    syncing: Syncing
    status: Status
    flashes: Flashes
    repeats: Repeats
    figures: Figures | None = None


def make_context(
    settings: Settings, status: Status, passwords: Passwords | None = None, figures: Figures | None = None
) -> Context:
    """Wire the parts.

    Args:
        status: asks the control process.
        passwords: verifies passwords; None: by argon2id.
        figures: makes `/metrics` and health; None: they are not served.
    """
    work = Work(settings)
    login = Login(settings.admin, work, passwords or Passwords())
    live = Live(work.readers)
    return Context(
        settings, work, login, Peers(settings.admin), InHand(), live, Syncing(settings, live), status, Flashes(),
        Repeats(), figures,
    )  # fmt: skip


CONTEXT: Final = web.AppKey("context", Context)
PEER: Final = web.RequestKey("peer", Peer)
ACTOR: Final = web.RequestKey("actor", Actor)
