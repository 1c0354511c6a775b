"""Settings of what leaves Sinkhole: receivers of hits, alerts and audit entries, mail, reports, metrics.

No secret is a setting: each is in a file of its own, which is read when it is needed.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sinkhole.config.section import Section

Kind = Literal["file", "stdout", "syslog", "webhook", "dnstap", "mail"]
EventKind = Literal["hits", "alerts", "audit"]
What = EventKind | Literal["reports"]
Format = Literal["json", "text", "cef", "ocsf"]
AlertKind = Literal["new-vendor", "first-after-ban", "feed-quarantined", "recorder-dropping", "bypass-suspected"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")


def _is_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("wanted a name of lower-case letters, digits and -, 32 at most")
    return text


def mailbox_from_text(text: str) -> str:
    """Check an address of mail; raise ValueError for what is none, or could end a header."""
    if not _MAILBOX.fullmatch(text):
        raise ValueError("wanted an address such as soc@example.org")
    return text


Mailbox = Annotated[str, AfterValidator(mailbox_from_text)]


class OutSettings(Section):
    """One receiver (`[[out]]`, as many as wanted); see docs/out.md."""

    name: Annotated[str, AfterValidator(_is_name)] = Field(
        description="What it is called; where it stopped is remembered under this name."
    )
    kind: Kind = Field(description="How it is reached.")
    target: str = Field(
        "",
        max_length=2000,
        description="file: a path; syslog: udp://, tcp:// or tls://HOST[:PORT]; webhook: an https:// URL; "
        "dnstap: unix:PATH or tcp://HOST:PORT; mail: addresses with commas between; stdout: nothing.",
    )
    what: tuple[What, ...] = Field(
        ("hits",), min_length=1, description="Which of hits, alerts, audit and reports it is sent."
    )
    format: Format | None = Field(
        None, description="json, text (syslog only), cef or ocsf; unset: text for syslog, else json."
    )
    lines: bool = Field(False, description="webhook: JSON lines as the body, instead of one JSON array.")
    skip_groups: tuple[str, ...] = Field((), description="Groups whose hits it is not sent.")
    clients: Literal["recorded", "pseudonym", "none"] = Field(
        "recorded", description="How clients are told: as they are recorded (record.clients), or less."
    )
    allow_private: bool = Field(False, description="webhook: permit an address inside the network, and http:// there.")
    ca_file: Path | None = Field(None, description="Certificate authorities for its TLS; unset: the system's.")
    certificate: Path | None = Field(None, description="syslog over TLS: PEM file of our certificate and its key.")
    secret_file: Path | None = Field(None, description="webhook: file with the secret that requests are signed with.")
    authorization_file: Path | None = Field(
        None, description="webhook: file with the value of the header Authorization."
    )
    batch: int = Field(500, ge=1, le=5000, description="Events sent at once.")
    max_mib: int = Field(100, ge=1, le=100_000, description="file: MiB after which a new file is begun.")
    keep: int = Field(5, ge=1, le=100, description="file: files kept beside the one that is written.")
    give_up: int = Field(
        86_400,
        ge=0,
        le=2_592_000,
        description="webhook: seconds after which what it answers with an error goes to the dead-letter file.",
    )
    dead_letter_mib: int = Field(16, ge=1, le=10_000, description="webhook: size of the dead-letter file in MiB.")


class AlertSettings(Section):
    """What is worth an alert; it is sent to each `[[out]]` whose `what` has alerts."""

    kinds: tuple[AlertKind, ...] = Field(
        ("new-vendor", "first-after-ban", "feed-quarantined", "recorder-dropping", "bypass-suspected"),
        description="Which alerts there are.",
    )
    watch: bool = Field(False, description="Look for them also where no `[[out]]` takes alerts.")
    new_vendor_days: int = Field(30, ge=1, le=1800, description="Days without a hit after which a vendor is new again.")
    bypass_score: int = Field(50, ge=1, le=100, description="Score of `sinkhole report bypass` that is suspicious.")
    period: int = Field(86_400, ge=60, le=2_592_000, description="Seconds in which the same cause is told once.")


class MailSettings(Section):
    """The mail server for alerts and reports."""

    server: str = Field("", max_length=260, description="HOST:PORT of the server; empty: no mail is sent.")
    tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls: required before anything is said (RFC 3207); tls: from the start (RFC 8314)."
    )
    sender: Mailbox = Field("sinkhole@localhost", description="Address that mails come from.")
    user: str = Field("", max_length=200, description="User name at the server; empty: none.")
    password_file: Path | None = Field(None, description="File with the password.")
    ca_file: Path | None = Field(None, description="Certificate authorities of the server; unset: the system's.")


class ReportMailSettings(Section):
    """The report of who tried which vendor, by mail, and to each webhook whose `what` has reports."""

    every: Literal["never", "day", "week"] = Field("never", description="How often; a week begins on Monday.")
    to: tuple[Mailbox, ...] = Field((), max_length=50, description="Addresses it is mailed to.")
    hour: int = Field(6, ge=0, le=23, description="Hour of local time from which on it is sent.")


class MetricsSettings(Section):
    """Figures for Prometheus (`/metrics`), and health for whoever restarts or balances (`/healthz`, `/readyz`)."""

    listen: tuple[str, ...] = Field(
        (), description="Addresses they are served on, as ADDRESS:PORT or [IPV6]:PORT; empty: nowhere."
    )
