"""Put a stored change in force: through the running server, else by compiling here."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sinkhole.app.data_dir import running_server
from sinkhole.app.local_socket import MessageError, exchange
from sinkhole.app.state import State, compile_state
from sinkhole.config.schema import Settings
from sinkhole.errors import SinkholeError, StoreError

ANSWER_WITHIN = 30.0
"""Seconds a running server may take: it may have to compile a large feed anew."""
TELL_WITHIN = 5.0
"""Seconds it may take to tell what it knows already."""


class NoAnswerError(SinkholeError):
    """A server runs, but nobody answers on its control socket."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A change that is compiled.

    Attributes:
        late: how many workers do not answer by it yet, None where no server runs.
        refused: feeds whose new version it is without, and why.
    """

    generation: int
    late: int | None
    refused: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.late is None:
            return f"stored as generation {self.generation}; no server runs on this data folder"
        if self.late:
            who = "1 worker has" if self.late == 1 else f"{self.late} workers have"
            return f"published as generation {self.generation}, but {who} not taken it in yet"
        return f"in force as generation {self.generation}"


def apply(state: State) -> Applied:
    """Put what the store says in force.

    Raises:
        SinkholeError: it cannot be compiled, or the running server does not answer; the change is stored.
    """
    if not running_server(state.folder):
        compiled = compile_state(state)
        return Applied(compiled.generation, None, {one.feed: str(one) for one in compiled.refused})
    try:
        answer = request(state.folder, {"op": "apply"}, ANSWER_WITHIN)
    except NoAnswerError as error:
        raise StoreError(
            f"{error}; the change is stored and comes into force when its control process is back"
        ) from error
    return Applied(int(answer["generation"]), int(answer["late"]), answer.get("refused", {}))


def request(folder: Path, message: dict[str, Any], within: float = TELL_WITHIN) -> dict[str, Any]:
    """Ask the running server and return its answer, which may take `within` seconds.

    Raises:
        NoAnswerError: its control process is away, or too busy.
        SinkholeError: it refuses.
    """
    try:
        answer = asyncio.run(_ask(folder, message, within))
    except (OSError, TimeoutError, MessageError) as error:
        raise NoAnswerError("the control process of the server does not answer") from error
    if answer["op"] == "failed":
        raise SinkholeError(str(answer["why"]))
    return answer


async def _ask(folder: Path, message: dict[str, Any], within: float) -> dict[str, Any]:
    async with asyncio.timeout(within):
        return await exchange(folder, message)


def settings_of_server(settings: Settings) -> Settings | None:
    """Return the settings of the server that runs on the same data folder, which flags may have changed, or None."""
    if not running_server(settings.server.data_dir):
        return None
    try:
        status = request(settings.server.data_dir, {"op": "status"})
    except SinkholeError:
        return None
    return Settings.model_validate_json(status["settings"])
