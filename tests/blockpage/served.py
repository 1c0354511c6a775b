"""A block page on loopback, in the process of the test: real sockets, a small policy, a desk that notes all."""

import asyncio
import datetime as dt
import html
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import aiohttp

from sinkhole.app.notice import write_notice
from sinkhole.blockpage.door import Door, DoorLimits
from sinkhole.blockpage.facts import Facts, ProductFacts
from sinkhole.blockpage.handshake import Handshakes
from sinkhole.blockpage.ruling import Judge
from sinkhole.blockpage.server import Server
from sinkhole.blockpage.site import Site, SiteSettings
from sinkhole.blockpage.view import House, Sources, View
from sinkhole.errors import SinkholeError
from sinkhole.policy.engine import Policy
from sinkhole.policy.verdict import Verdict
from tests.policy.world import make_policy

KEY = b"k" * 32
FACTS = Facts(
    "img",
    {"deepseek": "DeepSeek", "writer": "Writer"},
    {
        "deepseek/chat": ProductFacts("DeepSeek Chat", ("chat", "code"), "deepseek.example"),
        "cloud/notes": ProductFacts("Cloud Notes", ("chat",), "notes.cloud.example"),
        "writer/app": ProductFacts("Writer", ("chat",), "writer.example"),
    },
    {"chat": "Chat assistants", "code": "Coding assistants"},
    {"tunnel": "Tunnels"},
)
HOUSE = House("Example Works", ("mailto:it@example.org",), "Read the rules.", (), requests=True, minutes=60)
LIMITS = DoorLimits(1000, 1000, 1000, 100, 100, 5.0)
DEFAULT = make_policy(["block vendor:deepseek", "coach product:writer/app", "allow product:cloud/notes"])


@dataclass
class Desk:
    """Notes what it is asked; refuses where told so."""

    refuses: bool = False
    asked: list[tuple[str, str, str, int, str]] = field(default_factory=list)
    gone_on: list[tuple[str, str]] = field(default_factory=list)

    async def go_on(self, token: str, client: str) -> dt.datetime:
        self._check()
        self.gone_on.append((token, client))
        return dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)

    async def ask(self, client: str, subject: str, reason: str, days: int, reference: str) -> int:
        self._check()
        self.asked.append((client, subject, reason, days, reference))
        return len(self.asked)

    def _check(self) -> None:
        if self.refuses:
            raise SinkholeError("a secret of the store")


@dataclass
class Place:
    """A page that listens: ports of HTTP and HTTPS, and its desk."""

    http: int
    https: int
    desk: Desk
    session: aiohttp.ClientSession
    door: Door
    host: str = "127.0.0.1"

    @asynccontextmanager
    async def request(
        self, name: str, path: str = "/", method: str = "GET", accept: str = "text/html", **more
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send one request over HTTP, with a Host header of this name."""
        headers = {"Host": name, "Accept": accept, **more.pop("headers", {})}
        host = f"[{self.host}]" if ":" in self.host else self.host
        async with self.session.request(
            method, f"http://{host}:{self.http}{path}", headers=headers, allow_redirects=False, **more
        ) as response:
            yield response

    async def get(self, name: str, accept: str = "text/html", **more) -> tuple[int, str]:
        """Return status and body."""
        async with self.request(name, accept=accept, **more) as response:
            return response.status, await response.text()

    async def send(self, name: str, form: str, fields: dict[str, str], **headers: str) -> tuple[int, str]:
        """Send a form of the page; return status and body."""
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        async with self.request(name, f"/.sinkhole/{form}", "POST", data=fields, headers=sent) as response:
            return response.status, await response.text()

    async def form(self, name: str, form: str) -> dict[str, str]:
        """Return the hidden fields of a form, as the page of a name has them."""
        return fields_of((await self.get(name))[1], form)


def fields_of(page: str, form: str) -> dict[str, str]:
    """Return the hidden fields of a form."""
    found = re.search(rf'<form method="post" action="/\.sinkhole/{form}">(.*?)</form>', page, re.DOTALL)
    assert found is not None
    return {key: html.unescape(value) for key, value in re.findall(r'name="(\w+)" value="([^"]*)"', found[1])}


def said(page: str) -> str:
    """Return the heading of a page, and what it says of a form."""
    found = re.findall(r'<h1>(.*?)</h1>|role="status">(.*?)</p>', page, re.DOTALL)
    return " | ".join(html.unescape("".join(parts)) for parts in found)


@asynccontextmanager
async def served(
    policy: Policy = DEFAULT,
    *,
    house: House = HOUSE,
    facts: Facts = FACTS,
    limits: DoorLimits = LIMITS,
    ca: Path | None = None,
    language: str = "en",
    host: str = "127.0.0.1",
    allow: Sequence[str] = ("127.0.0.0/8", "::1/128"),
    leads_to: dict[str, Verdict] | None = None,
    owner: str | None = None,
    told: bool = True,
) -> AsyncIterator[Place]:
    """Give a page that is served."""

    async def follow(name, qtype, client, identity):
        return (leads_to or {}).get(name)

    judge = Judge(lambda: policy, lambda address: None, follow)
    sources = Sources(lambda: facts, lambda ruling: owner, str, partial(write_notice, KEY), KEY, lambda client: told)
    desk = Desk()
    site = Site(SiteSettings(language, house.requests), judge, View(house, sources), desk, KEY)
    server = Server(site.handle, Handshakes(ca or Path("/nonexistent"), judge.may_pose_as), limits.seconds)
    door = Door(limits, allow, lambda count: None)
    listeners = [_listen(host), _listen(host)]
    enters = (server.enter_http, server.enter_https)
    tasks = [asyncio.create_task(door.serve(*pair)) for pair in zip(listeners, enters, strict=True)]
    try:
        async with aiohttp.ClientSession() as session:
            ports = [listener.getsockname()[1] for listener in listeners]
            yield Place(*ports, desk, session, door, host)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await door.close()
        for listener in listeners:
            listener.close()
        for _ in range(3):
            await asyncio.sleep(0)


def _listen(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setblocking(False)
    sock.bind((host, 0))
    sock.listen(64)
    return sock


def limits(**changed) -> DoorLimits:
    """Return wide limits with some changed."""
    return replace(LIMITS, **changed)
