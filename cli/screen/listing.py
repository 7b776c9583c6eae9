"""Options of the commands that list: filters, order, length."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from cli.options import complete
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.durations import parse_when
from dataset_jobs.model.requests import InvalidRequest, UnknownCountry
from dataset_jobs.model.states import DatasetStatus, JobState
from services.listing import Order, unknown_word


def _since(given: str) -> datetime | timedelta:
    try:
        return parse_when(given)
    except ValueError:
        raise typer.BadParameter(
            f"{given!r}: expected a duration such as 2h or 3d, a date such as 2026-11-27, or a time such as"
            " 2026-11-27T06:00"
        ) from None


States = Annotated[
    list[JobState] | None,
    typer.Option(
        "--state",
        metavar="STATE",
        help="Only jobs in this state: scheduled, queued, running, completed, failed or cancelled; may be repeated.",
    ),
]
Causes = Annotated[
    list[Cause] | None,
    typer.Option(
        "--cause",
        metavar="CAUSE",
        help="Only jobs whose last run ended badly by this cause, such as rejected; may be repeated. "
        "`affirm-worker help causes` has all of them.",
    ),
]
Statuses = Annotated[
    list[DatasetStatus] | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        help="Only datasets with this status: pending, processing, completed, failed or reprocessing; may be repeated.",
    ),
]
OfCountry = Annotated[
    str | None,
    typer.Option(
        "--country",
        "-c",
        metavar="CC",
        help="Only those of this country, by its ISO 3166-1 code.",
        autocompletion=complete.countries,
    ),
]
OfFile = Annotated[
    str | None,
    typer.Option(
        "--file", metavar="NAME", help="Only files with this in their name, or a whole name with * and ?, quoted."
    ),
]
OfPool = Annotated[
    str | None, typer.Option("--pool", metavar="POOL", help="Only jobs of this pool.", autocompletion=complete.pools)
]
Since = Annotated[
    Any,
    typer.Option(
        "--since",
        metavar="TIME|DURATION",
        parser=_since,
        help="Only what was submitted since then: 2h or 3d ago, or 2026-11-27, or 2026-11-27T06:00.",
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort", metavar="COLUMN", help="Sort by this column; -COLUMN the other way round. Else the newest first."
    ),
]
Length = Annotated[
    int | None,
    typer.Option(
        "--limit", "-n", min=0, max=1_000_000, metavar="NUMBER", help="At most so many; 0 shows all.  [default: 50]"
    ),
]


def _go_by_utc(wanted: bool) -> None:
    if wanted:
        os.environ["TZ"] = "UTC"
        time.tzset()


Utc = Annotated[bool, typer.Option("--utc", callback=_go_by_utc, help="Times in UTC instead of this machine's zone.")]


@contextmanager
def filters() -> Iterator[None]:
    """A filter with a value that there is not is wrong usage; an unknown country is refused as everywhere."""
    try:
        yield
    except UnknownCountry:
        raise
    except InvalidRequest as error:
        raise typer.BadParameter(str(error)) from None


def order(given: str | None, sorts: Mapping[str, Any]) -> Order:
    """The order that --sort asks for.

    Raises:
        BadParameter: there is no such column.
    """
    if given is None:
        return Order()
    name = given.removeprefix("-").strip().casefold().replace("_", " ")
    if name not in sorts:
        raise typer.BadParameter(str(unknown_word("column", name, sorts)), param_hint="--sort")
    return Order(name, descending=given.startswith("-"))
