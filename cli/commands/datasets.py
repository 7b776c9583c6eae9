"""`affirm-worker datasets`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.commands import stored_files
from cli.lazy import group
from cli.options import complete
from cli.options.common import AsJson, ShownColumns, Wide, Yes
from cli.screen import output
from cli.screen.listing import (
    Length,
    OfCountry,
    OfFile,
    Since,
    Sort,
    Statuses,
    Utc,
    filters,
    order,
)
from cli.screen.showing_lists import REMOVED, Table, Wanted, show_list
from cli.screen.table import Column, chosen
from cli.screen.watching import Watch
from cli.screen.words import cell
from cli.session import session
from cli.wording.hints import error_in_words
from cli.wording.report import left_out_lines, totals_lines
from cli.wording.typed import typed
from dataset_jobs.model.coverage import years_in_words
from dataset_jobs.model.description import Description
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.report import Report
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.model.states import DatasetStatus
from dataset_jobs.store.views import DatasetView
from services.filters import DATASET_SORTS, DatasetFilter
from services.report_words import about_the_file
from services.to_json import to_json

LIST_EPILOG = """
\b
Examples:
  affirm-worker datasets list
  affirm-worker datasets list --status failed --since 3d
  affirm-worker datasets list --country US --file "yob19*.txt" --sort -rows
  affirm-worker datasets list --country US --limit 0 --json
"""
SHOW_EPILOG = """
\b
Examples:
  affirm-worker datasets show 0f9c5d4e
  affirm-worker datasets show 0f9c5d4e-6f0b-4c0e-9a4e-2d1f3b5a7c91 --json
  affirm-worker datasets show 0f9c5d4e --description > zurich.toml
"""
DELETE_EPILOG = """
\b
Examples:
  affirm-worker datasets delete 0f9c5d4e
  affirm-worker datasets delete 0f9c5d4e 5a7c910f --dry-run
  affirm-worker datasets delete --status failed --yes
"""
DATASETS = [
    Column("dataset"),
    Column("country", spare=1),
    Column("file", text=True, keeps_end=True),
    Column("status"),
    Column("rows", right=True),
    Column("years", spare=1),
    Column("sexes", spare=3),
    Column("region", spare=2),
    Column("measure", spare=5),
    Column("top", right=True, spare=6),
    Column("superseded", spare=4),
    Column("submitted", spare=7),
    Column("error", below="affirm-worker datasets show ID"),
]
commands = group("datasets")


@commands.command("list", epilog=LIST_EPILOG)
def list_datasets(
    status: Statuses = None,
    country: OfCountry = None,
    file: OfFile = None,
    since: Since = None,
    sort: Sort = None,
    limit: Length = None,
    wide: Wide = False,
    columns: ShownColumns = None,
    watch: Watch = False,
    utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Lists datasets, the newest first. Filters can be combined.

    With --watch and without a terminal, or with --json, a line is printed for each dataset that is new, has changed or
    has left the list. Ctrl-C ends it with exit code 130.
    """
    by = order(sort, DATASET_SORTS)
    with session() as it:
        with filters():
            selection = it.client.datasets.select(DatasetFilter(status or (), country, file, since))
        show_list(
            selection,
            Table(DATASETS, _row, "there are no such datasets", lambda dataset: replace(dataset, status=REMOVED)),
            Wanted(by, limit, chosen(columns, wide), watch=watch, as_json=as_json),
        )


def _row(d: DatasetView) -> list[Any]:
    return [
        d.id, d.country, d.filename, d.status, d.row_count, years_in_words(d.years), "".join(d.sexes), d.region,
        d.measure, d.top, _superseded(d), d.created_at, d.error,
    ]  # fmt: skip


@commands.command("show", epilog=SHOW_EPILOG)
def show_dataset(
    dataset_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The dataset; its first digits are enough.", autocompletion=complete.datasets
        ),
    ],
    description: Annotated[
        bool, typer.Option("--description", help="Print only the description of its columns, as TOML.")
    ] = False,
    utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Shows a dataset: what was loaded, what was left out and why, and which datasets it supersedes.

    The report is the one that `parse --report` gives, of the load whose rows are there.
    """
    with session() as it:
        dataset = it.client.datasets.get(it.client.datasets.find(dataset_id))
        report = it.client.datasets.reports([dataset.id]).get(dataset.id)
    if description:
        if dataset.description is None:
            raise InvalidRequest(f"dataset {dataset.id} has no description: a parser knows its format")
        output.say_all(Description.from_json(dataset.description).as_toml().rstrip("\n"))
        return
    if as_json:
        output.print_json({**to_json(dataset), "report": report if report and report.is_whole else None})
        return
    for name, value in _lines(dataset, report):
        output.say(f"{name:<15}{value}")
    if report is not None:
        output.say(*totals_lines(report), *left_out_lines(report))
        if not report.is_whole:
            output.say("", "left out: not known, it was loaded before reports were kept; this makes a report:")
            output.say(typed(f"  affirm-worker reprocess {dataset.id}"))


def _lines(dataset: DatasetView, report: Report | None) -> list[tuple[str, str]]:
    lines = [
        ("dataset", str(dataset.id)),
        ("file", f"{dataset.filename}, {dataset.country}, {dataset.size:,} bytes"),
        ("status", dataset.status),
        ("submitted", cell(dataset.created_at)),
    ]
    hints = [
        ("year", dataset.year_hint),
        ("sex", dataset.sex_hint),
        ("format", dataset.format_hint),
        ("region", dataset.region_hint),
    ]
    lines += [("given", f"--{name} {hint}") for name, hint in hints if hint is not None]
    if dataset.description is not None:
        lines.append(("described", _columns(dataset.description)))
    if dataset.loaded_at is not None:
        lines.append(("loaded", cell(dataset.loaded_at)))
    if report is not None:
        lines += about_the_file(report)
    lines += [("supersedes", str(other)) for other in dataset.supersedes]
    if dataset.superseded_by:
        lines.append(("superseded by", f"{', '.join(map(str, dataset.superseded_by))}, {_superseded(dataset)}"))
    if dataset.warning:
        lines.append(("warning", cell(dataset.warning)))
    if dataset.error:
        lines.append(("error", cell(dataset.error)))
    return lines


def _columns(description: str) -> str:
    """A description as a line; as it is stored, if this version does not understand it."""
    try:
        return Description.from_json(description).as_columns()
    except InvalidRequest:
        return description


def _superseded(dataset: DatasetView) -> str | None:
    if not dataset.superseded_by:
        return None
    return "wholly" if dataset.superseded else "partly"


@commands.command("delete", epilog=DELETE_EPILOG)
def delete_datasets(
    dataset_ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]…",
            help="The datasets; the first digits of an id are enough.",
            autocompletion=complete.datasets,
        ),
    ] = None,
    status: Annotated[
        DatasetStatus | None, typer.Option(help="All that stand there, instead of ids; only failed ones can be meant.")
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            "--country",
            "-c",
            metavar="CC",
            help="With --status: only those of this country.",
            autocompletion=complete.countries,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Deletes datasets: their rows, their jobs and their stored files.

    Datasets that they superseded count again. Refused while a run holds one. Asks first; without a terminal it needs
    --yes. Exit code 65 where some could not be deleted.
    """
    if bool(dataset_ids) == (status is not None) or (country is not None and status is None):
        raise typer.BadParameter("give either ids of datasets, or --status failed and perhaps --country")
    if status not in (None, DatasetStatus.FAILED):
        raise typer.BadParameter("only failed datasets can be deleted all at once", param_hint="--status")
    with session() as it:
        datasets = it.client.datasets
        ids = [datasets.find(given) for given in dataset_ids or ()]
        found = [datasets.get(one) for one in ids] if ids else datasets.list(status=status, country=country)
        refusals: dict[UUID, RunError] = {}
        if found and not dry_run:
            output.agree(_question(found), yes=yes)
            for one in found:
                try:
                    it.files.delete(one.id)
                except (Conflict, NotFound) as refused:
                    refusals[one.id] = refused
    done = "would be deleted" if dry_run else "deleted"
    if as_json:
        output.print_json([_deleted_as_json(one, done, refusals.get(one.id)) for one in found])
    else:
        for one in found:
            if one.id in refusals:
                output.said_no(error_in_words(refusals[one.id]))
            else:
                output.say(f"{done}: dataset {one.id} ({one.filename}) with its {one.row_count or 0:,} rows")
        if not found:
            output.say("there is no such dataset")
    if refusals:
        raise typer.Exit(ExitCode.REJECTED)


commands.command("clean", epilog=stored_files.CLEAN_EPILOG)(stored_files.clean)


def _question(datasets: Sequence[DatasetView]) -> str:
    rows = sum(one.row_count or 0 for one in datasets)
    if len(datasets) == 1:
        return f"Delete dataset {datasets[0].id} ({datasets[0].filename}) with its {rows:,} rows?"
    return f"Delete {len(datasets)} datasets with their {rows:,} rows?"


def _deleted_as_json(dataset: DatasetView, done: str, refused: RunError | None) -> dict[str, Any]:
    return {
        "dataset_id": dataset.id,
        "file": dataset.filename,
        "rows": dataset.row_count or 0,
        "result": "refused" if refused else done,
        "error": error_in_words(refused) if refused else None,
    }
