"""`affirm-worker parsers`."""

from cli.lazy import group
from cli.options import AsJson
from cli.output import print_json, print_table
from parser_runner.parsers import countries, further_parsers_of, parsers_of

EPILOG = """
\b
Examples:
  affirm-worker parsers list
  affirm-worker parsers list --json
"""
commands = group("parsers")


@commands.command("list", epilog=EPILOG)
def list_parsers(as_json: AsJson = False) -> None:
    """Lists the formats that can be read, by country.

    Formats of other packages are among them; docs/adding-a-parser.md says how to add one.
    """
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
