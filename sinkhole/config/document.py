"""Write `docs/configuration.md` from the schema, and settings back as TOML."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sinkhole.config.schema import Settings

_HEAD = """# Configuration

This page is made from the schema (`sinkhole config docs`); a test holds it true. Everything has a default, so no file
is needed. A setting comes from the TOML file named by `--config` (or `SINKHOLE_CONFIG`), is overridden by the
environment variable beside it, and that by a command-line flag. `sinkhole config check` reports every mistake at once.
Times are seconds and sizes are octets unless the name says otherwise.
"""

_LIMITS = (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below"))


def configuration_page() -> str:
    """Return the page that documents every setting."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            parts.append(f"## [{name}]\n\n{section.__doc__}\n")
            parts.extend(_rows(name, section))
        elif table := _table_of(field):
            parts.append(f"## [[{name}]]\n\n{table.__doc__}\n\n" + _row(name, f"SINKHOLE_{name.upper()}", field))
            parts.extend(_row(f"{name}.{key}", None, inner) for key, inner in table.model_fields.items())
        else:
            parts.append(f"## {name}\n\n" + _row(name, f"SINKHOLE_{name.upper()}", field))
    return "\n".join(parts).rstrip() + "\n"


def _rows(prefix: str, section: type[BaseModel]) -> Iterator[str]:
    for key, field in section.model_fields.items():
        yield _row(f"{prefix}.{key}", f"SINKHOLE_{prefix.upper()}_{key.upper()}", field)


def _table_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the tables that a list holds, None for another setting."""
    inner = next(iter(get_args(field.annotation)), None)
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _row(dotted: str, variable: str | None, field: FieldInfo) -> str:
    standing = "must be given"
    if not field.is_required():
        default = "the state folder" if field.default_factory else _toml(_plain(field.default))
        standing = f"default `{default}`"
    beside = "" if variable is None else f", `{variable}`"
    limits = "".join(
        f", {sign} {getattr(mark, name)}"
        for mark in field.metadata
        for name, sign in _LIMITS
        if getattr(mark, name, None) is not None
    )
    return f"- **`{dotted}`** ({_type(field)}{limits}), {standing}{beside}.\n  {field.description}\n"


def _type(field: FieldInfo) -> str:
    text = str(field.annotation).replace("typing.", "").replace("pathlib.", "").replace("sinkhole.config.schema.", "")
    if text.startswith("tuple"):
        return "list of tables" if _table_of(field) else "list of text"
    for word, plain in (("Literal", "one of"), ("bool", "true or false"), ("int", "integer"), ("float", "number")):
        if word in text:
            return plain if word != "Literal" else "one of " + ", ".join(map(str, _choices(field.annotation)))
    return "text"


def _choices(annotation: Any) -> Iterator[Any]:
    """Yield the values of a `Literal`, or of `Literal | None`."""
    for argument in get_args(annotation):
        if get_origin(argument) is Literal:
            yield from get_args(argument)
        elif argument is not type(None):
            yield argument


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, BaseModel):
        return {key: _plain(item) for key, item in value}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _toml(value: Any) -> str:
    if value is None:
        return "unset"
    if isinstance(value, dict):
        given = {key: item for key, item in value.items() if item is not None}
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in given.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def settings_to_toml(settings: Settings) -> str:
    """Return the settings as a file that `load_settings` reads back to the same settings."""
    lines, tables = [], []
    for name, value in settings:
        if isinstance(value, BaseModel):
            tables.append(f"\n[{name}]")
            tables.extend(f"{key} = {_toml(_plain(item))}" for key, item in value if item is not None)
        else:
            lines.append(f"{name} = {_toml(_plain(value))}")
    return "\n".join(lines + tables) + "\n"
