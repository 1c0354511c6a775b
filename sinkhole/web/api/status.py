"""How the server stands, what an examination finds, and the settings in force."""

from datetime import UTC, datetime
from typing import Any

from sinkhole import __version__
from sinkhole.app.doctor import examine
from sinkhole.app.out_status import shown_target
from sinkhole.app.state import State
from sinkhole.store.candidates import CandidateState
from sinkhole.store.recorder import dropped
from sinkhole.web.context import Context
from sinkhole.web.model import Model, moment


class Worker(Model):
    """A resolver process: the generation it answers by, and what it counted."""

    generation: int
    counters: dict[str, int | float | str | None]


class Status(Model):
    """How the server stands."""

    version: str
    started: datetime
    listen: list[str]
    generation: int
    store: str
    workers: list[Worker]
    hits_dropped: int
    requested_exceptions: int
    waiting_candidates: int
    catalogue_version: int


class Finding(Model):
    """What an examination found: `good`, `warning` or `failure`."""

    check: str
    grade: str
    text: str


class Findings(Model):
    """All that an examination found."""

    items: list[Finding]


class SettingsInForce(Model):
    """The settings, as a configuration file would have them."""

    settings: dict[str, Any]


def status(state: State, context: Context) -> Status:
    """Tell how the server stands."""
    told = context.status()
    with state.store.reading() as connection:
        lost = dropped(connection)
    requested = state.exceptions.count_requested(datetime.now(UTC))
    workers = [
        Worker(
            generation=worker["generation"],
            counters={key: value for key, value in worker.items() if isinstance(value, int | float | str)},
        )
        for worker in told["workers"]
    ]
    return Status(
        version=__version__, started=moment(int(told["started"])), listen=list(told["listen"]),
        generation=told["generation"], store=told["store"], workers=workers, hits_dropped=lost,
        requested_exceptions=requested, waiting_candidates=len(state.candidates.domains(CandidateState.NEW)),
        catalogue_version=state.catalogue().catalogue.version,
    )  # fmt: skip


def doctor(context: Context) -> Findings:
    """Look for what is wrong with this installation; it asks the upstreams a question."""
    found = examine(context.settings)
    return Findings(items=[Finding(check=one.check, grade=one.grade.name.lower(), text=one.text) for one in found])


def settings(context: Context) -> SettingsInForce:
    """Tell the settings in force, without path and query of webhooks, which may be secrets."""
    told = context.settings.model_dump(mode="json")
    for shown, out in zip(told["out"], context.settings.out, strict=True):
        shown["target"] = shown_target(out)
    return SettingsInForce(settings=told)
