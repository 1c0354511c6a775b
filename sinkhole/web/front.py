"""Serve the admin side inside the control process: bound again where it was not free, ended in a moment at a stop.

A fault here is logged and served again after a while; it ends nothing else.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from sinkhole.app.accounts import first_link
from sinkhole.app.bounded_site import LOOPBACK, BoundedSite, site_limits
from sinkhole.app.metrics_site import Figures
from sinkhole.certificate_file import load_certificate
from sinkhole.config.schema import AdminSettings, Settings
from sinkhole.errors import ConfigError, ListenError, SinkholeError, StoreError
from sinkhole.log import Log
from sinkhole.transport.addresses import parse_listen
from sinkhole.web.context import Context, Status, make_context
from sinkhole.web.in_hand import MOST, MOST_OF_CLIENT
from sinkhole.web.site import make_site

KEEP_ALIVE = 20.0
"""Seconds that a connection may be idle, also before its first request."""
CONNECTION = {"keepalive_timeout": KEEP_ALIVE, "max_line_size": 8190, "max_field_size": 8190, "max_headers": 100}
"""What a connection may be, and a request on it, as aiohttp has it."""
_STOP_WITHIN = 0.5
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0
"""Seconds until it is tried again, doubled each time."""
_LOOK_EVERY = 30.0
_LOG = Log("admin")


async def serve(
    settings: Settings, status: Status, until_open: Callable[[], Awaitable[None]], figures: Figures | None = None
) -> None:
    """Serve until cancelled.

    Args:
        status: asks the control process how it stands.
        until_open: returns when the store is open.
        figures: makes `/metrics` and health; None: they are not served.
    """
    await until_open()
    wait = _FIRST_WAIT
    while True:
        try:
            await _serve_once(settings, status, figures)
        except (SinkholeError, OSError) as error:
            _LOG.warning("admin.not_served", why=error, again_in=wait)
        except Exception:
            _LOG.exception("admin.failed", again_in=wait)
        await asyncio.sleep(wait)
        wait = min(_LONGEST_WAIT, wait * 2)


async def _serve_once(settings: Settings, status: Status, figures: Figures | None) -> None:
    context = make_context(settings, status, figures=figures)
    tls = _tls(settings.admin)
    runner = web.AppRunner(make_site(context), handle_signals=False, shutdown_timeout=_STOP_WITHIN)
    site = BoundedSite(
        runner, site_limits(MOST, MOST_OF_CLIENT),
        lambda count: _LOG.warning("admin.turned_away", connections=count),
        (*LOOPBACK, *settings.admin.trusted_proxies), tls, **CONNECTION,
    )  # fmt: skip
    try:
        await runner.setup()
        addresses = [site.listen(text) for text in settings.admin.listen]
        _LOG.info("admin.ready", listen=" ".join(addresses), tls=tls is not None)
        await _tell_first_link(context, addresses[0])
        await _watch(settings.admin, tls)
    finally:
        await site.stop()
        await runner.cleanup()
        await site.close()
        context.work.close()
        context.syncing.close()


async def _tell_first_link(context: Context, bound: str) -> None:
    """Where there is no account yet, log the link with which the first is made."""
    admin = context.settings.admin
    if parse_listen(admin.listen[0]).port == 0:  # the port was the system's to choose
        admin = admin.model_copy(update={"listen": (bound,)})
    settings = context.settings.model_copy(update={"admin": admin})
    try:
        link = await context.work.changers.do(
            "sinkhole server", "at its start", lambda state: first_link(replace(state, settings=settings))
        )
    except StoreError as error:
        _LOG.warning("admin.no_link", why=error)
        return
    if link is not None:
        _LOG.info("admin.first_link", url=link, good_for="15 minutes, once", anew="sinkhole admin link")


async def _watch(admin: AdminSettings, tls: ssl.SSLContext | None) -> None:
    """Go on until cancelled; take a renewed certificate in."""
    before = _stamp(admin)
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        now = _stamp(admin)
        if tls is None or admin.certificate is None or now == before or now is None:
            continue
        try:
            _load(tls, admin.certificate, admin.key)
        except (ListenError, OSError) as error:
            _LOG.warning("admin.certificate_not_taken", why=error)
        else:
            _LOG.info("admin.certificate_taken")
        before = now


def _stamp(admin: AdminSettings) -> tuple[float, ...] | None:
    try:
        return tuple(path.stat().st_mtime for path in (admin.certificate, admin.key) if path is not None)
    except OSError:
        return None


def _tls(admin: AdminSettings) -> ssl.SSLContext | None:
    if admin.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, admin.certificate, admin.key)
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        load_certificate(context, certificate, key)
    except ConfigError as error:
        raise ListenError(f"config: admin.certificate: {error}") from error
