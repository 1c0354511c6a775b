"""`sinkhole config`: check the configuration, show it, document it."""

import click

from sinkhole.app.check_files import every_mistake_of
from sinkhole.app.records_file import with_records
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import print_json, print_line
from sinkhole.config.document import configuration_page, settings_to_toml


@click.group()
def config() -> None:
    """Check and show the configuration."""


@config.command()
@place_options
@json_option
def check(place: Place) -> None:
    """Report every mistake in the configuration.

    All at once, and also files that are missing or no use to whoever asks.

    \b
    Example: sinkhole config check --config /etc/sinkhole.toml
    """
    with_records(place.checked_settings(every_mistake_of))
    print_line(f"config {place.config}: is good" if place.config else "config: is good; no file is given, so defaults")


@config.command()
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(place: Place, as_json: bool) -> None:
    """Print the settings in force, as a file that could be used.

    \b
    Example: sinkhole config show
    """
    if as_json:
        print_json(place.settings().model_dump(mode="json"))
        return
    click.echo(settings_to_toml(place.settings()), nl=False)


@config.command()
def docs() -> None:
    """Print the page that documents every setting.

    \b
    Example: sinkhole config docs > configuration.md
    """
    click.echo(configuration_page(), nl=False)
