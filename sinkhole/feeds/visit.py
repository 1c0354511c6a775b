"""Follow one URL over HTTP to the answer, and never to an address that was not checked.

Each hop is looked up and checked before it is connected to, and the connection can only go to the addresses that were
checked: the name is not looked up a second time (R-F04).
"""

import asyncio
import ssl
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from sinkhole.checked_hosts import CheckedHosts
from sinkhole.config.schema import FeedSettings
from sinkhole.errors import FeedError
from sinkhole.feeds.destination import Resolve, addresses_of, check_destination
from sinkhole.feeds.row import printable

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


def read_url(text: str) -> URL:
    """Return the URL that `text` writes; raises FeedError when it is none."""
    try:
        url = URL(text)
        _ = url.port  # yarl reads it late
    except ValueError as error:
        raise FeedError(f"not a URL: {printable(str(error))}") from error
    if url.user is not None or url.password is not None:
        # It would be stored, shown and sent to whoever follows the audit log.
        raise FeedError("a URL of a list has no user name or password in it")
    return url


class Visit:
    """One fetch over HTTP, from redirect to redirect; `hosts` are those it came by.

    Args:
        settings: limits.
        resolve: looks up host names.
        tls: certificate authorities.
        allow_private: whether the host of the first URL may be inside the network.
    """

    def __init__(self, settings: FeedSettings, resolve: Resolve, tls: ssl.SSLContext, allow_private: bool) -> None:
        self._settings = settings
        self._resolve = resolve
        self._allow_private = allow_private
        self._checked = CheckedHosts()
        self.hosts: list[str] = []
        self._response: aiohttp.ClientResponse | None = None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self._checked, use_dns_cache=False, force_close=True, ssl=tls),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._response is not None:
            self._response.close()
        await self._session.close()

    async def follow(self, url: URL, headers: dict[str, str]) -> aiohttp.ClientResponse:
        """Return the first answer that is no redirect; it is closed with the visit.

        Raises:
            FeedError: a hop may not be asked, or there are too many.
        """
        for _ in range(self._settings.max_redirects + 1):
            await self._check(url)
            response = await self._session.get(url.with_fragment(None), headers=headers, allow_redirects=False)
            if response.status not in _REDIRECTS:
                self._response = response
                return response
            location = response.headers.get("Location", "")
            response.close()
            url = _next_url(url, location)
        raise FeedError(f"more than {self._settings.max_redirects} redirects")

    async def _check(self, url: URL) -> None:
        """Admit one hop. `allow_private` covers the feed's own host, not whatever that host redirects to."""
        host = url.raw_host or ""
        if url.scheme not in ("http", "https") or not host:
            raise FeedError(f"wanted a URL with https, found the scheme {printable(url.scheme)!r}")
        is_own = not self.hosts or host == self.hosts[0]
        self.hosts.append(host)
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                addresses = await addresses_of(host.rstrip("."), self._resolve)
        except TimeoutError as error:
            raise FeedError(f"{host} was not looked up within {self._settings.connect_timeout:g} s") from error
        allow_private = self._allow_private and is_own
        private = [check_destination(host, address, allow_private=allow_private) for address in addresses]
        if url.scheme == "http" and not (self._settings.allow_http or all(private)):
            raise FeedError(f"{host} is only asked over https; feeds.allow_http permits http")
        self._checked.addresses[host.rstrip(".")] = addresses


def _next_url(url: URL, location: str) -> URL:
    if not location:
        raise FeedError(f"{url.raw_host} redirects without saying where to")
    try:
        found = url.join(URL(location))
        _ = found.port
    except ValueError as error:
        raise FeedError(f"{url.raw_host} redirects to something that is no URL") from error
    if url.scheme == "https" and found.scheme == "http":
        raise FeedError(f"{url.raw_host} redirects from https to http")
    return found
