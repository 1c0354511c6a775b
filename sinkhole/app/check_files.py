"""Look at the files that settings name: certificates, keys, secrets. They come and go, so a server starts without them.

What needs a file that is missing tries again; `sinkhole config check` refuses it, and a start says so.
"""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

from sinkhole.app.check_settings import mistakes_of
from sinkhole.certificate_file import load_certificate
from sinkhole.config.out_schema import OutSettings
from sinkhole.config.schema import Settings
from sinkhole.errors import SinkholeError
from sinkhole.out.sender import read_secret, tls_context
from sinkhole.out.signature import key_from_text


def every_mistake_of(settings: Settings) -> list[str]:
    """Return what is wrong with the settings, and with the files that they name."""
    return [*mistakes_of(settings), *file_mistakes_of(settings)]


def file_mistakes_of(settings: Settings) -> list[str]:
    """Return which files cannot be used by whoever runs this, each with the path of its setting."""
    return [f"config: {mistake}" for mistake in _mistakes(settings)]


def _mistakes(settings: Settings) -> Iterator[str]:
    admin, mail = settings.admin, settings.mail
    if admin.enabled and admin.certificate is not None and admin.key is not None:
        yield from _certificate("admin.certificate", admin.certificate, admin.key)
    yield from _authorities("upstream.ca_file", settings.upstream.ca_file)
    if mail.server:
        yield from _authorities("mail.ca_file", mail.ca_file)
        yield from _secret("mail.password_file", mail.password_file)
    for index, out in enumerate(settings.out):
        yield from _out_mistakes(f"out[{index}]", out)


def _out_mistakes(path: str, out: OutSettings) -> Iterator[str]:
    name = f" ({out.name})"
    yield from _authorities(f"{path}.ca_file{name}", out.ca_file)
    if out.certificate is not None:
        yield from _certificate(f"{path}.certificate{name}", out.certificate, None)
    if out.secret_file is not None:
        secret = out.secret_file
        yield from _told(f"{path}.secret_file{name}", lambda: key_from_text(read_secret(secret)))
    yield from _secret(f"{path}.authorization_file{name}", out.authorization_file)


def _certificate(path: str, certificate: Path, key: Path | None) -> Iterator[str]:
    yield from _told(path, lambda: load_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, key))


def _authorities(path: str, file: Path | None) -> Iterator[str]:
    if file is not None:
        yield from _told(path, lambda: tls_context(file))


def _secret(path: str, file: Path | None) -> Iterator[str]:
    if file is not None:
        yield from _told(path, lambda: read_secret(file))


def _told(path: str, look: Callable[[], object]) -> Iterator[str]:
    try:
        look()
    except SinkholeError as error:
        yield f"{path}: {error}"
