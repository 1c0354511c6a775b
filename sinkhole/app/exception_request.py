"""What an exception is that somebody asks for: at the command line, on the admin side and on the block page alike."""

from datetime import datetime

from sinkhole.errors import PolicyError
from sinkhole.policy.address import client_address
from sinkhole.policy.exception import PolicyException
from sinkhole.policy.subject import Subject


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
