"""`affirm-worker parsers`."""

from typing import Annotated

import typer

from cli.lazy import group
from cli.options import AsJson
from cli.output import print_json, print_table
from parser_runner.parsers import countries, further_parsers_of, parsers_of

EPILOG = """
\b
Examples:
  affirm-worker parsers list
  affirm-worker parsers list --country AU
  affirm-worker parsers list --json
"""
commands = group("parsers")


@commands.command("list", epilog=EPILOG)
def list_parsers(
    country: Annotated[str | None, typer.Option("--country", "-c", metavar="CC", help="Only of this country.")] = None,
    as_json: AsJson = False,
) -> None:
    """Lists the formats that can be read, by country.

    Formats of other packages are among them; docs/adding-a-parser.md says how to add one.
    """
    found = [
        {
            "country": code,
            "format": parser.name,
            "built_in": built_in,
            "description": parser.description,
        }
        for code in countries()
        if country is None or code == country.strip().upper()
        for built_in, parsers in ((True, parsers_of(code)), (False, further_parsers_of(code)))
        for parser in parsers
    ]
    if as_json:
        print_json(found)
    else:
        columns = ["country", "format", "built_in", "description"]
        print_table(
            columns,
            [[one[column] for column in columns] for one in found],
            "there are no parsers" if country is None else f"there is no parser for files of {country.strip().upper()}",
        )
