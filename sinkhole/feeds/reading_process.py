"""Run the reading of one list in a process of its own, and end it when it takes too long."""

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Final

from sinkhole.errors import FeedError
from sinkhole.feeds.reading import Job, Report

READ_TIMEOUT: Final = 300.0
"""Seconds; two million rows take 16 on one core of a small server."""


async def read_apart(job: Job, timeout: float = READ_TIMEOUT) -> Report:
    """Read and vet the list of a job.

    Raises:
        FeedError: why the list cannot be used.
    """
    # -P: the folder we are started from must not decide what is imported.
    # A session of its own: an interrupt from the terminal is for us, and we end the process.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "sinkhole.feeds.reading",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(timeout):
            output, _ = await process.communicate(json.dumps(asdict(job)).encode())
    except TimeoutError as error:
        raise FeedError(f"the list was not read within {timeout:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        answer = json.loads(output)
    except ValueError as error:
        raise FeedError(f"the process that reads the list failed with status {process.returncode}") from error
    if "error" in answer:
        raise FeedError(answer["error"])
    return Report.from_json(answer)
