"""What a runner says of its run, and how it is read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import DuplicateRows, Problem, Rejected, Unavailable
from dataset_jobs.model.outcome import MESSAGE_LIMIT, ExitCode, Outcome

anything = st.text(st.characters())  # halves of surrogate pairs included
storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
reasons = st.none() | st.sampled_from(Reason)
LONG = ["a", '"', "\n", "é", "名", "😀", "\ud800"]


def outcomes(text: st.SearchStrategy[str]) -> st.SearchStrategy[Outcome]:
    problems = st.lists(text, max_size=20).map(tuple)
    return st.builds(Outcome, st.sampled_from(Cause), reasons, text, problems, st.integers(0, 2**40))


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (Cause.COMPLETED, 0),
        (Cause.REJECTED, 65),
        (Cause.CRASHED, 70),
        (Cause.UNAVAILABLE, 75),
        (Cause.FORBIDDEN, 77),
        (Cause.CANNOT_START, 78),
        (Cause.LOST_LEASE, 80),
        (Cause.SHUT_DOWN, 143),
    ],
)
def test_every_end_of_a_runner_has_an_exit_code_of_its_own(cause: Cause, code: int) -> None:
    assert Outcome(cause).exit_code == code


def test_exit_codes_are_distinct_and_fit_a_byte_and_only_success_is_zero() -> None:
    codes = [code.value for code in ExitCode.__members__.values()]
    assert len({*codes}) == len(codes)
    assert all(0 <= code <= 255 for code in codes)
    assert {cause for cause in Cause if Outcome(cause).exit_code == 0} == {Cause.COMPLETED}


@given(outcomes(anything))
def test_a_message_is_never_longer_than_its_limit_and_always_names_the_cause(outcome: Outcome) -> None:
    message = outcome.to_message()
    assert len(message.encode()) <= MESSAGE_LIMIT
    read = Outcome.from_message(message)
    assert read is not None
    assert (read.cause, read.reason, read.rows) == (outcome.cause, outcome.reason, outcome.rows)


@pytest.mark.parametrize("character", LONG)
def test_a_long_error_is_cut_at_its_end(character: str) -> None:
    outcome = Outcome(Cause.REJECTED, Reason.INVALID_FORMAT, "yob2020.txt: " + character * 10_000, ("x" * 3000,))
    message = outcome.to_message()
    assert len(message.encode()) <= MESSAGE_LIMIT
    assert json.loads(message)["error"].startswith("yob2020.txt: ")


def test_problems_are_left_out_before_the_error_is_cut() -> None:
    outcome = Outcome(Cause.REJECTED, Reason.INVALID_FORMAT, "e" * 1500, tuple("p" * 100 for _ in range(20)))
    assert Outcome.from_message(outcome.to_message()) == Outcome(outcome.cause, outcome.reason, outcome.error)


@given(outcomes(storable))
def test_what_is_written_is_read_again(outcome: Outcome) -> None:
    assert Outcome.from_dict(json.loads(json.dumps(outcome.as_dict()))) == outcome


@given(outcomes(storable))
def test_a_message_that_fits_is_read_again_as_a_whole(outcome: Outcome) -> None:
    if len(json.dumps(outcome.as_dict())) <= MESSAGE_LIMIT:
        assert Outcome.from_message(outcome.to_message()) == outcome


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Back-off pulling image",
        "null",
        "7",
        '"cause"',
        "[]",
        "{}",
        '{"cause": "fancy"}',
        '{"cause": null}',
        '{"cause": ["rejected"]}',
        '{"cause": "rejected", "reason": "because"}',
        '{"cause": "rejected", "rows": "many"}',
        '{"cause": "rejected", "rows": Infinity}',
        '{"cause": "rejected", "rows": NaN}',
        '{"cause": "rejected", "problems": 3}',
        "[" * 4096,
        '{"a":' * 4096,
        "9" * 5000,
    ],
)
def test_what_no_runner_of_ours_wrote_is_none(message: str) -> None:
    assert Outcome.from_message(message) is None


@given(anything | st.recursive(st.none() | st.booleans() | st.floats() | anything, st.lists).map(json.dumps))
def test_any_text_is_an_outcome_or_none(message: str) -> None:
    assert Outcome.from_message(message) is None or json.loads(message)


def test_what_postgres_cannot_store_is_read_escaped() -> None:
    read = Outcome.from_message(r'{"cause": "crashed", "error": "a\u0000b\ud800c", "problems": ["\u0000"]}')
    assert read == Outcome(Cause.CRASHED, None, r"a\x00b\ud800c", (r"\x00",))


def test_the_outcome_of_a_rejection_names_its_place() -> None:
    """File, line and reason; it keeps the problems too."""
    error = Rejected(Reason.INVALID_FORMAT, "yob2020.txt", [Problem("bad", 3), Problem("worse", 9)], more=5)
    assert Outcome.of_error(error) == Outcome(
        Cause.REJECTED,
        Reason.INVALID_FORMAT,
        "yob2020.txt, line 3: bad (and 6 more problems)",
        ("line 3: bad", "line 9: worse"),
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Rejected(Reason.NO_PARSER, "a.txt", "there is no parser"), "a.txt: there is no parser"),
        (Rejected(Reason.INVALID_FORMAT, "a.txt", Problem("bad", 1)), "a.txt, line 1: bad"),
        (Rejected(Reason.INVALID_FORMAT, "a.txt", Problem("bad", 1), 1), "a.txt, line 1: bad (and 1 more problem)"),
    ],
)
def test_an_error_reads_as_a_sentence(error: Rejected, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("error", "cause", "code"),
    [
        (Unavailable("database: gone", Reason.DATABASE), Cause.UNAVAILABLE, ExitCode.UNAVAILABLE),
        (DuplicateRows("twice", Reason.INVALID_FORMAT), Cause.REJECTED, ExitCode.REJECTED),
    ],
)
def test_an_error_of_the_model_is_an_outcome(error: Unavailable | DuplicateRows, cause: Cause, code: ExitCode) -> None:
    outcome = Outcome.of_error(error)
    assert (outcome.cause, outcome.reason, outcome.exit_code) == (cause, error.reason, code)
