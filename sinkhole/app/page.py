"""The process of the block page: it answers whoever is led to it, and nothing else depends on it.

It knows the published policy and a few files beside it, never the store, and asks the control process for what a form
wants. It is the least important process: calm, bounded, and started again by the supervisor.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from sinkhole.app.compiled import compiled_folder
from sinkhole.app.identity_watch import IdentityWatch
from sinkhole.app.jobs import Jobs
from sinkhole.app.notice import notice_key, write_notice
from sinkhole.app.page_follow import PageFollow
from sinkhole.app.page_link import PageLink
from sinkhole.app.page_listeners import HTTPS
from sinkhole.app.policy_watch import PolicyWatch
from sinkhole.app.stall import beat, until_orphaned
from sinkhole.blockpage.door import Door, DoorLimits
from sinkhole.blockpage.facts import FactsFile
from sinkhole.blockpage.handshake import Handshakes
from sinkhole.blockpage.ruling import Judge, Ruling
from sinkhole.blockpage.server import Server
from sinkhole.blockpage.site import Site, SiteSettings
from sinkhole.blockpage.view import House, Sources, View
from sinkhole.config.schema import Settings, ca_folder
from sinkhole.errors import PolicyError
from sinkhole.log import Log, configure
from sinkhole.policy.document import load_document, load_policy
from sinkhole.policy.engine import Policy
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.store.pseudonym import client_writer

_CALM = 10
"""How much nicer than the workers it is: a flood of visits must not take their time."""


class Page:
    """The parts of the process, wired.

    Args:
        settings: the whole configuration.
        sockets: where to listen: scheme and listening socket.
    """

    def __init__(self, settings: Settings, sockets: list[tuple[str, socket.socket]]) -> None:
        self._settings = settings
        self._sockets = sockets
        self._log = Log("page")

    async def serve(self, lifeline: int, status: int) -> int:
        """Run until SIGTERM or until the supervisor is gone; return the exit status, 1 where a part of it failed."""
        jobs = Jobs()
        self._wire()
        jobs.start(beat(status), self._identities.run(), self._watch.run(), self._die_with_supervisor(lifeline))
        for scheme, sock in self._sockets:
            enter = self._server.enter_https if scheme == HTTPS else self._server.enter_http
            jobs.start(self._door.serve(sock, enter))
        places = " ".join(f"{scheme}://{_place(sock)}" for scheme, sock in self._sockets)
        self._log.info("page.listening", at=places or "nowhere")
        failed = await jobs.until_stopped()
        for error in failed:
            self._log.error("page.job_failed", why=repr(error))
        await jobs.cancel()
        await self._door.close()
        await self._follow.close()
        return int(bool(failed))

    def _wire(self) -> None:
        settings, page = self._settings, self._settings.block_page
        folder = compiled_folder(settings.server.data_dir)
        box = PolicyBox(load_policy(folder))
        self._watch = PolicyWatch(folder, box)
        self._identities = IdentityWatch(folder, lambda addresses: None)
        self._follow = PageFollow(settings, box)
        key = notice_key(settings.server.data_dir)

        def policy() -> Policy:
            self._watch.take_newest()
            return box.current

        judge = Judge(policy, self._identities.of, self._follow.verdict)
        sources = Sources(
            FactsFile(folder), Owners(folder), client_writer(settings.record.clients, settings.server.data_dir),
            partial(write_notice, key), key, partial(_is_in, tuple(map(ip_network, settings.blocking.explain_to))),
        )  # fmt: skip
        house = House(
            settings.blocking.organisation, settings.blocking.contact, page.message, page.alternatives, page.requests,
            settings.coach.minutes,
        )  # fmt: skip
        site = Site(
            SiteSettings(page.language, page.requests), judge, View(house, sources),
            PageLink(settings.server.data_dir), key,
        )  # fmt: skip
        handshakes = Handshakes(ca_folder(settings), judge.may_pose_as)
        self._server = Server(site.handle, handshakes, page.timeout)
        limits = DoorLimits(
            page.rate, page.burst, page.rate_total, page.connections, page.connections_per_client, page.timeout
        )
        self._door = Door(
            limits, settings.access.allow, lambda count: self._log.warning("page.turned_away", connections=count)
        )

    async def _die_with_supervisor(self, lifeline: int) -> None:
        await until_orphaned(lifeline)
        self._log.error("page.orphaned")
        os._exit(1)


class Owners:
    """Says who is behind a ruling: the owner of the statement or of the override that decided.

    Args:
        folder: where the policy is published.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._generation: int | None = None
        self._by_statement: Mapping[int, str | None] = {}

    def __call__(self, ruling: Ruling) -> str | None:
        """Return who, None where the policy does not say."""
        verdict = ruling.verdict
        if verdict.override is not None:
            override = ruling.policy.override(verdict.override)
            return None if override is None else override.owner
        if ruling.policy.generation != self._generation:
            with suppress(PolicyError):  # the watch says so, and the policy that was read before goes on
                document = load_document(self._folder)
                self._by_statement = {one.id: one.owner for one in document.statements}
                self._generation = document.generation
        return self._by_statement.get(verdict.statement or 0)


def _is_in(networks: Sequence[IPv4Network | IPv6Network], client: str) -> bool:
    return any(ip_address(client) in network for network in networks)


def _place(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def main(arguments: list[str]) -> None:
    """Run as the supervisor started us: descriptors of settings, lifeline and status pipe, then `SCHEME:DESCRIPTOR`."""
    settings_fd, lifeline, status = map(int, arguments[:3])
    with os.fdopen(settings_fd) as file:
        settings = Settings.model_validate_json(file.read())
    configure(settings.server.log_level)
    places = [(scheme, int(fd)) for scheme, _, fd in (text.partition(":") for text in arguments[3:])]
    for inherited in (lifeline, status, *(fd for _, fd in places)):
        os.set_inheritable(inherited, False)
    os.nice(_CALM)
    sockets = [(scheme, socket.socket(fileno=fd)) for scheme, fd in places]
    for _, sock in sockets:
        sock.setblocking(False)
    code = asyncio.run(Page(settings, sockets).serve(lifeline, status))
    os._exit(code)  # nothing is left to be done, and taking a large heap apart takes a while


if __name__ == "__main__":
    main(sys.argv[1:])
