"""The web application: every route of the tables, behind one guard; what is in no table is served to nobody."""

import logging
from collections.abc import Sequence

from aiohttp import web

from sinkhole.web.api.table import ROUTES
from sinkhole.web.context import CONTEXT, Context
from sinkhole.web.guard import FAILED, FailedPage, add_headers, guard
from sinkhole.web.openapi import PREFIX
from sinkhole.web.pages.render import MENU, failed
from sinkhole.web.pages.route import PageRoute
from sinkhole.web.pages.serve import STATIC, page_handler, static_files, static_handler
from sinkhole.web.pages.table import PAGES
from sinkhole.web.pages.warm import kept_warm
from sinkhole.web.serve_api import MOST_OCTETS, handler_of


def make_site(context: Context, pages: Sequence[PageRoute] = PAGES) -> web.Application:
    """Return the application."""
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # our own log tells what goes wrong, and escapes it
    site = web.Application(middlewares=[guard], client_max_size=MOST_OCTETS)
    site[CONTEXT] = context
    site[FAILED] = FailedPage(failed)
    site[MENU] = tuple(page for page in pages if page.menu is not None)
    for route in ROUTES:
        site.router.add_route(route.method, PREFIX + route.path, handler_of(route))
    for page in pages:
        site.router.add_route(page.method, page.path, page_handler(page))
    site.router.add_route("GET", STATIC, static_handler(static_files()))
    site.on_response_prepare.append(add_headers)
    site.on_shutdown.append(_hang_up)
    site.cleanup_ctx.append(kept_warm)
    return site


async def _hang_up(site: web.Application) -> None:
    """Let those who listen go: the others end by themselves."""
    site[CONTEXT].live.close()
