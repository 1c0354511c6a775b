"""Ask an upstream over HTTPS by HTTP/1.1 (RFC 8484), where it has nothing better."""

import asyncio
import ssl

import aiohttp
from yarl import URL

from sinkhole.protocol.message import Message
from sinkhole.upstream.address import UpstreamAddress, bracketed
from sinkhole.upstream.ask import Ask, Budget
from sinkhole.upstream.failure import ENDED, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.http_answers import MAX_OCTETS, MEDIA_TYPE, TOO_LONG, age_of, fault_of, read_aged
from sinkhole.upstream.stream import Locate

_IDLE = 30.0
_CONNECTIONS = 16
_SENDS_PER_QUERY = 2


class Http1Client:
    """Ask by POST, one query after the other over each connection.

    The connection goes to the bootstrapped IP address; name check and Host are those of the URL, so that the library
    never looks up a name, which could come back to us.

    Args:
        address: the upstream.
        locate: gives its IP address.
        host: host and port, as the URL has them.
        tls: context that verifies its certificate and offers HTTP/1.1.
    """

    def __init__(self, address: UpstreamAddress, locate: Locate, host: str, tls: ssl.SSLContext) -> None:
        self._address = address
        self._locate = locate
        self._host = host
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_IDLE, ssl=tls),
            # A proxy of the environment would see every query.
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(),  # every request has its own
            skip_auto_headers=("User-Agent",),
        )

    async def ask(self, ask: Ask, budget: Budget, *, timeout: float) -> Message:
        """Send the question by POST and return its answer.

        Raises:
            UpstreamTimeout: no answer in time.
            UpstreamFailure: no connection, or the answer cannot be used.
        """
        # "a DNS ID of 0 in every DNS request" makes requests alike to HTTP caches (RFC 8484, section 4.1).
        sent = ask.to_wire(0, is_padded=True)
        for turn in range(1, _SENDS_PER_QUERY + 1):
            if self._client.closed:
                raise UpstreamFailure("the upstream is no longer asked")
            seconds = budget.time_for(timeout)
            budget.spend()
            try:
                async with asyncio.timeout(seconds):
                    got, age = await self._post(sent)
            except TimeoutError as error:
                raise UpstreamTimeout("no answer in time") from error
            except aiohttp.ClientConnectorError as error:
                raise UpstreamFailure("no connection to the upstream") from error
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
                # A kept connection that the upstream closed just now; a new one is opened by itself.
                if turn == _SENDS_PER_QUERY:
                    raise UpstreamFailure(ENDED) from error
            except (aiohttp.ClientError, OSError) as error:
                raise UpstreamFailure("the upstream does not keep to HTTP") from error
            else:
                return read_aged(sent, ask.question.name, got, age)
        raise AssertionError("the last turn returns or raises")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _post(self, sent: bytes) -> tuple[bytes, int]:
        """Return the body of the response and its age in seconds."""
        url = f"https://{bracketed(await self._locate())}:{self._address.port}{self._address.path}"
        headers = {"Host": self._host, "Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE, "Accept-Encoding": "identity"}
        name = self._address.server_name
        async with self._client.post(
            URL(url, encoded=True), data=sent, headers=headers, server_hostname=name, allow_redirects=False
        ) as response:
            fields = response.headers
            fault = fault_of(
                response.status, fields.get("content-type", ""), fields.get("content-encoding", "identity")
            )
            if fault is not None:
                raise UpstreamFailure(fault)
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_OCTETS:
                    raise UpstreamFailure(TOO_LONG)
            return bytes(body), age_of(fields.get("age", "0"))
