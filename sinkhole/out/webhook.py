"""Bring events to a webhook: a POST of many at once, signed as Standard Webhooks 1.0 says.

The receiver checks `webhook-signature`, which is `v1,` and the base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`; the time
stamp lets it refuse what somebody recorded and sends again, the id what we had to send twice.
"""

import ipaddress
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp
from yarl import URL

from sinkhole import __version__
from sinkhole.checked_hosts import CheckedHosts
from sinkhole.errors import OutError
from sinkhole.out.event import Event, name_of
from sinkhole.out.sender import CONNECT_WITHIN, SEND_WITHIN, RefusedError, WaitError, why
from sinkhole.out.signature import sign

Lookup = Callable[[str], Awaitable[list[str]]]
"""Gives the addresses of a host; raises OutError where there is none, or one may not be connected to."""

MAX_OCTETS: Final = 1024 * 1024
"""Of one body, where more than one event is in it."""
_LONGEST_PAUSE: Final = 3600.0
_ABOUT_THE_CONTENT: Final = frozenset({400, 413, 415, 422})
"""Answers that stay the same however often the same is sent; all others may be about the receiver."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a request proves itself with: the key of its signature, and a value of `Authorization`; None for neither."""

    key: bytes | None = None
    authorization: str | None = None


class Webhook:
    """Post to one URL. Redirects are not followed: where one leads was not checked, nor chosen by anybody here.

    Args:
        url: where.
        write: makes the JSON of an event.
        lookup: finds and checks addresses.
        secrets: reads the secrets, at each request, so that changed files count at once.
        tls: certificate authorities.
        is_lines: JSON lines as the body, instead of one array.
        wall: epoch seconds.
    """

    def __init__(
        self,
        url: str,
        write: Callable[[Event], str],
        lookup: Lookup,
        secrets: Callable[[], Secrets],
        tls: ssl.SSLContext,
        *,
        is_lines: bool = False,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._url = URL(url)
        self._write = write
        self._lookup = lookup
        self._secrets = secrets
        self._tls = tls
        self._is_lines = is_lines
        self._wall = wall
        self._checked = CheckedHosts()
        self._session: aiohttp.ClientSession | None = None

    async def send(self, events: Sequence[Event]) -> None:
        """Post them, in as many requests as their size asks for; raises WaitError and RefusedError."""
        texts = [self._write(event) for event in events]
        start = size = 0
        for index, text in enumerate(texts):
            if size and size + len(text) > MAX_OCTETS:
                await self._post_events(events[start:index], texts[start:index])
                start, size = index, 0
            size += len(text) + 1
        await self._post_events(events[start:], texts[start:])

    async def send_text(self, uid: str, text: str) -> None:
        """Post the JSON of one thing that is no event; raises WaitError and RefusedError."""
        await self._post(f"{uid}-1", [text])

    async def close(self) -> None:
        """End connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post_events(self, events: Sequence[Event], texts: list[str]) -> None:
        try:
            await self._post(f"{name_of(events[0])}-{len(events)}", texts)
        except _TooLargeError:
            if len(events) == 1:
                raise
            middle = len(events) // 2
            await self._post_events(events[:middle], texts[:middle])
            await self._post_events(events[middle:], texts[middle:])

    async def _post(self, number: str, texts: list[str]) -> None:
        body = ("\n".join(texts) + "\n" if self._is_lines else f"[{','.join(texts)}]").encode()
        try:
            headers = self._headers(number, body)
            await self._check()
            status, after = await self._answer(body, headers)
        except WaitError:
            raise
        except OutError as error:
            raise WaitError(str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise WaitError(f"{self._url.raw_host}: {_explain(error)}") from error
        if 200 <= status < 300:
            return
        said = f"{self._url.raw_host} answered with HTTP status {status}{_phrase(status)}"
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise _TooLargeError(said)
        if status in _ABOUT_THE_CONTENT:
            raise RefusedError(said)
        raise WaitError(said, after, is_answer=True)

    async def _check(self) -> None:
        """Look the host up anew, so that a name that leads elsewhere now is noticed."""
        host = self._url.raw_host or ""
        addresses = self._checked.addresses[host.rstrip(".")] = await self._lookup(host)
        if self._url.scheme == "http" and not all(_is_inside(one) for one in addresses):
            raise OutError(f"{host} is outside the network, so it is only sent to over https")

    async def _answer(self, body: bytes, headers: dict[str, str]) -> tuple[int, float | None]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=self._checked, use_dns_cache=False, limit=2, ssl=self._tls),
                timeout=aiohttp.ClientTimeout(total=SEND_WITHIN, sock_connect=CONNECT_WITHIN),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status, _pause(response.headers.get("Retry-After", ""))

    def _headers(self, number: str, body: bytes) -> dict[str, str]:
        secrets = self._secrets()
        at = str(int(self._wall()))
        headers = {
            "User-Agent": f"sinkhole/{__version__}",
            "Content-Type": "application/x-ndjson" if self._is_lines else "application/json",
            "webhook-id": number,
            "webhook-timestamp": at,
        }
        if secrets.key is not None:
            headers["webhook-signature"] = sign(secrets.key, number, at, body)
        if secrets.authorization is not None:
            headers["Authorization"] = secrets.authorization
        return headers


class _TooLargeError(RefusedError):
    """So much at once is refused."""


def _is_inside(address: str) -> bool:
    return not ipaddress.ip_address(address).is_global


def _pause(text: str) -> float | None:
    """Read `Retry-After` in seconds (RFC 9110, section 10.2.3); a date is left, since our own pauses do as well."""
    return min(float(text), _LONGEST_PAUSE) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _phrase(status: int) -> str:
    if 300 <= status < 400:
        return ", a redirect, which is not followed"
    return f" ({HTTPStatus(status).phrase})" if status in HTTPStatus.__members__.values() else ""


def _explain(error: Exception) -> str:
    """Return what went wrong, without what the receiver may have put into it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        found = error.certificate_error
        return why(found) if isinstance(found, OSError) else "its certificate is not valid"
    if isinstance(error, aiohttp.ClientConnectorError):
        return why(error.os_error)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection"
    if isinstance(error, OSError):
        return why(error)
    return "it did not speak HTTP"
