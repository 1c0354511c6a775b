"""Coaching: a token for whoever is shown the notice of the block page, and a grant for who hands it back."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sinkhole.app.state import State
from sinkhole.errors import PolicyError
from sinkhole.policy.groups import parse_client
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.token import Notice, digest_of, read_token, write_token
from sinkhole.policy.verdict import Action, BlockAnswer, Verdict
from sinkhole.store.key_file import read_key

KEY_FILE = "notice.key"


def issue(state: State, verdict: Verdict, client: str, now: datetime | None = None) -> str:
    """Return the token of the notice that a client is shown for a coached name.

    Args:
        client: address of the client, as the page sees it.
        now: aware time; None: now.

    Raises:
        PolicyError: the verdict is not to coach, or the client is no address.
        StoreError: the key cannot be used.
    """
    if not verdict.is_coached or verdict.subject is None or verdict.statement is None:
        raise PolicyError("a token is for a name that is coached")
    shown = int((now or datetime.now(UTC)).timestamp())
    return write_token(_key(state), Notice(_address(client), verdict.subject, verdict.statement, shown))


def redeem(state: State, token: str, client: str, now: datetime | None = None) -> Override:
    """Store the grant that a token is good for, once; `apply` puts it in force.

    Args:
        client: address of who hands the token back.
        now: aware time; None: now.

    Returns:
        The grant: it lets the client go on with what statements on that very subject coach, for `coach.minutes`.

    Raises:
        TokenError: forged, another client's, too old, or none.
        PolicyError: it was used, or the statement no longer coaches.
        StoreError: the key or the store cannot be used.
    """
    now = now or datetime.now(UTC)
    notice = read_token(_key(state), token, _address(client), now.timestamp())
    with state.store.transaction():
        if not any(_coaches(statement, notice, now) for statement in state.policy.statements()):
            raise PolicyError(f"{notice.subject} is no longer a matter of reading a notice")
        ends = now + timedelta(minutes=state.settings.coach.minutes)
        subjects = (Subject.from_text(notice.subject),)
        wanted = Override(OverrideKind.GRANT, 0, subjects, ends, client=notice.client, reason="the notice was read")
        return state.overrides.grant(wanted, digest_of(token), now)


def unseen(statements: Iterable[Statement], groups: Iterable[Group], answer: BlockAnswer) -> list[str]:
    """Say of each statement that coaches where nobody is shown a notice, since the blocked answer leads nowhere.

    Args:
        answer: how the server answers blocked names, where a group does not say it.
    """
    answers = {group.name: group.answer.with_page_of(answer) if group.answer else answer for group in groups}
    return [
        f"{statement.subject} is coached for {statement.scope}, but blocked names are answered with no address of a "
        "page, so nobody will see a notice; set blocking.ipv4 or blocking.ipv6, or --ipv4 of the group"
        for statement in statements
        if statement.action is Action.COACH and not answers.get(statement.group or "", answer).has_page
    ]


def _coaches(statement: Statement, notice: Notice, now: datetime) -> bool:
    is_it = statement.id == notice.statement and str(statement.subject) == notice.subject
    return is_it and statement.action is Action.COACH and statement.holds(now)


def _key(state: State) -> bytes:
    return read_key(state.folder / KEY_FILE, "coaching")


def _address(client: str) -> str:
    found = parse_client(client)
    if found is None:
        raise PolicyError(f"{client!r} is no address such as 192.0.2.7 or 2001:db8::7")
    return str(found)
