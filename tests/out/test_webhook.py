"""Webhooks against a real HTTP server that takes, fails, hangs, redirects and lies; signatures; destinations."""

import asyncio
import base64
import hashlib
import hmac
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bench.servers import free_port
from sinkhole.app.out_senders import sender_of
from sinkhole.config.load import load_settings
from sinkhole.config.out_schema import OutSettings
from sinkhole.config.schema import Settings
from sinkhole.errors import ConfigError, OutError
from sinkhole.out import webhook as module
from sinkhole.out.json_format import to_json
from sinkhole.out.sender import RefusedError, WaitError, tls_context
from sinkhole.out.signature import key_from_text
from sinkhole.out.webhook import MAX_OCTETS, Secrets, Webhook
from tests.feeds.certificate import self_signed
from tests.out.events import HOSTILE_EVENTS, audit, handled, hit

AT = 1_700_000_000


class Hook:
    """Answers with `status`, or as `answer` says; keeps what it was sent."""

    def __init__(self):
        self.status = 200
        self.headers = {}
        self.answer = None
        self.seen = []

    async def handle(self, request):
        body = await request.read()
        self.seen.append((request, body))
        if self.answer is not None:
            return await self.answer(request, body)
        return web.Response(status=self.status, headers=self.headers, text="what the receiver says: \x1b[31m")


@asynccontextmanager
async def serving(tls=None):
    hook = Hook()
    server = web.Server(hook.handle)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield hook, runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def anywhere(_host):
    return ["127.0.0.1"]


@asynccontextmanager
async def posting(port, secrets=Secrets, **options):
    sender = Webhook(
        f"http://hook.example.org:{port}/in?k=1",
        to_json,
        anywhere,
        secrets,
        tls_context(None),
        wall=lambda: AT,
        **options,
    )
    try:
        yield sender
    finally:
        await sender.close()


async def test_a_batch_is_one_array_signed_with_its_time():
    """Standard Webhooks 1.0: HMAC-SHA256 over id, time stamp and body."""
    async with serving() as (hook, port), posting(port, lambda: Secrets(b"key", "Bearer x")) as sender:
        await sender.send([hit(1), hit(2), *HOSTILE_EVENTS])
        ((request, body),) = hook.seen
    assert [event["uid"] for event in json.loads(body)] == ["hit-1", "hit-2", "hit-1", "alert-1", "audit-1"]
    assert request.method == "POST"
    assert request.path_qs == "/in?k=1"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] == "Bearer x"
    assert request.headers["webhook-timestamp"] == str(AT)
    signed = f"{request.headers['webhook-id']}.{AT}.".encode() + body
    wanted = base64.b64encode(hmac.new(b"key", signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{wanted}"


async def test_lines_instead_of_an_array_and_no_secret():
    async with serving() as (hook, port), posting(port, is_lines=True) as sender:
        await sender.send([hit(1), hit(2)])
        ((request, body),) = hook.seen
    assert [json.loads(line)["uid"] for line in body.splitlines()] == ["hit-1", "hit-2"]
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert "webhook-signature" not in request.headers


def test_secrets_are_text_or_base64_behind_a_prefix():
    assert key_from_text("plain") == b"plain"
    assert key_from_text("whsec_a2V5") == b"key"
    with pytest.raises(OutError, match="wanted base64"):
        key_from_text("whsec_?")


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 408, 429, 500, 502, 503])
async def test_what_may_be_mended_is_waited_for(status):
    async with serving() as (hook, port), posting(port) as sender:
        hook.status, hook.headers = status, {"Location": "http://127.0.0.1:1/"}
        with pytest.raises(WaitError, match=f"hook.example.org answered with HTTP status {status}") as found:
            await sender.send([hit()])
        assert found.value.is_answer
        assert "receiver says" not in str(found.value)
        assert len(hook.seen) == 1, "a redirect is not followed"


async def test_a_receiver_says_how_long_to_wait():
    async with serving() as (hook, port), posting(port) as sender:
        for text, seconds in (("7", 7), ("99999", 3600), ("Fri, 31 Dec 1999 23:59:59 GMT", None), ("-1", None)):
            hook.status, hook.headers = 429, {"Retry-After": text}
            with pytest.raises(WaitError) as found:
                await sender.send([hit()])
            assert found.value.after == seconds


@pytest.mark.parametrize("status", [400, 415, 422])
async def test_what_is_about_the_content_is_refused(status):
    async with serving() as (hook, port), posting(port) as sender:
        hook.status = status
        with pytest.raises(RefusedError, match=f"HTTP status {status}"):
            await sender.send([hit()])


async def test_a_batch_that_is_too_large_is_sent_in_halves():
    async def most_two(_request, body):
        return web.Response(status=413 if len(json.loads(body)) > 2 else 204)

    async with serving() as (hook, port), posting(port) as sender:
        hook.answer = most_two
        await sender.send([hit(number) for number in range(5)])
        taken = [event["uid"] for _, body in hook.seen for event in json.loads(body) if len(json.loads(body)) <= 2]
        assert taken == [f"hit-{number}" for number in range(5)]
        hook.answer, hook.status = None, 413
        with pytest.raises(RefusedError, match="413"):
            await sender.send([hit()])


async def test_a_body_is_of_bounded_size():
    async with serving() as (hook, port), posting(port) as sender:
        await sender.send([audit(number, before=json.dumps("x" * 400_000)) for number in range(4)])
        assert [len(json.loads(body)) for _, body in hook.seen] == [2, 2]
        assert all(len(body) < MAX_OCTETS + 1000 for _, body in hook.seen)


async def test_a_receiver_that_hangs_holds_nobody_for_long(monkeypatch):
    async def hang(_request, _body):
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "SEND_WITHIN", 0.1)
    async with serving() as (hook, port), posting(port) as sender:
        hook.answer = hang
        with pytest.raises(WaitError, match="no answer in time") as found:
            await sender.send([hit()])
        assert not found.value.is_answer


async def test_a_receiver_that_hangs_up_or_speaks_no_http():
    async def nonsense(reader, writer):
        await reader.read(100)
        writer.write(b"SSH-2.0-x\r\n\r\n")
        writer.close()

    async with handled(nonsense) as port, posting(port) as sender:
        with pytest.raises(WaitError, match=r"did not speak HTTP|closed the connection"):
            await sender.send([hit()])
    async with posting(free_port()) as sender:
        with pytest.raises(WaitError, match=r"hook\.example\.org: Connection refused"):
            await sender.send([hit()])


async def test_tls_is_checked(tmp_path):
    serve, trusting = self_signed(tmp_path, "hook.example.org")
    async with serving(serve) as (hook, port):
        url = f"https://hook.example.org:{port}/"
        for tls, is_good in ((trusting, True), (tls_context(None), False)):
            sender = Webhook(url, to_json, anywhere, Secrets, tls)
            if is_good:
                await sender.send([hit()])
            else:
                with pytest.raises(WaitError, match="certificate is not valid"):
                    await sender.send([hit()])
            await sender.close()
        assert len(hook.seen) == 1


def made(resolve, **fields):
    out = OutSettings(name="a", kind="webhook", **fields)
    return sender_of(out, Settings(), resolve)


async def resolve_to(address):
    async def resolve(_host):
        return [address]

    return resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
    ],
)
async def test_addresses_inside_the_network_are_not_posted_to(address):
    """CWE-918: as for feeds; a name that leads there is refused each time it is looked up."""
    sender = made(await resolve_to(address), target="https://hook.example.org/")
    with pytest.raises(WaitError, match=r"hook.example.org has the address .*(would permit it|no receiver can be)$"):
        await sender.send([hit()])
    await sender.close()


@pytest.mark.parametrize("literal", ["127.0.0.1", "[::1]", "169.254.169.254"])
async def test_literal_addresses_inside_the_network_neither(literal):
    sender = made(await resolve_to("192.0.2.1"), target=f"https://{literal}/")
    with pytest.raises(WaitError, match=r"is inside the network|is where no receiver can be"):
        await sender.send([hit()])
    await sender.close()


async def test_permitted_is_what_was_permitted_and_metadata_services_never():
    async with serving() as (hook, port):
        sender = made(await resolve_to("127.0.0.1"), target=f"http://hook.example.org:{port}/", allow_private=True)
        await sender.send([hit()])
        assert len(hook.seen) == 1
        await sender.close()
    sender = made(await resolve_to("169.254.169.254"), target="http://hook.example.org/", allow_private=True)
    with pytest.raises(WaitError, match=r"169\.254\.169\.254, which is where no receiver can be"):
        await sender.send([hit()])
    await sender.close()


async def test_plain_http_does_not_leave_the_network():
    sender = made(await resolve_to("8.8.8.8"), target="http://hook.example.org/", allow_private=True)
    with pytest.raises(WaitError, match="outside the network, so it is only sent to over https"):
        await sender.send([hit()])
    await sender.close()


async def test_secrets_are_read_from_files_at_each_request(tmp_path):
    secret, bearer = tmp_path / "secret", tmp_path / "bearer"
    secret.write_text("one\n")
    bearer.write_text("Splunk 123\nmore\n")
    async with serving() as (hook, port):
        sender = made(
            await resolve_to("127.0.0.1"), target=f"http://h.example.org:{port}/", allow_private=True,
            secret_file=secret, authorization_file=bearer,
        )  # fmt: skip
        await sender.send([hit()])
        secret.write_text("two\n")
        await sender.send([hit()])
        first, second = (request.headers for request, _ in hook.seen)
        assert first["webhook-signature"] != second["webhook-signature"]
        assert first["Authorization"] == "Splunk 123"
        bearer.write_text("a\x07b")
        with pytest.raises(WaitError, match="wanted a line of printable ASCII"):
            await sender.send([hit()])
        bearer.unlink()
        with pytest.raises(WaitError, match="cannot be read: No such file"):
            await sender.send([hit()])
        await sender.close()


def test_a_secret_is_no_setting():
    with pytest.raises(ConfigError, match="there is no such setting"):
        load_settings(None, {"SINKHOLE_OUT": '[{ name = "a", kind = "webhook", secret = "x" }]'}, {})
