"""`affirm-worker run`: its options and exit codes; `controller.app` does the work."""

import asyncio
import logging
from typing import Annotated

import typer

from app.database import open_database
from cli.exit_codes import of_ended
from cli.lazy import single
from cli.session import read_and_log
from cli.wording.hints import with_commands
from controller.app import LauncherName, run_controller
from controller.on_one_machine import ChildProgram
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.postgres import tls
from parser_runner import child

EPILOG = """
Exit codes: 0 when told to stop, or idle with nothing left to do; with --until-idle 1 if jobs have failed
or retries are still waiting, 77 or 78 if nothing goes on until somebody fixes a right or a setting, and 130 if
it was interrupted.

\b
Examples:
  affirm-worker run --launcher process
  affirm-worker run --launcher process --until-idle
  WORKER_CONCURRENCY=8 LOG_FORMAT=json affirm-worker run --launcher process
  RUNNER_CONFIG=runner.json NAMESPACE=names affirm-worker run --launcher kubernetes
"""
commands = single()


@commands.command(epilog=EPILOG)
def run(
    launcher: Annotated[
        LauncherName, typer.Option(help="Children of this process, or Kubernetes Jobs.")
    ] = LauncherName.PROCESS,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when nothing is queued or running any more.")
    ] = False,
) -> None:
    """Runs a controller, until it is stopped or idle.

    It claims jobs, launches their runs, and settles what becomes of them. SIGTERM and SIGINT stop it: it
    claims nothing more; children may finish within WORKER_SHUTDOWN_GRACE and are interrupted then,
    Kubernetes Jobs go on and the next controller adopts them. A second signal goes at once.
    """
    logger = logging.getLogger(__name__)
    settings, _ = read_and_log(logger)
    if settings.database_url is not None and (doubt := tls.doubt(settings.database_url)):
        logger.warning("DATABASE_URL: %s", doubt)
    if launcher is LauncherName.KUBERNETES and settings.database_url is None:
        raise Misconfigured("DATABASE_URL is not set: pods cannot reach an embedded Postgres")
    with open_database(settings) as database:
        program = ChildProgram(child.begin, child.run_child)
        running = run_controller(
            settings, database.conninfo, launcher, program, until_idle=until_idle, words=with_commands
        )
        ended = asyncio.run(running)
    raise typer.Exit(of_ended(ended) if until_idle else 0)
