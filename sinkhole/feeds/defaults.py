"""The feeds that a fresh installation knows, from `blocklists/feeds.toml`."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sinkhole.errors import FeedError
from sinkhole.policy.feed import Feed


class _Entry(BaseModel):
    """One `[[feed]]` of the file; see `Feed`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    url: str = Field(pattern=r"^https://")
    format: str = "auto"
    match: Literal["format", "exact", "suffix"] = "format"
    part_of_ai: bool = False
    enabled: bool = True
    interval: int | None = Field(None, ge=300)
    licence: str
    homepage: str = Field(pattern=r"^https://")


class _File(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    feed: list[_Entry]


def default_feeds(folder: Path) -> tuple[Feed, ...]:
    """Return the default feeds of `folder` (`blocklists/`), in the order of its file.

    Raises:
        FeedError: the file is missing or wrong.
    """
    path = folder / "feeds.toml"
    try:
        entries = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).feed
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FeedError(f"{path}: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise FeedError(f"{path}: {wrong}") from error
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FeedError(f"{path}: more than one feed is named {', '.join(twice)}")
    return tuple(Feed(**entry.model_dump()) for entry in entries)
