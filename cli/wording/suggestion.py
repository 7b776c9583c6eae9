"""What `affirm-worker parse --suggest` prints: a description to confirm, and what the file gives with it."""

from dataclasses import replace
from pathlib import Path

from cli.screen.output import print_json, say
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.report import Report
from dataset_jobs.model.requests import InvalidRequest
from parser_runner.parsers import refuse_if_refused
from parser_runner.parsers.descriptions.suggest import NothingToSuggest, Suggestion, suggest
from parser_runner.parsers.report import report
from parser_runner.parsers.source import Source
from services.submission import open_file


def print_suggestion(file: Path, country: str, hints: FileHints, limits: Limits, as_json: bool) -> None:
    """Proposes a description, and tries it.

    Args:
        file: the list.
        country: ISO 3166-1 code.
        hints: the year and the sex, if they were given.
        limits: on the file.
        as_json: for programs.

    Raises:
        InvalidRequest: nothing can be proposed.
        Rejected: the file is damaged, or over a limit.
    """
    with open_file(file) as opened:
        source = Source(file.name, opened, hints, limits)
        try:
            refuse_if_refused(source, country)
            found = suggest(source)
        except NothingToSuggest as nothing:
            raise InvalidRequest(f"{file}: no description can be proposed: {nothing}") from None
        finally:
            source.close()
    with open_file(file) as opened:
        said = replace(hints, description=found.description.as_json())
        tried = report(Source(file.name, opened, said, limits), country)
    if as_json:
        print_json({"description": found.document, "notes": found.notes, "tried": tried.as_dict()})
        return
    say(*found.as_toml().splitlines(), "", "# The same as a line:")
    say(f'# --columns "{_in_double_quotes(found)}"', "", f"# Tried: {_tried(tried)}")


def _in_double_quotes(found: Suggestion) -> str:
    """The line as a shell reads it."""
    line = found.description.as_columns()
    for character in '\\"$`':
        line = line.replace(character, f"\\{character}")
    return line


def _tried(tried: Report) -> str:
    if tried.rejected is not None:
        return f"the file is refused: {tried.rejected}"
    years = f"{tried.years[0]} to {tried.years[-1]}" if len(tried.years) > 1 else str(tried.years[0])
    left_out = sum(tried.left_out.values())
    return f"{tried.rows:,} rows, {tried.total:,} in all, of {years}, from {tried.smallest} up; {left_out:,} left out"
