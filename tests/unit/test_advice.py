"""What people are told to do: something for every end of a run, and only with commands that there are."""

import re
from uuid import UUID

import pytest

from cli.document import help_texts
from dataset_jobs.model.advice import ADVICE, REASONS, advice_for, advice_on_waiting, next_step
from dataset_jobs.model.causes import Cause, CountsAs, Reason
from dataset_jobs.model.states import JobState

JOB, DATASET = UUID(int=1), UUID(int=2)
COMMANDS = {path.removeprefix("affirm-worker ") for path, _ in help_texts()}
ALL = [
    *(advice_for(cause, None, JOB, DATASET) for cause in Cause),
    *(advice_for(Cause.CRASHED, reason, JOB, DATASET) for reason in Reason),
    *(advice_on_waiting(word, JOB, DATASET) for word in (Reason.REFUSED, Reason.QUOTA, Cause.UNAVAILABLE)),
    *(next_step(state, JOB, DATASET, cancelling=cancelling) for state in JobState for cancelling in (False, True)),
]


def test_there_is_advice_for_every_cause_and_every_reason() -> None:
    assert ADVICE.keys() == {*Cause}
    assert REASONS.keys() == {*Reason}


def test_only_a_completed_job_needs_nothing() -> None:
    assert {state for state in JobState if not next_step(state, JOB, DATASET)} == {JobState.COMPLETED}


@pytest.mark.parametrize("text", [text for text in ALL if text])
def test_advice_is_whole_sentences_with_ids_filled_in(text: str) -> None:
    assert text[0].isupper()
    assert text.endswith(".")
    assert "{" not in text


@pytest.mark.parametrize("text", [text for text in ALL if text])
def test_the_commands_that_are_named_are_there(text: str) -> None:
    for command, word in re.findall(r"affirm-worker ([a-z]+)(?: ([a-z]+))?", text):
        assert command in COMMANDS
        if command in ("jobs", "datasets"):
            assert f"{command} {word}" in COMMANDS


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.counts_as is CountsAs.INTERRUPTION])
def test_an_interruption_is_said_to_use_no_attempt(cause: Cause) -> None:
    assert ADVICE[cause].startswith("Nothing: no attempt is used")


def test_a_reason_says_more_than_its_cause() -> None:
    assert advice_for(Cause.CANNOT_START, Reason.IMAGE, JOB, DATASET).startswith("See that the runner's image")
    assert str(DATASET) in advice_for(Cause.REJECTED, Reason.INVALID_FORMAT, JOB, DATASET)
    assert str(JOB) in advice_for(Cause.CANCELLED, None, JOB, DATASET)


def test_a_job_that_is_being_cancelled_is_not_to_be_cancelled_again() -> None:
    assert "being cancelled" in next_step(JobState.RUNNING, JOB, DATASET, cancelling=True)
    assert "jobs cancel" in next_step(JobState.RUNNING, JOB, DATASET)
