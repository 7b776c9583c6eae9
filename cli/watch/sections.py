"""The parts of the screen: each makes the lines of what there is, the indispensable first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cli.screen.prose import fitted
from cli.screen.table import width_of
from cli.screen.words import SHORT_ID, short
from cli.watch.acts import presses
from cli.watch.marks import Line, Marks
from cli.watch.rows import Row
from cli.watch.state import State
from cli.wording.hints import command
from dataset_jobs.model.sentences import Sentence, duration, percent
from dataset_jobs.model.states import JobState, state_of
from dataset_jobs.model.times import local_time
from dataset_jobs.store.views import JobView
from services.glance import Found
from services.pool_lines import PoolLine
from services.problems import Problem, Severity

WIDE = 120
"""From so many columns on, things stand side by side."""

COMMAND = "bold not dim"
"""The style of a command to type, which is not cut: it would be another one."""

READABLE = 24
"""Fewer columns are no room for a sentence."""

_STATES = {
    JobState.COMPLETED: "green", JobState.FAILED: "bold red", JobState.RUNNING: "cyan", JobState.SCHEDULED: "yellow",
}  # fmt: skip
_SEVERITIES = {
    Severity.STOPPED: "bold red", Severity.HELD: "bold red", Severity.FAILING: "red", Severity.SLOW: "yellow",
    Severity.NOTE: "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paper:
    """What is drawn on: so wide, with these marks."""

    width: int
    marks: Marks

    def narrower(self, width: int) -> "Paper":
        """The same, but so wide."""
        return Paper(width, self.marks)

    def begin(self, state: State, row: Row) -> Line:
        """The beginning of a row's line, which says whether it is chosen."""
        return [(f"{self.marks.chosen} ", "bold")] if self.is_chosen(state, row) else [("  ", "")]

    def is_chosen(self, state: State, row: Row) -> bool:
        """Whether keys are about this row."""
        return state.can_type and row.id == state.chosen

    def style(self, state: State, row: Row, style: str = "") -> str:
        """The style of a row."""
        return f"{style} reverse".strip() if self.is_chosen(state, row) else style


def problem(state: State, row: Row, paper: Paper, most: int | None = 1) -> list[Line]:
    """What is wrong; below it, whose fault it is, whether it passes, and what to press, or to type.

    Args:
        most: lines of what is wrong; None for as many as it takes, with the commands against it.
    """
    found, marks = row.about, paper.marks
    assert isinstance(found, Problem) and state.glance is not None
    style, room = _SEVERITIES[found.severity], paper.width - 4
    whole = [*fitted(marks.text(briefly(found.text)), room)]
    texts = whole if most is None else whole[:most]
    if len(texts) < len(whole):
        texts[-1] = marks.fitted(" ".join([texts[-1], *(one.strip() for one in whole[len(texts) :])]), room)
    first = [*paper.begin(state, row), (f"{marks.wrong} ", style), (texts[0], paper.style(state, row, style))]
    lines = [first, *([("    ", ""), (text, style)] for text in texts[1:])]
    parts = [found.outlook, found.fault.words]
    if found.since is not None:
        parts.insert(0, f"since {duration(state.glance.as_of - found.since)}")
    said = f" {marks.apart} ".join(parts)
    if most is None:
        commands: list[Line] = [[("    ", ""), (marks.text(command(hint)), COMMAND)] for hint in found.hints]
        return [*lines, [("    ", ""), (said, "")], *commands]
    keys = [f"{one.key} {one.label}" for one in (presses(row, state.role) if state.can_type else ())]
    if len(texts) < len(whole) or len(found.hints) > len(keys):
        keys.append("enter more")
    pressed = f" {marks.apart} ".join(keys)
    left = paper.width - 4 - (width_of(pressed) + 2 if pressed else 0)
    second: Line = [("    ", ""), (marks.fitted(said, max(0, left)), "")]
    return [*lines, [*second, ("  ", ""), (pressed, "bold")] if pressed else second]


def briefly(sentence: Sentence) -> str:
    """A sentence whose times are short: those of today have no date."""
    return sentence.said(short)


def nothing_wrong(paper: Paper) -> Line:
    """There is no problem."""
    return [("  ", ""), (f"{paper.marks.well} nothing is wrong", "green")]


def pools_heading(rows: Sequence[Row], paper: Paper) -> Line:
    """The headings of the pools."""
    columns = _PoolColumns.of(rows, paper)
    past = paper.marks.right("3 H", columns.spark)
    return [(columns.line("POOL", "DEPTH", past, "OLDEST", "RUN/WANT/MAX", "OK 1H", "BUSY", "WHY NOT MORE"), "bold")]


def pool(state: State, row: Row, rows: Sequence[Row], paper: Paper, *, whole: bool = False) -> list[Line]:
    """A pool in a line.

    Args:
        whole: with a second one for what has no room in the first.
    """
    line, marks = row.about, paper.marks
    assert isinstance(line, PoolLine)
    columns, at = _PoolColumns.of(rows, paper), line.pool
    past: list[float | None] = [*state.depths.get(at.name, ()), at.queued]
    lately = line.lately
    text = columns.line(
        at.name,
        f"{at.queued:,}",
        marks.sparkline(past, columns.spark),
        marks.unknown if at.oldest_wait_seconds is None else _wait(at.oldest_wait_seconds),
        _runs(line, marks),
        _share(None if lately is None else lately.success_ratio, marks),
        _share(None if lately is None else lately.busy, marks),
        briefly(line.why_not_more),
    )
    style = "bold red" if line.held and at.queued else "yellow" if line.held else ""
    lines: list[Line] = [[*paper.begin(state, row), (text[2:], paper.style(state, row, style))]]
    if whole and not columns.why and not line.held and (at.queued or at.in_use) and line.why_not_more:
        more = fitted(marks.text(f"not more: {briefly(line.why_not_more)}"), paper.width - 4)
        lines += ([("    ", ""), (text, "")] for text in more)
    return lines


def _runs(line: PoolLine, marks: Marks) -> str:
    desired = marks.unknown if line.pool.desired is None else f"{line.pool.desired:,}"
    return f"{line.pool.in_use:,}/{desired}/{line.pool.max_running:,}"


def _wait(seconds: float) -> str:
    return duration(timedelta(seconds=min(seconds, 1e9)))


def _share(share: float | None, marks: Marks) -> str:
    return marks.unknown if share is None else percent(share)


@dataclass(frozen=True, slots=True)
class _PoolColumns:
    """The widths of the columns of pools; why there are not more has what is left, if that is enough to read."""

    marks: Marks
    name: int
    depth: int
    runs: int
    spark: int
    why: int
    shares: bool

    @classmethod
    def of(cls, rows: Sequence[Row], paper: Paper) -> "_PoolColumns":
        lines = [row.about for row in rows if isinstance(row.about, PoolLine)]
        marks = paper.marks
        depth = max([5, *(len(f"{one.pool.queued:,}") for one in lines)])
        runs = max([12, *(len(_runs(one, marks)) for one in lines)])
        shares = paper.width >= 60
        fixed = 2 + depth + 1 + 8 + runs + (5 + 5 if shares else 0) + (6 if shares else 4) * 2
        longest = max([4, *(width_of(marks.text(one.pool.name)) for one in lines)])
        left = max(4, paper.width - fixed)
        name = min(longest, max(4, left - 10), 30)
        left -= name
        spark = max(0, min(8 if paper.width < WIDE else 18 if paper.width < 160 else 36, left))
        why = left - spark - 2
        return cls(marks, name, depth, runs, spark, why if why >= READABLE else 0, shares)

    def line(self, name: str, depth: str, spark: str, oldest: str, runs: str, ok: str, busy: str, why: str) -> str:
        marks, gap = self.marks, "  "
        parts = [
            f"  {marks.fitted(name, self.name)}",
            f"{marks.right(depth, self.depth)} {marks.fitted(spark, self.spark)}",
            marks.right(oldest, 8), marks.right(runs, self.runs),
        ]  # fmt: skip
        parts += [marks.right(ok, 5), marks.right(busy, 5)] if self.shares else []
        return gap.join([*parts, marks.fitted(why, self.why).rstrip()] if self.why else parts)


def running(state: State, row: Row, paper: Paper) -> Line:
    """A job at work, with how far it is."""
    job, marks = row.about, paper.marks
    assert isinstance(job, JobView)
    bar = 12 if paper.width >= 76 else 6
    share = None if job.bytes_done is None or not job.size else min(1.0, job.bytes_done / job.size)
    rows = "" if job.rows_done is None else f"{_compact(job.rows_done)} rows"
    if job.cancel_requested_at is not None:
        rows = "cancelled"
    room = paper.width - (2 + SHORT_ID + 1 + 2 + 1 + 1 + bar + 1 + 5 + 1 + 10)
    return [
        *paper.begin(state, row),
        (f"{_named(job, max(0, room), marks)} ", paper.style(state, row)),
        (marks.bar(share, bar), "cyan"),
        (f" {marks.right(_share(share, marks), 5)} {marks.right(rows, 10)}", ""),
    ]


def ended(state: State, row: Row, paper: Paper) -> Line:
    """A job that is over: when, and how."""
    job, marks = row.about, paper.marks
    assert isinstance(job, JobView)
    at = marks.unknown if job.finished_at is None else local_time(job.finished_at, "%H:%M:%S")
    said = _rows_of(job) if job.state == JobState.COMPLETED else job.last_cause or ""
    tail = 9 + 2 + 13 if paper.width >= 56 else 9
    room = paper.width - (2 + SHORT_ID + 1 + 2 + 1 + 8 + 1 + 1 + tail)
    how = marks.fitted(said, 13) if paper.width >= 56 else ""
    return [
        *paper.begin(state, row),
        (f"{marks.fitted(at, 8)} {_named(job, max(0, room), marks)} ", paper.style(state, row)),
        (marks.fitted(job.state, 9), _state_style(job)),
        (f"  {how}" if how else "", ""),
    ]


def found(state: State, row: Row, jobs: Found, paper: Paper) -> Line:
    """A job that was asked for: its state, and why it waits, or what it failed of."""
    job, marks = row.about, paper.marks
    assert isinstance(job, JobView)
    waits = jobs.waiting.get(job.id)
    why = briefly(waits.text) if waits is not None else job.last_error or "" if job.last_cause else ""
    if job.state == JobState.COMPLETED:
        why = _rows_of(job)
    file = min(30, max(8, (paper.width - 26) // 3))
    room = max(0, paper.width - (2 + SHORT_ID + 4 + file + 1 + 9 + 2))
    return [
        *paper.begin(state, row),
        (f"{_named(job, file, marks)} ", paper.style(state, row)),
        (marks.fitted(job.state, 9), _state_style(job)),
        (f"  {marks.fitted(why, room).rstrip()}", ""),
    ]


def _named(job: JobView, room: int, marks: Marks) -> str:
    file = marks.fitted(job.filename, room, keeps_end=True)
    return f"{str(job.id)[:SHORT_ID]} {marks.fitted(job.country, 2)} {file}"


def _rows_of(job: JobView) -> str:
    return "" if job.rows_done is None else f"{job.rows_done:,} rows"


def _state_style(job: JobView) -> str:
    state = state_of(job.state)
    return "" if state is None else _STATES.get(state, "")


def _compact(count: int) -> str:
    """A number in few letters."""
    for of, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if count >= of:
            return f"{count / (1000 if letter == 'k' else of):.{0 if letter == 'k' else 1}f}{letter}"
    return f"{count:,}"


def clock_of(moment: datetime) -> str:
    """A time of day by this machine's clock."""
    return local_time(moment, "%H:%M:%S")
