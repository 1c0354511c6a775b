"""`sinkhole doctor`: look for what is wrong with this installation."""

import sys

import click

from sinkhole.app.doctor import CHECKS, examine
from sinkhole.app.finding import Grade
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import print_json, print_line
from sinkhole.log import configure

_WORDS = {Grade.GOOD: ("good", "green"), Grade.WARNING: ("look", "yellow"), Grade.FAILURE: ("FAIL", "red")}


@click.command()
@place_options
@click.option(
    "--only",
    type=click.Choice(list(CHECKS)),
    metavar="CHECK",
    multiple=True,
    help=f"Run only this check ({', '.join(CHECKS)}); may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(place: Place, only: tuple[str, ...], as_json: bool) -> None:
    """Look for what is wrong; exit status 0 for nothing, 1 for warnings, 2 for failures.

    \b
    Example: sinkhole doctor --json
    """
    configure("error")
    findings = examine(place.settings(), only)
    if as_json:
        print_json([{"check": f.check, "grade": f.grade.name.lower(), "text": f.text} for f in findings])
    else:
        for finding in findings:
            word, color = _WORDS[finding.grade]
            click.echo(click.style(word, fg=color), nl=False)
            print_line(f"  {finding.check:<12} {finding.text}")
    sys.exit(max((finding.grade for finding in findings), default=Grade.GOOD))
