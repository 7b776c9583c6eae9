"""`affirm-worker load`: all in one, on one machine."""

import asyncio
import time
from uuid import UUID

import typer

from app.database import open_database
from app.settings import Settings
from cli.begin import read_and_say
from cli.commands.submit import exit_code_of, print_submitted
from cli.files_here import FilesHere
from cli.given import find_given, known_country
from cli.lazy import single
from cli.options.common import AsJson
from cli.options.files import FilesGiven, taking
from cli.screen.progress import Display, open_display
from cli.submitting import submit_given
from cli.wording.hints import with_commands
from cli.wording.summary import print_summary, sum_up
from controller.app import LauncherName, run_controller
from controller.on_one_machine import ChildProgram
from dataset_jobs.model.errors import RunError
from parser_runner import child
from services.client import Client
from services.progress import POLL_SECONDS, watch
from services.submit import FileOptions, SubmittedFile

EPILOG = """
Exit codes: 0 when every file is loaded, 1 when some are not, 130 when it was interrupted; 77 or 78 when
none of the others can be loaded until somebody fixes a right or a setting.

\b
Examples:
  affirm-worker load yob2023.txt yob2024.txt --country US
  affirm-worker load names/ --country US --json > summary.json
  affirm-worker load https://www.example.org/names/yob2023.txt --country US
  affirm-worker load s3://bucket/names/ --country US --recursive
  cat yob2023.txt | affirm-worker load - --name yob2023.txt --country US
  affirm-worker load namesbystate.zip --country US --split
  affirm-worker load Vornamen.csv --country DE --year 2020 --region DE-NW-05315
  affirm-worker load names.csv --country CH --description zurich.toml
  affirm-worker load corrected.txt --country US --replaces 0f9c5d4e
  WORKER_CONCURRENCY=8 affirm-worker load renamed.txt --country US --year 2023
"""
commands = single()


@commands.command(epilog=EPILOG)
@taking(FilesGiven)
def load(given: FilesGiven, as_json: AsJson = False) -> None:
    """Loads files, all in one, and sums up the results.

    Migrates the database, submits the files, and runs a controller until nothing is left to do. It also
    runs any other jobs that are in the queue already, and says so. Files that are loaded already are left
    alone. For a load at a later time use submit --run-at.

    Of a folder, and of an s3:// address that ends with /, it takes the files that lie directly in it. It
    passes over hidden files and those that are no lists, such as README or PDF, and names them.
    """
    settings, _ = read_and_say()
    hints = given.hints()
    known_country(given.country)  # before a database is started for nothing
    with open_display(settings) as display:
        found = find_given(given.files, settings, recursive=given.recursive, name=given.name)
        display.say("opening the database")
        with (
            open_database(settings, migrated=not given.dry_run) as database,
            Client.connect(database.conninfo) as client,
        ):
            begun, since = time.monotonic(), client.now()
            replaced = [client.datasets.find(one) for one in given.replaces or ()]
            options = FileOptions(
                client.country(given.country), hints, replaced, given.priority, settings.pool, dry_run=given.dry_run
            )  # fmt: skip
            files = FilesHere(client, settings)
            submitted = submit_given(files, found.sources, options, settings, display.say, split=given.split)
            if given.dry_run:
                display.end()
                print_submitted(submitted, None, as_json=as_json)
                raise typer.Exit(exit_code_of(submitted))
            jobs = _jobs(submitted)
            interrupted, never = False, None
            try:
                if jobs:
                    interrupted = asyncio.run(_run(settings, database.conninfo, client, jobs, display))
            except RunError as error:  # nothing more can be done as things are
                never = error
            others = client.jobs.finished_since(since, settings.pool, jobs)
            summary = sum_up(client, submitted, time.monotonic() - begun, interrupted=interrupted, others=others)
            display.end()
            print_summary(summary, database.place, as_json)
    if never is not None:
        raise never
    raise typer.Exit(summary.exit_code)


def _jobs(submitted: list[SubmittedFile]) -> list[UUID]:
    return list(dict.fromkeys(one.job_id for one in submitted if one.job_id is not None))


async def _run(settings: Settings, conninfo: str, client: Client, jobs: list[UUID], display: Display) -> bool:
    """Runs a controller until it is idle; whether it was interrupted."""
    # The display and the summary say it all, and a child's JSON lines would run through them.
    quiet = settings if "log_level" in settings.model_fields_set else settings.model_copy(
        update={"log_level": "CRITICAL"}
    )  # fmt: skip
    program = ChildProgram(child.begin, child.run_child)
    watching = asyncio.create_task(_watch(client, jobs, display))
    try:
        ended = await run_controller(
            quiet,
            conninfo,
            LauncherName.PROCESS,
            program,
            until_idle=True,
            tell=display.waits,
            words=with_commands,
        )
        return ended.interrupted
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def _watch(client: Client, jobs: list[UUID], display: Display) -> None:
    while True:
        try:
            async for progress in watch(client.jobs, jobs):
                display.show(progress, len(jobs))
            return
        except (RunError, RuntimeError, OSError) as error:  # a thread cannot be started
            display.waits([f"no progress to show: {error}"])
        await asyncio.sleep(POLL_SECONDS)
