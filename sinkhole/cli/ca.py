"""`sinkhole ca`: the local authority with which the block page answers over HTTPS."""

from pathlib import Path
from typing import Any

import click

from sinkhole.app.page_authority import authority_of, compare_authority, init_authority
from sinkhole.blockpage.authority import CERTIFICATE, DEFAULT_DAYS, Authority
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import count_of, local_time, print_fact, print_json, print_line, utc_time
from sinkhole.cli.session import opened
from sinkhole.config.schema import Settings, ca_folder
from sinkhole.errors import ConfigError
from sinkhole.log import configure
from sinkhole.store.audit import note


@click.group()
def ca() -> None:
    """Make and show the authority with which the block page answers over HTTPS.

    It is good for names of the catalogue alone: installing it gives nobody power over other names.
    """


@ca.command()
@place_options
@json_option
@click.option("--renew", is_flag=True, help="For the names of today, in place of the one there is, with its key.")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=DEFAULT_DAYS, show_default=True, help="Days that it is good for."
)
def init(place: Place, renew: bool, days: int) -> None:
    """Make the authority; a running server takes it within a second.

    \b
    Example: sinkhole ca init
    """
    with opened(place) as state:
        settings = state.settings
        made = init_authority(settings, days, renew=renew)
        with state.store.transaction() as connection:
            word = "renewed" if renew else "made"
            note(connection, state.who, f"block page authority {word}", None, {**_facts(made), "days": days})
    print_line(f"{ca_folder(settings) / CERTIFICATE}: good for {count_of(len(made.names), 'name')} and all below them")
    print_line("install it on the clients: sinkhole ca export -o sinkhole-ca.pem")
    _print_facts(made)


@ca.command()
@place_options
@json_option
@click.option("--names", is_flag=True, help="Print the names that it may vouch for, too.")
def show(place: Place, names: bool) -> None:
    """Show what the certificate says.

    \b
    Example: sinkhole ca show --names
    """
    settings = _settings(place)
    found = authority_of(settings)
    print_line(f"subject      {found.certificate.subject.rfc4514_string()}")
    print_line(f"fingerprint  SHA-256 {found.fingerprint}")
    print_line(f"good         {local_time(found.begins)} to {local_time(found.ends)}")
    print_line(f"names        {len(found.names)} and all below them; no other, and no address")
    print_line(f"file         {ca_folder(settings) / CERTIFICATE}")
    _print_facts(found)
    if names:
        print_fact("names", sorted(found.names))
        for name in sorted(found.names):
            print_line(name)


@ca.command()
@place_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file instead.")
@click.option("--der", is_flag=True, help="DER, which Windows and Android take, instead of PEM.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the certificate as PEM, and what it says.")
def export(place: Place, output: Path | None, der: bool, as_json: bool) -> None:
    """Print the certificate, which clients install; never the key.

    \b
    Example: sinkhole ca export -o sinkhole-ca.pem
    """
    found = authority_of(_settings(place))
    if as_json:
        print_json({**_facts(found), "pem": found.pem.decode()})
        return
    data = found.der if der else found.pem
    if output is None:
        click.echo(data, nl=False)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{output}: cannot be written: {error.strerror}") from error


@ca.command()
@place_options
@json_option
@click.pass_context
def status(context: click.Context, place: Place) -> None:
    """Compare the authority with the catalogue; exit status 1 where it should be renewed.

    \b
    Example: sinkhole ca status
    """
    settings = _settings(place)
    found = compare_authority(settings, authority_of(settings))
    ends = local_time(found.authority.ends)
    for line in found.lines() or [f"current: {count_of(len(found.authority.names), 'name')}, good until {ends}"]:
        print_line(line)
    print_fact("current", found.is_current)
    print_fact("outside", list(found.outside))
    print_fact("left_over", list(found.left_over))
    _print_facts(found.authority)
    if not found.is_current:
        context.exit(1)


def _settings(place: Place) -> Settings:
    configure("warning")
    return place.settings()


def _print_facts(authority: Authority) -> None:
    for name, value in _facts(authority).items():
        print_fact(name, value)


def _facts(authority: Authority) -> dict[str, Any]:
    return {
        "subject": authority.certificate.subject.rfc4514_string(), "sha256": authority.fingerprint,
        "begins": utc_time(authority.begins), "ends": utc_time(authority.ends), "count": len(authority.names),
    }  # fmt: skip
