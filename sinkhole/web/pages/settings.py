"""The settings in force, read-only, and how the receivers of what leaves stand."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from sinkhole.app.out_status import receivers
from sinkhole.app.state import State
from sinkhole.config.schema import Settings
from sinkhole.web.api import status
from sinkhole.web.context import Context
from sinkhole.web.pages.route import View


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its value in words, what it means, and whether it is the default."""

    name: str
    value: str
    meaning: str
    is_default: bool


def settings_page(context: Context) -> View:
    """Show the settings in force by section."""
    told = status.settings(context).settings
    sections = [(name, _section(context.settings, name, told[name])) for name in told if isinstance(told[name], dict)]
    many = [(name, value) for name, value in told.items() if isinstance(value, list) and value]
    listed = [(f"{name} {at + 1}", _listed(one)) for name, value in many for at, one in enumerate(value)]
    return View("settings.html", {"sections": sections + listed})


def outputs_page(state: State) -> View:
    """Show how the receivers stand."""
    return View("outputs.html", {"receivers": receivers(state)})


def _section(settings: Settings, name: str, values: dict[str, Any]) -> list[Setting]:
    section: BaseModel = getattr(settings, name)
    fields = type(section).model_fields
    found = []
    for key, value in values.items():
        field = fields[key]
        is_default = not field.is_required() and getattr(section, key) == field.get_default(call_default_factory=True)
        found.append(Setting(key, _words(value), field.description or "", is_default))
    return found


def _listed(values: Any) -> list[Setting]:
    if not isinstance(values, dict):
        return [Setting("", _words(values), "", is_default=False)]
    return [Setting(key, _words(value), "", value in (None, False, [], "")) for key, value in values.items()]


def _words(value: Any) -> str:
    match value:
        case None | "" | [] | {}:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list() if all(isinstance(one, str | int) for one in value):
            return ", ".join(map(str, value))
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)
