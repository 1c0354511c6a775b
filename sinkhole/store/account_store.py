"""Accounts of the admin side; every change is noted in the audit log, without a password, secret or digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from sinkhole.errors import AccessError
from sinkhole.store.admin_models import AdminAccount, AdminRecovery, AdminSession
from sinkhole.store.audit import note
from sinkhole.store.database import Store
from sinkhole.store.secret import secret_digest

_ROWS = select(*AdminAccount.__table__.c).order_by(AdminAccount.name)


@dataclass(frozen=True, slots=True)
class Account:
    """An account. `password` is an argon2id hash; `totp` the secret of its second factor, None for none.

    `totp_step` is the last 30-second step whose code was used; `created`, `changed` and `last_login` (None where
    that is not known) are epoch seconds.
    """

    name: str
    role: str
    password: str
    totp: str | None
    totp_step: int
    created: int
    changed: int
    last_login: int | None


class AccountStore:
    """Read and change accounts.

    Args:
        store: where they are.
        who: who makes the changes, for the audit log.
    """

    def __init__(self, store: Store, who: str) -> None:
        self._store = store
        self._who = who

    def all(self) -> tuple[Account, ...]:
        """Return all, by name."""
        with self._store.reading() as connection:
            return tuple(map(_account, connection.execute(_ROWS).mappings()))

    def find(self, name: str) -> Account | None:
        """Return one, or None."""
        with self._store.reading() as connection:
            return _find(connection, name)

    def get(self, name: str) -> Account:
        """Return one.

        Raises:
            AccessError: there is none of this name.
        """
        with self._store.reading() as connection:
            return _get(connection, name)

    def is_empty(self) -> bool:
        """Return whether there is no account yet."""
        with self._store.reading() as connection:
            return connection.execute(select(func.count()).select_from(AdminAccount)).scalar_one() == 0

    def create(self, name: str, role: str, password: str, now: datetime) -> Account:
        """Add an account; `password` is its hash.

        Raises:
            AccessError: there is one of this name.
        """
        with self._store.transaction() as connection:
            if _find(connection, name) is not None:
                raise AccessError(f"there is an account {name!r} already")
            at = int(now.timestamp())
            values = {"name": name, "role": role, "password": password, "totp_step": 0, "created": at, "changed": at}
            connection.execute(insert(AdminAccount).values(values))
            note(connection, self._who, f"admin account {name} made", None, {"role": role})
            return _get(connection, name)

    def remove(self, name: str) -> Account:
        """Remove an account with its sessions, and return it.

        Raises:
            AccessError: there is none of this name.
        """
        with self._store.transaction() as connection:
            gone = _get(connection, name)
            connection.execute(delete(AdminAccount).where(AdminAccount.name == name))
            note(connection, self._who, f"admin account {name} removed", {"role": gone.role}, None)
            return gone

    def set_role(self, name: str, role: str, now: datetime) -> Account:
        """Give an account another role; its sessions end.

        Raises:
            AccessError: there is none of this name.
        """
        with self._store.transaction() as connection:
            before = _get(connection, name)
            self._change(connection, name, now, role=role)
            note(connection, self._who, f"admin account {name} role", {"role": before.role}, {"role": role})
            return _get(connection, name)

    def set_password(self, name: str, password: str, now: datetime) -> None:
        """Give an account another password, as its hash; its sessions end.

        Raises:
            AccessError: there is none of this name.
        """
        with self._store.transaction() as connection:
            _get(connection, name)
            self._change(connection, name, now, password=password)
            note(connection, self._who, f"admin account {name} password changed", None, None)

    def rehash(self, name: str, password: str) -> None:
        """Store the same password by a stronger hash: nothing changes for anybody."""
        with self._store.transaction() as connection:
            connection.execute(update(AdminAccount).where(AdminAccount.name == name).values(password=password))

    def set_totp(self, name: str, secret: str | None, step: int, codes: Sequence[str], now: datetime) -> None:
        """Give an account a second factor with its recovery codes, or take it away; its sessions end.

        Args:
            secret: None: none.
            step: of the code that proved it, which counts as used.

        Raises:
            AccessError: there is no account of this name.
        """
        with self._store.transaction() as connection:
            _get(connection, name)
            self._change(connection, name, now, totp=secret, totp_step=step)
            connection.execute(delete(AdminRecovery).where(AdminRecovery.account == name))
            for code in codes:
                connection.execute(insert(AdminRecovery).values(account=name, digest=secret_digest(code)))
            said = "off" if secret is None else "on"
            note(connection, self._who, f"admin account {name} second factor {said}", None, None)

    def use_step(self, name: str, step: int) -> bool:
        """Note that the code of a step was used; False where it, or a later one, was used before (RFC 6238, 5.2)."""
        with self._store.transaction() as connection:
            is_next = (AdminAccount.name == name) & (AdminAccount.totp_step < step)
            return connection.execute(update(AdminAccount).where(is_next).values(totp_step=step)).rowcount == 1

    def use_recovery(self, name: str, code: str) -> bool:
        """Use a recovery code up; False where there is none such."""
        with self._store.transaction() as connection:
            is_it = (AdminRecovery.account == name) & (AdminRecovery.digest == secret_digest(code))
            is_used = connection.execute(delete(AdminRecovery).where(is_it)).rowcount == 1
            if is_used:
                note(connection, self._who, f"admin account {name} recovery code used", None, None)
            return is_used

    def recovery_left(self, name: str) -> int:
        """Return how many recovery codes an account has."""
        counted = select(func.count()).select_from(AdminRecovery).where(AdminRecovery.account == name)
        with self._store.reading() as connection:
            return int(connection.execute(counted).scalar_one())

    def _change(self, connection: Connection, name: str, now: datetime, **values: Any) -> None:
        changed = values | {"changed": int(now.timestamp())}
        connection.execute(update(AdminAccount).where(AdminAccount.name == name).values(changed))
        connection.execute(delete(AdminSession).where(AdminSession.account == name))


def _find(connection: Connection, name: str) -> Account | None:
    row = connection.execute(_ROWS.where(AdminAccount.name == name)).mappings().one_or_none()
    return None if row is None else _account(row)


def _get(connection: Connection, name: str) -> Account:
    found = _find(connection, name)
    if found is None:
        raise AccessError(f"there is no account {name!r}")
    return found


def _account(row: RowMapping) -> Account:
    return Account(**row)
