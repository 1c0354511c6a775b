"""Sessions of the admin side: who is logged in, by the digest of what the cookie holds."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from sinkhole.store.admin_models import AdminAccount, AdminSession
from sinkhole.store.database import Store
from sinkhole.store.secret import new_secret, secret_digest

MAX_OF_ONE = 20
"""Sessions of one account; a further one takes the place of that which was not used for longest."""


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in: whose, with which role now, from where; times are epoch seconds."""

    digest: str
    account: str
    role: str
    began: int
    used: int
    ends: int
    address: str


class SessionStore:
    """Begin, find and end sessions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, account: str, address: str, now: datetime, seconds: int) -> str:
        """Begin a session that ends after so many seconds whatever is done, and return the secret of its cookie."""
        secret, at = new_secret(), int(now.timestamp())
        with self._store.transaction() as connection:
            connection.execute(delete(AdminSession).where(AdminSession.ends <= at))
            oldest = select(AdminSession.digest).where(AdminSession.account == account)
            oldest = oldest.order_by(AdminSession.used.desc()).offset(MAX_OF_ONE - 1).limit(-1)
            connection.execute(delete(AdminSession).where(AdminSession.digest.in_(oldest)))
            values = {
                "digest": secret_digest(secret), "account": account, "began": at, "used": at, "ends": at + seconds,
                "address": address,
            }  # fmt: skip
            connection.execute(insert(AdminSession).values(values))
            connection.execute(update(AdminAccount).where(AdminAccount.name == account).values(last_login=at))
        return secret

    def find(self, secret: str, now: datetime, idle: int) -> Session | None:
        """Return the session of a secret unless it has ended, or was not used for `idle` seconds."""
        at = int(now.timestamp())
        query = select(*AdminSession.__table__.c, AdminAccount.role).join(AdminAccount)
        query = query.where(AdminSession.digest == secret_digest(secret))
        with self._store.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        found = None if row is None else Session(**row)
        return None if found is None or at >= found.ends or at >= found.used + idle else found

    def touch(self, digest: str, now: datetime) -> None:
        """Note that it is used."""
        with self._store.transaction() as connection:
            is_it = AdminSession.digest == digest
            connection.execute(update(AdminSession).where(is_it).values(used=int(now.timestamp())))

    def end(self, digest: str) -> None:
        """End one."""
        with self._store.transaction() as connection:
            connection.execute(delete(AdminSession).where(AdminSession.digest == digest))

    def end_all(self, account: str) -> int:
        """End all of an account; return how many."""
        with self._store.transaction() as connection:
            return connection.execute(delete(AdminSession).where(AdminSession.account == account)).rowcount

    def of(self, account: str, now: datetime, idle: int) -> tuple[Session, ...]:
        """Return those of an account, the last used first."""
        at = int(now.timestamp())
        query = select(*AdminSession.__table__.c, AdminAccount.role).join(AdminAccount)
        query = query.where(AdminSession.account == account, AdminSession.ends > at, AdminSession.used > at - idle)
        with self._store.reading() as connection:
            rows = connection.execute(query.order_by(AdminSession.used.desc())).mappings()
            return tuple(Session(**row) for row in rows)
