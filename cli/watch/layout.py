"""The screen of `watch`: which lines stand where, on a terminal of any size. What does not fit is counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cli.screen.table import width_of
from cli.screen.words import in_words
from cli.watch import sections
from cli.watch.marks import Line, Marks, within
from cli.watch.opened import opened_lines
from cli.watch.rows import Row, ended_rows, found_rows, pool_rows, problem_rows, running_rows
from cli.watch.sections import WIDE, Paper
from cli.watch.state import State
from cli.wording.hints import error_in_words
from dataset_jobs.model.sentences import counted, duration
from dataset_jobs.store.views import JobView
from services.glance import Glance
from services.pool_lines import PoolLine
from services.problems import Health, health_of

LATE_SECONDS = 10
"""Figures that are older are said to be so, with a mark."""

_HEALTH = {
    Health.WELL: "green", Health.SLOW: "yellow", Health.TROUBLE: "bold red", Health.STOPPED: "bold red",
    Health.UNKNOWN: "bold",
}  # fmt: skip


def screen(state: State, width: int, height: int, marks: Marks) -> list[Line]:
    """The lines of a terminal, exactly as many as it has, none wider than it is."""
    paper = Paper(width, marks)
    top, bottom = header(state, paper), footer(state, paper)
    room = max(0, height - len(top) - len(bottom))
    if state.helps:
        middle = _help(paper)
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
    lines = [*header(state, paper), *_overview(state, state.glance, paper, None)]
    return [within(line, width, marks) for line in lines]


def header(state: State, paper: Paper) -> list[Line]:
    """Where this is, how it is, how old the figures are; who runs it."""
    marks, glance = paper.marks, state.glance
    health = Health.UNKNOWN if glance is None else health_of(glance.problems)
    mark = marks.well if health is Health.WELL else marks.wrong
    right = "" if glance is None else f"{sections.clock_of(glance.as_of)}{_age(state)}"
    how = f"{mark} {health}"
    room = paper.width - width_of(how) - width_of(right) - len("affirm-worker") - 8
    place = marks.fitted(state.place, room).rstrip() if room > 3 else ""
    left: Line = [("affirm-worker", "bold"), (f" {marks.apart} ", "")]
    left += [(f"{place} {marks.apart} ", "")] if place else []
    left += [(how, _HEALTH[health])]
    used = sum(width_of(text) for text, _ in left)
    first: Line = [*left, (" " * max(1, paper.width - used - width_of(right)), ""), (right, "")]
    return [first, _second(state, paper)]


def _age(state: State) -> str:
    if not state.can_type and state.trouble is None:
        return ""
    return f" ({duration(timedelta(seconds=int(state.age or 0)))} old)".replace(".0 s", " s")


def _second(state: State, paper: Paper) -> Line:
    if state.trouble is not None:
        said = f"{paper.marks.wrong} nothing newer is known; it is tried again: {error_in_words(state.trouble)}"
        return [(paper.marks.fitted(said, paper.width).rstrip(), "bold red")]
    if state.glance is None:
        return [("looking", "")]
    said = _controllers(state.glance)
    if state.paused:
        return [(said, ""), (f" {paper.marks.apart} paused: p goes on", "bold yellow")]
    if (state.age or 0) > LATE_SECONDS:
        return [(said, ""), (f" {paper.marks.apart} {paper.marks.wrong} old figures", "bold yellow")]
    return [(said, "")]


def _controllers(glance: Glance) -> str:
    alive = [one.owner for one in glance.status.controllers if one.is_alive]
    if not alive:
        return "no controller is running"
    deciding = sorted({one.decided_by for one in glance.status.pools if one.decided_by in alive})
    who = {0: "", 1: f", {deciding[0]} decides" if deciding else ""}.get(len(deciding), f", {len(deciding)} decide")
    return f"{counted(len(alive), 'controller')}{who}"


def footer(state: State, paper: Paper) -> list[Line]:
    """What is asked or was said, or more of what is chosen; and the keys."""
    marks = paper.marks
    if state.question is not None:
        return [_line(f"{state.question.question} y yes {marks.apart} any other key no", "bold yellow", paper), []]
    if state.typing is not None:
        typed = f"/ {state.typing}_"
        over = width_of(typed) - paper.width
        typed = f"/ {marks.cut}{state.typing[over + 4 :]}_" if over > 0 else typed
        below = state.said or f"enter looks {marks.apart} escape leaves {marks.apart} such as state:failed country:US"
        return [_line(typed, "bold", paper), _line(below, "bold red" if state.said else "", paper)]
    said = state.said or _more_of(state)
    return [_line(said, "bold" if state.said else "", paper), _line(_keys(state, paper), "", paper)]


def _line(text: str, style: str, paper: Paper) -> Line:
    return [(paper.marks.fitted(text, paper.width).rstrip(), style)]


def _more_of(state: State) -> str:
    """More of what is chosen than has room in its line."""
    row = state.row
    match None if row is None or state.opened is not None else row.about:
        case PoolLine() as line:
            return in_words(line.why_not_more)
        case JobView() as job:
            waits = None if state.glance is None or state.glance.found is None else state.glance.found.waiting
            if waits and job.id in waits:
                return in_words(waits[job.id].text)
            return job.last_error or ""
        case _:
            return ""


def _keys(state: State, paper: Paper) -> str:
    own = [f"{one.key} {one.label}" for one in state.presses]
    if state.opened is not None:
        keys = [f"{paper.marks.arrows} scroll", *own, "q back"]
    else:
        keys = [f"{paper.marks.arrows} choose", "enter story", *own, "/ filter", "p pause", "? keys", "q quit"]
    if state.words is not None and state.opened is None:
        keys.insert(-2, "esc no filter")
    return "  ".join(keys)


def _help(paper: Paper) -> list[Line]:
    return [[(f"  {key:<12}", "bold"), (text, "")] for key, text in _HELP]


_HELP = (
    ("up, down", "choose a problem, a pool or a job; also j and k, page up and down, home and end"),
    ("enter, e", "its whole story, with the commands that help; enter again leaves it"),
    ("r", "retry a failed or cancelled job"),
    ("c", "cancel a job (asks)"),
    ("n", "run a scheduled job now"),
    ("s", "pause or resume a pool (asks)"),
    ("/", "filter jobs, such as state:failed cause:crashed pool:default since:1d yob19"),
    ("escape", "leave a story, or the filter"),
    ("p", "pause: nothing moves until p is pressed again"),
    ("ctrl-l", "draw the screen anew"),
    ("q", "quit; Ctrl-C does, too"),
    ("", ""),
    ("", "What you may not do has no key. Any key leaves this list."),
)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the overview.

    Args:
        title: its lines before the rows; they are there even if no row is.
        rows: what it has.
        draw: the lines of a row, of which the last ones may go.
        least: rows that are shown before other parts get more.
        nothing: the line if there are no rows.
    """

    title: Sequence[Line]
    rows: Sequence[Row]
    draw: Callable[[Row], list[Line]]
    least: int
    nothing: Line
    each: int = 1


def _overview(state: State, glance: Glance, paper: Paper, room: int | None) -> list[Line]:
    parts = [_problems(state, glance, paper), _pools(state, glance, paper)]
    if glance.found is not None:
        parts.append(_found(state, glance, paper))
        return _stacked(state, parts, paper, room)
    if paper.width < WIDE:
        parts += [_running(state, glance, paper), _ended(state, glance, paper)]
        return _stacked(state, parts, paper, room)
    half = (paper.width - 3) // 2
    sides = paper.narrower(half), paper.narrower(paper.width - 3 - half)
    above = _stacked(state, parts, paper, None if room is None else max(room - 6, room * 2 // 3))
    left_room = None if room is None else room - len(above)
    left = _stacked(state, [_running(state, glance, sides[0])], sides[0], left_room)
    right = _stacked(state, [_ended(state, glance, sides[1])], sides[1], left_room)
    return above + _beside(left, right, half, paper)


def _beside(left: list[Line], right: list[Line], half: int, paper: Paper) -> list[Line]:
    made = []
    for at in range(max(len(left), len(right))):
        line = within(left[at], half, paper.marks) if at < len(left) else []
        used = sum(width_of(text) for text, _ in line)
        line = [*line, (" " * (half - used), ""), (f" {paper.marks.beside} ", "")]
        made.append([*line, *(right[at] if at < len(right) else [])])
    return made


def _problems(state: State, glance: Glance, paper: Paper) -> _Part:
    def draw(row: Row) -> list[Line]:
        return sections.problem(state, row, paper)

    return _Part([], problem_rows(glance), draw, 2, sections.nothing_wrong(paper), each=2)


def _pools(state: State, glance: Glance, paper: Paper) -> _Part:
    rows = pool_rows(glance)

    def draw(row: Row) -> list[Line]:
        return [sections.pool(state, row, rows, paper)]

    return _Part([sections.pools_heading(rows, paper)], rows, draw, 3, [("  there are no pools", "")])


def _running(state: State, glance: Glance, paper: Paper) -> _Part:
    rows, total = running_rows(glance), sum(pool.running for pool in glance.status.pools)

    def draw(row: Row) -> list[Line]:
        return [sections.running(state, row, paper)]

    return _Part([_title(f"RUNNING {total:,}")], rows, draw, 3, [("  nothing is running", "")])


def _ended(state: State, glance: Glance, paper: Paper) -> _Part:
    rows = ended_rows(glance)
    empty = not any(pool.queued or pool.scheduled or pool.running for pool in glance.status.pools)
    nothing = "There is no job yet. Load a file: affirm-worker upload FILE --country US"

    def draw(row: Row) -> list[Line]:
        return [sections.ended(state, row, paper)]

    return _Part([_title("JUST HAPPENED")], rows, draw, 3, [(f"  {nothing if empty else 'nothing has ended yet'}", "")])


def _found(state: State, glance: Glance, paper: Paper) -> _Part:
    jobs, rows = glance.found, found_rows(glance)
    assert jobs is not None

    def draw(row: Row) -> list[Line]:
        return [sections.found(state, row, jobs, paper)]

    words = paper.marks.text("" if state.words is None else state.words.text)
    return _Part([_title(f"JOBS {words}")], rows, draw, 5, [("  there are no such jobs", "")])


def _title(text: str) -> Line:
    return [(f"  {text}", "bold")]


def _stacked(state: State, parts: Sequence[_Part], paper: Paper, room: int | None) -> list[Line]:
    """Parts one below the other, in so many lines; None for as many as they take."""
    wanted = [max(1, len(part.rows)) for part in parts]
    shown = wanted if room is None else _shares(parts, wanted, room)
    blank = room is None or room - sum(_height(part, many) for part, many in zip(parts, shown, strict=True)) >= len(
        parts
    )
    lines: list[Line] = []
    for number, (part, many) in enumerate(zip(parts, shown, strict=True)):
        if blank and (number or room is None or state.can_type):
            lines.append([])
        lines += _part(state, part, many, paper)
    return lines if room is None else lines[:room]


def _height(part: _Part, rows: int) -> int:
    return len(part.title) + (part.each * rows if part.rows else 1)


def _shares(parts: Sequence[_Part], wanted: Sequence[int], room: int) -> list[int]:
    """How many rows each part shows: first what each needs, then what is left, in turns."""
    left = room - sum(len(part.title) for part in parts)
    shown = [0] * len(parts)

    def give(most: Callable[[int], int]) -> None:
        nonlocal left
        going = True
        while going:
            going = False
            for at, part in enumerate(parts):
                size = part.each if part.rows else 1
                if shown[at] < min(wanted[at], most(at)) and left >= size:
                    shown[at] += 1
                    left -= size
                    going = True

    give(lambda at: parts[at].least)
    give(lambda at: wanted[at])
    return shown


def _part(state: State, part: _Part, many: int, paper: Paper) -> list[Line]:
    lines = [*part.title]
    if not part.rows:
        return [*lines, part.nothing] if many else lines
    first = _first(state, part.rows, many)
    shown = part.rows[first : first + many]
    hidden = len(part.rows) - len(shown)
    if hidden and lines:
        lines[0] = [*lines[0], (f"  ({hidden:,} more)", "")]
    drawn = [line for row in shown for line in part.draw(row)]
    if hidden and not lines and drawn:
        drawn[-1] = _with_more(drawn[-1], f"{hidden:,} more problems" if hidden > 1 else "1 more problem", paper)
    return [*lines, *drawn]


def _with_more(line: Line, said: str, paper: Paper) -> Line:
    text = f"  ({said})"
    kept = within(line, paper.width - width_of(text), paper.marks)
    return [*kept, (text, "bold")]


def _first(state: State, rows: Sequence[Row], many: int) -> int:
    """The first row that is shown, so that the chosen one is."""
    at = next((number for number, row in enumerate(rows) if row.id == state.chosen), 0)
    return max(0, min(len(rows) - many, at - many + 1))
