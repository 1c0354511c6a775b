"""`sinkhole feeds add`: a list to be fetched, or the catalogue."""

import click

from sinkhole.app.feed_changes import SHORTEST_INTERVAL, add_feed, named
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import print_line
from sinkhole.cli.session import opened, put_in_force
from sinkhole.feeds.parse import READERS
from sinkhole.policy.feed import Feed


@click.command(short_help="Add the list at URL, or configure it anew.")
@place_options
@json_option
@click.argument("url")
@click.option("--name", help="Name; made from the URL unless given.")
@click.option(
    "--format",
    "list_format",
    type=click.Choice(["auto", *READERS]),
    default="auto",
    show_default=True,
    metavar="FORMAT",
    help=f"auto, or one of {', '.join(READERS)}.",
)
@click.option(
    "--match",
    type=click.Choice(["format", "exact", "suffix"]),
    default="format",
    show_default=True,
    help="exact: rows match the name alone; suffix: and all names below it; format: as its format says.",
)
@click.option("--allow-private", is_flag=True, help="Its host may be inside the network.")
@click.option("--ai", "part_of_ai", is_flag=True, help="Its rows belong to the subject ai instead of a statement.")
@click.option(
    "--interval", type=click.IntRange(SHORTEST_INTERVAL), metavar="SECONDS", help="Between syncs, 300 or more."
)
@click.option("--key", metavar="RW…", help="It is the catalogue, and signed with this minisign key.")
def add(
    place: Place, url: str, name: str | None, list_format: str, match: str, allow_private: bool, part_of_ai: bool,
    interval: int | None, key: str | None,
) -> None:  # fmt: skip
    """Add the list at URL (https://…, or file:NAME below the lists folder), or configure it anew; then run sync.

    \b
    Example: sinkhole feeds add https://lists.example/ai.txt --match suffix
    """
    feed = named(
        Feed(name or "", url, list_format, match, part_of_ai, allow_private=allow_private, interval=interval, key=key)
    )
    with opened(place) as state:
        is_known = add_feed(state, feed)
        put_in_force(state, f"{'changed' if is_known else 'added'} feed {feed.name}")
    print_line(f"fetch it now with: sinkhole sync {feed.name}")
