"""`affirm-worker schedules`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import AsJson, Country, Priority
from dataset_jobs.model.outcome import ExitCode

if TYPE_CHECKING:
    from cli.settings import Settings
    from dataset_jobs.store.for_schedules import ScheduleStore

ADD_EPILOG = """
\b
Examples:
  affirm-worker schedules add ssa --cron "*/15 * * * *" --location incoming/us --country US
  affirm-worker schedules add fr --cron "0 3 * * 1" --timezone Europe/Paris --location fr/in -c FR
  affirm-worker schedules add no --cron "0 6 1 * *" --location s3://names/no -c NO --priority -10
"""
LIST_EPILOG = """
\b
Examples:
  affirm-worker schedules list
  affirm-worker schedules list --json
"""
RUN_EPILOG = """
\b
Examples:
  affirm-worker schedules run insee
  affirm-worker schedules run insee --json
"""
PAUSE_EPILOG = """
\b
Examples:
  affirm-worker schedules pause insee
"""
RESUME_EPILOG = """
\b
Examples:
  affirm-worker schedules resume insee
"""
REMOVE_EPILOG = """
\b
Examples:
  affirm-worker schedules remove insee
"""
Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Submit what lies in a folder of storage, again and again."
    )
    group.command("add", epilog=ADD_EPILOG)(add)
    group.command("list", epilog=LIST_EPILOG)(list_schedules)
    group.command("run", epilog=RUN_EPILOG)(run)
    group.command("pause", epilog=PAUSE_EPILOG)(pause)
    group.command("resume", epilog=RESUME_EPILOG)(resume)
    group.command("remove", epilog=REMOVE_EPILOG)(remove)
    app.add_typer(group, name="schedules")


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name: lower-case letters, digits and hyphens.")],
    cron: Annotated[
        str,
        typer.Option(metavar="EXPRESSION", help="Minute, hour, day of month, month and day of week, as cron has them."),
    ],
    location: Annotated[
        str,
        typer.Option(
            metavar="FOLDER", help="A folder of storage with all that is in it: a key such as incoming/fr, or a URI."
        ),
    ],
    country: Country,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="Whose clock the expression goes by, such as Europe/Paris.")
    ] = "UTC",
    pool: Annotated[str | None, typer.Option(metavar="POOL", help="The queue of the jobs; without it, POOL's.")] = None,
    priority: Priority = 0,
    as_json: AsJson = False,
) -> None:
    """Adds a schedule: at each of its ticks a controller looks through a folder, and submits what is new.

    New is a file whose bytes are no dataset of the country yet. It is copied, as submit does it; the folder
    is only read. Files whose names begin with a dot are passed over. Ticks that are missed while no
    controller runs are made up for by one.
    """
    from cli import output
    from cli.file_storage import storage_config
    from dataset_jobs.storage import open_storage

    with _store() as (settings, store):
        folder = open_storage(storage_config(settings)).location(location)
        added = store.add(name, cron, timezone, folder, country, pool or settings.pool, priority)
    if as_json:
        output.print_json(added)
    else:
        output.say(f"schedule {added.name} looks through {added.location} next at {output.cell(added.next_at)}")


def list_schedules(as_json: AsJson = False) -> None:
    """Lists schedules: when they are due, and what came of the last look."""
    from cli import output

    with _store() as (_, store):
        found = store.list()
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["name", "location", "country", "cron", "zone", "pool", ">priority", "state", "next", "last", ">files", ">new",
         "error"],
        [
            [
                one.name, one.location, one.country, one.cron, one.timezone, one.pool, one.priority or None,
                "paused" if one.paused else "at work" if one.looking else "failing" if one.failures else "open",
                one.again_at or one.next_at, one.looked_at, one.files, one.submitted, one.error,
            ]
            for one in found
        ],
        "there are no schedules",
    )  # fmt: skip


def run(name: Name, as_json: AsJson = False) -> None:
    """Looks through a schedule's folder now, here, and submits what is new.

    Its ticks stay as they are; it may be paused. Exit code 65 where some files could not be submitted.
    """
    from cli import output
    from cli.file_storage import storage_config
    from dataset_jobs.storage import open_storage

    with _store() as (settings, store):
        looked = store.run(name, open_storage(storage_config(settings)))
    if as_json:
        output.print_json(looked)
    else:
        output.print_table(
            ["file", "dataset", "job"],
            [[one.file, one.dataset_id, one.job_id] for one in looked.submitted],
            f"nothing new among {looked.files} files",
        )
        for problem in looked.problems:
            output.said_no(problem)
    if looked.problems:
        raise typer.Exit(ExitCode.REJECTED)


def pause(name: Name) -> None:
    """Pauses a schedule; a look that is under way goes on."""
    from cli import output

    with _store() as (_, store):
        store.pause(name, True)
    output.say(f"schedule {name} is paused")


def resume(name: Name) -> None:
    """Lets a schedule go on; what it has missed is made up for by one tick, at once."""
    from cli import output

    with _store() as (_, store):
        resumed = store.pause(name, False)
    output.say(f"schedule {name} is due {output.cell(resumed.next_at)}")


def remove(name: Name) -> None:
    """Removes a schedule; what it has submitted stays, and so do the files in its folder."""
    from cli import output

    with _store() as (_, store):
        store.remove(name)
    output.say(f"schedule {name} is removed")


@contextmanager
def _store() -> "Iterator[tuple[Settings, ScheduleStore]]":
    from cli.database import open_database
    from cli.logs import set_up_logs
    from cli.settings import read_settings
    from controller.background.cron import next_tick
    from dataset_jobs.store.for_schedules import ScheduleStore

    settings = read_settings()
    set_up_logs(settings)
    with open_database(settings) as database, ScheduleStore(database.conninfo, next_tick) as store:
        yield settings, store
