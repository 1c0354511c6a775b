"""Read the targets of receivers, and say what in the settings of a receiver does not fit together."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from sinkhole.config.out_schema import Format, MailSettings, OutSettings, ReportMailSettings, mailbox_from_text
from sinkhole.errors import OutError

SYSLOG_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
"""RFC 5426, 6587 and 5425; of TCP the one that IANA gives to syslog-conn."""
_FORMATS: dict[str, tuple[Format, ...]] = {
    "file": ("json", "cef", "ocsf"), "stdout": ("json", "cef", "ocsf"), "syslog": ("text", "json", "cef", "ocsf"),
    "webhook": ("json", "ocsf"), "dnstap": (), "mail": (),
}  # fmt: skip
_WHATS = {"dnstap": ("hits",), "mail": ("alerts",)}
_OF_ONE_KIND = {
    "allow_private": ("webhook",), "ca_file": ("webhook", "syslog"), "certificate": ("syslog",),
    "secret_file": ("webhook",), "authorization_file": ("webhook",), "lines": ("webhook",), "max_mib": ("file",),
    "keep": ("file",), "give_up": ("webhook",), "dead_letter_mib": ("webhook", "mail"),
}  # fmt: skip
"""Settings that mean something for some kinds only; another kind that has one was misunderstood."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a connection goes: `scheme` is udp, tcp, tls or unix; of unix `host` is the path."""

    scheme: str
    host: str
    port: int = 0

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}" if self.port else f"{self.scheme}:{self.host}"


def syslog_address(target: str) -> Address:
    """Read the target of syslog; raises OutError."""
    return _address(target, SYSLOG_PORTS, "udp://, tcp:// or tls://HOST[:PORT]")


def dnstap_address(target: str) -> Address:
    """Read the target of dnstap; raises OutError."""
    scheme, colon, path = target.partition(":")
    if scheme == "unix" and colon:
        if not path.startswith("/") or len(path.encode()) > 107 or "\0" in path:
            raise OutError(f"wanted unix: and an absolute path of at most 107 octets; found {target!r}")
        return Address("unix", path)
    return _address(target, {"tcp": 0}, "unix:PATH or tcp://HOST:PORT")


def webhook_url(target: str, *, allow_private: bool) -> str:
    """Check the target of a webhook and return it; raises OutError."""
    url = _split(target)
    if url is None or url.scheme not in ("https", "http") or not url.hostname:
        raise OutError(f"wanted a URL with https://; found {target!r}")
    if url.username is not None or url.password is not None:
        raise OutError("wanted a URL without a password in it; authorization_file holds what it needs")
    if url.scheme == "http" and not allow_private:
        raise OutError("wanted https://; http:// is for addresses inside the network, with allow_private = true")
    return target


def file_path(target: str) -> Path:
    """Check the target of a file and return it; raises OutError."""
    path = Path(target)
    if not path.is_absolute() or not path.name or "\0" in target:
        raise OutError(f"wanted an absolute path of a file; found {target!r}")
    return path


def mailboxes(target: str) -> tuple[str, ...]:
    """Read the target of mail; raises OutError."""
    found = tuple(word.strip() for word in target.split(",") if word.strip())
    for word in found:
        try:
            mailbox_from_text(word)
        except ValueError as error:
            raise OutError(f"{error}; found {word!r}") from None
    if not found:
        raise OutError("wanted the addresses of who is to be told, with commas between")
    return found


def mail_server(server: str) -> tuple[str, int]:
    """Read `mail.server`; raises OutError."""
    url = _split(f"//{server}")
    if url is None or not url.hostname or url.port is None or url.path or url.username is not None:
        raise OutError(f"wanted HOST:PORT; found {server!r}")
    return url.hostname, url.port


def format_of(out: OutSettings) -> Format:
    """Return the format of a receiver: what is set, else that of its kind."""
    return out.format or ("text" if out.kind == "syslog" else "json")


def mistakes_of(outs: Sequence[OutSettings], mail: MailSettings, report: ReportMailSettings) -> Iterator[str]:
    """Yield what is wrong, each with its path."""
    names = [out.name for out in outs]
    for index, out in enumerate(outs):
        for key, said in _mistakes(out, mail):
            yield f"out[{index}].{key} ({out.name}): {said}"
        if out.name in names[:index]:
            yield f"out[{index}].name: another receiver is called {out.name!r} too"
        for other in outs[:index]:
            if mistake := _file_mistake(out, other):
                yield f"out[{index}].target ({out.name}): {mistake}"
                break
    if mail.server:
        try:
            mail_server(mail.server)
        except OutError as error:
            yield f"mail.server: {error}"
    if mail.tls == "none" and mail.user:
        yield "mail.tls: a password is not sent in the clear; use starttls or tls"
    if bool(mail.user) != (mail.password_file is not None):
        yield "mail.user: a user has a password_file, and the other way round"
    yield from _report_mistakes(outs, mail, report)


def _report_mistakes(outs: Sequence[OutSettings], mail: MailSettings, report: ReportMailSettings) -> Iterator[str]:
    hooks = [index for index, out in enumerate(outs) if "reports" in out.what]
    if report.every == "never":
        for index in hooks:
            yield f"out[{index}].what ({outs[index].name}): reports are sent as report_mail.every says, which is never"
    elif report.to and not mail.server:
        yield "report_mail.to: a report by mail needs mail.server"
    elif not report.to and not hooks:
        yield "report_mail.every: a report needs report_mail.to and mail.server, or a webhook whose what has reports"


def _mistakes(out: OutSettings, mail: MailSettings) -> Iterator[tuple[str, str]]:
    try:
        check_target(out)
    except OutError as error:
        yield "target", str(error)
    if out.format is not None and out.format not in _FORMATS[out.kind]:
        wanted = " or ".join(_FORMATS[out.kind])
        yield "format", f"{out.kind} is sent as {wanted}" if wanted else f"{out.kind} has a form of its own"
    allowed = _WHATS.get(out.kind)
    if allowed and set(out.what) - set(allowed):
        yield "what", f'{out.kind} is for {" and ".join(allowed)} only: what = ["{allowed[0]}"]'
    elif format_of(out) == "ocsf" and "audit" in out.what:
        yield "what", "the audit log has no class in OCSF; send it as json, text or cef"
    elif "reports" in out.what and (out.kind != "webhook" or format_of(out) != "json"):
        yield "what", "reports are sent to a webhook as json, and by mail as report_mail.to says"
    for key in sorted(out.model_fields_set & _OF_ONE_KIND.keys()):
        if out.kind not in _OF_ONE_KIND[key]:
            yield key, f"means nothing for {out.kind}; it is for {' and '.join(_OF_ONE_KIND[key])}"
    if out.kind == "mail" and not mail.server:
        yield "kind", "mail needs mail.server"


def _file_mistake(out: OutSettings, other: OutSettings) -> str | None:
    """Return what two receivers would do to the same file."""
    if not out.kind == other.kind == "file":
        return None
    mine, theirs = (Path(os.path.realpath(one.target)) if "\0" not in one.target else None for one in (out, other))
    if mine is None or theirs is None:  # told by itself
        return None
    if mine == theirs:
        return f"{other.name!r} writes to this file; each receiver has a file of its own"
    for older, newer, keep in ((mine, theirs, other.keep), (theirs, mine, out.keep)):
        number = older.name.removeprefix(f"{newer.name}.")
        if older.parent == newer.parent and number != older.name and number.isdecimal() and int(number) <= keep:
            return f"{older} is what {newer} is called after it was turned over; give one of them another name"
    return None


def check_target(out: OutSettings) -> None:
    """Raise OutError where the target of a receiver is none of its kind."""
    match out.kind:
        case "file":
            file_path(out.target)
        case "stdout":
            if out.target:
                raise OutError("stdout has no target")
        case "syslog":
            syslog_address(out.target)
        case "webhook":
            webhook_url(out.target, allow_private=out.allow_private)
        case "dnstap":
            dnstap_address(out.target)
        case "mail":
            mailboxes(out.target)


def _address(target: str, ports: dict[str, int], wanted: str) -> Address:
    url = _split(target)
    is_bare = url is not None and not (url.path.strip("/") or url.query or url.fragment or url.username)
    if url is None or url.scheme not in ports or not url.hostname or not is_bare:
        raise OutError(f"wanted {wanted}; found {target!r}")
    port = url.port or ports[url.scheme]
    if not port:
        raise OutError(f"wanted {wanted}; found {target!r}, without a port")
    return Address(url.scheme, url.hostname, port)


def _split(text: str) -> SplitResult | None:
    """Return the parts of a URL, None where it is none; `urlsplit` drops control characters, which none may have."""
    if not text.isprintable() or " " in text:
        return None
    try:
        url = urlsplit(text)
        _ = url.port  # read late, and may be no number
    except ValueError:
        return None
    return url
