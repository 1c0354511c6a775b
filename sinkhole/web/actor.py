"""Who makes a request: an account by its session, or a token; found anew for each request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sinkhole.app.rights import Right, Scope, is_permitted, role_from_text
from sinkhole.app.state import State
from sinkhole.errors import AccessError
from sinkhole.store.session_store import Session, SessionStore
from sinkhole.store.token_store import TokenStore

SECURE_COOKIE = "__Host-sinkhole"
"""Name over TLS: a browser takes it from this very host alone (RFC 6265bis, section 4.1.3.2)."""
PLAIN_COOKIE = "sinkhole"
_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a request, and what they may do.

    Attributes:
        name: of the account or token.
        session: None for a token.
        token: name of the token, None for a session.
        used: epoch seconds of the last noted use, None for never.
    """

    name: str
    scopes: tuple[Scope, ...]
    session: Session | None = None
    token: str | None = None
    used: int | None = None

    @property
    def who(self) -> str:
        """What the audit log calls them."""
        return f"admin {self.name}" if self.token is None else f"token {self.name}"

    def may(self, right: Right, area: str) -> bool:
        """Return whether they have a right in an area."""
        return is_permitted(self.scopes, right, area)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows: the secret of a session's cookie, and of a token; None for none."""

    cookie: str | None
    token: str | None

    @classmethod
    def of(cls, headers: Mapping[str, str], cookies: Mapping[str, str], *, is_secure: bool) -> "Shown":
        """Read it. A token goes before a cookie: whoever sends one does not mean to be a browser."""
        authorization = headers.get("Authorization", "")
        is_bearer = authorization[: len(_BEARER)].lower() == _BEARER
        token = authorization[len(_BEARER) :].strip() if is_bearer else None
        return cls(cookies.get(SECURE_COOKIE if is_secure else PLAIN_COOKIE), token)

    @property
    def is_cookie(self) -> bool:
        """Whether the request rests on what a browser sends by itself."""
        return self.token is None and self.cookie is not None


def find_actor(state: State, shown: Shown, idle: int) -> Actor | None:
    """Return who shows this, or None; what is stored of them decides, at this moment.

    Args:
        idle: seconds without use after which a session has ended.
    """
    now = datetime.now(UTC)
    if shown.token is not None:
        token = TokenStore(state.store, state.who).find(shown.token, now)
        if token is None:
            return None
        return Actor(token.name, _scopes(token.scopes), token=token.name, used=token.used)
    if shown.cookie is None:
        return None
    session = SessionStore(state.store).find(shown.cookie, now, idle)
    if session is None:
        return None
    return Actor(session.account, (Scope(role_from_text(session.role)),), session=session, used=session.used)


def _scopes(texts: tuple[str, ...]) -> tuple[Scope, ...]:
    """Return the scopes that can be read; one of a later version gives nothing."""
    found = []
    for text in texts:
        try:
            found.append(Scope.from_text(text))
        except AccessError:
            continue
    return tuple(found)
