"""Ask for an exception: what the command line and the block page do alike."""

from datetime import datetime

from sinkhole.app.notice import client_address
from sinkhole.errors import PolicyError
from sinkhole.policy.exception import PolicyException
from sinkhole.policy.subject import Subject
from sinkhole.store.exception_store import ExceptionStore


def wanted_exception(
    subject: Subject, expires: datetime, reason: str, owner: str, *,
    client: str | None = None, group: str | None = None, ticket: str | None = None,
) -> PolicyException:  # fmt: skip
    """Return the exception that somebody wants, for one client, a group or all.

    Args:
        expires: aware time.
        owner: who asks.

    Raises:
        PolicyError: there is no reason, or the client is no address.
    """
    if not reason.strip():
        raise PolicyError("an exception has a reason")
    address = None if client is None else client_address(client)
    return PolicyException(subject, expires.replace(microsecond=0), reason, owner, address, group, ticket)


def request_exception(store: ExceptionStore, wanted: PolicyException, now: datetime) -> PolicyException:
    """Store the request for someone to decide.

    Raises:
        PolicyError: its end is not possible.
    """
    return store.request(wanted, now)
