"""`affirm-worker schedules`."""

from typing import Annotated

import typer

from app.file_storage import storage_config
from cli import complete, output
from cli.lazy import group
from cli.options import AsJson, Country, Priority, ShownColumns, Wide
from cli.session import session
from cli.table import Column, chosen
from cli.words import cell
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.storage import open_storage

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
Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule.", autocompletion=complete.schedules)]
SCHEDULES = [
    Column("name"),
    Column("location", text=True, keeps_end=True, spare=3),
    Column("country", spare=1),
    Column("cron"),
    Column("zone", spare=4),
    Column("pool", spare=6),
    Column("priority", right=True, spare=7),
    Column("state"),
    Column("next", spare=1),
    Column("last", spare=5),
    Column("files", right=True, spare=5),
    Column("new", right=True, spare=5),
    Column("error", below=True),
]
SUBMITTED = [
    Column("file", text=True, keeps_end=True),
    Column("dataset"),
    Column("job"),
]
commands = group("schedules")


@commands.command("add", epilog=ADD_EPILOG)
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
    """Adds a schedule: at each tick a controller scans a folder and submits new files.

    A file is new if its bytes are no dataset of the country yet. It is copied, as submit does it; the folder
    is only read. Files whose names begin with a dot are passed over. One tick makes up for all that
    were missed while no controller ran.
    """
    with session() as it:
        folder = open_storage(storage_config(it.settings)).location(location)
        added = it.client.schedules.add(name, cron, timezone, folder, country, pool or it.settings.pool, priority)
    if as_json:
        output.print_json(added)
    else:
        output.say(f"schedule {added.name} looks through {added.location} next at {cell(added.next_at)}")


@commands.command("list", epilog=LIST_EPILOG)
def list_schedules(wide: Wide = False, columns: ShownColumns = None, as_json: AsJson = False) -> None:
    """Lists schedules: when they are due, and the result of the last scan."""
    with session() as it:
        found = it.client.schedules.list()
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        SCHEDULES,
        [
            [
                one.name, one.location, one.country, one.cron, one.timezone, one.pool, one.priority or None,
                "paused" if one.paused else "at work" if one.looking else "failing" if one.failures else "open",
                one.again_at or one.next_at, one.looked_at, one.files, one.submitted, one.error,
            ]
            for one in found
        ],
        "there are no schedules",
        chosen(columns, wide),
    )  # fmt: skip


@commands.command("run", epilog=RUN_EPILOG)
def run(name: Name, as_json: AsJson = False) -> None:
    """Scans a schedule's folder now, here, and submits new files.

    Its ticks stay as they are; it may be paused. Exit code 65 where some files could not be submitted.
    """
    with session() as it:
        result = it.client.schedules.run(name, open_storage(storage_config(it.settings)))
    if as_json:
        output.print_json(result)
    else:
        output.print_table(
            SUBMITTED,
            [[one.file, one.dataset_id, one.job_id] for one in result.submitted],
            f"nothing new among {result.files} files",
        )
        for problem in result.problems:
            output.said_no(problem)
    if result.problems:
        raise typer.Exit(ExitCode.REJECTED)


@commands.command("pause", epilog=PAUSE_EPILOG)
def pause(name: Name) -> None:
    """Pauses a schedule; a scan in progress goes on."""
    with session() as it:
        it.client.schedules.pause(name, True)
    output.say(f"schedule {name} is paused")


@commands.command("resume", epilog=RESUME_EPILOG)
def resume(name: Name) -> None:
    """Resumes a schedule; one tick at once makes up for those that it missed."""
    with session() as it:
        resumed = it.client.schedules.pause(name, False)
    output.say(f"schedule {name} is due {cell(resumed.next_at)}")


@commands.command("remove", epilog=REMOVE_EPILOG)
def remove(name: Name) -> None:
    """Removes a schedule; its datasets stay, and so do the files in its folder."""
    with session() as it:
        it.client.schedules.remove(name)
    output.say(f"schedule {name} is removed")
