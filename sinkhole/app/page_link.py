"""The block page's way to the control process: what a form asks for, and what came of it."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

from sinkhole.app.local_socket import MessageError, exchange
from sinkhole.errors import SinkholeError

GO_ON, ASK = "page.go_on", "page.ask"
_WITHIN = 5.0
"""Seconds that somebody in front of a form waits at most."""
_AT_ONCE = 4
"""Requests under way at the same time; more wait, so that a crowd does not crowd out the workers' hits."""


class PageLink:
    """Asks the control process of a data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def go_on(self, token: str, client: str) -> dt.datetime:
        """Let a client go on for the token of a notice; return until when.

        Raises:
            SinkholeError: it is not let, or nobody answers.
        """
        done = await self._request({"op": GO_ON, "token": token, "client": client})
        return dt.datetime.fromisoformat(str(done["until"]))

    async def ask(self, client: str, subject: str, reason: str, days: int, reference: str) -> int:
        """Ask for an exception for a client; return its number.

        Raises:
            SinkholeError: it cannot be asked for, or nobody answers.
        """
        wanted = {"client": client, "subject": subject, "reason": reason, "days": days, "reference": reference}
        return int((await self._request({"op": ASK, **wanted}))["number"])

    async def _request(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_WITHIN), self._places:
                answer = await exchange(self._folder, message)
        except (OSError, TimeoutError, MessageError) as error:
            raise SinkholeError("the control process of the server does not answer") from error
        if answer["op"] == "failed":
            raise SinkholeError(str(answer["why"]))
        return answer
