"""What an address asks of a page, validated by the models that its function names; and how to change an address."""

import re
from collections.abc import Callable
from typing import Any, get_type_hints

from aiohttp import web
from pydantic import BaseModel, ValidationError

from sinkhole.web.problem import RequestError, invalid

_PATTERN = re.compile(r"String should match pattern '(.*)'$")
_SAID = (
    (re.compile(r"List should have at least 1 item after validation, not 0$"), "name at least one"),
    (re.compile(r"Input should be a valid integer.*$"), "wanted a whole number"),
    (re.compile(r"Input should be (greater|less) than or equal to (\S+)$"),
     lambda found: f"wanted {found[2]} or {'more' if found[1] == 'greater' else 'less'}"),
    (re.compile(r"String should have at most (\d+) characters$"), r"wanted at most \1 characters"),
    (re.compile(r"Input should be (?=')"), "wanted "),
)  # fmt: skip
"""What models say, and what people are told in its place."""
_WORDS = {
    "^[a-z0-9][a-z0-9-]{0,62}$": "wanted up to 63 lower-case letters, digits, and - after the first",
    "^[a-z0-9][a-z0-9._@-]{0,62}$": "wanted up to 63 lower-case letters, digits, and . _ @ - after the first",
}
"""What the patterns of the models ask for."""


def asked_of(request: web.Request, work: Callable[..., Any]) -> dict[str, Any]:
    """Return `place` and `query` as a function wants them; as they came where it names no models.

    Raises:
        RequestError: 404 where the path cannot be that of anything, 400 for a query that is wrong.
    """
    hints = get_type_hints(work)
    found: dict[str, Any] = {"place": request.match_info, "query": request.query}
    if _is_model(hints.get("place")):
        try:
            found["place"] = hints["place"].model_validate(dict(request.match_info))
        except ValidationError:
            raise RequestError(404, "there is nothing at this address") from None
    if _is_model(hints.get("query")):
        try:
            found["query"] = hints["query"].model_validate(_given(request))
        except ValidationError as error:
            raise _readable(invalid("query", error)) from error
    return found


def _is_model(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def _given(request: web.Request) -> dict[str, str]:
    """Return the parameters; a form sends its empty fields too, which say nothing."""
    repeated = [name for name in request.query if len(request.query.getall(name)) > 1]
    if repeated:
        raise RequestError(400, f"{repeated[0][:100]}: is given more than once")
    return {name: value.strip() for name, value in request.query.items() if value.strip()}


def _readable(error: RequestError) -> RequestError:
    """Return the same without the words of programs."""
    return RequestError(error.status, plain(str(error)), error.errors)


def plain(said: str) -> str:
    """Return what a model says in words for people."""
    text = said.removeprefix("query.").removeprefix("query: ").removeprefix("form.").replace("Value error, ", "")
    text = text.replace("Field required", "this is needed")
    for pattern, told in _SAID:
        text = pattern.sub(told, text)
    return _PATTERN.sub(lambda found: _WORDS.get(found[1], "this is not written as it should be"), text)


def address_here(request: web.Request) -> Callable[..., str]:
    """Return what makes the address of this page with parameters changed; one that is None is taken out."""

    def here(**changes: object) -> str:
        kept = {name: value for name, value in request.query.items() if value and name not in changes}
        changed = {name: str(value) for name, value in changes.items() if value is not None}
        return str(request.rel_url.with_query(kept | changed))

    return here
