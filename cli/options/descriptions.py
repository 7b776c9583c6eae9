"""The options that describe a list: `--columns`, `--description` and `--measure`."""

from pathlib import Path

import typer

from dataset_jobs.model.description import Description
from dataset_jobs.model.description_parts import MAX_BYTES, InvalidDescription
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.requests import InvalidRequest
from services.submission import described, open_file


def with_description(hints: FileHints, columns: str | None, file: Path | None, measure: str | None) -> FileHints:
    """The hints, with the description that the options give.

    Args:
        hints: the other ones.
        columns: the line of `--columns`.
        file: a description in TOML.
        measure: births or population, if the description does not say it.

    Raises:
        typer.BadParameter: the options do not go together.
        InvalidRequest: the description is malformed, or says another measure.
    """
    if columns is not None and file is not None:
        raise typer.BadParameter("give --columns or --description, not both", param_hint="--columns")
    if columns is None and file is None:
        if measure is not None:
            raise typer.BadParameter("goes with --columns or --description", param_hint="--measure")
        return hints
    description = read_description(file) if file is not None else from_columns(columns or "")
    return described(hints, description, measure)


def from_columns(line: str) -> Description:
    """The description of a line; raises InvalidDescription."""
    try:
        return Description.from_columns(line)
    except InvalidDescription as error:
        raise InvalidDescription([f"--columns, {problem}" for problem in error.problems]) from None


def read_description(file: Path) -> Description:
    """The description in a file.

    Raises:
        InvalidRequest: there is no such file, or it is malformed.
    """
    with open_file(file) as opened:
        content = opened.read(MAX_BYTES + 1)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{file}: byte {error.start + 1} is not UTF-8") from None
    try:
        return Description.from_toml(text.removeprefix("\ufeff"))
    except InvalidDescription as error:
        raise InvalidDescription([f"{file}, {problem}" for problem in error.problems]) from None
