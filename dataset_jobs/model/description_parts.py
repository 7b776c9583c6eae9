"""The parts of a description of a list, and the bounds on them. See description.py."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line

YEAR = "{year}"
"""Stands for the four digits of a year in the heading of a wide table's counts."""

IN_FILENAME = "filename"
"""In place of the file's year or sex: the name of the file says it."""

IN_TITLE = "title"
"""Likewise: the titles above the list say it."""

LEFT_OUT = "-"
"""In --columns, the meaning of a text whose records are left out."""

MAX_BYTES = 16 * 1024
MAX_HEADINGS = 20
MAX_VALUES = 200
MAX_PARTS = 200
"""Sheets, or blocks."""
MAX_CHARS = 200
MAX_HEADING_ROW = 15

MEASURES = ("births", "population")

COLUMN_KEYS = ("name", "count", "year", "sex", "sum_over")

PLAIN_KEYS = (
    "title", "source", "licence", "format", "measure", "region", "top", "smallest", "file_year", "file_sex",
    "separator", "charset", "heading_row", "ignore_titles",
)  # fmt: skip
"""The keys with one value."""

Texts = tuple[str, ...]


class Shape(StrEnum):
    """How a list is laid out."""

    LONG = "long"
    """One name, year and sex per record."""
    WIDE = "wide"
    """One record per name, one column per year."""
    BLOCKS = "blocks"
    """Columns of names and counts side by side, each pair of one sex or year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockColumns:
    """Two columns of a table: names of one sex and year, and their counts.

    Args:
        name, count: the headings. If several blocks have the same ones, the first block has the first such column.
        sex: F or M; None if it is the file's or the sheet's.
        year: None if it is the file's or the sheet's.
    """

    name: Texts
    count: Texts
    sex: str | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetWanted:
    """A sheet of a workbook, with its sex and year if no column has them.

    Args:
        name: of the sheet, exactly.
        sex: F or M; None if a column has it, or it is the file's.
        year: likewise.
    """

    name: str
    sex: str | None = None
    year: int | None = None


class InvalidDescription(InvalidRequest):
    """A description is malformed.

    Args:
        problems: each with its place.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


def unknown_key(given: str, known: Iterable[str]) -> str:
    """The error of an unknown key, with the nearest known one."""
    expected = sorted(known)
    meant = get_close_matches(given, expected, n=1, cutoff=0.6)
    hint = f"did you mean {meant[0]}?" if meant else f"expected {', '.join(expected)}"
    return f"unknown key {shown(given)}: {hint}"


def shown(text: str) -> str:
    """A text of a description, short enough for a message."""
    line = one_line(text)
    return f"{line[:40]!r}…" if len(line) > 40 else repr(line)
