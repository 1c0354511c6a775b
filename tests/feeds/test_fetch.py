"""Fetching: what comes, what does not, and what must not be asked."""

import asyncio
import gzip
import hashlib
import os
import socket
import ssl
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sinkhole.config.schema import FeedSettings
from sinkhole.errors import FeedError, UpstreamError
from sinkhole.feeds.fetch import Fetcher
from sinkhole.feeds.fetched import Fetched, NotModified, Validators
from sinkhole.policy.feed import Feed
from tests.feeds.certificate import self_signed
from tests.feeds.list_server import HOST, ListServer, cut_off, drip, endless, hang

LIST = b"a.example.org\nb.example.org\n"


@pytest.fixture
async def server() -> AsyncIterator[ListServer]:
    async with ListServer() as started:
        yield started


class Client:
    """Fetches from a server into new files of a folder."""

    def __init__(self, server: ListServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        (folder / "lists").mkdir()
        self.count = 0

    async def fetch(
        self,
        url: str | None = None,
        *,
        validators: Validators | None = None,
        allow_private: bool = True,
        tls: ssl.SSLContext | None = None,
        **settings: object,
    ) -> Fetched | NotModified:
        limits = FeedSettings.model_validate({"total_timeout": 5, "connect_timeout": 2, **settings})
        fetcher = Fetcher(limits, self.server.resolve, self.folder / "lists", tls)
        self.count += 1
        feed = Feed("list", url or self.server.url(), allow_private=allow_private)
        return await fetcher.fetch(feed, self.folder / f"body{self.count}", validators)

    async def body(self, url: str | None = None, **more: object) -> bytes:
        answer = await self.fetch(url, **more)  # type: ignore[arg-type]
        assert isinstance(answer, Fetched)
        octets = answer.body.read_bytes()
        assert answer.sha256 == hashlib.sha256(octets).hexdigest()
        assert answer.size == len(octets)
        return octets

    async def error(self, url: str | None = None, **more: object) -> str:
        with pytest.raises(FeedError) as caught:
            await self.fetch(url, **more)  # type: ignore[arg-type]
        text = str(caught.value)
        assert text
        assert "\n" not in text
        return text


@pytest.fixture
def client(server: ListServer, tmp_path: Path) -> Client:
    return Client(server, tmp_path)


async def test_body_and_validators_are_fetched(server: ListServer, client: Client) -> None:
    server.serve(LIST, ETag='"1"', Last_Modified="Mon, 02 Nov 2026 00:00:00 GMT")
    answer = await client.fetch()
    assert isinstance(answer, Fetched)
    assert answer.body.read_bytes() == LIST
    assert answer.validators == Validators('"1"', "Mon, 02 Nov 2026 00:00:00 GMT")
    assert answer.hosts == (HOST,)


async def test_request_says_what_it_takes_and_nothing_of_the_machine(server: ListServer, client: Client) -> None:
    server.serve(LIST)
    await client.fetch()
    headers = server.seen[0].headers
    assert headers["User-Agent"] == "sinkhole (DNS blocklist sync)"
    assert headers["Accept-Encoding"] == "gzip, deflate"
    assert "Cookie" not in headers
    assert "If-None-Match" not in headers


async def test_conditional_request_may_be_answered_with_304(server: ListServer, client: Client) -> None:
    """R-F09: ETag and Last-Modified are sent back; 304 means that the body we have is the newest."""
    server.serve_conditionally(LIST, '"1"')
    answer = await client.fetch(validators=Validators('"1"', "Mon, 02 Nov 2026 00:00:00 GMT"))
    assert answer == NotModified((HOST,))
    assert server.seen[0].headers["If-Modified-Since"] == "Mon, 02 Nov 2026 00:00:00 GMT"


async def test_304_without_a_condition_is_an_error(server: ListServer, client: Client) -> None:
    """R-F09: a 304 that was not asked for brings no body."""
    server.serve(b"", status=304)
    assert await client.error() == f"{HOST} answered with HTTP status 304 (Not Modified)"


async def test_validators_that_could_break_a_header_are_not_kept(server: ListServer, client: Client) -> None:
    server.serve(LIST, ETag='"' + "x" * 2000 + '"')
    answer = await client.fetch()
    assert isinstance(answer, Fetched)
    assert answer.validators == Validators()


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (404, " (Not Found)"),
        (500, " (Internal Server Error)"),
        (403, " (Forbidden)"),
        (206, " (Partial Content)"),
        (599, ""),
    ],
)
async def test_other_statuses_are_errors(server: ListServer, client: Client, status: int, phrase: str) -> None:
    """R-F01, R-A13: the status is told, the body never."""
    server.serve("secret of the inside", status=status)
    assert await client.error() == f"{HOST} answered with HTTP status {status}{phrase}"


@pytest.mark.parametrize("behaviour", [hang, drip])
async def test_total_time_is_limited(server: ListServer, client: Client, behaviour: object) -> None:
    """R-F03: a server that sends slowly, or stops sending, costs the time limit at most."""
    server.answer(behaviour)  # type: ignore[arg-type]
    assert await client.error(total_timeout=0.3) == "no complete answer within 0.3 s"


async def test_body_that_is_cut_off_is_an_error(server: ListServer, client: Client) -> None:
    """R-F01: a short body is no list."""
    server.answer(cut_off)
    assert await client.error() == "the fetch broke off: the body was cut off"


async def test_endless_body_is_cut(server: ListServer, client: Client) -> None:
    """R-F03: bytes on the wire are limited."""
    server.answer(endless)
    assert await client.error(max_bytes=100_000) == "the body has more than 100000 octets"


async def test_announced_size_is_limited_before_it_is_sent(server: ListServer, client: Client) -> None:
    """R-F03."""
    server.serve(b"x" * 2000)
    assert await client.error(max_bytes=1024) == "the body has 2000 octets; at most 1024 are fetched"


def _compress_twice(body: bytes) -> bytes:
    return gzip.compress(body[:5]) + gzip.compress(body[5:])


@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("x-gzip", _compress_twice),
    ],
)
async def test_compressed_bodies_are_inflated(
    server: ListServer, client: Client, coding: str, compress: object
) -> None:
    """RFC 9110, section 8.4.1; a gzip body may have several members (RFC 1952, section 2.2)."""
    server.serve(compress(LIST * 5000), Content_Encoding=coding)  # type: ignore[operator]
    assert await client.body() == LIST * 5000


async def test_gzip_bomb_is_noticed(server: ListServer, client: Client) -> None:
    """R-F03: bytes after decompression are limited."""
    server.serve(gzip.compress(b"\n" * 50_000_000), Content_Encoding="gzip")
    answer = await client.error(max_bytes=1_000_000)
    assert answer == "the body has more than 1000000 octets once it is decompressed"
    assert sum(file.stat().st_size for file in client.folder.glob("body*")) <= 1_000_000


async def test_compressed_body_that_is_cut_off_is_an_error(server: ListServer, client: Client) -> None:
    """R-F01."""
    server.serve(gzip.compress(LIST * 500)[:-10], Content_Encoding="gzip")
    assert await client.error() == "the body was cut off: its compressed data ends too early"


async def test_body_that_is_not_compressed_as_said_is_an_error(server: ListServer, client: Client) -> None:
    """R-F01."""
    server.serve(LIST, Content_Encoding="gzip")
    assert await client.error() == "the body is not compressed as its Content-Encoding says"


async def test_coding_that_was_not_asked_for_is_an_error(server: ListServer, client: Client) -> None:
    server.serve(LIST, Content_Encoding="br")
    assert "content coding 'br'" in await client.error()


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/xhtml+xml", "image/png"])
async def test_web_page_is_no_list(server: ListServer, client: Client, content_type: str) -> None:
    """R-F01: a login page with status 200."""
    server.serve("<html>please log in</html>", Content_Type=content_type)
    text = await client.error()
    assert text.startswith(f"{HOST} sent {content_type.partition(';')[0]}, which is no list")
    assert "please" not in text


async def test_redirect_is_followed_and_each_host_is_told(server: ListServer, client: Client) -> None:
    server.addresses["mirror.example.org"] = ["127.0.0.1"]
    server.redirect(server.url("moved"))
    server.redirect("/again?x=1", "moved")
    server.serve(LIST, "again")
    answer = await client.fetch()
    assert isinstance(answer, Fetched)
    assert answer.hosts == (HOST, HOST, HOST)
    assert [request.path for request in server.seen] == ["/list", "/moved", "/again"]


async def test_redirect_loop_ends(server: ListServer, client: Client) -> None:
    """R-F03: redirects are limited."""
    server.redirect(server.url("list"))
    assert await client.error(max_redirects=3) == "more than 3 redirects"
    assert len(server.seen) == 4


@pytest.mark.parametrize(
    "target", ["127.0.0.1", "localhost", "router.example.org", "[::1]", "10.0.0.1", "[::ffff:10.0.0.1]"]
)
async def test_redirect_into_the_network_is_not_followed(server: ListServer, client: Client, target: str) -> None:
    """R-F04: leave for the feed's own host is none for what it redirects to."""
    server.addresses |= {"localhost": ["127.0.0.1"], "router.example.org": ["192.168.0.1"]}
    server.redirect(f"http://{target}:{server.port}/admin")
    server.serve("secret", "admin")
    assert "has the private address" in await client.error()
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254 has the address 169.254.169.254, where no list"),
        ("ftp://lists.example.org/list", "found the scheme 'ftp'"),
        ("file:///etc/passwd", "found the scheme 'file'"),
        ("gopher://x/", "found the scheme 'gopher'"),
        ("http://lists.example.org:99999/", "redirects to something that is no URL"),
        ("", "redirects without saying where to"),
        ("http://nowhere.example.org/", "nowhere.example.org has no address"),
    ],
)
async def test_redirect_is_checked_as_the_first_url(server: ListServer, client: Client, target: str, why: str) -> None:
    """R-F04: only http and https, each hop checked anew."""
    server.redirect(target)
    assert why in await client.error(allow_http=True)
    assert len(server.seen) == 1


async def test_private_address_needs_leave(server: ListServer, client: Client) -> None:
    """R-F04: the address that the name is looked up as counts, not the name."""
    server.serve(LIST)
    assert "has the private address 127.0.0.1, which this feed may not fetch from" in await client.error(
        allow_private=False, allow_http=True
    )
    assert server.seen == []


async def test_one_private_address_among_public_ones_is_enough_to_refuse(server: ListServer, client: Client) -> None:
    """R-F04."""
    server.addresses[HOST] = ["9.9.9.9", "127.0.0.1"]
    assert "has the private address 127.0.0.1" in await client.error(allow_private=False, allow_http=True)


async def test_connection_goes_to_the_address_that_was_checked(server: ListServer, client: Client) -> None:
    """R-F04: the name is looked up once, so it cannot change between check and connection."""
    server.serve(LIST)
    await client.fetch()
    assert server.looked_up == [HOST]


async def test_plain_http_needs_leave_or_a_private_host(server: ListServer, client: Client) -> None:
    """R-F04: https by default."""
    server.addresses[HOST] = ["9.9.9.9"]
    assert await client.error() == f"{HOST} is only asked over https; feeds.allow_http permits http"


async def test_address_in_the_url_needs_no_lookup(server: ListServer, client: Client) -> None:
    server.serve(LIST)
    assert await client.body(server.url(host="127.0.0.1")) == LIST
    assert server.looked_up == []


async def test_lookup_that_fails_is_told(server: ListServer, client: Client) -> None:
    """R-F01: no network at all."""

    async def fail(host: str) -> list[str]:
        raise UpstreamError("no upstream answered")

    client.server.resolve = fail  # type: ignore[method-assign]
    assert await client.error() == f"{HOST} cannot be looked up: no upstream answered"


async def test_lookup_that_hangs_is_ended(server: ListServer, client: Client) -> None:
    async def never(host: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    client.server.resolve = never  # type: ignore[method-assign]
    assert await client.error(connect_timeout=0.1) == f"{HOST} was not looked up within 0.1 s"


async def test_lookup_that_gives_no_address_is_refused(server: ListServer, client: Client) -> None:
    server.addresses[HOST] = ["localhost"]
    assert await client.error() == f"{HOST} was looked up as 'localhost', which is no address"


async def test_port_that_nobody_listens_on_is_told(client: Client) -> None:
    """R-F01."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    text = await client.error(f"http://{HOST}:{port}/list")
    assert text == f"the fetch broke off: cannot connect to {HOST}: Connection refused"


async def _raw_error(client: Client, reply: bytes) -> str:
    """Return the error of a fetch from a server that sends `reply`, whatever it is asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as raw:
        return await client.error(f"http://{HOST}:{raw.sockets[0].getsockname()[1]}/list")


async def test_server_that_closes_at_once_is_told(client: Client) -> None:
    """R-F01."""
    assert await _raw_error(client, b"") == "the fetch broke off: the server closed the connection"


@pytest.mark.parametrize(
    "reply", [b"\x00\x01\x02 what\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n"]
)
async def test_server_that_speaks_no_http_is_told(client: Client, reply: bytes) -> None:
    """R-F01."""
    assert await _raw_error(client, reply) == "the fetch broke off: the server did not speak HTTP"


async def test_connection_that_is_reset_is_told(client: Client) -> None:
    """R-F01."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    async with await asyncio.start_server(reset, "127.0.0.1", 0) as raw:
        text = await client.error(f"http://{HOST}:{raw.sockets[0].getsockname()[1]}/list")
    assert "Connection reset by peer" in text


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://[::1/list", "not a URL"),
        ("https://example.org:port/", "not a URL"),
        ("https://user:secret@example.org/list", "no user name or password"),
        ("lists/ai.txt", "found the scheme ''"),
        ("https:///list", "wanted a URL with https"),
        ("ftp://example.org/list", "found the scheme 'ftp'"),
    ],
)
async def test_url_must_be_one_of_https(client: Client, url: str, why: str) -> None:
    """R-F04."""
    assert why in await client.error(url)


async def test_pinned_content_is_the_only_one_taken(server: ListServer, client: Client) -> None:
    """R-F13: a tampered body fails closed."""
    server.serve(LIST)
    digest = hashlib.sha256(LIST).hexdigest()
    assert await client.body(server.url() + f"#sha256={digest}") == LIST
    server.serve(LIST + b"x.example.org\n")
    assert "another than the URL pins" in await client.error(server.url() + f"#sha256={digest}")
    assert "not 64 hexadecimal digits" in await client.error(server.url() + "#sha256=abc")


async def test_certificate_must_be_valid(tmp_path: Path) -> None:
    """R-F01, R-F04: https means that the server is who it says."""
    serving, trusting = self_signed(tmp_path, HOST)
    async with ListServer(serving) as server:
        server.serve(LIST)
        client = Client(server, tmp_path)
        assert await client.body(tls=trusting) == LIST
        assert f"the certificate of {HOST} is not valid" in await client.error()


async def test_redirect_from_https_to_http_is_not_followed(tmp_path: Path) -> None:
    """R-F04."""
    serving, trusting = self_signed(tmp_path, HOST)
    async with ListServer(serving) as server:
        server.redirect(f"http://{HOST}:{server.port}/plain")
        client = Client(server, tmp_path)
        assert await client.error(tls=trusting) == f"{HOST} redirects from https to http"


async def test_local_list_is_read_from_the_list_folder(client: Client) -> None:
    """R-F05."""
    (client.folder / "lists" / "own list.txt").write_bytes(LIST)
    for url in ("file:own%20list.txt", f"file://{client.folder}/lists/own%20list.txt", "file://localhost"):
        if url == "file://localhost":
            url += f"{client.folder}/lists/own%20list.txt"
        assert await client.body(url) == LIST


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "link", "sub/../../secret", "missing", "%00"])
async def test_files_elsewhere_are_not_read(client: Client, path: str) -> None:
    """R-F05: neither by .., nor by an absolute path, nor by a symbolic link."""
    (client.folder / "secret").write_text("secret.example.org\n")
    (client.folder / "lists" / "sub").mkdir()
    (client.folder / "lists" / "link").symlink_to(client.folder / "secret")
    text = await client.error(f"file:{path}")
    assert "the list folder" in text


@pytest.mark.parametrize("path", ["pipe", "."])
async def test_only_ordinary_files_are_read(client: Client, path: str) -> None:
    """R-F05: a pipe would hang, a folder is no list."""
    os.mkfifo(client.folder / "lists" / "pipe")
    text = await client.error(f"file:{path}")
    assert text in (
        f"the list file {path!r} is not an ordinary file",
        f"the list file {path!r} cannot be read: Is a directory",
    )


async def test_local_list_has_a_limit_too(client: Client) -> None:
    (client.folder / "lists" / "large").write_bytes(b"x" * 2000)
    assert await client.error("file:large", max_bytes=1024) == "the body has more than 1024 octets"


async def test_file_of_another_host_is_refused(client: Client) -> None:
    """R-F05."""
    assert "not of another host" in await client.error("file://server.example.org/lists/x")


async def test_name_in_the_url_is_fit_to_be_shown(client: Client) -> None:
    """R-F14: no escape sequence reaches a terminal."""
    text = await client.error("\x1b[31mx://example.org/")
    assert text.isprintable()


async def test_content_type_is_fit_to_be_shown(client: Client) -> None:
    """R-F14."""
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\xc2\x9b31m\r\nContent-Length: 0\r\n\r\n"
    assert (await _raw_error(client, reply)).isprintable()
