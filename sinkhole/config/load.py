"""Read the settings: a TOML file, then the environment, then flags; the later wins. All mistakes come at once."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sinkhole.config.schema import Settings
from sinkhole.errors import ConfigError

ENVIRONMENT_PREFIX = "SINKHOLE_"
OUTSIDE_THE_SCHEMA = frozenset({"SINKHOLE_CONFIG", "SINKHOLE_DATA_DIR", "SINKHOLE_COMPILE"})
"""Variables that name the file and the folder themselves, which the command line reads as defaults of its flags; and
that of installations (`hatch_build.py`)."""


Check = Callable[[Settings], Iterable[str]]
"""Finds what the schema cannot: texts that only the parts that use them can read."""


def load_settings(
    path: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any], check: Check | None = None
) -> Settings:
    """Merge file, environment and flags into checked settings.

    Args:
        path: a TOML file, or None for none.
        environment: `SINKHOLE_SECTION_KEY` sets `section.key`; a value is read as TOML, else as text; a list may be
            given as words with commas between.
        flags: dotted path (`server.workers`) to value; a None means that the flag was not given.
        check: says what else is wrong; asked about what the schema accepts, even where it refuses the rest.

    Raises:
        ConfigError: with every mistake, each with its path and, where it stands in the file, its line.
    """
    text = _read(path) if path else ""
    values, mistakes = _parse(path, text)
    values, more = _with_environment(values, environment)
    mistakes += more
    for dotted, value in flags.items():
        if value is not None:
            _put(values, dotted.split("."), value)
    settings, refused = _accepted(values)
    mistakes += [_mistake(path, text, detail) for detail in refused]
    if check is not None:
        mistakes += check(settings)
    if mistakes:
        raise ConfigError(*mistakes)
    return settings


def _accepted(values: dict[str, Any]) -> tuple[Settings, Sequence[Any]]:
    """Return the settings without those that the schema refuses, and why it refuses them."""
    try:
        return Settings.model_validate(values), ()
    except ValidationError as error:
        refused = error.errors()
    for detail in refused:
        section, *keys = map(str, detail["loc"])
        if keys and isinstance(values.get(section), dict):
            values[section].pop(keys[0], None)
        else:
            values.pop(section, None)
    return _accepted(values)[0], refused


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"config {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"config {path}: is not UTF-8 text (octet {error.start})") from error


def _parse(path: Path | None, text: str) -> tuple[dict[str, Any], list[str]]:
    try:
        return tomllib.loads(text), []
    except tomllib.TOMLDecodeError as error:
        return {}, [f"config {path}: {error}"]


def _with_environment(values: dict[str, Any], environment: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    mistakes = []
    for name, text in sorted(environment.items()):
        if not name.startswith(ENVIRONMENT_PREFIX) or name in OUTSIDE_THE_SCHEMA:
            continue
        dotted = _setting_of(name.removeprefix(ENVIRONMENT_PREFIX).lower())
        if dotted is None:
            mistakes.append(f"environment: {name}: there is no such setting")
            continue
        _put(values, dotted, _value(text, is_list=_is_list(dotted)))
    return values, mistakes


def _setting_of(word: str) -> list[str] | None:
    for section, field in Settings.model_fields.items():
        if word == section and not hasattr(field.annotation, "model_fields"):
            return [section]
        keys = getattr(field.annotation, "model_fields", {})
        if word.startswith(section + "_") and word.removeprefix(section + "_") in keys:
            return [section, word.removeprefix(section + "_")]
    return None


def _is_list(dotted: list[str]) -> bool:
    model: Any = Settings
    for key in dotted:
        annotation = model.model_fields[key].annotation
        model = annotation
    return str(annotation).startswith("tuple")


def _value(text: str, *, is_list: bool) -> Any:
    try:
        value = tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        value = text
    if is_list and not isinstance(value, list):
        return [word.strip() for word in text.split(",") if word.strip()]
    return value


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            return  # the schema check reports that this is no table
        values = inner
    values[path[-1]] = value


def _mistake(path: Path | None, text: str, detail: Any) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
    line = _line_of(text, detail["loc"])
    place = f"config {path}" + (f", line {line}" if line else "") if path else "config"
    said = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        said = "there is no such setting"
    given = detail["input"]
    is_told = repr(given) in said or not isinstance(given, str | int | float | bool)
    return f"{place}: {where}: {said}" + ("" if is_told else f"; found {given!r}")


def _line_of(text: str, location: tuple[str | int, ...]) -> int | None:
    """Find the line of a key by reading the text again: tomllib keeps no positions."""
    keys = [str(part) for part in location if isinstance(part, str)]
    index = next((part for part in location[1:2] if isinstance(part, int)), 0)
    section, best, seen = "", None, -1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*(\[+)\s*([\w.\-]+)\s*\]+", line):
            section = header[2]
            seen += header[1] == "[[" and section == keys[0]
            if section == ".".join(keys) and (header[1] == "[" or len(keys) > 1 or seen == index):
                return number
        elif (key := re.match(r"\s*([\w\-]+)\s*=", line)) and (section != keys[0] or seen in (-1, index)):
            dotted = f"{section}.{key[1]}" if section else key[1]
            if dotted == ".".join(keys) or dotted == ".".join(keys[: dotted.count(".") + 1]):
                best = best or number
    return best
