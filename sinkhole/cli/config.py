"""`sinkhole config`: check the configuration, show it, document it."""

import click

from sinkhole.app.records_file import with_records
from sinkhole.cli.options import Place, place_options
from sinkhole.config.document import configuration_page, settings_to_toml


@click.group()
def config() -> None:
    """Check and show the configuration."""


@config.command()
@place_options
def check(place: Place) -> None:
    """Report every mistake in the configuration at once."""
    with_records(place.checked_settings())
    click.echo(f"config {place.config}: is good" if place.config else "config: is good; no file is given, so defaults")


@config.command()
@place_options
def show(place: Place) -> None:
    """Print the settings in force, as a file that could be used."""
    click.echo(settings_to_toml(place.settings()), nl=False)


@config.command()
def docs() -> None:
    """Print the page that documents every setting."""
    click.echo(configuration_page(), nl=False)
