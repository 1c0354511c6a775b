"""What things that are imported are called here: groups, lists and their files."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from sinkhole.errors import ForeignFileError
from sinkhole.foreign.model import Scope

_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?").fullmatch
_MOST = 63
_COMMON = frozenset(
    {"hosts", "list", "lists", "domains", "raw", "main", "master", "txt", "filter", "filters", "assets"}
)


class Names:
    """Gives names.

    Args:
        product: where things come from; lists are named after it.
        prefix: put before every name, of groups too; None: groups keep their own.

    Raises:
        ForeignFileError: the prefix cannot begin a name.
    """

    def __init__(self, product: str, prefix: str | None) -> None:
        if prefix is not None and not _PREFIX(prefix):
            raise ForeignFileError(f"prefix {prefix!r}: wanted lower-case letters, digits and inner -, at most 20")
        self._lists = prefix or product
        self._groups = f"{prefix}-" if prefix else ""

    def group(self, scope: Scope) -> Scope:
        """Return the name of a group."""
        return None if scope is None else f"{self._groups}{scope}"[:_MOST].rstrip("-")

    @property
    def outside(self) -> str:
        """The group of those whom what holds for everybody does not concern."""
        return f"{self._lists}-outside"

    def is_imported(self, feed: str) -> bool:
        """Return whether a feed is named as those that an import brings."""
        return feed.startswith(f"{self._lists}-")

    def rules(self, scope: Scope, number: int) -> str:
        """Return the name of a list of own rules; `number` tells those of one scope with other schedules apart."""
        parts = [self._lists, "rules", *([scope] if scope else []), *([str(number)] if number else [])]
        return "-".join(parts)[:_MOST].rstrip("-")

    def feed(self, url: str, hint: str, used: Mapping[str, str]) -> str:
        """Return the name of a list that is fetched.

        Args:
            used: names of lists there are, with their URLs.
        """
        name = f"{self._lists}-{_slug([hint] if hint else _telling_parts(url))}"[: _MOST - 7].rstrip("-")
        if used.get(name, url) == url:
            return name
        return f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:6]}"


def _telling_parts(url: str) -> list[str]:
    """Return the last part of a URL that says something, with what is before it where it says little."""
    split = urlsplit(url)
    parts = [part for part in split.path.split("/") if part]
    last = parts[-1].rsplit(".", 1)[0] if parts else ""
    if last and last.lower() not in _COMMON:
        return [last]
    telling = [part for part in parts[:-1] if part.lower() not in _COMMON]
    return [*(telling[:1] or [split.hostname or ""]), last]


def _slug(parts: Iterable[str]) -> str:
    return re.sub(r"[^a-z0-9]+", "-", " ".join(parts).lower()).strip("-") or "list"
