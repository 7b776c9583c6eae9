"""What `affirm-worker parse --suggest` prints: a description to confirm, and what the file gives with it."""

from cli.screen.output import print_json, say
from dataset_jobs.model.report import Report
from dataset_jobs.model.requests import InvalidRequest
from parser_runner.file_parser import Suggested


def print_suggestion(found: Suggested | str, file: str, as_json: bool) -> None:
    """Prints a proposed description, and what the file gives with it.

    Args:
        found: the proposal, or why there is none.
        file: the list, as it was given.
        as_json: for programs.

    Raises:
        InvalidRequest: nothing can be proposed.
    """
    if isinstance(found, str):
        raise InvalidRequest(f"{file}: no description can be proposed: {found}")
    if as_json:
        print_json({"description": found.document, "notes": found.notes, "tried": found.tried.as_dict()})
        return
    say(*found.toml.splitlines(), "", "# The same as a line:")
    say(f'# --columns "{_in_double_quotes(found.columns)}"', "", f"# Tried: {_tried(found.tried)}")


def _in_double_quotes(line: str) -> str:
    """The line as a shell reads it."""
    for character in '\\"$`':
        line = line.replace(character, f"\\{character}")
    return line


def _tried(tried: Report) -> str:
    if tried.rejected is not None:
        return f"the file is refused: {tried.rejected}"
    years = f"{tried.years[0]} to {tried.years[-1]}" if len(tried.years) > 1 else str(tried.years[0])
    left_out = sum(tried.left_out.values())
    return f"{tried.rows:,} rows, {tried.total:,} in all, of {years}, from {tried.smallest} up; {left_out:,} left out"
