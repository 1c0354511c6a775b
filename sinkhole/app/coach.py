"""Coaching: a token for whoever is shown the notice of the block page, and a grant for who hands it back."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sinkhole.app.notice import notice_key, write_notice
from sinkhole.app.state import State
from sinkhole.errors import PolicyError
from sinkhole.policy.address import client_address
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.token import Notice, digest_of, read_token
from sinkhole.policy.verdict import Action, BlockAnswer, Verdict


def issue(state: State, verdict: Verdict, client: str, now: datetime | None = None) -> str:
    """Return the token of the notice that a client is shown for a coached name; see `app.notice`.

    Raises:
        PolicyError: the verdict is not to coach, or the client is no address.
        StoreError: the key cannot be used.
    """
    return write_notice(notice_key(state.folder), verdict, client, now)


def redeem(state: State, token: str, client: str, now: datetime | None = None, also: Sequence[str] = ()) -> Override:
    """Store the grant that a token is good for, once; `apply` puts it in force.

    Args:
        client: address of who hands the token back.
        now: aware time; None: now.
        also: further addresses of the same machine, which get a grant each.

    Returns:
        The grant: it lets the client go on with what statements on that very subject coach, for `coach.minutes`.

    Raises:
        TokenError: forged, another client's, too old, or none.
        PolicyError: it was used, or the statement no longer coaches.
        StoreError: the key or the store cannot be used.
    """
    now = now or datetime.now(UTC)
    notice = read_token(notice_key(state.folder), token, client_address(client), now.timestamp())
    with state.store.transaction():
        if not any(_coaches(statement, notice, now) for statement in state.policy.statements()):
            raise PolicyError(f"{notice.subject} is no longer a matter of reading a notice")
        ends = now + timedelta(minutes=state.settings.coach.minutes)
        subjects = (Subject.from_text(notice.subject),)
        wanted = Override(OverrideKind.GRANT, 0, subjects, ends, client=notice.client, reason="the notice was read")
        granted = state.overrides.grant(wanted, digest_of(token), now)
        for address in also:
            if address != notice.client:
                state.overrides.grant(replace(wanted, client=address), digest_of(f"{token} {address}"), now)
        return granted


def granted_before(state: State, token: str, client: str, now: datetime) -> Override | None:
    """Return the grant in force that a client has for what its token is about: it needs no second one.

    Raises:
        TokenError: forged, another client's, too old, or none.
        StoreError: the key or the store cannot be used.
    """
    notice = read_token(notice_key(state.folder), token, client_address(client), now.timestamp())
    subjects = (Subject.from_text(notice.subject),)
    found = (one for one in state.overrides.in_force(now) if one.kind is OverrideKind.GRANT)
    return next((one for one in found if (one.client, one.subjects) == (notice.client, subjects)), None)


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
