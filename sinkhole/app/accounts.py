"""Accounts of the admin side, as the command line and the pages make and change them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sinkhole.app.passwords import Passwords, expect_good
from sinkhole.app.rights import Right, Scope, role_from_text
from sinkhole.app.state import State
from sinkhole.app.totp import new_recovery_codes, step_of
from sinkhole.config.schema import AdminSettings
from sinkhole.errors import AccessError
from sinkhole.store.account_store import Account, AccountStore
from sinkhole.store.link_store import LinkStore
from sinkhole.store.token_store import TokenStore
from sinkhole.transport.addresses import parse_listen

LONGEST_TOKEN = timedelta(days=366)
SETUP = "/setup/"
"""Path of the page that a link leads to, followed by its secret."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}")
_HTTPS = 443


def account_store(state: State) -> AccountStore:
    """Return the accounts of an installation."""
    return AccountStore(state.store, state.who)


def token_store(state: State) -> TokenStore:
    """Return the tokens of an installation."""
    return TokenStore(state.store, state.who)


def create_account(state: State, name: str, role: str, password: str, passwords: Passwords) -> Account:
    """Make an account.

    Raises:
        AccessError: the name, role or password is not good, or there is one of this name.
    """
    right = role_from_text(role)
    _expect_name("account", name)
    expect_good(password, name)
    return account_store(state).create(name, str(right), passwords.hash(password), datetime.now(UTC))


def change_password(state: State, name: str, password: str, passwords: Passwords) -> None:
    """Give an account another password; its sessions end.

    Raises:
        AccessError: there is none of this name, or the password is not good.
    """
    account_store(state).get(name)
    expect_good(password, name)
    account_store(state).set_password(name, passwords.hash(password), datetime.now(UTC))


def remove_account(state: State, name: str) -> Account:
    """Remove an account with its sessions."""
    return account_store(state).remove(name)


def turn_totp_on(state: State, name: str, secret: str, code: str) -> tuple[str, ...]:
    """Give an account a second factor that its app has proved to have, and return its recovery codes.

    Raises:
        AccessError: there is none of this name, or the code is not that of the secret now.
    """
    now = datetime.now(UTC)
    account_store(state).get(name)
    step = step_of(secret, code, now)
    if step is None:
        raise AccessError("the code is not the one that the app shows now; is the clock of this machine right?")
    codes = new_recovery_codes()
    account_store(state).set_totp(name, secret, step, codes, now)
    return codes


def turn_totp_off(state: State, name: str) -> None:
    """Take the second factor of an account away."""
    account_store(state).set_totp(name, None, 0, (), datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token that was just made: its secret is nowhere else."""

    name: str
    secret: str
    scopes: tuple[str, ...]
    ends: datetime


def create_token(state: State, name: str, scopes: tuple[str, ...], life: timedelta) -> MadeToken:
    """Make a token of the API.

    Raises:
        AccessError: the name or a scope is not good, it would last too long, or there is one of this name.
    """
    _expect_name("token", name)
    if not scopes:
        raise AccessError("a token has a scope, such as read or manage:policy")
    read = tuple(dict.fromkeys(str(Scope.from_text(scope)) for scope in scopes))
    if not timedelta() < life <= LONGEST_TOKEN:
        raise AccessError(f"a token lasts at most {LONGEST_TOKEN.days} days")
    now = datetime.now(UTC)
    secret = token_store(state).create(name, read, now + life, now)
    return MadeToken(name, secret, read, (now + life).replace(microsecond=0))


def create_link(state: State, role: str = str(Right.MANAGE)) -> str:
    """Make the link with which an account may be made once, in place of any before, and return its URL."""
    right = role_from_text(role)
    return (
        page_url(state.settings.admin) + SETUP + LinkStore(state.store).create(str(right), state.who, datetime.now(UTC))
    )


def first_link(state: State) -> str | None:
    """Return a link for the first account; None where there is an account."""
    return create_link(state) if account_store(state).is_empty() else None


def create_by_link(state: State, secret: str, name: str, password: str, passwords: Passwords) -> Account:
    """Make an account with a link, which is good for that once.

    Raises:
        AccessError: the link is none or was used, or as in `create_account`; then it is still good.
    """
    _expect_name("account", name)
    expect_good(password, name)
    hashed = passwords.hash(password)  # before the transaction: it takes long, and hits wait for the lock
    links, now = LinkStore(state.store), datetime.now(UTC)
    with state.store.transaction():
        link = links.find(secret, now)
        if link is None:
            raise AccessError("this link has ended or was used; make another with: sinkhole admin link")
        links.use(secret)
        return AccountStore(state.store, f"link of {link.maker}").create(name, link.role, hashed, now)


def page_url(admin: AdminSettings) -> str:
    """Return where the admin side is to be found, without a final slash."""
    listen = parse_listen(admin.listen[0])
    if admin.trusted_proxies and admin.hosts:
        return f"https://{admin.hosts[0]}"
    scheme = "http" if admin.certificate is None else "https"
    host = listen.host
    if admin.hosts:
        host = admin.hosts[0]
    elif host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "localhost"
    told = f"[{host}]" if ":" in host else host
    return f"{scheme}://{told}" if listen.port == _HTTPS and scheme == "https" else f"{scheme}://{told}:{listen.port}"


def _expect_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise AccessError(f"{what} {name!r}: wanted up to 63 lower-case letters, digits, and . _ @ - after the first")
