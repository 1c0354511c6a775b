"""Mail against a real SMTP server: STARTTLS, passwords, refusals, and headers that nothing can be slipped into."""

import asyncio
import email
import email.policy
import socket
from contextlib import contextmanager

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from bench.servers import free_port
from sinkhole.config.out_schema import MailSettings
from sinkhole.out import mail as module
from sinkhole.out.mail import AlertMail, send_mail
from sinkhole.out.sender import RefusedError, WaitError
from tests.out.events import HOSTILE, alert, handled
from tests.upstream.certificates import Authority

TO = ("soc@example.org", "it@example.org")


class Box:
    """Keeps mails; `refusal` is what DATA is answered with instead."""

    def __init__(self):
        self.mails = []
        self.refusal = None

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.refusal:
            return self.refusal
        self.mails.append((envelope, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"ann", b"secret"), handled=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@contextmanager
def serving(**options):
    box = Box()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def plain():
    with serving() as found:
        yield found


def settings(port, **fields):
    return MailSettings(**({"server": f"127.0.0.1:{port}", "tls": "none", "sender": "sinkhole@example.org"} | fields))


async def test_a_report_is_plain_text_and_a_page(plain):
    """RFC 2046, section 5.1.4: the simplest first."""
    box, port = plain
    box.mails.clear()
    await send_mail(settings(port), TO, "Sinkhole: report", "2 vendors", "<!doctype html><p>2 vendors</p>")
    ((_, message),) = box.mails
    assert message.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part.get_content().strip()) for part in message.iter_parts()]
    assert parts == [("text/plain", "2 vendors"), ("text/html", "<!doctype html><p>2 vendors</p>")]


async def test_an_alert_is_a_mail_of_plain_text(plain):
    box, port = plain
    box.mails.clear()
    await AlertMail(settings(port), TO).send([alert(text="deepseek was asked for", facts={"name": "x.example.org"})])
    ((envelope, message),) = box.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("sinkhole@example.org", list(TO))
    assert message["Subject"] == "Sinkhole: deepseek was asked for"
    assert message["To"] == "soc@example.org, it@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.org>")
    assert message.get_content_type() == "text/plain"
    assert "  name: x.example.org" in message.get_content()


async def test_several_alerts_are_one_mail_and_none_is_none(plain):
    box, port = plain
    box.mails.clear()
    await AlertMail(settings(port), TO).send([alert(1), alert(2, text="and this")])
    await AlertMail(settings(port), TO).send([])
    ((_, message),) = box.mails
    assert message["Subject"] == "Sinkhole: 2 alerts"
    assert "and this" in message.get_content()


@pytest.mark.parametrize("text", [HOSTILE, "x\r\nBcc: all@example.org\r\n\r\nbody", "x\nTo: y", "ü" * 400, "\u2028x"])
async def test_nothing_can_be_slipped_into_the_headers(plain, text):
    box, port = plain
    box.mails.clear()
    await AlertMail(settings(port), TO).send([alert(text=text, facts={"name": text})])
    ((envelope, message),) = box.mails
    assert envelope.rcpt_tos == list(TO)
    assert message["Bcc"] is None
    assert message["To"] == "soc@example.org, it@example.org"
    assert message["Subject"].startswith("Sinkhole: ")
    assert len(message["Subject"]) <= 150
    assert not [c for c in message.get_content().replace("\r\n", "\n") if ord(c) < 32 and c != "\n"]


async def test_starttls_is_required_and_the_password_comes_after_it(authority, tmp_path):
    password = tmp_path / "password"
    password.write_text("secret\n")
    fields = {"tls": "starttls", "user": "ann", "password_file": password, "ca_file": authority.ca_file}
    with serving(
        tls_context=authority.server("127.0.0.1"), authenticator=login, auth_required=True, require_starttls=True
    ) as (box, port):
        await send_mail(settings(port, **fields), TO, "hello", "text")
        assert box.mails[0][1]["Subject"] == "hello"
        password.write_text("wrong\n")
        with pytest.raises(WaitError, match="answered with 535"):
            await send_mail(settings(port, **fields), TO, "hello", "text")
        with pytest.raises(WaitError, match="its certificate is not valid"):
            await send_mail(settings(port, **(fields | {"ca_file": None})), TO, "hello", "text")
        password.unlink()
        with pytest.raises(Exception, match="cannot be read: No such file"):
            await send_mail(settings(port, **fields), TO, "hello", "text")


async def test_a_server_without_starttls_is_told_nothing(plain):
    box, port = plain
    box.mails.clear()
    with pytest.raises(WaitError, match="it offers no STARTTLS"):
        await send_mail(settings(port, tls="starttls"), TO, "hello", "text")
    assert box.mails == []


@pytest.mark.parametrize(
    ("answer", "error"), [("452 full", WaitError), ("554 never \x1b[31m", RefusedError), ("421 later", WaitError)]
)
async def test_refusals_are_for_now_or_for_good(plain, answer, error):
    """RFC 5321, section 4.2.1; what the server said is not repeated."""
    box, port = plain
    box.refusal = answer
    try:
        with pytest.raises(error, match=f"answered with {answer[:3]}$"):
            await send_mail(settings(port), TO, "hello", "text")
    finally:
        box.refusal = None


async def test_servers_that_are_away_or_hang(monkeypatch):
    with pytest.raises(WaitError, match="Connection refused"):
        await send_mail(settings(free_port()), TO, "hello", "text")
    monkeypatch.setattr(module, "SEND_WITHIN", 0.1)

    async def hang(_reader, writer):
        await asyncio.sleep(1)
        writer.close()

    async with handled(hang) as port:
        with pytest.raises(WaitError, match="no answer in time"):
            await send_mail(settings(port), TO, "hello", "text")
