"""Parsers of other packages. A broken package costs its own formats and nothing else.

A package may raise, call `sys.exit`, print or hang while it is imported: the others are loaded, and the broken one is
reported with module, line and reason.
"""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.local_machine import is_about_the_path, machine_error
from dataset_jobs.model.text import one_line
from dataset_jobs.threads import start_thread
from parser_runner.parsers.contract import AnyParser
from parser_runner.parsers.former import adapted
from parser_runner.parsers.source import Source
from parser_runner.parsers.whose_file import Recognised, all_recognised

ENTRY_POINTS = "affirm_worker.parsers"

IMPORT_SECONDS = 60.0
"""A package that takes longer to import is broken. A slow disk and a large library take a few seconds."""


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
            parsers = _imported(point)
        except _BrokenPackageError as error:
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
    """The parsers of other packages that recognise the content, and those that fail at it.

    Raises:
        RunError: the file is damaged, or this machine failed.
    """
    found: list[Recognised] = []
    broken: list[Broken] = []
    for one in further.parsers:
        try:
            found += all_recognised(source, [one.parser])
        except (RunError, OSError, MemoryError):
            raise
        except Exception as error:
            source.rewind()
            # The error's own text may quote the file.
            name = one.parser.name
            problem = f"{_place(error, one.module)}: recognise of {name} raises {type(error).__name__}"
            broken.append(Broken(one.package, country, one.module, problem, name))
    return found, broken


class _BrokenPackageError(Exception):
    """Why a package cannot be used."""


def _imported(point: EntryPoint) -> list[AnyParser]:
    """The parsers of one entry point; raises _BrokenPackageError."""
    return [*_parsers_of(_loaded(point), point.module)]


def _loaded(point: EntryPoint) -> Any:
    """What the entry point names. It is imported in a thread, since nothing else ends an import that hangs."""
    loaded: list[Any] = []
    errors: list[BaseException] = []

    def load() -> None:
        try:
            # What it prints must not get among rows or JSON.
            with contextlib.redirect_stdout(sys.stderr):
                loaded.append(_load(point))
        except BaseException as error:  # sys.exit as well
            errors.append(error)

    thread = threading.Thread(target=load, name=f"import {point.module}", daemon=True)
    start_thread(thread)
    thread.join(IMPORT_SECONDS)
    if loaded:
        return loaded[0]
    if not errors:
        raise _BrokenPackageError(f"{point.module}: its import takes longer than {IMPORT_SECONDS:.0f} s")
    [error] = errors
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and not is_about_the_path(error)):
        raise machine_error(error, f"import {point.module}")
    said = one_line(error.msg if isinstance(error, SyntaxError) else str(error))
    raise _BrokenPackageError(
        f"{_place(error, point.module)}: {type(error).__name__}{f': {said}' if said else ''}"
    ) from None


def _load(point: EntryPoint) -> Any:
    found = import_module(point.module)
    for name in point.attr.split(".") if point.attr else ():
        found = getattr(found, name)
    return found


def _parsers_of(loaded: Any, module: str) -> Iterator[AnyParser]:
    parsers = getattr(loaded, "PARSERS", None)
    if not isinstance(parsers, Sequence) or isinstance(parsers, str | bytes):
        raise _BrokenPackageError(f"{module}: expected PARSERS, a list of parsers, found {_kind(parsers)}")
    for parser in parsers:
        if isinstance(parser, type):
            raise _BrokenPackageError(
                f"{module}: PARSERS has the class {parser.__name__}: expected {parser.__name__}()"
            )
        for name in ("name", "description"):
            if not isinstance(getattr(parser, name, None), str):
                raise _BrokenPackageError(f"{module}: a parser ({type(parser).__name__}) has no text as its {name}")
        if not (_has_method(parser, "recognise", "recognises") and _has_method(parser, "parse")):
            raise _BrokenPackageError(f"{module}: {parser.name} lacks a method: expected recognise and parse")
        yield adapted(parser)


def _has_method(parser: Any, *names: str) -> bool:
    return any(isinstance(getattr(parser, name, None), Callable) for name in names)  # type: ignore[arg-type]


def _kind(value: Any) -> str:
    return "none" if value is None else f"a {type(value).__name__}"


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module.partition(".")[0]


def _place(error: BaseException, module: str) -> str:
    """The module and the line of it that an error comes from; of the package's own code, if any of it was at work."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}"
    top, place = module.partition(".")[0], ""
    for name, line in _frames(error.__traceback__):
        if name == top or name.startswith(f"{top}."):
            place = f"{name}, line {line}"
    return place or module


def _frames(trace: TracebackType | None) -> Iterator[tuple[str, int]]:
    while trace is not None:
        yield str(trace.tb_frame.f_globals.get("__name__", "")), trace.tb_lineno
        trace = trace.tb_next


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
