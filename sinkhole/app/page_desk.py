"""The block page's desk in the control process: grants for notices that were read, and requests for exceptions.

The page answers to everybody on the network, so what it may bring about is this alone, and is bounded here again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sinkhole.app.coach import granted_before, redeem
from sinkhole.app.exception_request import wanted_exception
from sinkhole.app.page_link import ASK, GO_ON
from sinkhole.app.state import State
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.errors import PolicyError, SinkholeError
from sinkhole.policy.address import client_address
from sinkhole.policy.exception import ExceptionState, PolicyException
from sinkhole.policy.override import Override
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.store.exception_store import ExceptionStore
from sinkhole.store.override_store import OverrideStore

WHO = "block page"
"""Who makes these changes, for the audit log."""
MOST_OPEN, MOST_OPEN_OF_CLIENT = 500, 5
"""Requests that wait for someone: of all, and of one client. Beyond that nobody would read them."""
MOST_ADDRESSES = 16
"""Addresses of one machine that get a grant; more means a device that answers for others (proxy ARP)."""
_OPS = (GO_ON, ASK)


class PageDesk:
    """Does what the page asks for.

    Args:
        store: where it is noted.
        addresses: returns the addresses of the machine at an address.
        names: returns what a client is called, None where that is not known.
        apply: puts what the store says in force.
    """

    def __init__(
        self,
        store: StoreKeeper,
        addresses: Callable[[str], tuple[str, ...]],
        names: Callable[[str], str | None],
        apply: Callable[[], Awaitable[object]],
    ) -> None:
        self._store = store
        self._addresses = addresses
        self._names = names
        self._apply = apply

    def knows(self, op: str) -> bool:
        """Return whether a message is for this desk."""
        return op in _OPS

    async def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Answer a message of the page.

        Raises:
            SinkholeError: it is refused.
        """
        if message["op"] == GO_ON:
            return {"until": (await self._go_on(str(message["token"]), str(message["client"]))).isoformat()}
        days = message["days"]
        if not isinstance(days, int):
            raise SinkholeError(f"wanted days as a number; found {days!r}")
        texts = {key: str(message[key]) for key in ("client", "subject", "reason", "reference")}
        return {"number": await self._ask(texts, timedelta(days=days))}

    async def _go_on(self, token: str, client: str) -> datetime:
        now = datetime.now(UTC)
        machine = self._addresses(client_address(client))
        also = machine if len(machine) <= MOST_ADDRESSES else ()

        def grant(state: State) -> tuple[Override, bool]:
            state = replace(state, who=WHO, overrides=OverrideStore(state.store, WHO))
            before = granted_before(state, token, client, now)
            return (before, False) if before is not None else (redeem(state, token, client, now, also), True)

        granted, is_new = await self._store.do(grant)
        if is_new:
            await self._apply()
        return granted.ends

    async def _ask(self, texts: dict[str, str], length: timedelta) -> int:
        now = datetime.now(UTC)
        client = client_address(texts["client"])
        subject = Subject.from_text(texts["subject"])
        if subject.kind not in (SubjectKind.PRODUCT, SubjectKind.DOMAIN):
            raise PolicyError(f"the page asks for products and names alone; found {subject}")
        wanted = wanted_exception(
            subject, now + length, texts["reason"], self._names(client) or client, client=client,
            ticket=texts["reference"],
        )  # fmt: skip

        def ask(state: State) -> PolicyException:
            store = ExceptionStore(state.store, WHO)
            waiting = [one for one in store.all() if one.state_at(now) is ExceptionState.REQUESTED]
            same = next((one for one in waiting if one.identity == wanted.identity), None)
            if same is not None:
                return same
            own = sum(one.client == client for one in waiting)
            if len(waiting) >= MOST_OPEN or own >= MOST_OPEN_OF_CLIENT:
                raise PolicyError("too many requests wait for someone to decide")
            return store.request(wanted, now)

        return (await self._store.do(ask)).id
