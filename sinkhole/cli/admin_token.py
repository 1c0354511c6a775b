"""`sinkhole admin token`: tokens of the API, for programs."""

from datetime import UTC, datetime, timedelta

import click

from sinkhole.app.accounts import LONGEST_TOKEN, create_token, token_store
from sinkhole.app.rights import AREAS, ROLES
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import local_time, print_fact, print_json, print_line, print_table, utc_time
from sinkhole.cli.session import opened
from sinkhole.cli.time_ahead import Length

_DAYS = timedelta(days=90)


@click.group()
def token() -> None:
    """Make, list and revoke tokens of the API, which programs send as `Authorization: Bearer …`."""


@token.command(short_help="Make a token.")
@place_options
@json_option
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, metavar="SCOPE",
              help=f"{', '.join(ROLES)}, or one of them with an area, as manage:policy; may be repeated. "
              f"Areas: {', '.join(AREAS)}.")  # fmt: skip
@click.option("--for", "length", type=Length(LONGEST_TOKEN), default=_DAYS, metavar="LENGTH",
              help=f"How long it is good for: 30d; 90d unless told, at most {LONGEST_TOKEN.days}d.")  # fmt: skip
def create(place: Place, name: str, scopes: tuple[str, ...], length: timedelta) -> None:
    """Make token NAME and print its secret, which is shown this once.

    \b
    Example: sinkhole admin token create ci --scope read --scope manage:policy
    """
    with opened(place) as state:
        made = create_token(state, name, scopes, length)
    click.echo(f"sinkhole: token {name} may {' '.join(made.scopes)} until {local_time(made.ends)}", err=True)
    print_line(made.secret)
    print_fact("token", made.secret)
    print_fact("ends", made.ends)


@token.command("list")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_tokens(place: Place, as_json: bool) -> None:
    """List the tokens, without their secrets.

    \b
    Example: sinkhole admin token list
    """
    now = datetime.now(UTC).timestamp()
    with opened(place) as state:
        found = token_store(state).all()
    if as_json:
        print_json([
            {"token": one.name, "scopes": one.scopes, "maker": one.maker, "created": utc_time(one.created),
             "ends": utc_time(one.ends), "used": None if one.used is None else utc_time(one.used)}
            for one in found
        ])  # fmt: skip
        return
    rows = [
        (one.name, " ".join(one.scopes), f"{local_time(one.ends)}{' (over)' if one.ends <= now else ''}",
         local_time(one.used), one.maker)
        for one in found
    ]  # fmt: skip
    print_table(("token", "may", "until", "used", "made by"), rows, empty="no token")


@token.command(short_help="Revoke a token.")
@place_options
@json_option
@click.argument("name")
def revoke(place: Place, name: str) -> None:
    """Revoke token NAME; it is good for nothing from now on.

    \b
    Example: sinkhole admin token revoke ci
    """
    with opened(place) as state:
        token_store(state).revoke(name)
        print_line(f"token {name} revoked")
