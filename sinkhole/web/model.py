"""What the models of the API are made of: closed objects, texts of a line, times in UTC, pages."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

Item = TypeVar("Item")
Out = TypeVar("Out", bound=BaseModel)
Thing = TypeVar("Thing")
MOST_OF_A_PAGE = 500
BIGGEST = 2**31
"""Above every number of the store that somebody may name."""


class Model(BaseModel):
    """An object of the API: unknown keys are mistakes, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _flag(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def whole(value: object) -> object:
    """Refuse a text that is no whole number: `1.0`, ` 1`."""
    if isinstance(value, str) and (not value.isascii() or not value.removeprefix("-").isdigit() or len(value) > 18):
        raise ValueError("wanted a whole number")
    return value


def _sane(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 3000:
        raise ValueError("wanted a time from 1970 to 2999")
    return moment.astimezone(UTC)


Flag = Annotated[bool, Field(strict=True), BeforeValidator(_flag)]
"""A query parameter that is `true` or `false`."""
Number = Annotated[int, Field(ge=1, le=BIGGEST), BeforeValidator(whole)]
"""A number of the store, in a path or a query."""
Line = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A text of one line, without control characters."""
Word = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]
Moment = Annotated[AwareDatetime, AfterValidator(_sane)]
"""A time with its zone."""


class Nothing(Model):
    """No parameters."""


class Forced(Model):
    """Whether to do it even so."""

    force: Flag = Field(False, description="Even if it breaks an expectation; the audit log notes which.")


class Paged(Model):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=MOST_OF_A_PAGE), BeforeValidator(whole)] = Field(
        100, description="Items of a page."
    )
    cursor: str | None = Field(
        None, max_length=300, description="Where to go on: `next` of the page before. Left out: from the beginning."
    )


class Page(Model, Generic[Item]):
    """Items, and where to go on."""

    items: list[Item]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last one.")


def page_of(items: Sequence[Out], paged: Paged, key: Callable[[Out], str]) -> "Page[Out]":
    """Return the part of a list that is asked for.

    Args:
        items: in their order, which stays the same from one page to the next.
        key: of an item; no two have the same.
    """
    shown, following = part_of(items, paged, key)
    return Page[Out](items=list(shown), next=following)


def part_of(items: Sequence[Thing], paged: Paged, key: Callable[[Thing], str]) -> tuple[Sequence[Thing], str | None]:
    """Return the part of a list that is asked for, and the cursor of what follows; arguments as of `page_of`."""
    start = 0
    if paged.cursor is not None:
        start = next((at + 1 for at, item in enumerate(items) if key(item) == paged.cursor), len(items))
    shown = items[start : start + paged.limit]
    is_last = start + len(shown) >= len(items)
    return shown, None if is_last else key(shown[-1])


def moment(seconds: int) -> datetime:
    """Return epoch seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)


def number_of_cursor(cursor: str | None) -> int | None:
    """Read a cursor that is a number; anything else is before everything."""
    if cursor is None:
        return None
    return int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) <= 18 else 0
