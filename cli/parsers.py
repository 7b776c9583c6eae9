"""`affirm-worker parsers`."""

import typer

from cli.options import AsJson

EPILOG = """
\b
Examples:
  affirm-worker parsers list
  affirm-worker parsers list --json
"""


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    parsers = typer.Typer(help="The formats that can be read.", no_args_is_help=True, rich_markup_mode=None)
    parsers.command(name="list", epilog=EPILOG)(list_parsers)
    app.add_typer(parsers, name="parsers")


def list_parsers(as_json: AsJson = False) -> None:
    """Lists the formats that can be read, by country.

    Formats of other packages are among them; docs/adding-a-parser.md says how to add one.
    """
    from cli.output import print_json, print_table
    from parser_runner.parsers import countries, further_parsers_of, parsers_of

    found = [
        {
            "country": country,
            "format": parser.name,
            "built_in": built_in,
            "description": parser.description,
        }
        for country in countries()
        for built_in, parsers in ((True, parsers_of(country)), (False, further_parsers_of(country)))
        for parser in parsers
    ]
    if as_json:
        print_json(found)
    else:
        columns = ["country", "format", "built_in", "description"]
        print_table(columns, [[one[column] for column in columns] for one in found], "there are no parsers")
