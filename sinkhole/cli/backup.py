"""`sinkhole backup`: the whole state in one file."""

from pathlib import Path

import click

from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import print_line
from sinkhole.store.backup import backup as write_backup


@click.command()
@place_options
@json_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(place: Place, file: Path) -> None:
    """Write store, feeds, policy and local lists to FILE; a running server is not disturbed.

    \b
    Example: sinkhole backup /srv/sinkhole.tar.gz
    """
    size = write_backup(place.settings().server.data_dir, file)
    print_line(f"wrote {file}, {size / 1024:.0f} KiB")
