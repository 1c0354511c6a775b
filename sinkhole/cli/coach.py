"""`sinkhole coach`: who goes on after reading the notice."""

import click

from sinkhole.app.override_changes import end_override
from sinkhole.cli.momentary import in_words, print_overrides
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.session import opened, put_in_force
from sinkhole.policy.override import OverrideKind


@click.group()
def coach() -> None:
    """Show who goes on with coached names after reading the notice, and end it."""


@coach.command()
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def grants(place: Place, as_json: bool) -> None:
    """List the grants: which client may go on with what.

    \b
    Example: sinkhole coach grants --json
    """
    with opened(place) as state:
        print_overrides(state, OverrideKind.GRANT, as_json=as_json)


@coach.command()
@place_options
@json_option
@click.argument("number", type=click.IntRange(1, 2**31), metavar="ID")
def end(place: Place, number: int) -> None:
    """End grant ID before its time.

    The client may read the notice again.

    \b
    Example: sinkhole coach end 7
    """
    with opened(place) as state:
        put_in_force(state, f"ended {in_words(end_override(state, OverrideKind.GRANT, number))}")
