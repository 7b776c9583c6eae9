"""`affirm-worker completion`."""

from typing import Annotated, Literal

import typer
from typer._completion_shared import get_completion_script

from cli.lazy import single
from cli.screen import output

EPILOG = """
\b
Examples:
  source <(affirm-worker completion bash)
  affirm-worker completion bash > ~/.local/share/bash-completion/completions/affirm-worker
  affirm-worker completion zsh > "${fpath[1]}/_affirm-worker"
  affirm-worker completion fish > ~/.config/fish/completions/affirm-worker.fish
"""
commands = single()


@commands.command(epilog=EPILOG)
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="The shell.", show_default=False)],
) -> None:
    """Prints the script by which a shell completes words.

    It completes commands, options, files, countries, formats, states, pools, schedules, and the ids of the newest jobs
    and datasets. Put the line of the first example into ~/.bashrc, or the script where your shell looks for
    completions. What is in the database is completed only if DATABASE_URL is set and the database answers at once.
    """
    from cli.main import COMPLETE

    output.say_all(get_completion_script(prog_name="affirm-worker", complete_var=COMPLETE, shell=shell))
