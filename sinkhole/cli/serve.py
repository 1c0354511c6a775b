"""`sinkhole serve`: run the resolver."""

import sys

import click

from sinkhole.app.privileges import raise_descriptor_limit
from sinkhole.app.records_file import with_records
from sinkhole.app.supervisor import Supervisor
from sinkhole.cli.options import Place, place_options
from sinkhole.config.schema import Settings
from sinkhole.log import configure


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

    settings = load()
    configure(settings.server.log_level)
    raise_descriptor_limit()
    sys.exit(Supervisor(settings, load).run())
