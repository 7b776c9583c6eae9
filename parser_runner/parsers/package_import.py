"""Imports a module of another package. It may raise, call `sys.exit`, print or hang."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from types import TracebackType
from typing import Any

from dataset_jobs.model.local_machine import is_about_the_path, machine_error
from dataset_jobs.model.text import one_line
from dataset_jobs.threads import start_thread
from parser_runner.parsers.contract import AnyParser
from parser_runner.parsers.former import adapted

IMPORT_SECONDS = 60.0
"""A package that takes longer to import is broken. A slow disk and a large library take a few seconds."""


class BrokenPackageError(Exception):
    """Why a package cannot be used."""


def imported(point: EntryPoint) -> list[AnyParser]:
    """The parsers of one entry point; raises BrokenPackageError."""
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
        raise BrokenPackageError(f"{point.module}: its import takes longer than {IMPORT_SECONDS:.0f} s")
    [error] = errors
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and not is_about_the_path(error)):
        raise machine_error(error, f"import {point.module}")
    said = one_line(error.msg if isinstance(error, SyntaxError) else str(error))
    raise BrokenPackageError(
        f"{place_of(error, point.module)}: {type(error).__name__}{f': {said}' if said else ''}"
    ) from None


def _load(point: EntryPoint) -> Any:
    found = import_module(point.module)
    for name in point.attr.split(".") if point.attr else ():
        found = getattr(found, name)
    return found


def _parsers_of(loaded: Any, module: str) -> Iterator[AnyParser]:
    parsers = getattr(loaded, "PARSERS", None)
    if not isinstance(parsers, Sequence) or isinstance(parsers, str | bytes):
        raise BrokenPackageError(f"{module}: expected PARSERS, a list of parsers, found {_kind(parsers)}")
    for parser in parsers:
        if isinstance(parser, type):
            raise BrokenPackageError(f"{module}: PARSERS has the class {parser.__name__}: expected {parser.__name__}()")
        for name in ("name", "description"):
            if not isinstance(getattr(parser, name, None), str):
                raise BrokenPackageError(f"{module}: a parser ({type(parser).__name__}) has no text as its {name}")
        if not (_has_method(parser, "recognise", "recognises") and _has_method(parser, "parse")):
            raise BrokenPackageError(f"{module}: {parser.name} lacks a method: expected recognise and parse")
        yield adapted(parser)


def _has_method(parser: Any, *names: str) -> bool:
    return any(isinstance(getattr(parser, name, None), Callable) for name in names)  # type: ignore[arg-type]


def _kind(value: Any) -> str:
    return "none" if value is None else f"a {type(value).__name__}"


def place_of(error: BaseException, module: str) -> str:
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
