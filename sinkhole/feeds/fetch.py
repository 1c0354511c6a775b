"""Fetch one list: over HTTPS within limits of time, size and redirects, or from the list folder."""

import asyncio
import http
import os
import re
import ssl
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from sinkhole.config.schema import FeedSettings
from sinkhole.errors import FeedError
from sinkhole.feeds.body_file import CODINGS, BodyFile
from sinkhole.feeds.destination import Resolve
from sinkhole.feeds.fetched import Fetched, NotModified, Validators
from sinkhole.feeds.local_file import copy_list, path_of
from sinkhole.feeds.row import printable
from sinkhole.feeds.visit import Visit, read_url
from sinkhole.policy.feed import Feed

_AGENT: Final = "sinkhole (DNS blocklist sync)"
_CHUNK: Final = 65_536
_PAGES: Final = ("text/html", "application/xhtml+xml", "image/", "video/", "audio/")
_PIN: Final = re.compile(r"sha256=([0-9a-f]{64})\Z").match


class Fetcher:
    """Fetches lists.

    Args:
        settings: limits.
        resolve: looks up host names.
        list_dir: the only folder that `file:` URLs may name files of.
        tls: certificate authorities; None: those of the system.
    """

    def __init__(
        self, settings: FeedSettings, resolve: Resolve, list_dir: Path, tls: ssl.SSLContext | None = None
    ) -> None:
        self._settings = settings
        self._resolve = resolve
        self._list_dir = list_dir
        self._tls = tls or ssl.create_default_context()

    async def fetch(
        self, feed: Feed, body: Path, validators: Validators | None = None, *, max_octets: int | None = None
    ) -> Fetched | NotModified:
        """Fetch the list of `feed` into the new file `body`.

        A URL that ends in `#sha256=HEX` pins its content: any other is refused.

        Args:
            feed: which list.
            body: the file to write; what is in it after an error is not a list.
            validators: of the body we have; None when there is none, and then there must be a new one.
            max_octets: limit of the body; None for that of lists.

        Raises:
            FeedError: one sentence that says why there is no new body; never a part of what the server sent.
        """
        limit = self._settings.total_timeout
        try:
            async with asyncio.timeout(limit):
                return await self._fetch(feed, body, validators or Validators(), max_octets or self._settings.max_bytes)
        except TimeoutError as error:
            raise FeedError(f"no complete answer within {limit:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise FeedError(f"the fetch broke off: {_explain(error)}") from error

    async def _fetch(self, feed: Feed, path: Path, validators: Validators, limit: int) -> Fetched | NotModified:
        url = read_url(feed.url)
        if url.scheme == "file":
            body = BodyFile(path, "identity", limit)
            try:
                await asyncio.to_thread(copy_list, path_of(feed.url), self._list_dir, body)
                return Fetched(path, _pinned(url, body.finish()), body.size, Validators(), ())
            finally:
                body.close()
        async with Visit(self._settings, self._resolve, self._tls, feed.allow_private) as visit:
            response = await visit.follow(url, _headers(validators))
            hosts = tuple(visit.hosts)
            if response.status == http.HTTPStatus.NOT_MODIFIED and validators != Validators():
                return NotModified(hosts)
            body = _open_body(response, path, limit)
            try:
                async for chunk in response.content.iter_chunked(_CHUNK):
                    body.write(chunk)
                sha256 = _pinned(url, body.finish())
            finally:
                body.close()
            found = Validators(_header(response, "ETag"), _header(response, "Last-Modified"))
            return Fetched(path, sha256, body.size, found, hosts)


def _headers(validators: Validators) -> dict[str, str]:
    headers = {"User-Agent": _AGENT, "Accept": "text/plain, */*;q=0.5", "Accept-Encoding": "gzip, deflate"}
    if validators.etag:
        headers["If-None-Match"] = validators.etag
    if validators.last_modified:
        headers["If-Modified-Since"] = validators.last_modified
    return headers


def _open_body(response: aiohttp.ClientResponse, path: Path, max_bytes: int) -> BodyFile:
    """Judge an answer by its head, and open the file its body goes into."""
    host = response.url.raw_host
    if response.status != http.HTTPStatus.OK:
        known = response.status in http.HTTPStatus.__members__.values()
        phrase = f" ({http.HTTPStatus(response.status).phrase})" if known else ""
        raise FeedError(f"{host} answered with HTTP status {response.status}{phrase}")
    if response.content_type.startswith(_PAGES):
        raise FeedError(f"{host} sent {printable(response.content_type)}, which is no list: a login or error page?")
    if response.content_length is not None and response.content_length > max_bytes:
        raise FeedError(f"the body has {response.content_length} octets; at most {max_bytes} are fetched")
    coding = response.headers.get("Content-Encoding", "identity").strip().lower() or "identity"
    if coding not in CODINGS:
        raise FeedError(f"{host} sent the content coding {printable(coding)!r}, which was not asked for")
    return BodyFile(path, coding, max_bytes)


def _header(response: aiohttp.ClientResponse, name: str) -> str | None:
    """Return a validator to send back later; one that is too long to be one is left."""
    value = response.headers.get(name, "")
    return value if 0 < len(value) <= 1000 and value.isprintable() and value.isascii() else None


def _pinned(url: URL, sha256: str) -> str:
    pin = _PIN(url.fragment)
    if pin is None and url.fragment.startswith("sha256="):
        raise FeedError("the URL pins a sha256 that is not 64 hexadecimal digits")
    if pin is not None and pin[1] != sha256:
        raise FeedError(f"the content has the sha256 {sha256}, another than the URL pins")
    return sha256


def _explain(error: Exception) -> str:
    """Return what went wrong, without what the server may have put into it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate of {error.host} is not valid: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        code = error.os_error.errno
        return f"cannot connect to {error.host}: {os.strerror(code) if code else error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the body was cut off"
    if isinstance(error, aiohttp.ClientResponseError):
        return "the server did not speak HTTP"
    return printable(str(error)) or type(error).__name__
