"""`affirm-worker parse`."""

import csv
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Country, Sex, Year
from dataset_jobs.model.outcome import ExitCode

EPILOG = """
\b
Examples:
  affirm-worker parse yob2023.txt --country US | head
  affirm-worker parse renamed.txt --country US --year 2023 > 2023.csv
"""
IN_MEMORY = 1 << 24
"""Bytes of CSV that are kept in memory before a temporary file is used."""


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(parse)


def parse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A publisher's file, under its own name.")],
    country: Country,
    year: Year = None,
    sex: Sex = None,
) -> None:
    """Prints the rows of a file as CSV, without any database.

    The columns are year, gender, name and count. A file with errors prints no row but the errors, with
    their lines, on stderr; the exit code is 65 then.
    """
    from cli.countries import iso_countries
    from dataset_jobs.model.errors import Rejected
    from dataset_jobs.store.refusals import unknown_country
    from dataset_jobs.store.submission import checked_sex, checked_year, unreadable
    from parser_runner.parsers import parse_file

    code = country.strip().upper()
    countries = iso_countries()
    if code not in dict(countries):
        raise unknown_country(country, countries)
    year_hint, sex_hint = checked_year(year), checked_sex(sex)
    # Either all rows or the errors: an error may be in the last line.
    with tempfile.SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8", newline="") as rows:
        writer = csv.writer(rows, lineterminator="\n")
        writer.writerow(["year", "gender", "name", "count"])
        try:
            parsed = parse_file(file, code, year_hint, sex_hint)
            writer.writerows((row.year, row.gender, row.name, row.count) for row in parsed.rows)
        except OSError as error:
            raise unreadable(file, error) from None
        except Rejected as rejected:
            for problem in rejected.problems:
                where = f"{file}, {problem}" if problem.place is not None else f"{file}: {problem}"
                print(where, file=sys.stderr)
            if rejected.more:
                print(f"{file}: and {rejected.more} more problems", file=sys.stderr)
            raise typer.Exit(ExitCode.REJECTED) from None
        rows.seek(0)
        shutil.copyfileobj(rows, sys.stdout)
