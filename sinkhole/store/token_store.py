"""Tokens of the API, by their digest: made, found and revoked; made and revoked is noted in the audit log."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, delete, insert, select, update

from sinkhole.errors import AccessError
from sinkhole.store.admin_models import AdminToken
from sinkhole.store.audit import note
from sinkhole.store.database import Store
from sinkhole.store.secret import new_secret, secret_digest

PREFIX = "sinkhole_"
"""What every token begins with, so that scanners for leaked secrets know one."""
_ROWS = select(*AdminToken.__table__.c).order_by(AdminToken.name)


@dataclass(frozen=True, slots=True)
class Token:
    """A token: what it may do, who made it; times are epoch seconds, `used` None for never."""

    name: str
    scopes: tuple[str, ...]
    maker: str
    created: int
    ends: int
    used: int | None


class TokenStore:
    """Read and change tokens.

    Args:
        store: where they are.
        who: who makes the changes, for the audit log.
    """

    def __init__(self, store: Store, who: str) -> None:
        self._store = store
        self._who = who

    def all(self) -> tuple[Token, ...]:
        """Return all, by name; those that have ended too."""
        with self._store.reading() as connection:
            return tuple(map(_token, connection.execute(_ROWS).mappings()))

    def create(self, name: str, scopes: tuple[str, ...], ends: datetime, now: datetime) -> str:
        """Make one and return its secret, which is never to be had again.

        Raises:
            AccessError: there is one of this name.
        """
        secret = new_secret(PREFIX)
        values = {
            "name": name, "digest": secret_digest(secret), "scopes": " ".join(scopes), "maker": self._who,
            "created": int(now.timestamp()), "ends": int(ends.timestamp()),
        }  # fmt: skip
        with self._store.transaction() as connection:
            if connection.execute(_ROWS.where(AdminToken.name == name)).first() is not None:
                raise AccessError(f"there is a token {name!r} already")
            connection.execute(insert(AdminToken).values(values))
            after = {"scopes": list(scopes), "ends": values["ends"]}
            note(connection, self._who, f"admin token {name} made", None, after)
        return secret

    def revoke(self, name: str) -> Token:
        """Revoke one and return it.

        Raises:
            AccessError: there is none of this name.
        """
        with self._store.transaction() as connection:
            row = connection.execute(_ROWS.where(AdminToken.name == name)).mappings().one_or_none()
            if row is None:
                raise AccessError(f"there is no token {name!r}")
            connection.execute(delete(AdminToken).where(AdminToken.name == name))
            gone = _token(row)
            note(connection, self._who, f"admin token {name} revoked", {"scopes": list(gone.scopes)}, None)
            return gone

    def find(self, secret: str, now: datetime) -> Token | None:
        """Return the token of a secret unless it has ended."""
        with self._store.reading() as connection:
            query = _ROWS.where(AdminToken.digest == secret_digest(secret))
            row = connection.execute(query).mappings().one_or_none()
        found = None if row is None else _token(row)
        return None if found is None or now.timestamp() >= found.ends else found

    def touch(self, name: str, now: datetime) -> None:
        """Note that it is used."""
        with self._store.transaction() as connection:
            used = int(now.timestamp())
            connection.execute(update(AdminToken).where(AdminToken.name == name).values(used=used))


def _token(row: RowMapping) -> Token:
    return Token(row["name"], tuple(row["scopes"].split()), row["maker"], row["created"], row["ends"], row["used"])
