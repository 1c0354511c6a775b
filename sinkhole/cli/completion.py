"""`sinkhole completion`: what a shell needs to complete commands, options, subjects, groups and feeds."""

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_SINKHOLE_COMPLETE"
_WHOLE_SUBJECTS = "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n"
"""For bash, which takes `vendor:deepseek` for three words else."""


@click.command(short_help="Print what a shell needs to complete commands and their words.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what SHELL needs to complete commands, options, subjects, groups and feeds.

    \b
    Example: sinkhole completion bash > ~/.sinkhole-completion
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all three
    source = kind(click.Group(), {}, "sinkhole", _VARIABLE).source()
    click.echo((_WHOLE_SUBJECTS if shell == "bash" else "") + source)
