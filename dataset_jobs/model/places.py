"""Where in a file something stands: a line, a cell, a figure of a matrix, or one of these in an archive's member."""

import re
from typing import Any, NamedTuple

from dataset_jobs.model.text import one_line

_SHOWN = 60
"""Characters that are shown of the name of a sheet or member."""

_KEPT = 200
"""Characters that are kept of it in a report."""

_REFERENCE = re.compile(r"([A-Z]{1,4})([1-9]\d{0,8})")


class Cell(NamedTuple):
    """A cell of a workbook; row and column are 1-based."""

    sheet: str
    row: int
    column: int

    @property
    def reference(self) -> str:
        """As spreadsheets have it: C1043."""
        letters, rest = "", self.column
        while rest:
            rest, digit = divmod(rest - 1, 26)
            letters = chr(ord("A") + digit) + letters
        return f"{letters}{self.row}"

    def __str__(self) -> str:
        return f"sheet {shown_name(self.sheet)}, cell {self.reference}"


class Figure(NamedTuple):
    """A figure of a matrix whose file has no lines that count, such as JSON; 1-based, in the file's order."""

    number: int

    def __str__(self) -> str:
        return f"figure {self.number}"


class InMember(NamedTuple):
    """A place within a member of an archive; the member as a whole where `place` is None."""

    member: str
    place: int | Cell | Figure | None

    def __str__(self) -> str:
        member = f"member {shown_name(self.member)}"
        return member if self.place is None else f"{member}, {in_words(self.place)}"


Place = int | Cell | Figure | InMember
"""An int is a line, 1-based."""


def in_words(place: Place) -> str:
    """The place for people: line 3; sheet 'Table 6', cell C1043; figure 17; member 'a.csv', line 3."""
    return f"line {place}" if isinstance(place, int) else str(place)


def as_values(place: Place | None) -> dict[str, str | int]:
    """The place for programs: line, sheet, cell, figure and member, as far as there are any."""
    match place:
        case None:
            return {}
        case InMember(member, inner):
            return {"member": member, **as_values(inner)}
        case Cell(sheet):
            return {"sheet": sheet, "cell": place.reference}
        case Figure(number):
            return {"figure": number}
        case _:
            return {"line": place}


def from_values(values: Any) -> Place | None:
    """The place that `as_values` gave; None for anything else."""
    match values:
        case {"member": str(member), **rest}:
            return InMember(member, _inner(rest))
        case _:
            return _inner(values)


def _inner(values: Any) -> int | Cell | Figure | None:
    match values:
        case {"sheet": str(sheet), "cell": str(reference)} if found := _REFERENCE.fullmatch(reference):
            column = 0
            for letter in found[1]:
                column = column * 26 + ord(letter) - ord("A") + 1
            return Cell(sheet, int(found[2]), column)
        case {"figure": int(number)}:
            return Figure(number)
        case {"line": int(line)}:
            return line
    return None


def with_short_names(place: Place) -> Place:
    """The place, with the names of sheet and member no longer than they are kept."""
    match place:
        case InMember(member, inner):
            return InMember(member[:_KEPT], inner)
        case Cell(sheet, row, column):
            return Cell(sheet[:_KEPT], row, column)
    return place


def shown_name(name: str) -> str:
    """The name of a sheet or member, which is whatever the file says: on one line, in quotes, and not too long."""
    line = one_line(name)
    return f"'{line[:_SHOWN]}{'…' if len(line) > _SHOWN else ''}'"
