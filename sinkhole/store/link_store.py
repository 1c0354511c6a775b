"""The link with which an account may be made once: how the first one comes to be, with no default password."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from sinkhole.store.admin_models import AdminLink
from sinkhole.store.audit import note
from sinkhole.store.database import Store
from sinkhole.store.secret import new_secret, secret_digest

LIFE = 900
"""Seconds that a link is good for."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link: the role of the account that may be made with it, who made it, and its end in epoch seconds."""

    role: str
    maker: str
    ends: int


class LinkStore:
    """Make, find and use up links."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, role: str, maker: str, now: datetime) -> str:
        """Make one in place of any other, and return its secret."""
        secret, ends = new_secret(), int(now.timestamp()) + LIFE
        with self._store.transaction() as connection:
            connection.execute(delete(AdminLink))
            values = {"digest": secret_digest(secret), "role": role, "maker": maker, "ends": ends}
            connection.execute(insert(AdminLink).values(values))
            note(connection, maker, "admin link made", None, {"role": role, "ends": ends})
        return secret

    def find(self, secret: str, now: datetime) -> Link | None:
        """Return the link of a secret unless it has ended or was used."""
        query = select(AdminLink.role, AdminLink.maker, AdminLink.ends)
        query = query.where(AdminLink.digest == secret_digest(secret), AdminLink.ends > int(now.timestamp()))
        with self._store.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
            return None if row is None else Link(**row)

    def use(self, secret: str) -> None:
        """Use one up."""
        with self._store.transaction() as connection:
            connection.execute(delete(AdminLink).where(AdminLink.digest == secret_digest(secret)))
