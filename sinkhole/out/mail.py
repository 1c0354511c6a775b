"""Send alerts and reports by mail: plain text, a report also as HTML, over STARTTLS (RFC 3207) or TLS (RFC 8314).

No header can be slipped in: addresses are of letters that cannot end one, subjects become one line of visible text, and
the message is built by the standard library, which refuses line breaks in headers.
"""

import asyncio
import smtplib
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import TypeVar

from sinkhole.config.out_schema import MailSettings
from sinkhole.errors import OutError
from sinkhole.noted import Alert
from sinkhole.out.event import Event
from sinkhole.out.sender import SEND_WITHIN, RefusedError, WaitError, read_secret, tls_context, why
from sinkhole.out.target import mail_server
from sinkhole.out.words import utc_text, visible

_LONGEST_SUBJECT = 150
_Result = TypeVar("_Result")


class AlertMail:
    """Send alerts to some addresses, all of a batch in one mail.

    Args:
        settings: the mail server.
        to: addresses.
    """

    def __init__(self, settings: MailSettings, to: Sequence[str]) -> None:
        self._settings = settings
        self._to = tuple(to)

    async def send(self, events: Sequence[Event]) -> None:
        """Send them; raises WaitError and RefusedError."""
        alerts = [event for event in events if isinstance(event, Alert)]
        if alerts:
            subject = alerts[0].text if len(alerts) == 1 else f"{len(alerts)} alerts"
            await send_mail(self._settings, self._to, f"Sinkhole: {subject}", "\n".join(map(_paragraph, alerts)))

    async def close(self) -> None:
        """Have nothing to release."""


async def send_mail(
    settings: MailSettings, to: Sequence[str], subject: str, text: str, html: str | None = None
) -> None:
    """Send one mail.

    Args:
        text: plain text.
        html: the same as a page, for programs that show one (RFC 2046, section 5.1.4).

    Raises:
        WaitError: the server is away, or says that it may take it later.
        RefusedError: it never will.
    """
    message = _message(settings, to, subject, text, html)
    try:
        await _in_thread(lambda: _send(settings, to, message))
    except OutError:
        raise
    except smtplib.SMTPResponseException as error:  # what it said may be anything, so its number only
        raise _refusal(error.smtp_code)(f"{settings.server} answered with {error.smtp_code}") from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _refusal(max(codes))(f"{settings.server} takes mail for none of the addresses") from error
    except smtplib.SMTPException as error:
        raise WaitError(f"{settings.server}: {_explain(error)}") from error
    except OSError as error:
        raise WaitError(f"{settings.server}: {why(error)}") from error


def _refusal(code: int) -> type[WaitError] | type[RefusedError]:
    """A code of 5xx is for good (RFC 5321, section 4.2.1); that the password is wrong may be mended."""
    return RefusedError if 500 <= code < 600 and code not in (530, 534, 535) else WaitError


def _message(
    settings: MailSettings, to: Sequence[str], subject: str, text: str, html: str | None = None
) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.sender
    message["To"] = ", ".join(to)
    message["Subject"] = visible(subject)[:_LONGEST_SUBJECT]
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=settings.sender.partition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # so that no holiday notice comes back (RFC 3834)
    message.set_content("\n".join(map(visible, text.splitlines())) + "\n")
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def _paragraph(alert: Alert) -> str:
    facts = "".join(f"  {key}: {value}\n" for key, value in alert.facts.items())
    return f"{utc_text(alert.at)}  {alert.kind}\n{visible(alert.text)}\n{facts}"


def _send(settings: MailSettings, to: Sequence[str], message: EmailMessage) -> None:
    host, port = mail_server(settings.server)
    with _connected(settings, host, port) as server:
        if settings.user and settings.password_file is not None:
            server.login(settings.user, read_secret(settings.password_file))
        server.send_message(message, settings.sender, list(to))


def _connected(settings: MailSettings, host: str, port: int) -> smtplib.SMTP:
    if settings.tls == "none":
        return smtplib.SMTP(host, port, timeout=SEND_WITHIN)
    context = tls_context(settings.ca_file)
    if settings.tls == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=SEND_WITHIN, context=context)
    server = smtplib.SMTP(host, port, timeout=SEND_WITHIN)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _explain(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "it offers no STARTTLS, or no way to log in"
    if isinstance(error.__context__, TimeoutError):  # what the library makes of one
        return "no answer in time"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "it closed the connection"
    return "it did not speak SMTP"


async def _in_thread(work: Callable[[], _Result]) -> _Result:
    """Run what blocks in a thread that nobody waits for at the end: a mail server may hang for half a minute."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def finish(result: _Result | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            outcome: tuple[_Result | None, BaseException | None] = (work(), None)
        except Exception as error:
            outcome = (None, error)
        if not loop.is_closed():
            loop.call_soon_threadsafe(finish, *outcome)

    threading.Thread(target=run, name="mail", daemon=True).start()
    return await done
