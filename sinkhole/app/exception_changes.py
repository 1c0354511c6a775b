"""Ask for exceptions and decide on them, as the command line and the admin side do it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sinkhole.app.exception_request import wanted_exception
from sinkhole.app.expectations import gated
from sinkhole.app.state import State
from sinkhole.app.subject_in import expect_group, subject_in
from sinkhole.errors import PolicyError
from sinkhole.policy.exception import PolicyException


@dataclass(frozen=True, slots=True)
class Request:
    """An exception as somebody asks for it: `ends` is an aware time, `owner` None for whoever asks."""

    subject: str
    ends: datetime
    reason: str
    client: str | None = None
    group: str | None = None
    owner: str | None = None
    ticket: str | None = None


def request_exception(state: State, request: Request) -> PolicyException:
    """Store a request.

    Raises:
        PolicyError: it cannot be, or has ended, or ends too far ahead.
    """
    return state.exceptions.request(_wanted(state, request), datetime.now(UTC))


def put_exception(state: State, request: Request, *, force: bool = False) -> PolicyException:
    """Store a request and approve it.

    Raises:
        PolicyError: as in `request_exception`.
        BrokenExpectationError: it would break an expectation; nothing is changed.
    """
    wanted = _wanted(state, request)
    with gated(state, force=force):
        return state.exceptions.put(wanted, datetime.now(UTC))


def approve_exception(state: State, number: int, *, force: bool = False) -> PolicyException:
    """Let a request count.

    Raises:
        PolicyError: there is no such request, or it can no longer be approved.
        BrokenExpectationError: it would break an expectation; nothing is changed.
    """
    with gated(state, force=force):
        return state.exceptions.approve(number, datetime.now(UTC))


def deny_exception(state: State, number: int) -> PolicyException:
    """Turn a request down.

    Raises:
        PolicyError: there is no such request.
    """
    return state.exceptions.deny(number, datetime.now(UTC))


def revoke_exception(state: State, number: int, *, force: bool = False) -> PolicyException:
    """End an approved one before its time.

    Raises:
        PolicyError: there is none such, or it is over.
        BrokenExpectationError: it would break an expectation; nothing is changed.
    """
    with gated(state, force=force):
        return state.exceptions.revoke(number, datetime.now(UTC))


def _wanted(state: State, request: Request) -> PolicyException:
    if request.client is not None and request.group is not None:
        raise PolicyError("an exception is for a client or for a group, not for both")
    expect_group(state, request.group)
    return wanted_exception(
        subject_in(state, request.subject), request.ends.astimezone(UTC), request.reason, request.owner or state.who,
        client=request.client, group=request.group, ticket=request.ticket,
    )  # fmt: skip
