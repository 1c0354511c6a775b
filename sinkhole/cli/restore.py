"""`sinkhole restore`: put a backup in place."""

from pathlib import Path

import click

from sinkhole.app import data_dir
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import print_line
from sinkhole.errors import StoreError
from sinkhole.store.backup import restore as put_back


@click.command()
@place_options
@json_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def restore(place: Place, file: Path) -> None:
    """Put the backup FILE into the data folder, which must hold no store.

    \b
    Example: sinkhole restore /srv/sinkhole.tar.gz --data-dir /var/lib/sinkhole
    """
    folder = place.settings().server.data_dir
    if data_dir.running_server(folder):
        raise StoreError(f"{folder}: a server runs on it; stop it first")
    put_back(file, folder)
    print_line(f"restored {file} into {folder}")
