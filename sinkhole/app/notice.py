"""The key of the block page, and the tokens of its notices; without the store, which the page does not open."""

from datetime import UTC, datetime
from pathlib import Path

from sinkhole.errors import PolicyError
from sinkhole.policy.address import client_address
from sinkhole.policy.token import Notice, write_token
from sinkhole.policy.verdict import Verdict
from sinkhole.store.key_file import read_key

KEY_FILE = "notice.key"


def notice_key(folder: Path) -> bytes:
    """Return the key of the data folder.

    Raises:
        StoreError: it cannot be used.
    """
    return read_key(folder / KEY_FILE, "coaching")


def write_notice(key: bytes, verdict: Verdict, client: str, now: datetime | None = None) -> str:
    """Return the token of the notice that a client is shown for a coached name.

    Args:
        client: address of the client, as the page sees it.
        now: aware time; None: now.

    Raises:
        PolicyError: the verdict is not to coach, or the client is no address.
    """
    if not verdict.is_coached or verdict.subject is None or verdict.statement is None:
        raise PolicyError("a token is for a name that is coached")
    shown = int((now or datetime.now(UTC)).timestamp())
    return write_token(key, Notice(client_address(client), verdict.subject, verdict.statement, shown))
