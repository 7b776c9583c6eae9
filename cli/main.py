"""`affirm-worker`: the commands, and how they end."""

import sys
from typing import Annotated

import typer

from cli import datasets, jobs, load, migrate, parse, parsers, psql, run_command, schedules, status, submit
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.outcome import ExitCode, Outcome

EPILOG = """
Settings come from the environment (DATABASE_URL, STORAGE_TYPE, WORKER_CONCURRENCY and others): see docs/settings.md.
Without DATABASE_URL a Postgres of its own runs while the command does.

\b
Exit codes:
    0  done
    1  some datasets are not loaded (load, run --until-idle)
    2  wrong usage
   65  refused: the file, the country or the dataset is at fault
   70  a fault of the program
   71  this machine has not enough memory
   75  database, storage or this machine's disk cannot be used: try again later
   77  database or storage refuses the login or the right
   78  a setting is wrong
  130  interrupted

\b
Examples:
  affirm-worker load yob2023.txt yob2024.txt --country US
  affirm-worker psql -c "select name, count from names order by count desc limit 10"
"""

app = typer.Typer(
    name="affirm-worker",
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
def affirm_worker(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        print(installed("affirm-worker"))
        raise typer.Exit


for register in (load, submit, status, jobs, datasets, schedules, run_command, parse, parsers, migrate, psql):
    register.add_to(app)


def main() -> None:
    """The entry point. What goes wrong is one line on stderr and an exit code; see `EPILOG`."""
    try:
        app(prog_name="affirm-worker")
    except RunError as error:
        print(f"affirm-worker: {error}", file=sys.stderr)
        sys.exit(Outcome.of_error(error).exit_code)
    except (OSError, MemoryError) as error:
        from dataset_jobs.model.local_machine import machine_error

        failed = machine_error(error, "go on")
        print(f"affirm-worker: {failed}", file=sys.stderr)
        sys.exit(Outcome.of_error(failed).exit_code)
    except Exception:
        import traceback

        traceback.print_exc()
        sys.exit(ExitCode.CRASHED)


if __name__ == "__main__":
    main()
