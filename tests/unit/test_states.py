"""docs/states.md, the model and the checks of the database say the same."""

import re
from collections.abc import Iterable
from enum import StrEnum
from importlib.resources import files

import pytest

from dataset_jobs.model.causes import Cause, CountsAs, Reason
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.states import DATASET_MOVES, JOB_MOVES, RETRIED, DatasetStatus, JobState, JobType
from docs.generate.states import OPEN, PAGE, blocks, rendered

SCHEMA = files("dataset_jobs.migrations").joinpath("0001_queue_and_names.sql").read_text(encoding="utf-8")
TEXT = PAGE.read_text(encoding="utf-8")
Moves = Iterable[tuple[StrEnum, StrEnum, str]]


def definition(table: str) -> str:
    """What the migration says of a table."""
    [columns] = re.findall(rf"create table {table} \((.*?)\n\)", SCHEMA, re.DOTALL)
    return str(columns)


def checked(table: str, column: str) -> set[str]:
    """What the CHECK of a column allows."""
    [values] = re.findall(rf"check \({column} in \(([^)]*)\)\)", definition(table))
    return set(re.findall(r"'([^']*)'", values))


def drawn(name: str) -> set[tuple[str, str, str]]:
    """The moves of a diagram of the page, read from its text."""
    diagram = re.search(rf"<!-- {name} -->\n```mermaid\nstateDiagram-v2\n(.*?)```", TEXT, re.DOTALL)
    assert diagram is not None
    return set(re.findall(r"^    (\w+) --> (\w+) : (.+)$", diagram[1], re.MULTILINE))


def first_cells(name: str) -> list[list[str]]:
    """The rows of a table of the page, read from its text."""
    table = re.search(rf"<!-- {name} -->\n\|.*?\n\|.*?\n(.*?)<!-- end -->", TEXT, re.DOTALL)
    assert table is not None
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("datasets", "status", DatasetStatus),
        ("jobs", "state", JobState),
        ("jobs", "type", JobType),
    ],
)
def test_the_database_allows_exactly_the_words_of_the_model(table: str, column: str, words: type[StrEnum]) -> None:
    assert checked(table, column) == {*words}


@pytest.mark.parametrize(
    ("table", "column", "first"), [("datasets", "status", DatasetStatus.PENDING), ("jobs", "state", JobState.QUEUED)]
)
def test_the_page_begins_where_the_database_does(table: str, column: str, first: StrEnum) -> None:
    assert f"\n    {column} text not null default '{first}'\n" in definition(table)
    assert f"[*] --> {first}\n" in TEXT


def test_the_database_and_the_model_agree_on_which_jobs_are_over() -> None:
    over = re.search(r"finished_has_time check \(\(state in \(([^)]*)\)\)", SCHEMA)
    unfinished = re.search(r"jobs_one_unfinished .* where state in \(([^)]*)\)", SCHEMA)
    assert over is not None
    assert unfinished is not None
    assert set(re.findall(r"'(\w+)'", over[1])) == {state for state in JobState if state.finished}
    assert set(re.findall(r"'(\w+)'", unfinished[1])) == {state for state in JobState if not state.finished}


def test_the_page_is_what_the_model_makes_of_it() -> None:
    assert rendered(TEXT) == TEXT, "run `make docs`"
    assert OPEN not in TEXT


def test_the_page_has_each_diagram_and_each_table_once() -> None:
    assert sorted(blocks(TEXT)) == sorted(
        [
            *("dataset diagram", "dataset statuses", "dataset moves"),
            *("job diagram", "job states", "job moves", "causes", "exit codes"),
        ]
    )


@pytest.mark.parametrize(("name", "moves"), [("job diagram", JOB_MOVES), ("dataset diagram", DATASET_MOVES)])
def test_a_diagram_draws_every_move_and_no_other(name: str, moves: Moves) -> None:
    assert drawn(name) == {(str(old), str(new), by) for old, new, by in moves}


def test_the_tables_have_a_row_for_every_word_and_no_other() -> None:
    assert [row[0] for row in first_cells("job states")] == [*JobState]
    assert [row[0] for row in first_cells("dataset statuses")] == [*DatasetStatus]
    assert [row[:2] for row in first_cells("exit codes")] == [[str(code.value), code.name.lower()] for code in ExitCode]
    assert [row[:2] for row in first_cells("causes")] == [[cause, cause.counts_as] for cause in Cause]


def test_the_page_names_every_reason_and_explains_every_budget() -> None:
    assert {reason for reason in Reason if f"`{reason}`" not in TEXT} == set()
    assert {budget for budget in CountsAs if f"**{budget}**" not in TEXT} == set()


@pytest.mark.parametrize(("states", "moves"), [(JobState, JOB_MOVES), (DatasetStatus, DATASET_MOVES)])
def test_between_two_states_there_is_at_most_one_move(states: type[StrEnum], moves: Moves) -> None:
    """Every state can be reached."""
    pairs = [(old, new) for old, new, _ in moves]
    assert len(pairs) == len({*pairs})
    assert {new for _, new in pairs} == {*states}


def test_only_a_person_moves_a_job_that_is_over() -> None:
    """Something can move every other one."""
    by_itself = {old for old, _, by in JOB_MOVES if by != RETRIED}
    assert by_itself == {state for state in JobState if not state.finished}
    put_back = {(old, new) for old, new, by in JOB_MOVES if by == RETRIED}
    assert put_back == {(JobState.FAILED, JobState.QUEUED), (JobState.CANCELLED, JobState.QUEUED)}
