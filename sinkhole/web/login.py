"""Log in: name, password and, where the account has one, the code of its second factor; guesses are bounded."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from sinkhole.app.accounts import account_store
from sinkhole.app.passwords import LONGEST, Passwords, expect_good
from sinkhole.app.state import State
from sinkhole.app.totp import plain_recovery_code, step_of
from sinkhole.config.schema import AdminSettings
from sinkhole.log import Log
from sinkhole.store.account_store import Account
from sinkhole.store.session_store import SessionStore
from sinkhole.web.attempts import Attempts, key_of_address
from sinkhole.web.peer import Peer
from sinkhole.web.problem import RequestError
from sinkhole.web.work import Work

WINDOW = 900.0
MOST_OF_ACCOUNT = 10
MOST_OF_ADDRESS = 20
_WRONG = "name, password or code is wrong"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody logs in with; `code` is of the second factor, or a recovery code."""

    name: str
    password: str
    code: str = ""


class Login:
    """Log accounts in.

    Args:
        settings: how long sessions last.
        work: the threads.
        passwords: verifies them.
    """

    def __init__(self, settings: AdminSettings, work: Work, passwords: Passwords) -> None:
        self._settings = settings
        self._work = work
        self.passwords = passwords
        self._of_account = Attempts(MOST_OF_ACCOUNT, WINDOW)
        self._of_address = Attempts(MOST_OF_ADDRESS, WINDOW)
        self._log = Log("admin")

    async def log_in(self, given: Credentials, peer: Peer, former: str | None) -> str:
        """Return the secret of a new session; a former one of the same browser ends.

        Raises:
            RequestError: 401 for what is wrong, which is never told; 429 after too many failures.
        """
        address = key_of_address(peer.address)
        self.expect_room(given.name, address)
        self._of_account.note_failure(given.name[:LONGEST])
        self._of_address.note_failure(address)
        account = await self._work.readers.do(lambda state: account_store(state).find(given.name))
        stored = None if account is None else account.password
        is_right = await self._work.hashing.run(lambda: self.passwords.is_right(stored, given.password))
        if account is None or not is_right:
            self._refuse(given.name, peer, "password")
        secret = await self._work.access.do(
            f"admin {account.name}",
            f"web from {peer.address}",
            lambda state: self._begin(state, account, given, peer, former),
        )
        if secret is None:
            self._refuse(given.name, peer, "code")
        self._of_account.forget(given.name[:LONGEST])
        self._of_address.forget(address)
        self._log.info("admin.logged_in", account=account.name, address=peer.address)
        if self.passwords.is_weak(account.password):
            await self._rehash(account.name, given.password)
        return secret

    async def change_password(self, name: str, current: str, wanted: str, peer: Peer) -> str:
        """Give an account another password, whose sessions all end, and return the secret of a new one.

        Raises:
            RequestError: 422 where the current one is wrong, 429 after too many failures.
            AccessError: the new one is not good.
        """
        address = key_of_address(peer.address)
        self.expect_room(name, address)
        self._of_account.note_failure(name[:LONGEST])
        self._of_address.note_failure(address)
        account = await self._work.readers.do(lambda state: account_store(state).get(name))
        if not await self._work.hashing.run(lambda: self.passwords.is_right(account.password, current)):
            self._log.warning("admin.password_not_changed", account=name, address=peer.address, why="password")
            raise RequestError(422, "the current password is wrong")
        self._of_account.forget(name[:LONGEST])
        self._of_address.forget(address)
        expect_good(wanted, name)
        hashed = await self._work.hashing.run(lambda: self.passwords.hash(wanted))

        def change(state: State) -> str:
            now = datetime.now(UTC)
            with state.store.transaction():
                if account_store(state).get(name).password != account.password:
                    raise RequestError(409, "the password was changed meanwhile")
                account_store(state).set_password(name, hashed, now)
                return SessionStore(state.store).begin(name, peer.address, now, self._settings.session_hours * 3600)

        secret = await self._work.access.do(f"admin {name}", f"web from {peer.address}", change)
        self._log.info("admin.password_changed", account=name, address=peer.address)
        return secret

    def expect_room(self, name: str, address: str) -> None:
        """Refuse a further attempt after too many failures.

        Raises:
            RequestError: 429, with the seconds to wait.
        """
        wait = max(self._of_account.wait(name[:LONGEST]), self._of_address.wait(address))
        if wait:
            self._log.warning("admin.login_limited", account=name[:LONGEST], address=address, wait=wait)
            minutes = -(-wait // 60)
            when = "in a minute" if minutes == 1 else f"in {minutes} minutes"
            raise RequestError(429, f"too many attempts failed; try again {when}", headers={"Retry-After": str(wait)})

    def note_failure(self, address: str) -> None:
        """Count a guess of something else than a password."""
        self._of_address.note_failure(address)

    def _begin(self, state: State, account: Account, given: Credentials, peer: Peer, former: str | None) -> str | None:
        """Begin a session unless the second factor is wrong; all in one transaction, so that a code counts once."""
        now, sessions = datetime.now(UTC), SessionStore(state.store)
        with state.store.transaction():
            now_there = account_store(state).find(account.name)
            if now_there is None or (now_there.password, now_there.totp) != (account.password, account.totp):
                return None  # it was changed while its password was verified
            if account.totp is not None and not self._is_second(state, account, account.totp, given.code, now):
                return None
            if former is not None and (old := sessions.find(former, now, self._settings.idle_minutes * 60)):
                sessions.end(old.digest)
            return sessions.begin(account.name, peer.address, now, self._settings.session_hours * 3600)

    def _is_second(self, state: State, account: Account, secret: str, code: str, now: datetime) -> bool:
        accounts = account_store(state)
        step = step_of(secret, code, now)
        if step is not None:
            return accounts.use_step(account.name, step)
        return bool(code) and accounts.use_recovery(account.name, plain_recovery_code(code))

    def _refuse(self, name: str, peer: Peer, why: str) -> NoReturn:
        self._log.warning("admin.login_failed", account=name[:LONGEST], address=peer.address, why=why)
        raise RequestError(401, _WRONG)

    async def _rehash(self, name: str, password: str) -> None:
        hashed = await self._work.hashing.run(lambda: self.passwords.hash(password))
        await self._work.access.do(f"admin {name}", "web", lambda state: account_store(state).rehash(name, hashed))
