"""Figures and health on the admin side too: those of `[metrics]`, the figures for whoever has the right to them."""

from aiohttp import web

from sinkhole.app.metrics_site import Figures
from sinkhole.web.context import Context
from sinkhole.web.problem import not_found


async def metrics(request: web.Request, context: Context) -> web.Response:
    """Answer with all figures."""
    return await _of(context).metrics(request)


async def healthz(request: web.Request, context: Context) -> web.Response:
    """Answer that the control process runs."""
    return await _of(context).healthz(request)


async def readyz(request: web.Request, context: Context) -> web.Response:
    """Answer whether queries are answered and hits can be stored."""
    return await _of(context).readyz(request)


def _of(context: Context) -> Figures:
    if context.figures is None:
        raise not_found("figure here")
    return context.figures
