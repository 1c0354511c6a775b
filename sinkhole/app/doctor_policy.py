"""Checks of `doctor` that are about policy: whether it is in force, and what of it is not as meant, or soon not."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

from sinkhole.app.apply import request
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.data_dir import STORE, running_server
from sinkhole.app.finding import Grade
from sinkhole.app.new_defaults import new_defaults
from sinkhole.app.state import State, open_state
from sinkhole.config.schema import Settings
from sinkhole.policy.document import DOCUMENT_NAME, load_document, load_policy
from sinkhole.policy.engine import Policy
from sinkhole.policy.expectation import broken_of
from sinkhole.policy.image import NameIndex
from sinkhole.policy.override import OverrideKind

ENDING_WITHIN = dt.timedelta(days=7)


def policy(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Look at what is published, and whether the running server answers by it."""
    if not (compiled_folder(settings.server.data_dir) / DOCUMENT_NAME).exists():
        yield Grade.WARNING, "none is compiled yet; the first start does it"
        return
    policy = load_policy(compiled_folder(settings.server.data_dir), verify=True)
    yield Grade.GOOD, f"generation {policy.generation} is sound, {len(policy.index)} names"
    for one in load_document(compiled_folder(settings.server.data_dir)).overrides:
        if one.kind in (OverrideKind.PAUSE, OverrideKind.LOCKDOWN) and one.holds(dt.datetime.now(dt.UTC)):
            until = f"{one.ends.astimezone():%Y-%m-%d %H:%M}"
            yield Grade.WARNING, f"{one.kind} {one.id} for {one.scope} goes before statements until {until}"
    if running_server(settings.server.data_dir):
        workers = request(settings.server.data_dir, {"op": "status"})["workers"]
        late = [worker for worker in workers if worker["generation"] < policy.generation]
        if late or not workers:
            yield Grade.FAILURE, f"{len(late)} of {len(workers)} workers do not answer by it"


def defaults(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Tell what a fresh installation would say and this one never did."""
    if not (settings.server.data_dir / STORE).exists():
        yield Grade.GOOD, "the first start puts them in"
        return
    state = open_state(settings)
    try:
        new = new_defaults(state)
    finally:
        state.close()
    for statement in new:
        command = f"sinkhole policy {statement.action} {statement.subject}"
        yield Grade.WARNING, f"a fresh installation says more than this one, which is older: {command}"
    if not new:
        yield Grade.GOOD, "nothing that a fresh installation says is new here"


def expectations(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Judge the stored expectations by the policy in force, without what goes before it for moments."""
    folder = compiled_folder(settings.server.data_dir)
    if not (settings.server.data_dir / STORE).exists() or not (folder / DOCUMENT_NAME).exists():
        yield Grade.GOOD, "there are none yet"
        return
    state = open_state(settings)
    try:
        expected = state.expectations.all()
    finally:
        state.close()
    broken = broken_of(_lasting_policy(settings), expected, dt.datetime.now(dt.UTC))
    for one in broken:
        yield Grade.WARNING, f"the policy in force does not meet {one}"
    if not broken:
        yield Grade.GOOD, f"all {len(expected)} hold" if expected else "there are none"


def _lasting_policy(settings: Settings) -> Policy:
    folder = compiled_folder(settings.server.data_dir)
    document = load_document(folder)
    lasting = tuple(one for one in document.overrides if one.kind is OverrideKind.EXCEPTION)
    return replace(document, overrides=lasting).policy(NameIndex.open(folder / document.image))


def exceptions(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Tell the exceptions that end soon: whoever still needs one asks again before."""
    if not (settings.server.data_dir / STORE).exists():
        yield Grade.GOOD, "there are none yet"
        return
    state = open_state(settings)
    try:
        yield from exception_findings(state)
    finally:
        state.close()


def exception_findings(state: State) -> Iterator[tuple[Grade, str]]:
    """Tell them of an open store."""
    now = dt.datetime.now(dt.UTC)
    found = state.exceptions.in_force(now)
    ending = sorted((one for one in found if one.expires <= now + ENDING_WITHIN), key=lambda one: one.expires)
    for one in ending:
        ends = f"{one.expires.astimezone():%Y-%m-%d %H:%M}"
        yield Grade.WARNING, f"{one.id} on {one.subject} for {one.scope}, asked for by {one.owner}, ends {ends}"
    if not ending:
        yield Grade.GOOD, f"none of {len(found)} ends within {ENDING_WITHIN.days} days" if found else "there are none"
