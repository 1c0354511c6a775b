"""Fields of forms: what is in one as a value, and a value as what is in one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from aiohttp import web

from sinkhole.errors import SinkholeError
from sinkhole.web.problem import RequestError


def aware(text: str) -> str:
    """Return a time of a form (`2030-12-31T18:00`, or a day) as one with its zone: forms are in UTC."""
    text = text.strip().removesuffix("UTC").strip().replace(" ", "T")
    if not text or text.endswith("Z") or "+" in text:
        return text
    return f"{text}Z" if "T" in text else f"{text}T00:00Z"


def words(value: object) -> str:
    """Return a value as a form has it."""
    if value is None:
        return ""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") if isinstance(value, datetime) else str(value)


@contextmanager
def field_of(name: str) -> Iterator[None]:
    """Let what is refused be told with the field that it is in.

    Raises:
        RequestError: 422.
    """
    try:
        yield
    except RequestError:
        raise
    except SinkholeError as error:
        raise RequestError(422, f"{name}: {error}") from error


async def ticked(request: web.Request, name: str) -> list[str]:
    """Return all values of a field that may be there more than once; after `form_of`."""
    given = await request.post()
    return [str(value) for value in given.getall(name, [])]
