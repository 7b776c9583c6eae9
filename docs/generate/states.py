"""The diagrams and tables of docs/states.md: `make docs` writes them from the model.

People write the last column of the tables of moves. It is kept, row by row; a new row has `TO BE WRITTEN` in it.
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.meanings import CAUSES, DATASET_STATUSES, EXIT_CODES, JOB_STATES, NEXT
from dataset_jobs.model.outcome import ExitCode, Outcome
from dataset_jobs.model.states import DATASET_MOVES, JOB_MOVES, DatasetStatus, JobState
from docs.generate import DOCS

PAGE = DOCS / "states.md"
OPEN = "TO BE WRITTEN"

_BLOCK = re.compile(r"(<!-- (?P<name>[\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)

Moves = Iterable[tuple[StrEnum, StrEnum, str]]
Rows = Iterable[tuple[str, ...]]


def rendered(page: str) -> str:
    """The page with every diagram and table as the model has it now."""
    return _BLOCK.sub(lambda block: f"{block[1]}{_content(block['name'], block[0])}{block[3]}", page)


def blocks(page: str) -> list[str]:
    """The names of the page's diagrams and tables."""
    return [block["name"] for block in _BLOCK.finditer(page)]


def _content(name: str, block: str) -> str:
    match name:
        case "job diagram":
            return _diagram(JobState, JOB_MOVES, JobState.QUEUED, [state for state in JobState if state.finished])
        case "dataset diagram":
            return _diagram(DatasetStatus, DATASET_MOVES, DatasetStatus.PENDING, [])
        case "job states":
            rows = [(f"`{state}`", "yes" if state.finished else "no", JOB_STATES[state]) for state in JobState]
            return _table(block, ("State", "Over", "Meaning"), rows)
        case "job moves":
            return _table(block, ("From", "To", "Made by"), _moves(JobState, JOB_MOVES), ("When",))
        case "dataset statuses":
            meanings = [(f"`{status}`", DATASET_STATUSES[status]) for status in DatasetStatus]
            return _table(block, ("Status", "Meaning"), meanings)
        case "dataset moves":
            return _table(block, ("From", "To", "Made by"), _moves(DatasetStatus, DATASET_MOVES), ("When",))
        case "exit codes":
            return _table(block, ("Code", "Name", "Cause", "Meaning"), _exit_codes())
        case "causes":
            ends = [(f"`{cause}`", str(cause.counts_as), CAUSES[cause], NEXT[cause]) for cause in Cause]
            return _table(block, ("Cause", "Counts as", "Meaning", "Next"), ends)
    raise ValueError(f"the page has a block that nobody writes: {name}")


def _in_order(states: type[StrEnum], moves: Moves) -> list[tuple[StrEnum, StrEnum, str]]:
    order = [*states]
    return sorted(moves, key=lambda move: (order.index(move[0]), order.index(move[1])))


def _moves(states: type[StrEnum], moves: Moves) -> Rows:
    return [(f"`{old}`", f"`{new}`", by) for old, new, by in _in_order(states, moves)]


def _diagram(states: type[StrEnum], moves: Moves, first: StrEnum, last: Iterable[StrEnum]) -> str:
    lines = [f"[*] --> {first}"]
    lines += [f"{old} --> {new} : {by}" for old, new, by in _in_order(states, moves)]
    lines += [f"{state} --> [*]" for state in last]
    return "```mermaid\nstateDiagram-v2\n" + "".join(f"    {line}\n" for line in lines) + "```\n"


def _exit_codes() -> Iterator[tuple[str, ...]]:
    for code in ExitCode:
        causes = [cause for cause in Cause if Outcome(cause).exit_code is code]
        # A runner reports no other cause itself; any other report counts as a crash.
        said = Cause.CRASHED if Cause.CRASHED in causes else next(iter(causes), Cause.CRASHED)
        yield str(code.value), code.name.lower(), f"`{said}`", EXIT_CODES[code]


def _table(block: str, head: tuple[str, ...], rows: Rows, written: tuple[str, ...] = ()) -> str:
    """`head` and `rows` are the model's columns, `written` the heads of those that people write."""
    kept: dict[tuple[str, ...], list[str]] = {}
    for line in block.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == len(head) + len(written):
            kept[tuple(cells[: len(head)])] = cells[len(head) :]
    lines = [[*head, *written], ["---"] * (len(head) + len(written))]
    lines += [[*row, *kept.get(row, [OPEN] * len(written))] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def page() -> str:
    """The document, from the code as it is now."""
    return rendered(PAGE.read_text(encoding="utf-8"))
