"""`sinkhole admin`: who may use the admin side, and the tokens of its API."""

import sys
from datetime import UTC, datetime
from typing import Any

import click

from sinkhole.app.accounts import (
    account_store,
    change_password,
    create_account,
    create_link,
    page_url,
    remove_account,
    turn_totp_off,
    turn_totp_on,
)
from sinkhole.app.passwords import LONGEST, SHORTEST, Passwords
from sinkhole.app.rights import ROLES, role_from_text
from sinkhole.app.state import State
from sinkhole.app.totp import new_totp_secret, totp_uri
from sinkhole.cli.admin_token import token
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import local_time, print_fact, print_json, print_line, print_table, utc_time
from sinkhole.cli.session import opened
from sinkhole.errors import AccessError
from sinkhole.store.account_store import Account
from sinkhole.store.session_store import SessionStore

_ROLES = ", ".join(ROLES)
_name = click.argument("name")
_stdin = click.option("--password-stdin", "from_stdin", is_flag=True, help="Read the password from standard input.")


@click.group()
def admin() -> None:
    """Say who may use the admin side (API and pages), and make tokens of its API.

    Roles: read (policy, catalogue, feeds, settings), report (also what clients did, and the audit log), manage (also
    change all of it).
    """


@admin.command(short_help="Make an account.")
@place_options
@json_option
@_name
@click.option("--role", default="manage", show_default=True, metavar="ROLE", help=f"{_ROLES}.")
@_stdin
def create(place: Place, name: str, role: str, from_stdin: bool) -> None:
    """Make account NAME; its password is asked for.

    \b
    Example: sinkhole admin create alice --role report
    """
    role_from_text(role)
    with opened(place) as state:
        made = create_account(state, name, role, _password(from_stdin), Passwords())
        print_line(f"account {made.name} made, with the role {made.role}; log in at {page_url(state.settings.admin)}")
        print_fact("account", made.name)


@admin.command("list")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_accounts(place: Place, as_json: bool) -> None:
    """List the accounts.

    \b
    Example: sinkhole admin list
    """
    with opened(place) as state:
        rows = [_facts(state, account) for account in account_store(state).all()]
    if as_json:
        times = ("created", "changed", "last_login")
        print_json([row | {key: row[key] and utc_time(row[key]) for key in times} for row in rows])
        return
    header = ("account", "role", "second factor", "sessions", "last log-in", "made", "changed")
    print_table(
        header,
        [(row["account"], row["role"], "on" if row["totp"] else "off", row["sessions"],
          local_time(row["last_login"]), local_time(row["created"]), local_time(row["changed"])) for row in rows],
        empty="no account; make one with: sinkhole admin create NAME",
    )  # fmt: skip


def _facts(state: State, account: Account) -> dict[str, Any]:
    idle = state.settings.admin.idle_minutes * 60
    return {
        "account": account.name, "role": account.role, "totp": account.totp is not None,
        "recovery_codes": account_store(state).recovery_left(account.name),
        "sessions": len(SessionStore(state.store).of(account.name, datetime.now(UTC), idle)),
        "created": account.created, "changed": account.changed, "last_login": account.last_login,
    }  # fmt: skip


@admin.command(short_help="Remove an account.")
@place_options
@json_option
@_name
def remove(place: Place, name: str) -> None:
    """Remove account NAME; its sessions end at once.

    \b
    Example: sinkhole admin remove alice
    """
    with opened(place) as state:
        remove_account(state, name)
        print_line(f"account {name} removed")


@admin.command(short_help="Give an account another role.")
@place_options
@json_option
@_name
@click.argument("role_name", metavar="ROLE")
def role(place: Place, name: str, role_name: str) -> None:
    """Give account NAME the role ROLE; its sessions end at once.

    \b
    Example: sinkhole admin role alice read
    """
    right = role_from_text(role_name)
    with opened(place) as state:
        account_store(state).set_role(name, str(right), datetime.now(UTC))
        print_line(f"account {name} has the role {right}")


@admin.command(short_help="Give an account another password.")
@place_options
@json_option
@_name
@_stdin
def password(place: Place, name: str, from_stdin: bool) -> None:
    """Give account NAME another password, which is asked for; its sessions end at once.

    \b
    Example: sinkhole admin password alice
    """
    with opened(place) as state:
        account_store(state).get(name)
        change_password(state, name, _password(from_stdin), Passwords())
        print_line(f"account {name} has a new password")


@admin.command(short_help="Turn the second factor of an account on or off.")
@place_options
@json_option
@_name
@click.option("--off", is_flag=True, help="Turn it off.")
def totp(place: Place, name: str, off: bool) -> None:
    """Turn the second factor of account NAME on: an authenticator app shows a code that a log-in then takes.

    The secret is shown, for the app to take in, and the code that the app then shows is asked for. Recovery codes are
    shown once, each good for one log-in without the app. The account's sessions end.

    \b
    Example: sinkhole admin totp alice
    """
    with opened(place) as state:
        account_store(state).get(name)
        if off:
            turn_totp_off(state, name)
            print_line(f"account {name} has no second factor")
            return
        secret = new_totp_secret()
        click.echo(f"Add this to the app:\n  {totp_uri(secret, name)}\nor type its secret: {secret}", err=True)
        codes = turn_totp_on(state, name, secret, click.prompt("Code that the app shows", err=True))
        print_line(f"account {name} has a second factor; recovery codes, which are not shown again:")
        for code in codes:
            print_line(f"  {code}")
        print_fact("recovery_codes", codes)


@admin.command(short_help="End the sessions of an account.")
@place_options
@json_option
@_name
def logout(place: Place, name: str) -> None:
    """End all sessions of account NAME.

    \b
    Example: sinkhole admin logout alice
    """
    with opened(place) as state:
        account_store(state).get(name)
        ended = SessionStore(state.store).end_all(name)
        print_line(f"account {name}: sessions ended: {ended}")
        print_fact("ended", ended)


@admin.command(short_help="Print a link to make one account with.")
@place_options
@json_option
@click.option("--role", default="manage", show_default=True, metavar="ROLE", help=f"{_ROLES}.")
def link(place: Place, role: str) -> None:
    """Print a link with which one account can be made within 15 minutes; one that was made before is good no more.

    \b
    Example: sinkhole admin link --role report
    """
    with opened(place) as state:
        url = create_link(state, role)
        print_line(url)
        print_fact("url", url)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AccessError("there is no terminal to ask for the password; give it with --password-stdin")
    asked: str = click.prompt(
        f"Password ({SHORTEST} to {LONGEST} characters)",
        hide_input=True,
        confirmation_prompt="The same again",
        err=True,
    )
    return asked


admin.add_command(token)
