"""`affirm-worker db`."""

from typing import Annotated

import typer

from app import kept_postgres
from app.places import database_of
from app.settings import Settings
from cli.lazy import group
from cli.options.common import AsJson
from cli.screen import output
from cli.screen.words import cell
from cli.session import begin
from cli.wording.typed import typed
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, Unavailable

START_EPILOG = """
\b
Examples:
  affirm-worker db start
  affirm-worker db start --port 5433
"""
STOP_EPILOG = """
\b
Examples:
  affirm-worker db stop
"""
URL_EPILOG = """
\b
Examples:
  psql "$(affirm-worker db url)"
  psql "$(affirm-worker db url)" --csv -c "select * from counted_names where folded_name = 'emma'" > emma.csv
  affirm-worker db url --tcp
"""
STATUS_EPILOG = """
\b
Examples:
  affirm-worker db status
  affirm-worker db status --json
"""
commands = group("db")


@commands.command(epilog=START_EPILOG)
def start(
    port: Annotated[
        int | None, typer.Option(metavar="N", min=1024, max=65535, help="The port of TCP; it is kept for later starts.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Starts the embedded Postgres and keeps it up.

    It stays until `db stop`, also when the terminal is closed; after the machine has restarted, start it again.
    Other commands use it as it is. Programs connect in two ways: at its socket, as the user of this
    command alone and with all rights; or on 127.0.0.1 with a password, as the role reader, which may
    read everything and change nothing. Without --port it listens on the port of the last time, at first 54321 or
    the next free one.
    """
    settings = _settings()
    started = kept_postgres.start(settings, port)
    if as_json:
        output.print_json(started)
        return
    output.say(
        f"the embedded Postgres of {started.home} is kept up",
        "",
        "psql, Python and all that know sockets, with all rights:",
        f"  {started.url}",
        "other tools, to read:",
        f"  {started.tcp_url}",
        "",
        f"to stop it: {typed('affirm-worker db stop')}",
    )


@commands.command(epilog=STOP_EPILOG)
def stop(as_json: AsJson = False) -> None:
    """Stops the embedded Postgres.

    Connections of other programs are closed. If commands use it, it stops when they have ended.
    """
    stopped = kept_postgres.stop_keeping(begin().home)
    if as_json:
        output.print_json(stopped)
    elif stopped.users is not None:
        output.say(f"the embedded Postgres of {stopped.home} stops when {stopped.users} has ended")
    elif stopped.was_running:
        others = f"; {stopped.closed} connections of other programs were closed" if stopped.closed else ""
        output.say(f"the embedded Postgres of {stopped.home} is stopped{others}")
    else:
        output.say(f"the embedded Postgres of {stopped.home} does not run")


@commands.command(epilog=URL_EPILOG)
def url(
    tcp: Annotated[bool, typer.Option("--tcp", help="That of TCP: it has a password, and may only read.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prints the URL of the embedded Postgres that `db start` keeps up.

    That of its socket, unless --tcp is given. It has no password, and leads the user of this command alone
    to the database.
    """
    state = kept_postgres.state(_settings().home, with_password=True)
    if not state.kept:
        raise Unavailable(
            f"the embedded Postgres of {state.home} is not kept up; to start it: {typed('affirm-worker db start')}",
            Reason.DATABASE,
        )
    if as_json:
        output.print_json({"url": state.url, "tcp_url": state.tcp_url})
    else:
        output.say((state.tcp_url if tcp else state.url) or "")


@commands.command(epilog=STATUS_EPILOG)
def status(as_json: AsJson = False) -> None:
    """Shows whether the embedded Postgres runs, where, and who uses it; never the password."""
    settings = begin()
    state = kept_postgres.state(settings.home, with_password=False)
    if as_json:
        output.print_json(state)
        return
    kept = "kept up" if state.kept else "until its last command ends"
    running = f"runs since {cell(state.since)}, {kept}" if state.running else "does not run"
    output.say(f"the embedded Postgres of {state.home} {running}")
    if state.users:
        output.say(f"used by {state.users}")
    if state.tcp_url:
        output.say(f"listens on {state.tcp_url.partition('@')[2].partition('/')[0]}")
    if settings.database_url is not None:
        instead = database_of(settings.database_url)[0]
        output.said_no(f"commands use {instead} by DATABASE_URL or a context, and not this one")


def _settings() -> Settings:
    settings = begin()
    if settings.database_url is not None:
        raise Misconfigured(
            f"commands use {database_of(settings.database_url)[0]} by DATABASE_URL or a context, and not the embedded"
            " Postgres: unset it, or choose another context",
            Reason.CONFIG,
        )
    return settings
