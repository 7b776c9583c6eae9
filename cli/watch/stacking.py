"""Parts of a screen one below the other: how many rows each shows where there is no room for all, and which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.screen.table import width_of
from cli.watch.marks import Line, within
from cli.watch.rows import Row
from cli.watch.sections import Paper
from cli.watch.state import State
from dataset_jobs.model.sentences import counted

FIRST_LINES = 3
"""Of what is wrong: those that the worst problem has besides, before other parts get more."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the overview.

    Args:
        title: its lines before the rows; they are there even if no row is.
        rows: what it has.
        draw: the lines of a row; it may take so many more than `each`, or as many as it wants.
        least: rows that are shown before other parts get more.
        nothing: the line if there are no rows.
        each: lines of a row, at least.
        more: lines that each row has use for besides; the first one gets some before other parts get more.
        total: how many there are, if there may be more than its rows; None if nobody knows.
    """

    title: Sequence[Line]
    rows: Sequence[Row]
    draw: Callable[[Row, int | None], list[Line]]
    least: int
    nothing: Line
    each: int = 1
    more: Sequence[int] = ()
    total: int | None = 0


def stacked(state: State, parts: Sequence[Part], paper: Paper, room: int | None) -> list[Line]:
    """Parts one below the other, in so many lines; None for as many as they take."""
    shares = [_Share(part, paper) for part in parts]
    left = None if room is None else _share_out(shares, room)
    lines: list[Line] = []
    for number, share in enumerate(shares):
        if number and (left is None or left >= len(parts) - 1):
            lines.append([])
        lines += share.lines(state, whole=room is None)
    return lines if room is None else lines[:room]


def _share_out(shares: Sequence["_Share"], room: int) -> int:
    """Gives each part its rows: first what it needs, then what is left, in turns. Returns the lines that are left."""
    left = room - sum(len(one.part.title) for one in shares)

    def give(most: Callable[[Part], int]) -> None:
        nonlocal left
        going = True
        while going:
            going = False
            for one in shares:
                size = one.part.each if one.part.rows else 1
                if one.rows < min(len(one.part.rows) or 1, most(one.part)) and left >= size:
                    one.rows += 1
                    left -= size
                    going = True

    give(lambda part: part.least)
    for one in shares:
        one.first = min(FIRST_LINES, left, *one.part.more[:1]) if one.part.more else 0
        left -= one.first
    give(lambda part: len(part.rows) or 1)
    for one in shares:
        one.spare = max(0, min(sum(one.part.more) - one.first, left - len(shares)))
        left -= one.spare
    return left


@dataclass(slots=True)
class _Share:
    """What a part may show.

    Args:
        rows: so many rows.
        first: lines that the first of them has besides.
        spare: lines that any of them may have besides.
    """

    part: Part
    paper: Paper
    rows: int = 0
    first: int = 0
    spare: int = 0

    def lines(self, state: State, *, whole: bool) -> list[Line]:
        """Its lines; `whole` without any bound."""
        part, lines = self.part, [*self.part.title]
        many = len(part.rows) if whole else self.rows
        if not part.rows:
            return [*lines, part.nothing] if many or whole else lines
        at = _first(state, part.rows, many)
        shown = part.rows[at : at + many]
        hidden = 0 if part.total is None else max(part.total, len(part.rows)) - len(shown)
        if hidden and lines:
            lines[0] = [*lines[0], (f"  ({hidden:,} more)", "")]
        drawn: list[Line] = []
        for number, row in enumerate(shown):
            drawn += part.draw(row, None if whole else self._more(at + number, number == 0))
        if hidden and not lines and drawn:
            drawn[-1] = _with_more(drawn[-1], counted(hidden, "more problem"), self.paper)
        return [*lines, *drawn]

    def _more(self, at: int, is_first: bool) -> int:
        """How many lines a row has besides."""
        if not self.part.more:
            return 0
        given = min(self.first, self.part.more[at]) if is_first else 0
        taken = min(self.part.more[at] - given, self.spare)
        self.spare -= taken
        return given + taken


def _with_more(line: Line, said: str, paper: Paper) -> Line:
    text = f"  ({said})"
    kept = within(line, paper.width - width_of(text), paper.marks)
    return [*kept, (text, "bold")]


def _first(state: State, rows: Sequence[Row], many: int) -> int:
    """The first row that is shown, so that the chosen one is."""
    at = next((number for number, row in enumerate(rows) if row.id == state.chosen), 0)
    return max(0, min(len(rows) - many, at - many + 1))
