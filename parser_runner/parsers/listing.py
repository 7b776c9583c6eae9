"""Every format that can be read, by country: those that are built in, and those of other packages."""

from collections.abc import Iterable

from dataset_jobs.model.listed_parser import ListedParser
from parser_runner.parsers import AnyParser, further_parsers_of, parsers_of
from parser_runner.parsers.packages import Broken


def all_parsers(countries: Iterable[str]) -> tuple[list[ListedParser], list[Broken]]:
    """The parsers of these countries, and the packages that cannot be used."""
    found: list[ListedParser] = []
    broken: list[Broken] = []
    for country in countries:
        further = further_parsers_of(country)
        broken += further.broken
        packaged: list[tuple[AnyParser, str | None]] = [(parser, None) for parser in parsers_of(country)]
        packaged += [(one.parser, one.package) for one in further.parsers]
        found += [ListedParser(country, parser.name, package, parser.description) for parser, package in packaged]
    return found, broken
