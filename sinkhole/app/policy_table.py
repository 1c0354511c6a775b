"""A table of a policy file: its values, each of the kind that is wanted, or a mistake."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sinkhole.app.subjects import nearest
from sinkhole.errors import FormError, PolicyError
from sinkhole.policy.groups import parse_client

_T = TypeVar("_T")


class Table:
    """One table: gives the values of its keys, and notes what is wrong with them.

    Args:
        kind: its name.
        number: its place among those of the name, from 0.
        fields: its keys and values.
        note: takes a mistake: the table, the key or None, and what is wrong.
    """

    def __init__(
        self, kind: str, number: int, fields: Mapping[str, Any], note: Callable[["Table", str | None, str], None]
    ) -> None:
        self.kind = kind
        self.number = number
        self.fields = fields
        self.is_wrong = False
        self._note = note

    @property
    def path(self) -> str:
        """Name and number, from 1, for people."""
        return f"{self.kind}[{self.number + 1}]"

    def note(self, key: str | None, said: str) -> None:
        """Note a mistake."""
        self.is_wrong = True
        self._note(self, key, said)

    def refuse_unknown(self, keys: Sequence[str]) -> None:
        """Note the keys that are none of these."""
        for key in self.fields:
            if key not in keys:
                near = nearest(key, keys) or f"; there are {', '.join(keys)}"
                self.note(key, f"is no key of {self.kind}{near}")

    def text(self, key: str, *, wanted: bool = False) -> str | None:
        """Return a text; None where it is left out."""
        value = self.fields.get(key)
        if value is None:
            if wanted:
                self.note(key, "is missing")
            return None
        if not isinstance(value, str) or not value.strip():
            self.note(key, f"wanted a text; found {value!r}")
            return None
        return value

    def read(self, key: str, read: Callable[[str], _T], *, wanted: bool = False) -> _T | None:
        """Return what a text means."""
        text = self.text(key, wanted=wanted)
        return None if text is None else self._meaning(key, text, read)

    def one_of(self, key: str, words: Sequence[str], *, wanted: bool = False) -> str | None:
        """Return one of some words."""
        text = self.text(key, wanted=wanted)
        if text is not None and text not in words:
            self.note(key, f"wanted one of {', '.join(words)}; found {text!r}{nearest(text, words)}")
            return None
        return text

    def number_of(self, key: str, default: int) -> int:
        """Return a whole number that the store can hold."""
        value = self.fields.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
            self.note(key, f"wanted a whole number such as {default}; found {value!r}")
            return default
        return value

    def time(self, key: str) -> datetime | None:
        """Return a time in UTC, to the second; None where it is left out."""
        value = self.fields.get(key)
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            self.note(key, f"wanted a time with its zone, such as 2030-12-31T18:00:00Z without quotes; found {value!s}")
            return None
        try:
            return value.astimezone(UTC).replace(microsecond=0)
        except OverflowError:
            self.note(key, f"{value!s} is out of range")
            return None

    def each(self, key: str, read: Callable[[str], str]) -> list[str]:
        """Return what the texts of a list mean."""
        value = self.fields.get(key)
        if value is None or not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.note(key, "is missing" if value is None else 'wanted a list of texts such as ["10.20.0.0/16"]')
            return []
        return [found for one in value if (found := self._meaning(key, one, read)) is not None]

    def address(self, key: str, version: int) -> str | None:
        """Return an address of one IP version."""

        def read(text: str) -> str:
            found = parse_client(text)
            if found is None or found.version != version or "%" in text:
                raise PolicyError(f"{text!r} is no IPv{version} address")
            return str(found)

        return self.read(key, read)

    def _meaning(self, key: str, text: str, read: Callable[[str], _T]) -> _T | None:
        try:
            return read(text)
        except (PolicyError, FormError) as error:
            self.note(key, str(error))
            return None
