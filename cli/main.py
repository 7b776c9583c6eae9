"""`affirm-worker`: the commands, and how they end."""

import contextlib
import io
import os
import re
import sys
import traceback
from typing import Annotated, Any, NoReturn

import typer

from cli import lazy
from cli.exit_codes import IN_WORDS, INTERRUPTED, NOBODY_READS, NOT_DONE
from cli.options import context as context_option
from cli.screen import output, streams
from cli.wording.hints import error_in_words
from dataset_jobs.host import open_standard_streams
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.local_machine import machine_error
from dataset_jobs.model.outcome import ExitCode, Outcome
from dataset_jobs.model.text import one_line

COMPLETE = "_AFFIRM_WORKER_COMPLETE"
"""The variable by which a shell asks for completions."""

EPILOG = f"""
Settings come from the environment (DATABASE_URL, STORAGE_TYPE, WORKER_CONCURRENCY and others), or from a context of
~/.config/affirm-worker/config.toml: affirm-worker settings shows them all. Without DATABASE_URL a Postgres of its own
runs while the command does. affirm-worker help TOPIC explains states, causes, exit-codes, formats and settings.

\b
Exit codes:
{"".join(f"  {code:>3}  {words}{chr(10)}" for code, words in IN_WORDS.items())}

\b
Examples:
  affirm-worker load yob2023.txt yob2024.txt --country US
  affirm-worker psql -c "select country, year, name, count from counted_names order by count desc limit 10"
"""  # noqa: S608 - an example

app = typer.Typer(
    name="affirm-worker",
    cls=lazy.LazyGroup,
    help="Loads official first-name statistics into Postgres: each file once, and all of it or nothing.",
    epilog=EPILOG,
    no_args_is_help=True,
    # Plain help: the same in a terminal, through a pipe and in docs/cli.md, and twice as fast.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def affirm_worker(  # noqa: D103
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version and exit.")] = False,
    used: context_option.Context = None,
    direct: context_option.Direct = False,
) -> None:
    # Its docstring would be the help text; `typer.Typer(help=…)` has that.
    context_option.begin_anew()
    context_option.before_the_command(used)
    context_option.take_direct(direct)
    if version:
        from importlib.metadata import version as installed

        output.say(f"affirm-worker {installed('affirm-worker')}")
        raise typer.Exit


lazy.add_to(app)


def main() -> None:
    """The entry point. What goes wrong is one line on stderr and an exit code; see `EPILOG`."""
    if COMPLETE in os.environ:
        _complete()
    open_standard_streams()
    streams.guard()
    sys.exit(_flushed(_run()))


def _run() -> int:
    """Runs the command, and returns its exit code."""
    try:
        code = app(prog_name="affirm-worker", standalone_mode=False, terminal_width=lazy.help_width())
        return code if isinstance(code, int) else 0
    except _WrongUsage as error:
        return _show(error)
    except typer.Abort as error:
        output.say("Aborted!", to=sys.stderr)
        # At a question click hides what it was; elsewhere it is the cause.
        return INTERRUPTED if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt) else NOT_DONE
    except (streams.ReaderGone, streams.CannotPrint) as error:
        return _unprinted(error)
    except RunError as error:
        output.said_no(error_in_words(error))
        return Outcome.of_error(error).exit_code
    except (OSError, MemoryError) as error:
        failed = machine_error(error, "go on")
        output.said_no(str(failed))
        return Outcome.of_error(failed).exit_code
    except Exception as error:
        if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
            output.said_no(f"{error}: raise the limit of processes (ulimit -u)")
            return ExitCode.UNAVAILABLE
        output.say_all(traceback.format_exc().rstrip(), to=sys.stderr)
        return ExitCode.CRASHED


def _flushed(code: int) -> int:
    """The exit code, once all that the command has printed is out."""
    try:
        sys.stdout.flush()
    except (streams.ReaderGone, streams.CannotPrint) as error:
        return code or _unprinted(error)
    return code


def _unprinted(error: streams.ReaderGone | streams.CannotPrint) -> int:
    if isinstance(error, streams.ReaderGone):
        return NOBODY_READS
    output.said_no(str(error))
    return ExitCode.UNAVAILABLE


def _complete() -> NoReturn:
    """Answers a shell at TAB, and ends. What goes wrong is no answer; nobody wants to read of it there."""
    from typer._completion_classes import completion_init

    with open(os.devnull, "w") as nowhere:
        sys.stderr = nowhere
        with contextlib.suppress(Exception):
            # typer does this itself only if it also adds options to the help text.
            completion_init()
            app(prog_name="affirm-worker", complete_var=COMPLETE, standalone_mode=False)
    sys.exit(1)


_WrongUsage: type[Exception] = typer.BadParameter.__mro__[2]
"""The root of what click raises; typer has a click of its own, without a public name for it."""


_WORDS = [
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"Input should be a valid integer(, .*)?$"), "expected a whole number"),
    (re.compile(r"Input should be less than or equal to "), "expected at most "),
    (re.compile(r"Input should be greater than or equal to "), "expected at least "),
    (re.compile(r"Input should be "), "expected "),
]
"""What typer's checks say, and our words for it."""


def _in_our_words(message: str) -> str:
    for theirs, ours in _WORDS:
        message = theirs.sub(ours, message)
    return message


def _show(error: Any) -> int:
    """Shows an error of click's as click does, with quoted arguments escaped. Returns the exit code."""
    if error.message is not None and (error.ctx is None or error.message != error.ctx.get_help()):
        error.message = _in_our_words(one_line(error.message))
    shown = io.StringIO()
    error.show(shown)
    # A choice that is missing is listed with a tab before each.
    output.say(*shown.getvalue().replace("\n\t", " ").rstrip("\n").split("\n"), to=sys.stderr)
    return int(error.exit_code)


if __name__ == "__main__":
    main()
