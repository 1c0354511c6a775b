"""`sinkhole audit-logs`: who tried which vendor, from logs that a network already has."""

import datetime as dt
import math
import os
import secrets
import sys
import time
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.log_audit import LogAudit, LogRead
from sinkhole.app.log_evidence import log_evidence
from sinkhole.app.log_judge import LogJudge, judge_by_catalogue, judge_by_file, judge_by_folder
from sinkhole.catalogue.load import Catalogue
from sinkhole.cli.evidence_out import Output, output_options, write_evidence
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import count_of, printable
from sinkhole.cli.since import Since
from sinkhole.errors import LogError, PolicyError
from sinkhole.evidence.model import By
from sinkhole.foreign.zone_of_machine import local_zone
from sinkhole.logs.reading import FORMAT_NAMES, LogReading
from sinkhole.store.pseudonym import keyed_writer

_WINDOW = 300
_LARGEST_POLICY = 10_000_000


class _Zone(click.ParamType[dt.tzinfo]):
    """A time zone by its IANA name."""

    name = "zone"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.tzinfo:
        """Return the zone."""
        if isinstance(value, dt.tzinfo):
            return value
        try:
            return zoneinfo.ZoneInfo(str(value))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"{str(value)!r} is no time zone such as Europe/Berlin or UTC")


@click.command("audit-logs", short_help="Tell who tried which vendor, from logs that are there already.")
@place_options
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--format", "log_format", type=click.Choice(FORMAT_NAMES), metavar="FORMAT",
    help=f"Format of all files ({', '.join(FORMAT_NAMES)}); else found out.",
)  # fmt: skip
@click.option("--policy", type=click.Path(path_type=Path, dir_okay=False), help="Judge by this policy file.")
@click.option("--since", type=Since(), help="7d, 12h, 30min, or a local date; what was before tells what is new.")
@click.option("--until", type=Since(), help="The same.")
@click.option("--tz", "zone", type=_Zone(), help="Zone of times without offset; else that of this machine.")
@click.option("--by", type=click.Choice([by.value for by in By]), default="vendor", show_default=True)
@click.option("--k", "floor", type=click.IntRange(1), default=1, help="Merge rows of fewer clients than this.")
@click.option("--pseudonyms", is_flag=True, help="Write pseudonyms of clients, with a key that is thrown away.")
@click.option("--trend", "step", type=click.Choice(("day", "week")), help="Else what fits.")
@click.option("--window", type=click.IntRange(1, 86_400), default=_WINDOW, show_default=True,
              help="Seconds within which queries of a client for a vendor are one attempt.")  # fmt: skip
@output_options
def audit_logs(
    place: Place, files: Sequence[str], log_format: str | None, policy: Path | None, since: int | None,
    until: int | None, zone: dt.tzinfo | None, by: str, floor: int, pseudonyms: bool, step: str | None, window: int,
    output: Output,
) -> None:  # fmt: skip
    """Tell who tried which AI vendor, from logs that are there already: nothing has to be installed.

    FILE is a log of dnsmasq, Pi-hole (also its database pihole-FTL.db, while it is in use), Unbound, BIND, PowerDNS,
    dnsdist, AdGuard Home, Windows DNS, Zeek, Squid, Cisco Umbrella, Cloudflare Gateway, Zscaler or NextDNS, plain or
    as gzip, bzip2 or xz; - is standard input. Files are only read, as a stream, and nothing leaves this machine.

    Names are judged by the catalogue; with --policy, or the policy of --data-dir, it is told what that would block.
    Exit status: 0 all was read, 1 a file broke off, 2 a file cannot be read or is no log.

    \b
    Example: sinkhole audit-logs /var/log/dnsmasq.log* --since 30d -o report.html
    """
    chosen = By(by)
    catalogue = shipped_catalogue()
    judge = _judge(place, policy, catalogue)
    _expect_sense(chosen, floor, judge, since, until)
    paths = _paths(files, output)
    audit = LogAudit(judge, since or -math.inf, math.inf if until is None else until, window)
    with_key = keyed_writer(secrets.token_bytes(32)) if pseudonyms else str
    read_in = zone or _zone_of_machine()
    for path in paths:
        if path is not None and path.is_file():
            LogReading(path, read_in, log_format).close()  # what is no log is said before hours of others are read
    audit.read(_readings(paths, read_in, log_format))
    _warn(audit.logs)
    evidence = log_evidence(
        audit, catalogue, chosen, time.time(), floor=floor, step=step, client_text=with_key, zone=zone
    )  # fmt: skip
    write_evidence(evidence, output, with_trend=step is not None)
    if any(log.broke for log in audit.logs):
        sys.exit(1)


def _judge(place: Place, policy: Path | None, catalogue: Catalogue) -> LogJudge:
    if policy is not None:
        try:
            with policy.open("rb") as file:
                text = file.read(_LARGEST_POLICY).decode()
        except OSError as error:
            raise PolicyError(f"{policy}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise PolicyError(f"{policy}: is no text in UTF-8") from None
        return judge_by_file(catalogue, policy, text)
    if place.data_dir is not None or place.config is not None:
        return judge_by_folder(place.settings().server.data_dir)
    return judge_by_catalogue(catalogue)


def _zone_of_machine() -> dt.tzinfo:
    """Return the zone with its changes of clocks, as far as the machine tells its name; else its offset of now."""
    try:
        return zoneinfo.ZoneInfo(os.environ.get("TZ", "").removeprefix(":") or local_zone())
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return dt.datetime.now().astimezone().tzinfo or dt.UTC


def _expect_sense(by: By, floor: int, judge: LogJudge, since: int | None, until: int | None) -> None:
    if by is By.CLIENT and floor > 1:
        raise click.UsageError(f"--by client tells each client by itself, which --k {floor} rules out")
    if by is By.GROUP and judge.policy is None:
        raise click.UsageError("--by group: groups are those of a policy; give --policy FILE or --data-dir")
    if since is not None and until is not None and until <= since:
        raise click.UsageError("--until: must be after --since")


def _paths(files: Sequence[str], output: Output) -> list[Path | None]:
    """Return the files, None for standard input; none may be there twice, nor be the one that is written."""
    paths = [None if name == "-" else Path(name) for name in files]
    known: set[Path | None] = set()
    for path in paths:
        real = path if path is None else path.resolve()
        if real in known:
            raise LogError(f"{path or 'standard input'}: is given twice")
        known.add(real)
    if output.file is not None and output.file.resolve() in known:
        raise LogError(f"{output.file}: is one of the logs, which are not written")
    return paths


def _readings(paths: Sequence[Path | None], zone: dt.tzinfo, log_format: str | None) -> Iterator[LogReading]:
    """Open one log after the other, each with a bar of progress on a terminal."""
    for path in paths:
        with _Progress(path) as progress:
            reading = LogReading(path, zone, log_format, progress.tick)
            progress.watch(reading)
            yield reading


class _Progress:
    """A bar on standard error, where that is a terminal and there is something to measure."""

    def __init__(self, path: Path | None) -> None:
        self._label = printable("standard input" if path is None else path.name)
        self._stack = ExitStack()
        self._reading: LogReading | None = None
        self._advance: Callable[[int], None] | None = None
        self._told = 0

    def __enter__(self) -> "_Progress":
        return self

    def watch(self, reading: LogReading) -> None:
        """Show how much of a log was read."""
        self._reading = reading
        if reading.size and sys.stderr.isatty():
            bar = click.progressbar(length=reading.size, label=self._label, file=sys.stderr)
            self._advance = self._stack.enter_context(bar).update

    def tick(self) -> None:
        """Move the bar to where the reading is."""
        if self._reading is not None and self._advance is not None:
            position = self._reading.position
            self._advance(position - self._told)
            self._told = position

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _warn(logs: Sequence[LogRead]) -> None:
    """Say on standard error what was wrong with files; there names from them may be shown."""
    for log in logs:
        summary = log.summary
        if log.broke:
            click.echo(f"sinkhole: {printable(log.broke)}", err=True)
        if summary.unreadable:
            lines = count_of(summary.unreadable, "line")
            why = f": {summary.why}; found {summary.excerpt!r}" if summary.why else ""
            said = f"{summary.name}: {lines} cannot be read; the first is line {summary.first_unreadable}{why}"
            click.echo(f"sinkhole: {printable(said)}", err=True)
