"""`affirm-worker schedules`."""

import dataclasses
import sys
from typing import Annotated

import typer

from cli.given import NOT_ENCRYPTED
from cli.lazy import group
from cli.options import complete
from cli.options.common import AsJson, Country, Priority, ShownColumns, Wide
from cli.options.files import HintOptions, taking
from cli.screen import output
from cli.screen.listing import Utc
from cli.screen.table import Column, chosen
from cli.screen.words import cell
from cli.session import session
from cli.wording.obstacles import unserved_in_words
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.outcome import ExitCode
from services.schedule_words import place_of, state_of
from services.schedules import AtAddress
from services.use_cases import NewSchedule

ADD_EPILOG = """
\b
Examples:
  affirm-worker schedules add ssa --cron "*/15 * * * *" --location incoming/us --country US
  affirm-worker schedules add fr --cron "0 3 * * 1" --timezone Europe/Paris --location fr/in -c FR
  affirm-worker schedules add no --cron "0 6 1 * *" --location s3://names/no -c NO --priority -10
  affirm-worker schedules add paris --cron "0 5 * * *" --url https://www.example.org/prenoms.csv -c FR
"""
LIST_EPILOG = """
\b
Examples:
  affirm-worker schedules list
  affirm-worker schedules list --json
"""
SHOW_EPILOG = """
\b
Examples:
  affirm-worker schedules show insee
  affirm-worker schedules show insee --json
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
    Column("place", text=True, keeps_end=True, spare=3),
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
    Column("error", below="affirm-worker schedules show NAME"),
]
SUBMITTED = [
    Column("file", text=True, keeps_end=True),
    Column("dataset"),
    Column("job"),
]
commands = group("schedules")


@commands.command("add", epilog=ADD_EPILOG)
@taking(HintOptions)
def add(
    given: HintOptions,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name: lower-case letters, digits and hyphens.")],
    cron: Annotated[
        str,
        typer.Option(metavar="EXPRESSION", help="Minute, hour, day of month, month and day of week, as cron has them."),
    ],
    country: Country,
    location: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="A folder of storage with all that is in it: a key such as incoming/fr, or a URI."
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Or the address of one file, such as https://….")
    ] = None,
    filename: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="FILENAME", help="The publisher's name for the file at --url, if it has lost it."
        ),
    ] = None,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="Whose clock the expression goes by, such as Europe/Paris.")
    ] = "UTC",
    pool: Annotated[
        str | None,
        typer.Option(metavar="POOL", help="The queue of the jobs; without it, POOL's.", autocompletion=complete.pools),
    ] = None,
    priority: Priority = 0,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Do not look whether the folder or the address is there now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Adds a schedule: at each tick a controller scans a folder, or looks at an address, and submits new files.

    In a folder a file is new if its bytes are no dataset of the country yet. It is copied, as submit does it;
    the folder is only read. Files whose names begin with a dot are passed over.

    At an address the file is new if it has changed, by the server's ETag or Last-Modified, or by its bytes. It
    becomes a dataset that takes the place of the schedule's earlier ones, as far as it covers the same.

    One tick makes up for all that were missed while no controller ran.
    """
    if (location is None) is (url is None):
        raise typer.BadParameter("give one of the two", param_hint="--location or --url")
    if filename is not None and url is None:
        raise typer.BadParameter("goes with --url", param_hint="--name")
    hints = given.hints()
    with session() as it:
        place = (location or "") if url is None else AtAddress(url, filename)
        new = NewSchedule(name, cron, timezone, place, country, pool or it.pool, priority, hints)
        added, remark = it.files.add_schedule(new, check=not no_check)
    if as_json:
        output.print_json(added)
        return
    does = "looks at" if added.url else "looks through"
    output.say(f"schedule {added.name} {does} {place_of(added)} next at {cell(added.next_at)}")
    if remark:
        output.say(remark)
    if added.url and added.url.startswith("http://"):
        output.say(NOT_ENCRYPTED, to=sys.stderr)


@commands.command("list", epilog=LIST_EPILOG)
def list_schedules(wide: Wide = False, columns: ShownColumns = None, utc: Utc = False, as_json: AsJson = False) -> None:
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
                one.name, place_of(one), one.country, one.cron, one.timezone, one.pool, one.priority or None,
                state_of(one), one.again_at or one.next_at, one.looked_at, one.files, one.submitted, one.error,
            ]
            for one in found
        ],
        "there are no schedules",
        chosen(columns, wide),
    )  # fmt: skip


@commands.command("show", epilog=SHOW_EPILOG)
def show(name: Name, as_json: AsJson = False) -> None:
    """Shows a schedule: its place, its files' hints, its next time, and the result of the last look."""
    with session() as it:
        one = it.client.schedules.get(name)
    if as_json:
        output.print_json(one)
        return
    hints = ", ".join(FileHints.of_row(dataclasses.asdict(one)).in_words())
    values = {
        "name": one.name, "place": place_of(one), "file name": one.filename, "country": one.country,
        "hints": hints or None, "cron": one.cron, "zone": one.timezone, "pool": one.pool,
        "priority": one.priority or None, "state": state_of(one), "next": one.again_at or one.next_at,
        "last": one.looked_at, "files": one.files, "new": one.submitted, "result": one.note, "etag": one.etag,
        "last modified": one.last_modified, "failures": one.failures or None, "error": one.error,
    }  # fmt: skip
    width = max(map(len, values))
    output.say(*(f"{label:<{width}}  {cell(value)}" for label, value in values.items() if value is not None))


@commands.command("run", epilog=RUN_EPILOG)
def run(name: Name, as_json: AsJson = False) -> None:
    """Scans a schedule's folder, or looks at its address, now and here, and submits new files.

    Its ticks stay as they are; it may be paused. Exit code 65 if some files could not be submitted.
    """
    with session() as it:
        result = it.files.run_schedule(name)
        unserved = it.client.unserved() if result.submitted else None
    if as_json:
        output.print_json(result)
    else:
        nothing = (
            f"nothing new: {result.note}"
            if result.note
            else f"nothing new among {result.files} file{'' if result.files == 1 else 's'}"
        )
        if result.submitted:
            output.print_table(
                SUBMITTED, [[one.file, one.dataset_id, one.job_id] for one in result.submitted], nothing
            )  # fmt: skip
        elif not result.problems:
            output.say(nothing)
        for problem in result.problems:
            output.said_no(problem)
    if unserved is not None:
        output.said_no(unserved_in_words(unserved))
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
    """Removes a schedule; its datasets stay, and so do the files at its place."""
    with session() as it:
        it.client.schedules.remove(name)
    output.say(f"schedule {name} is removed")
