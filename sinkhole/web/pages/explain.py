"""The page that explains a name: what a client would be answered, and step by step why, as `sinkhole check` does."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from sinkhole.app.explain import Explanation
from sinkhole.app.explain_now import explain_now
from sinkhole.errors import FormError
from sinkhole.web.context import Context
from sinkhole.web.model import Model
from sinkhole.web.pages.route import View

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", re.ASCII)
DEFAULT_CLIENT = "127.0.0.1"
TYPES = ("A", "AAAA", "HTTPS", "CNAME", "MX", "TXT", "SVCB", "NS")


def _moment(text: str) -> datetime:
    """Read a time as a form sends it, without a zone: that of the pages is UTC."""
    if _TIME.fullmatch(text) is None:
        raise ValueError
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _expect_time(text: str) -> str:
    try:
        moment = _moment(text)
    except ValueError:
        raise ValueError("wanted a time such as 2026-11-01T09:30") from None
    if not 1970 <= moment.year < 3000:
        raise ValueError("wanted a time from 1970 to 2999")
    return text


class ExplainAsked(Model):
    """What would be asked; no name: nothing yet."""

    name: Annotated[str, Field(max_length=1000)] = ""
    type: Annotated[str, Field(max_length=20)] = "A"
    client: Annotated[str, Field(max_length=100)] = DEFAULT_CLIENT
    at: Annotated[str, AfterValidator(_expect_time)] | None = Field(None, description="As if asked then, UTC.")


def explain_page(context: Context, query: ExplainAsked) -> View:
    """Explain a name, or say what is wrong with it beside the form."""
    types = TYPES if query.type.upper() in TYPES else (query.type, *TYPES)
    values = {"asked": query, "types": types, "found": None, "verdict": None, "refused": None, "subject": None}
    if not query.name:
        return View("explain.html", values)
    try:
        when = datetime.now(UTC) if query.at is None else _moment(query.at)
        found = explain_now(context.settings, query.name, query.type, query.client, when)
    except FormError as error:
        return View("explain.html", values | {"refused": str(error)}, 422)
    return View("explain.html", values | {"found": found, "verdict": found.verdict, "subject": _subject(found)})


def _subject(found: Explanation) -> str:
    """Return what a statement about this would be about: the product, else the name itself."""
    product = found.verdict.product
    return f"product:{product}" if product else f"domain:{found.name.rstrip('.')}"
