"""The screen of `watch`: which lines stand where, on a terminal of any size. What does not fit is counted."""

from cli.screen.table import width_of
from cli.watch import sections
from cli.watch.edges import footer, header, help_lines
from cli.watch.marks import Line, Marks, within
from cli.watch.opened import opened_lines
from cli.watch.rows import Row, ended_rows, found_rows, pool_rows, problem_rows, running_rows
from cli.watch.sections import COMMAND, WIDE, Paper
from cli.watch.stacking import Part, stacked
from cli.watch.state import State
from services.glance import Glance

MOST_LINES = 9
"""Of what is wrong."""


def screen(state: State, width: int, height: int, marks: Marks) -> list[Line]:
    """The lines of a terminal, exactly as many as it has, none wider than it is."""
    paper = Paper(width, marks)
    top, bottom = header(state, paper), footer(state, paper)
    room = max(0, height - len(top) - len(bottom))
    if state.helps:
        middle = help_lines(paper)
    elif state.opened is not None:
        middle = opened_lines(state, paper, room)
    elif state.glance is None:
        middle = []
    else:
        middle = _overview(state, state.glance, paper, room)
    middle = middle[:room] + [[]] * (room - len(middle))
    return [within(line, width, marks) for line in (*top, *middle, *bottom)][:height]


def picture(state: State, width: int, marks: Marks) -> list[Line]:
    """The same without keys, as long as it has to be."""
    paper = Paper(width, marks)
    assert state.glance is not None
    lines = [*header(state, paper), [], *_overview(state, state.glance, paper, None)]
    return [line if line and line[-1][1] == COMMAND else within(line, width, marks) for line in lines]


def _overview(state: State, glance: Glance, paper: Paper, room: int | None) -> list[Line]:
    parts = [_problems(state, glance, paper), _pools(state, glance, paper)]
    if glance.found is not None:
        parts.append(_found(state, glance, paper))
        return stacked(state, parts, paper, room)
    if paper.width < WIDE:
        parts += [_running(state, glance, paper), _ended(state, glance, paper)]
        return stacked(state, parts, paper, room)
    half = (paper.width - 3) // 2
    sides = paper.narrower(half), paper.narrower(paper.width - 3 - half)
    below = [[_running(state, glance, sides[0])], [_ended(state, glance, sides[1])]]
    tallest = 1 + max(1, *(len(part.rows) for [part] in below))
    above = stacked(state, parts, paper, None if room is None else room - min(tallest, max(4, room // 3)) - 1)
    left = None if room is None else max(0, room - len(above) - 1)
    columns = [stacked(state, one, side, left) for one, side in zip(below, sides, strict=True)]
    return [*above, [], *_beside(columns[0], columns[1], half, paper)]


def _beside(left: list[Line], right: list[Line], half: int, paper: Paper) -> list[Line]:
    made = []
    for at in range(max(len(left), len(right))):
        line = within(left[at], half, paper.marks) if at < len(left) else []
        used = sum(width_of(text) for text, _ in line)
        line = [*line, (" " * (half - used), ""), (f" {paper.marks.beside} ", "")]
        made.append([*line, *(right[at] if at < len(right) else [])])
    return made


def _problems(state: State, glance: Glance, paper: Paper) -> Part:
    rows = problem_rows(glance)

    def draw(row: Row, more: int | None) -> list[Line]:
        return sections.problem(state, row, paper, None if more is None else 1 + more)

    more = [len(sections.problem(state, row, paper, MOST_LINES)) - 2 for row in rows]
    return Part([], rows, draw, 2, sections.nothing_wrong(paper), each=2, more=more)


def _pools(state: State, glance: Glance, paper: Paper) -> Part:
    rows = pool_rows(glance)

    def draw(row: Row, more: int | None) -> list[Line]:
        return sections.pool(state, row, rows, paper, whole=more is None)

    return Part([sections.pools_heading(rows, paper)], rows, draw, 3, [("  there are no pools", "")])


def _running(state: State, glance: Glance, paper: Paper) -> Part:
    rows, total = running_rows(glance), sum(pool.running for pool in glance.status.pools)

    def draw(row: Row, _: int | None) -> list[Line]:
        return [sections.running(state, row, paper)]

    return Part([_title(f"RUNNING {total:,}")], rows, draw, 3, [("  nothing is running", "")], total=total)


def _ended(state: State, glance: Glance, paper: Paper) -> Part:
    rows = ended_rows(glance)
    empty = not any(pool.queued or pool.scheduled or pool.running for pool in glance.status.pools)
    nothing = "There is no job yet. Load a file: affirm-worker upload FILE --country US"

    def draw(row: Row, _: int | None) -> list[Line]:
        return [sections.ended(state, row, paper)]

    said: Line = [(f"  {nothing if empty else 'nothing has ended yet'}", "")]
    return Part([_title("JUST HAPPENED")], rows, draw, 3, said, total=None)


def _found(state: State, glance: Glance, paper: Paper) -> Part:
    jobs, rows = glance.found, found_rows(glance)
    assert jobs is not None

    def draw(row: Row, _: int | None) -> list[Line]:
        return [sections.found(state, row, jobs, paper)]

    words = paper.marks.text("" if state.words is None else state.words.text)
    nothing = "looking" if state.looking else "there are no such jobs"
    return Part([_title(f"JOBS {words}")], rows, draw, 5, [(f"  {nothing}", "")], total=None)


def _title(text: str) -> Line:
    return [(f"  {text}", "bold")]
