"""Parsers of other packages. A broken package costs its own formats and nothing else.

A package may raise, call `sys.exit`, print or hang while it is imported: the others are loaded, and the broken one is
reported with module, line and reason.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import invalidate_caches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NamedTuple

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.local_machine import is_about_the_path, machine_error
from parser_runner.parsers.contract import AnyParser
from parser_runner.parsers.package_import import BrokenPackageError, imported, place_of
from parser_runner.parsers.source import Source
from parser_runner.parsers.whose_file import Recognised, all_recognised

ENTRY_POINTS = "affirm_worker.parsers"


@dataclass(frozen=True, slots=True)
class Packaged:
    """A parser, its package and its module."""

    parser: AnyParser
    package: str
    module: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A package whose parsers, or one of them, cannot be used.

    Args:
        package: its name, as pip shows it.
        country: ISO 3166-1 code.
        module: that it names for the country.
        problem: the place and the reason; nothing of any file.
        format: the one parser that is meant; empty for all of the module.
    """

    package: str
    country: str
    module: str
    problem: str
    format: str = ""

    def __str__(self) -> str:
        return f"package {self.package}, parsers of {self.country}: {self.problem}"


class Further(NamedTuple):
    """The parsers of other packages for a country, and what is broken."""

    parsers: Sequence[Packaged]
    broken: Sequence[Broken]


def packaged_countries() -> set[str]:
    """The countries that other packages have parsers for."""
    return {point.name.upper() for point in entry_points(group=ENTRY_POINTS)}


def load_packages(country: str, taken: Sequence[AnyParser]) -> Further:
    """Imports the parsers of other packages for a country.

    Args:
        country: ISO 3166-1 code.
        taken: the parsers of this package; no other one may have the name of one of theirs.

    Raises:
        Unavailable, OutOfMemory: this machine failed; that says nothing about a package.
    """
    _check_packages()
    owners = {parser.name: "affirm-worker" for parser in taken}
    found: list[Packaged] = []
    broken: list[Broken] = []
    points = sorted(entry_points(group=ENTRY_POINTS, name=country.lower()), key=_package)
    for point in points:
        package, module = _package(point), point.module
        try:
            parsers = imported(point)
        except BrokenPackageError as error:
            broken.append(Broken(package, country, module, str(error)))
            continue
        for parser in parsers:
            if owner := owners.get(parser.name):
                problem = f"{module}: format {parser.name} is the one of package {owner} already, and is not used"
                broken.append(Broken(package, country, module, problem, parser.name))
            else:
                owners[parser.name] = package
                found.append(Packaged(parser, package, module))
    return Further(found, broken)


def recognised_by_packages(source: Source, country: str, further: Further) -> tuple[list[Recognised], list[Broken]]:
    """The parsers of other packages that recognise the content, and all that is broken: those too that fail at it.

    Raises:
        RunError: the file is damaged, or this machine failed.
    """
    found: list[Recognised] = []
    broken = [*further.broken]
    for one in further.parsers if source.size else ():
        try:
            found += all_recognised(source, [one.parser])
        except (RunError, OSError, MemoryError):
            raise
        except Exception as error:
            source.rewind()
            # The error's own text may quote the file.
            name = one.parser.name
            problem = f"{place_of(error, one.module)}: recognise of {name} raises {type(error).__name__}"
            broken.append(Broken(one.package, country, one.module, problem, name))
    return found, broken


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module.partition(".")[0]


def _check_packages() -> None:
    """Raises the errors of `machine_error` if a folder of packages cannot be listed now.

    importlib.metadata would take such a folder for an empty one and remember that. It would miss an installed parser,
    and the file would be refused for good.
    """
    invalidate_caches()
    for folder in sys.path:
        try:
            next(Path(folder).iterdir(), None)
        except OSError as error:
            if not is_about_the_path(error):
                raise machine_error(error, "look through the installed packages") from None
