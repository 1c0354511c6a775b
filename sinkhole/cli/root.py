"""The `sinkhole` command and its subcommands, each loaded only when it is used.

`sinkhole serve` forks workers, so it must not carry the store, the feeds or an HTTP library into them.
"""

import difflib
import keyword

import click

from sinkhole import __version__
from sinkhole.cli.lazy_group import load_command

_COMMANDS = {
    "admin": "Say who may use the admin side, and make API tokens.",
    "alerts": "Show what a person should know, and test where it is sent.",
    "audit": "Show who changed what, and whether that record is whole.",
    "audit-logs": "Tell who tried which vendor, from logs that are there already.",
    "backup": "Write the store, feeds and policy of a data folder to one file.",
    "ca": "Make the authority with which the block page answers over HTTPS.",
    "catalogue": "List, show and check the AI vendors that are known.",
    "clients": "Show who was seen, and who a client is.",
    "check": "Explain what would be answered for a name, and why.",
    "coach": "Show who goes on after reading the notice.",
    "completion": "Print what a shell needs to complete commands and their words.",
    "config": "Check and show the configuration.",
    "discover": "Review names that look like AI and are in no catalogue.",
    "doctor": "Look for what is wrong with this installation.",
    "exception": "Lift a block for a time: request, approve, revoke.",
    "feeds": "Manage remote lists.",
    "groups": "Manage groups of clients.",
    "hits": "Show, follow and export recorded queries.",
    "import": "Take over what another resolver was told.",
    "lockdown": "Block for a while, whatever else allows it.",
    "out": "Show and test where hits, alerts and audit entries are sent.",
    "pause": "Answer truly for a while what is blocked.",
    "policy": "Say what is blocked, coached, monitored and allowed, and for whom.",
    "report": "Tell how many clients tried which vendor.",
    "restore": "Put a backup in place.",
    "serve": "Run the resolver.",
    "sync": "Fetch feeds now.",
}


class _Lazy(click.Group):
    """A group whose commands are modules of `sinkhole.cli`, each with a command of the module's name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names without loading anything."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in _COMMANDS:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name.replace("-", "_")
        return load_command(f"sinkhole.cli.{name}", name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a line; of a wrong one tell the nearest."""
        name = args[0]
        near = difflib.get_close_matches(name, _COMMANDS, n=1)
        if name not in _COMMANDS and near:
            ctx.fail(f"No such command {name!r}; did you mean {near[0]}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one-line help, still without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sinkhole")
def cli() -> None:
    """Run a DNS resolver that shows who talks to which AI vendor, and stops what policy forbids."""
