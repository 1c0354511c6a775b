"""Make an import: policy, feeds, list files and records, all of it or nothing; then read the list files."""

import asyncio
import secrets
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from sinkhole.app.apply import request
from sinkhole.app.data_dir import running_server
from sinkhole.app.feed_sync import open_syncer
from sinkhole.app.file_swap import swapped
from sinkhole.app.import_cleanup import JOURNAL, one_at_a_time
from sinkhole.app.import_lists import rows_of
from sinkhole.app.import_plan import Plan
from sinkhole.app.policy_changes import store_policy
from sinkhole.app.records_file import records_path, records_text
from sinkhole.app.state import State
from sinkhole.app.sync_job import store_result
from sinkhole.errors import PolicyError, StoreError
from sinkhole.feeds.sync import SyncResult
from sinkhole.policy.expectation import Broken
from sinkhole.policy.feed import FeedStatus
from sinkhole.store.audit import current_user, note

_BUSY_WITHIN = 30.0
_LOOK_AGAIN = 0.2
_GOOD = (FeedStatus.UPDATED, FeedStatus.UNCHANGED)


def carry_out(state: State, plan: Plan, overridden: Iterable[Broken] = ()) -> None:
    """Make all changes in one transaction, each with an entry in the audit log.

    Args:
        overridden: expectations that it breaks, which the audit log notes.

    Raises:
        PolicyError: policy or a file was changed meanwhile.
        StoreError: something cannot be written; all is as it was.
    """
    try:
        token = secrets.token_hex(8)
        with (
            one_at_a_time(state.folder),
            swapped(_texts(state.folder, plan), state.folder / JOURNAL, token),
            state.store.transaction() as connection,
        ):
            store_policy(state, plan.before, plan.after)
            for feed in plan.feeds:
                state.feeds.put(feed)
            for file in plan.new_files:
                note(connection, current_user(), f"list {file.path.name}", None, {"rows": len(file.rules)})
            for line in plan.records:
                note(connection, current_user(), f"record {line}", None, line)
            state.expectations.note_override(overridden)
            note(connection, current_user(), f"import {plan.foreign.product}", None, {"number": token})
    except OSError as error:
        raise StoreError(f"{error.filename}: cannot be written: {error.strerror}; nothing is changed") from error


def _texts(folder: Path, plan: Plan) -> dict[Path, str]:
    """Return what files are to hold; raises PolicyError where one is no longer what the plan was made from."""
    before = records_text(folder)
    if before != plan.records_before or any(rows_of(file.path) != file.before for file in plan.files):
        raise PolicyError("a file was changed by someone else meanwhile; look at the differences again")
    texts = {file.path: file.text for file in plan.new_files}
    if plan.records:
        end = "" if not before or before.endswith("\n") else "\n"
        head = f"# imported from {plan.foreign.product}\n"
        texts[records_path(folder)] = f"{before}{end}{head}" + "".join(f"{line}\n" for line in plan.records)
    return texts


def read_list_files(state: State, plan: Plan) -> list[str]:
    """Sync the list files that are on, so that their rows count at once; return what went wrong, in words."""
    names = [file.name for file in plan.files if file.feed.enabled and file.rules]
    results = asyncio.run(_sync(state, names)) if names else []
    return [
        f"feed {result.feed}: {result.state.status.value}: {result.state.message}"
        for result in results
        if result.state.status not in _GOOD
    ]


async def _sync(state: State, names: Sequence[str]) -> list[SyncResult]:
    feeds = state.feeds.all()
    until = time.monotonic() + _BUSY_WITHIN
    results: dict[str, SyncResult] = {}
    async with open_syncer(state.settings, state, [feed for feed, _ in feeds]) as syncer:
        while True:
            waiting = [
                pair for pair in state.feeds.all()
                if pair[0].name in names and (pair[0].name not in results or results[pair[0].name].is_busy)
            ]  # fmt: skip
            if not waiting or time.monotonic() > until:
                return list(results.values())
            if results:
                await asyncio.sleep(_LOOK_AGAIN)  # the running server is reading it
            for result in await syncer.sync_all(waiting):
                store_result(state, result)
                results[result.feed] = result


def take_records_in(state: State) -> bool:
    """Let the running server read its local records again; return whether one runs.

    Raises:
        SinkholeError: it does not answer.
    """
    if not running_server(state.folder):
        return False
    request(state.folder, {"op": "reload"})
    return True
