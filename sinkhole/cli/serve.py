"""`sinkhole serve`: run the resolver."""

import sys

import click

from sinkhole.app.check_files import file_mistakes_of
from sinkhole.app.privileges import raise_descriptor_limit
from sinkhole.app.records_file import with_records
from sinkhole.app.supervisor import Supervisor
from sinkhole.cli.options import Place, place_options
from sinkhole.config.schema import Settings
from sinkhole.log import Log, configure


@click.command()
@place_options
@click.option("--listen", multiple=True, metavar="ADDR:PORT", help="Address to answer on; may be given several times.")
@click.option("--upstream", multiple=True, metavar="URL", help="udp://, tcp://, tls:// or https:// resolver to ask.")
@click.option("--workers", type=int, metavar="N", help="Resolver processes.")
def serve(place: Place, listen: tuple[str, ...], upstream: tuple[str, ...], workers: int | None) -> None:
    """Run the resolver until SIGTERM; SIGHUP reads configuration and policy again.

    \b
    Example: sinkhole serve --listen 0.0.0.0:5300 --upstream tls://9.9.9.9
    """

    def load() -> Settings:
        return with_records(
            place.checked_settings(
                server__listen=listen or None, upstream__servers=upstream or None, server__workers=workers
            )
        )

    def reload() -> Settings:
        return with_files_told(load())

    settings = load()
    configure(settings.server.log_level)
    raise_descriptor_limit()
    sys.exit(Supervisor(with_files_told(settings), reload).run())


def with_files_told(settings: Settings) -> Settings:
    """Return the settings; say which of their files cannot be used. What needs one goes without, and answers do too."""
    for mistake in file_mistakes_of(settings):
        Log("config").warning("config.file", why=mistake, effect="the part that needs it does without")
    return settings
