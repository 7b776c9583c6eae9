"""`affirm-worker serve`: the HTTP API, alone or with a controller."""

import asyncio
import logging
import os
import signal
from typing import Annotated

import typer

from api.context import Context
from api.metrics import metrics_served
from api.server import Listening, Server, listen
from app.database import Database, open_database
from app.settings import Settings
from cli.lazy import single
from cli.screen import output
from cli.serving import first_key, parser_lines, report_reader, served_beside
from cli.session import read_and_log
from cli.wording.hints import with_commands
from cli.wording.typed import same_database, typed
from controller.app import LauncherName, run_controller
from controller.on_one_machine import ChildProgram
from dataset_jobs.model.errors import RunError
from parser_runner import child
from services.client import Client
from services.countries import Countries
from services.keys import Role

EPILOG = """
\b
Examples:
  affirm-worker serve --with-controller
  affirm-worker serve --listen 127.0.0.1:9000
  API_LOCAL_ROLE=uploader affirm-worker serve --with-controller
"""
commands = single()
_log = logging.getLogger(__name__)


@commands.command(epilog=EPILOG)
def serve(
    where: Annotated[
        str | None,
        typer.Option("--listen", metavar="ADDRESS:PORT", help="Where it listens, instead of API_LISTEN."),
    ] = None,
    with_controller: Annotated[
        bool, typer.Option("--with-controller", help="Run a controller too, with children of this process.")
    ] = False,
) -> None:
    """Serves the HTTP API, alone or with a controller.

    Prints its address and how to upload. If only this machine reaches it and there is no key yet, it prints a key
    for an admin: it is shown this once. Without DATABASE_URL the embedded Postgres runs meanwhile. GET /docs lists
    the routes. SIGTERM and SIGINT stop it: streams end at once, other requests within 5 s.
    """
    settings, _ = read_and_log(_log)
    listening = listen(where or settings.api_listen)
    with open_database(settings, migrated=settings.database_url is None) as database:
        _say_first_steps(settings, database, listening)
        output.say(f"listening at {listening.address}")
        if with_controller:
            with served_beside(settings, database.conninfo, listening, ended=_stop):
                asyncio.run(_controller(settings, database))
            return
        reader = report_reader(settings)
        context = Context.open(settings, database.conninfo, parser_lines, reader, local=listening.local)
        try:
            with metrics_served(context.metrics, settings.api_metrics_port):
                Server(context, listening).serve_until_stopped()
        finally:
            reader.close()
            context.close()


def _say_first_steps(settings: Settings, database: Database, listening: Listening) -> None:
    """Prints the first key, and how to upload. A database that is away just now keeps nothing from being served."""
    try:
        with Client.connect(database.conninfo) as client:
            # Of a server that others reach too, somebody keeps what it prints; and it may have replicas.
            key = first_key(client) if listening.local else None
            country = Countries(client.database).get("US")
    except RunError as error:
        _log.warning("no look at the keys: %s", error)
        return
    if key is not None:
        output.say(f"key of the first admin, shown this once: {key}")
    is_open = listening.local and settings.api_local_role not in (None, Role.VIEWER)
    login = "" if is_open else ' -H "Authorization: Bearer KEY"'
    output.say(
        f'upload: curl -X POST {listening.address}/v1/datasets/upload{login} -F "file=@yob2023.txt"'
        f' -F "country_id={country.id}"'
    )
    if key is None:
        output.say(f"a key: {typed('affirm-worker keys make NAME --role uploader')}{same_database()}")


async def _controller(settings: Settings, database: Database) -> None:
    program = ChildProgram(child.begin, child.run_child)
    await run_controller(settings, database.conninfo, LauncherName.PROCESS, program, words=with_commands)


def _stop() -> None:
    """Ends the controller as a signal does: its runs may finish."""
    os.kill(os.getpid(), signal.SIGTERM)
