"""What is opened: a job's story in the words of `jobs explain`, a problem or a pool with all that is known of it."""

from collections.abc import Iterator

from cli.screen.prose import fitted
from cli.screen.words import cell, in_words
from cli.watch.marks import Line
from cli.watch.sections import Paper
from cli.watch.state import State
from cli.wording.hints import command
from cli.wording.story import story
from dataset_jobs.model.sentences import counted
from dataset_jobs.store.views import JobView
from services.pool_lines import PoolLine
from services.problems import Problem


def opened_lines(state: State, paper: Paper, room: int) -> list[Line]:
    """The lines that are shown of it."""
    from rich.cells import chop_cells

    opened, width = state.opened, paper.width - 2
    assert opened is not None
    texts = [part for text in _texts(state) for part in fitted(paper.marks.text(text), width)]
    # What is not broken between words, such as a command, goes on in the next line.
    lines = [part for text in texts for part in chop_cells(text, max(2, width)) or [""]]
    opened.most = max(0, len(lines) - room + 1)
    opened.at = min(opened.at, opened.most)
    shown = lines[opened.at : opened.at + room - 1]
    below = len(lines) - opened.at - len(shown)
    last: Line = [(f"  {counted(below, 'more line')}", "bold")] if below > 0 else []
    return [*([("  ", ""), (text, "")] for text in shown), last]


def _texts(state: State) -> Iterator[str]:
    opened = state.opened
    assert opened is not None
    match opened.row.about:
        case JobView():
            yield from ["reading its story"] if opened.story is None else story(opened.story)
        case Problem() as problem:
            yield from problem_lines(problem)
        case PoolLine() as line:
            yield from pool_text(line, state)


def problem_lines(problem: Problem) -> Iterator[str]:
    """A problem, and what to type against it."""
    yield in_words(problem.text)
    yield ""
    if problem.since is not None:
        yield f"since    {cell(problem.since)}"
    if problem.jobs is not None:
        yield f"jobs     {problem.jobs:,}"
    yield f"fault    {problem.fault.words}"
    yield f"outlook  {problem.outlook}"
    if problem.hints:
        yield ""
        yield "what helps:"
        yield from (f"    {command(hint)}" for hint in problem.hints)


def pool_text(line: PoolLine, state: State) -> Iterator[str]:
    """A pool: why there are not more runs, what it decided, who serves it, what is wrong with it."""
    pool = line.pool
    why = in_words(line.why_not_more)
    yield f"pool {pool.name}"
    yield ""
    yield (
        f"jobs         {pool.queued:,} queued, {pool.scheduled:,} scheduled, {pool.running:,} running,"
        f" {pool.failed:,} failed"
    )
    yield (
        f"runs         {pool.in_use:,} of {pool.max_running:,}: {pool.runs_claimed:,} claimed,"
        f" {pool.runs_launched:,} launched, {pool.runs_working:,} working, {pool.runs_ending:,} ending"
    )
    if pool.desired is not None:
        yield f"desired      {pool.desired:,}: {pool.reason}"
    if why:
        yield f"not more     {why}"
    glance = state.glance
    for one in glance.status.serving(pool.name) if glance is not None else ():
        yield f"controller   {one.owner} ({one.launcher})"
    for problem in glance.problems if glance is not None else ():
        if problem.pool == pool.name:
            yield ""
            yield from problem_lines(problem)
