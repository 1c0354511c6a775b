"""The entry of the `sinkhole` command: runs it, and turns our errors into one clear message and exit status 2."""

import sys
from collections.abc import Sequence

import click

from sinkhole.cli.root import cli
from sinkhole.errors import SinkholeError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line (that of this process, unless given) and exit."""
    try:
        status = cli.main(arguments, prog_name="sinkhole", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except click.Abort:
        status = 130
    except SinkholeError as error:
        for line in str(error).splitlines():
            click.echo(f"sinkhole: {line}", err=True)
        status = 2
    except OSError as error:
        click.echo(f"sinkhole: {error.filename or 'system'}: {error.strerror or error}", err=True)
        status = 2
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
