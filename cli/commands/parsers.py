"""`affirm-worker parsers`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.begin import settings_without_database
from cli.commands.parse import report_lines
from cli.given import known_country
from cli.lazy import group
from cli.options import complete
from cli.options.common import AsJson, Sex, ShownColumns, Wide, Year
from cli.options.descriptions import read_description
from cli.screen.output import print_json, print_table, said_no, say
from cli.screen.table import Column, chosen
from dataset_jobs.host import temporary_folder
from dataset_jobs.model.description import Description
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.outcome import ExitCode
from parser_runner.parsers import countries
from parser_runner.parsers.descriptions.described import Described
from parser_runner.parsers.listing import all_parsers
from parser_runner.parsers.report import report
from parser_runner.parsers.source import Source
from parser_runner.parsers.testkit import check_parser
from services.report_words import NO_COUNTRY
from services.submission import checked_hints, open_file

EPILOG = """
\b
Examples:
  affirm-worker parsers list
  affirm-worker parsers list --country AU
  affirm-worker parsers list --json
"""
CHECK_EPILOG = """
\b
Examples:
  affirm-worker parsers check zurich.toml names.csv --country CH
  affirm-worker parsers check zurich.toml names.csv --json
"""
FORMATS = [
    Column("country"),
    Column("format"),
    Column("built in", spare=2),
    Column("description", text=True, spare=1),
]
commands = group("parsers")

_MOST_MUTATIONS = 200
_BYTES_TO_MUTATE = 10_000_000
"""Of all changed copies together, so that the check takes seconds."""


@commands.command("list", epilog=EPILOG)
def list_parsers(
    country: Annotated[
        str | None,
        typer.Option("--country", "-c", metavar="CC", help="Only of this country.", autocompletion=complete.countries),
    ] = None,
    wide: Wide = False,
    columns: ShownColumns = None,
    as_json: AsJson = False,
) -> None:
    """Lists the formats that can be read, by country.

    Formats of other packages are among them; docs/adding-a-parser.md says how to add one. A package that cannot
    be used is a warning on stderr, with its module, its line and the reason.
    """
    only = None if country is None else known_country(country)
    listed, broken = all_parsers([code for code in countries() if only in (None, code)])
    found = [
        {
            "country": one.country,
            "format": one.format,
            "built_in": one.package is None,
            "package": one.package,
            "description": one.description,
        }
        for one in listed
    ]
    for one in broken:
        said_no(f"warning: {one}")
    if as_json:
        print_json(found)
    else:
        print_table(
            FORMATS,
            [[one["country"], one["format"], one["built_in"], one["description"]] for one in found],
            "there are no parsers" if only is None else f"there is no parser for files of {only}",
            chosen(columns, wide),
        )


@commands.command("check", epilog=CHECK_EPILOG)
def check_description(
    description: Annotated[Path, typer.Argument(metavar="DESCRIPTION", help="A description in TOML.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A list that it describes.")],
    country: Annotated[
        str | None,
        typer.Option(
            "--country",
            "-c",
            metavar="CC",
            help="ISO 3166-1 code of the country, such as CH.",
            autocompletion=complete.countries,
        ),
    ] = None,
    year: Year = None,
    sex: Sex = None,
    as_json: AsJson = False,
) -> None:
    """Checks a description with a list, as an author of a parser checks it.

    Prints what the list has: rows, totals, the records that were left out and why. Then reads changed copies
    of it, up to 200: each must give rows or a refusal. The exit code is 65 if the file is refused, or a copy
    shows a fault.
    """
    says = read_description(description)
    hints = checked_hints(FileHints(year=year, sex=sex, description=says.as_json()))
    code = known_country(country) if country is not None else (says.region or NO_COUNTRY)[:2]
    temporary_folder()
    with open_file(file) as opened:
        found = report(Source(file.name, opened, hints, settings_without_database().limits), code)
    checked = None if found.rejected else _checked(says, code, file, hints)
    if as_json:
        robust = None if checked is None else checked.fault is None
        print_json(
            {
                "description": says.as_document(),
                "report": found.as_dict(),
                "robust": robust,
                "fault": checked and checked.fault,
                "copies": checked.copies if checked else 0,
            }
        )
    else:
        say(*report_lines(found, file, hints))
        if checked is not None:
            said = f"a fault: {checked.fault}" if checked.fault else "each gives rows or a refusal"
            say("", f"{checked.copies} changed copies: {said}")
    if found.rejected or (checked and checked.fault):
        raise typer.Exit(ExitCode.REJECTED)


@dataclass(frozen=True, slots=True)
class _Checked:
    """How many changed copies were read, and the fault that one showed."""

    copies: int
    fault: str | None


def _checked(says: Description, country: str, file: Path, hints: FileHints) -> _Checked:
    copies = max(5, min(_MOST_MUTATIONS, _BYTES_TO_MUTATE // max(1, file.stat().st_size)))
    try:
        check_parser(Described(says, country), file, hints.year, hints.sex, mutations=copies)
    except AssertionError as error:
        return _Checked(copies, str(error))
    return _Checked(copies, None)
