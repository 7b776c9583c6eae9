"""The options of the commands that take publishers' files. They stand here once, so that no command lacks one."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, TypeVar

import typer

from cli.options.common import (
    Columns,
    Country,
    DescriptionFile,
    Files,
    Format,
    Measure,
    Name,
    Priority,
    Recursive,
    Region,
    Replaces,
    Sex,
    Split,
    Year,
)
from cli.options.descriptions import with_description
from dataset_jobs.model.file_hints import FileHints


@dataclass(frozen=True, kw_only=True)
class HintOptions:
    """What the user says of files, because they do not say it themselves."""

    year: Year = None
    sex: Sex = None
    format_: Format = None
    region: Region = None
    columns: Columns = None
    description: DescriptionFile = None
    measure: Measure = None

    def hints(self) -> FileHints:
        """The same as hints.

        Raises:
            typer.BadParameter: the options do not go together.
            InvalidRequest: the description is malformed, or says another measure.
        """
        said = FileHints(year=self.year, sex=self.sex, format=self.format_, region=self.region)
        return with_description(said, self.columns, self.description, self.measure)


@dataclass(frozen=True, kw_only=True)
class FilesGiven(HintOptions):
    """Files to submit, with all that can be said of them."""

    files: Files
    country: Country
    recursive: Recursive = False
    name: Name = None
    split: Split = False
    replaces: Replaces = None
    priority: Priority = 0
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False


Options = TypeVar("Options", bound=HintOptions)


def taking(options: type[Options]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the fields of a dataclass as options; it gets them as its first argument."""
    shared = inspect.signature(options, eval_str=True).parameters

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [*inspect.signature(command, eval_str=True).parameters.values()][1:]

        @wraps(command)
        def called(**given: Any) -> None:
            first = options(**{name: given.pop(name) for name in shared})
            command(first, **given)

        every = sorted((*shared.values(), *own), key=lambda one: one.default is not inspect.Parameter.empty)
        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in every]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        return called

    return decorate
