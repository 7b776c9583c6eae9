"""What stands above and below the overview: where this is, how old it is, what is asked or was said, and the keys."""

from datetime import timedelta

from cli.screen.table import width_of
from cli.watch import sections
from cli.watch.marks import Line
from cli.watch.sections import Paper, briefly
from cli.watch.state import State
from cli.wording.hints import error_in_words
from dataset_jobs.model.sentences import counted, duration
from dataset_jobs.store.views import JobView
from services.glance import Glance
from services.pool_lines import PoolLine
from services.problems import Health, Problem, health_of

LATE_SECONDS = 10
"""Figures that are older are said to be so, with a mark."""

READABLE_HEADER = 60
"""In fewer columns the name of the program gives way to what it shows."""

_HEALTH = {
    Health.WELL: "green", Health.SLOW: "yellow", Health.TROUBLE: "bold red", Health.STOPPED: "bold red",
    Health.UNKNOWN: "bold",
}  # fmt: skip


def header(state: State, paper: Paper) -> list[Line]:
    """Where this is, how it is, how old the figures are; who runs it."""
    marks, glance = paper.marks, state.glance
    health = Health.UNKNOWN if glance is None else health_of(glance.problems)
    mark = marks.well if health is Health.WELL else marks.wrong
    right = "" if glance is None else f"{sections.clock_of(glance.as_of)}{_age(state)}"
    how = f"{mark} {health}"
    name = "affirm-worker" if paper.width >= READABLE_HEADER else ""
    room = paper.width - width_of(how) - width_of(right) - len(name) - 8
    place = marks.fitted(state.place, room).rstrip() if room > 3 else ""
    left: Line = [(name, "bold"), (f" {marks.apart} ", "")] if name else []
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
        return [
            _line(state.question.question or "", "bold yellow", paper),
            _line(f"y yes {marks.apart} any other key no", "bold", paper),
        ]
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
            return briefly(line.why_not_more)
        case JobView() as job:
            waits = None if state.glance is None or state.glance.found is None else state.glance.found.waiting
            if waits and job.id in waits:
                return briefly(waits[job.id].text)
            return job.last_error or ""
        case Problem() as problem:
            return problem.fault.words
        case _:
            return ""


def _keys(state: State, paper: Paper) -> str:
    """The keys that do something now; the last ones of `_SPARE` go first where there is no room."""
    own = [f"{one.key} {one.label}" for one in state.presses]
    if state.opened is not None:
        keys = [f"{paper.marks.arrows} scroll", *own, "q back"]
    elif not state.can_type:
        keys = ["there is no keyboard: Ctrl-C ends it"]
    else:
        choose, no_filter = f"{paper.marks.arrows} choose", ["esc no filter"] if state.words is not None else []
        keys = [choose, "enter story", *own, "/ filter", *no_filter, "p pause", "? keys", "q quit"]
        for spare in (choose, "p pause", "enter story", "/ filter"):
            if width_of("  ".join(keys)) > paper.width:
                keys.remove(spare)
    return "  ".join(keys)


def help_lines(paper: Paper) -> list[Line]:
    """What keys and columns mean."""
    return [[(f"  {key:<10}", "bold"), (text, "")] for key, text in _HELP]


_HELP = (
    ("up, down", "choose what the keys are about; also j, k, home and end"),
    ("enter, e", "all of its story, with the commands that help"),
    ("r", "retry a failed or cancelled job"),
    ("c", "cancel a job (asks)"),
    ("n", "run a scheduled job now"),
    ("s", "pause or resume a pool (asks)"),
    ("b", "have a run of a blocked pool tried now"),
    ("/", "filter jobs, such as state:failed country:US yob19"),
    ("escape", "leave a story, or the filter"),
    ("p", "pause: nothing moves until it is pressed again"),
    ("ctrl-l", "draw the screen anew"),
    ("q", "quit; so does Ctrl-C"),
    ("", ""),
    ("", "3 H: the queue of the past three hours. OK 1H: jobs of the last"),
    ("", "hour that did not fail. BUSY: the share of slots at work in it."),
    ("", "What you may not do has no key. Any key leaves this list."),
)
