"""Options and arguments that several commands have."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from cli.options import complete
from dataset_jobs.model.durations import parse_duration, parse_when
from dataset_jobs.model.requests import InvalidRequest
from services.submission import checked_format, checked_region, checked_sex, checked_year

Value = TypeVar("Value")


def _checked(check: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """A check of the use cases as the check of an option: a wrong value is wrong usage, before anything is done."""

    def checked(given: Value) -> Value:
        try:
            return check(given)
        except InvalidRequest as error:
            raise typer.BadParameter(str(error)) from None

    return checked


Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help="Publishers' files, under their own names: paths, folders, https:// and s3:// addresses, or - for stdin.",
    ),
]
Recursive = Annotated[
    bool,
    typer.Option("--recursive", "-r", help="Take all that lies below a folder, not only what lies directly in it."),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="The publisher's name for the file: of stdin, or where it has lost it."
    ),
]
Split = Annotated[
    bool,
    typer.Option(
        "--split",
        help="Submit each text file of an archive, and each region of a list of several, as a dataset of its own.",
    ),
]
Country = Annotated[
    str,
    typer.Option(
        "--country",
        "-c",
        metavar="CC",
        help="ISO 3166-1 code of the country, such as US.",
        autocompletion=complete.countries,
    ),
]
Year = Annotated[
    int | None,
    typer.Option(
        metavar="YYYY", callback=_checked(checked_year), help="The year of the data, if a renamed file has lost it."
    ),
]
Sex = Annotated[
    str | None,
    typer.Option(
        metavar="F|M", callback=_checked(checked_sex), help="The sex that the file is about, if its name has lost it."
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        autocompletion=complete.formats,
        callback=_checked(checked_format),
        help="The format, such as de-koeln, if the content fits several.",
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        metavar="CODE",
        callback=_checked(checked_region),
        help="The part of the country, such as DE-NW-05315, if the file does not say it.",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="The columns of a list that no parser knows, such as 'name=vorname count=Anzahl'; "
        "docs/adding-a-parser.md has the rest.",
    ),
]
DescriptionFile = Annotated[
    Path | None, typer.Option("--description", metavar="FILE", help="The same as a file in TOML.")
]
Measure = Annotated[
    Literal["births", "population"] | None,
    typer.Option(help="What such a list counts, if its description does not say it."),
]
Replaces = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DATASET_ID",
        help="The dataset whose place the file takes in the years and sexes that it covers; may be repeated.",
    ),
]


Priority = Annotated[int, typer.Option(min=-32768, max=32767, help="A job with a higher one is claimed first.")]


def _when(given: str) -> datetime | timedelta:
    try:
        return parse_when(given)
    except ValueError as error:
        raise typer.BadParameter(f"{given!r}: expected {error}") from None


def duration_option(given: str, option: str | None = None) -> timedelta:
    """The duration that an option gives; raises BadParameter, which names the option where click does not."""
    try:
        return parse_duration(given)
    except ValueError as error:
        raise typer.BadParameter(f"{given!r}: expected {error}", param_hint=option) from None


RunAt = Annotated[
    Any,
    typer.Option(
        "--run-at",
        metavar="TIME|DURATION",
        parser=_when,
        help="Not before then: a time such as 2026-12-01T06:00, or a duration from now such as 12h.",
    ),
]
PoolName = Annotated[str, typer.Argument(metavar="NAME", help="The pool.", autocompletion=complete.pools)]
Wide = Annotated[bool, typer.Option("--wide", "-w", help="Show every column whole, however wide the terminal is.")]
ShownColumns = Annotated[
    str | None, typer.Option(metavar="NAME,…", help="Show these columns, in this order, such as file,state.")
]
JobId = Annotated[
    str,
    typer.Argument(metavar="ID", help="The job; the first digits of its id are enough.", autocompletion=complete.jobs),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables for people.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
