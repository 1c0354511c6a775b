"""What is answered to a request: a page, a few words, or nothing; and the two forms of the page.

GET and HEAD change nothing. The forms are sent to paths of our own below whatever name was blocked.
"""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from sinkhole.blockpage.answer import bare, respond
from sinkhole.blockpage.forms import is_form_token
from sinkhole.blockpage.limits import Limit, network_of
from sinkhole.blockpage.ruling import Judge, Kind, Ruling
from sinkhole.blockpage.view import DAYS, MOST_REASON, Outcome, Sent, View, subject_to_lift
from sinkhole.blockpage.visit import Visit, read_host, read_language, read_wants
from sinkhole.errors import SinkholeError
from sinkhole.log import Log

CONTINUE, REQUEST = "/.sinkhole/continue", "/.sinkhole/request"
"""Paths of the forms; the templates have them too."""
MOST_BODY = 8192
_READ = ("GET", "HEAD")


class Desk(Protocol):
    """Who carries out what a form asks for: the control process."""

    async def go_on(self, token: str, client: str) -> dt.datetime:
        """Let a client go on; return until when. Raises SinkholeError with why not."""

    async def ask(self, client: str, subject: str, reason: str, days: int, reference: str) -> int:
        """Ask for an exception; return its number. Raises SinkholeError with why not."""


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """The language (`auto`: the browser's), and whether people may ask for exceptions."""

    language: str
    requests: bool


class Site:
    """Answers requests.

    Args:
        settings: see there.
        judge: says what holds.
        view: makes pages of it.
        desk: carries out forms.
        key: that of form tokens.
        wall: seconds since the epoch.
    """

    def __init__(
        self, settings: SiteSettings, judge: Judge, view: View, desk: Desk, key: bytes,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._judge = judge
        self._view = view
        self._desk = desk
        self._key = key
        self._wall = wall
        self._forms = Limit(0.2, 6)
        self._forms_total = Limit(5.0, 30)
        self._asked = Limit(1 / 600, 5)
        self._log = Log("page")

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; whatever goes wrong, with a status."""
        try:
            return await self._handle(request)
        except Exception:  # the edge of a request
            self._log.exception("page.failed")
            return bare(500)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        visit = self._visit(request)
        if visit is None:
            return bare(400)
        if request.method == "OPTIONS":
            return bare(403, {"Allow": "GET, HEAD, POST"})
        now = dt.datetime.fromtimestamp(self._wall(), dt.UTC)
        ruling = await self._judge.rule(visit.client, visit.host, now)
        if request.method == "POST" and request.path in (CONTINUE, REQUEST):
            return await self._form(request, visit, ruling, now)
        return respond(self._view, visit, ruling, now, is_read=request.method in _READ)

    def _visit(self, request: web.BaseRequest) -> Visit | None:
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        hosts = request.headers.getall("Host", [])
        if peer is None or len(hosts) > 1:
            return None
        language = read_language(request.headers.get("Accept-Language", ""), self._settings.language)
        return Visit(
            peer[0].partition("%")[0], read_host(hosts[0]) if hosts else None, read_wants(request.headers), language,
            request.transport is not None and request.transport.get_extra_info("sslcontext") is not None,
        )  # fmt: skip

    async def _form(
        self, request: web.BaseRequest, visit: Visit, ruling: Ruling, now: dt.datetime
    ) -> web.StreamResponse:
        if visit.host is None or not _is_same_origin(request.headers):
            return bare(403)
        if not self._forms.take(network_of(visit.client), time.monotonic()) or not self._forms_total.take(
            "", time.monotonic()
        ):
            return self._say(visit, ruling, now, Outcome(Sent.BUSY))
        fields = await _read_form(request)
        if isinstance(fields, int):
            return bare(fields)
        form = "continue" if request.path == CONTINUE else "request"
        if not is_form_token(self._key, fields.get("form", ""), form, visit.client, visit.host, self._wall()):
            return self._say(visit, ruling, now, Outcome(Sent.STALE))
        typed = fields.get("reason", "")[:MOST_REASON]  # from here on it comes from a page of ours
        try:
            if form == "continue":
                until = await self._desk.go_on(fields.get("token", ""), visit.client)
                return self._say(visit, ruling, now, Outcome(Sent.GRANTED, until))
            outcome = await self._ask(visit, ruling, fields, now)
            return self._say(visit, ruling, now, replace(outcome, typed=typed))
        except SinkholeError as error:
            self._log.warning("page.form_refused", form=form, why=error)
            return self._say(visit, ruling, now, Outcome(Sent.REFUSED, typed=typed))

    async def _ask(self, visit: Visit, ruling: Ruling, fields: Mapping[str, str], now: dt.datetime) -> Outcome:
        reason = " ".join("".join(c if c.isprintable() else " " for c in fields.get("reason", "")).split())
        days = fields.get("days", "")
        if not self._settings.requests or ruling.kind not in (Kind.BLOCKED, Kind.COACHED):
            return Outcome(Sent.REFUSED)
        if not reason or len(reason) > MOST_REASON or days not in map(str, DAYS):
            return Outcome(Sent.INCOMPLETE)
        if not self._asked.take(network_of(visit.client), time.monotonic()):
            return Outcome(Sent.BUSY)
        reference = self._view.reference(visit, now)
        number = await self._desk.ask(visit.client, subject_to_lift(ruling), reason, int(days), reference)
        return Outcome(Sent.ASKED, number=number)

    def _say(self, visit: Visit, ruling: Ruling, now: dt.datetime, outcome: Outcome) -> web.StreamResponse:
        return respond(self._view, visit, ruling, now, outcome=outcome)


def _is_same_origin(headers: Mapping[str, str]) -> bool:
    """Return whether a form comes from a page of the very same origin, as far as the client says."""
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("Origin")
    if origin is None:
        return True  # an old browser, or none; the token decides
    try:
        return urlsplit(origin).netloc.lower() == headers.get("Host", "").strip().lower()
    except ValueError:
        return False


async def _read_form(request: web.BaseRequest) -> dict[str, str] | int:
    """Return the fields of a form, or the status of why not."""
    if request.content_type != "application/x-www-form-urlencoded":
        return 415
    if (request.content_length or 0) > MOST_BODY:
        return 413
    body = bytearray()
    try:
        async for part in request.content.iter_chunked(MOST_BODY):
            body += part
            if len(body) > MOST_BODY:
                return 413
    except web.RequestPayloadError:  # chunks or a compression that are none
        return 400
    try:
        found: list[tuple[str, Any]] = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=10, errors="strict"
        )
    except ValueError:
        return 400
    return dict(found)
