"""Make what brings events to a receiver from its settings."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sinkhole.app.feed_sync import resolver_of
from sinkhole.app.webhook_hosts import lookup_of
from sinkhole.config.out_schema import OutSettings
from sinkhole.config.schema import Settings
from sinkhole.errors import OutError, StoreError
from sinkhole.out.cef import to_cef
from sinkhole.out.dead_letter import DeadLetters
from sinkhole.out.dnstap import Dnstap
from sinkhole.out.event import Event
from sinkhole.out.json_format import to_json
from sinkhole.out.line_file import LineFile, StandardOutput
from sinkhole.out.mail import AlertMail
from sinkhole.out.ocsf import to_ocsf
from sinkhole.out.sender import Sender, read_secret, tls_context
from sinkhole.out.signature import key_from_text
from sinkhole.out.syslog import SyslogDatagrams, SyslogStream
from sinkhole.out.syslog_message import to_syslog
from sinkhole.out.target import (
    check_target,
    dnstap_address,
    file_path,
    format_of,
    mailboxes,
    syslog_address,
    webhook_url,
)
from sinkhole.out.webhook import Secrets, Webhook
from sinkhole.store.pseudonym import client_writer
from sinkhole.upstream.forwarder import Forwarder

FOLDER = "out"
"""Below the data folder: what receivers refused."""
_MIB = 1024 * 1024
_WRITERS: dict[str, Callable[[Event], str]] = {"json": to_json, "cef": to_cef, "ocsf": to_ocsf}


@asynccontextmanager
async def open_senders(settings: Settings) -> AsyncIterator[Callable[[OutSettings], Sender]]:
    """Give what makes a sender; look-ups of webhooks go to the configured upstreams (R-F11).

    What it gives raises OutError where a file that the receiver needs cannot be used.
    """
    forwarder = Forwarder(settings.upstream, listen=settings.server.listen)
    resolve = resolver_of(forwarder)
    try:
        yield lambda out: sender_of(out, settings, resolve)
    finally:
        await forwarder.close()


def sender_of(out: OutSettings, settings: Settings, resolve: Callable[[str], Awaitable[list[str]]]) -> Sender:
    """Return what brings events to a receiver; raises OutError."""
    check_target(out)
    form = format_of(out)
    write = _WRITERS.get(form, to_json)
    match out.kind:
        case "file":
            return LineFile(file_path(out.target), write, out.max_mib * _MIB, out.keep)
        case "stdout":
            return StandardOutput(write)
        case "syslog":
            address = syslog_address(out.target)
            if address.scheme == "udp":
                return SyslogDatagrams(address, lambda event: to_syslog(event, form))
            tls = tls_context(out.ca_file, out.certificate) if address.scheme == "tls" else None
            return SyslogStream(address, lambda event: to_syslog(event, form), tls)
        case "webhook":
            url = webhook_url(out.target, allow_private=out.allow_private)
            lookup = lookup_of(resolve, allow_private=out.allow_private)
            tls = tls_context(out.ca_file)
            return Webhook(url, write, lookup, lambda: _secrets(out), tls, is_lines=out.lines)
        case "dnstap":
            return Dnstap(dnstap_address(out.target))
        case "mail":
            return AlertMail(settings.mail, mailboxes(out.target))


def dead_letters_of(out: OutSettings, folder: Path) -> DeadLetters | None:
    """Return where what a receiver refuses is kept; None for one that can refuse nothing."""
    if out.kind not in ("webhook", "mail"):
        return None
    return DeadLetters(folder / FOLDER / f"{out.name}.jsonl", out.dead_letter_mib * _MIB)


def client_text_of(out: OutSettings, settings: Settings) -> Callable[[str], str]:
    """Return what turns a client as it is stored into what a receiver is told; never more than is stored.

    Raises:
        OutError: the key of pseudonyms cannot be read or made.
    """
    if out.clients == "none":
        return lambda _client: ""
    if out.clients == "recorded" or settings.record.clients != "full":
        return lambda client: client
    try:
        return client_writer("pseudonym", settings.server.data_dir)
    except StoreError as error:
        raise OutError(str(error)) from error


def _secrets(out: OutSettings) -> Secrets:
    return Secrets(
        None if out.secret_file is None else key_from_text(read_secret(out.secret_file)),
        None if out.authorization_file is None else read_secret(out.authorization_file),
    )
