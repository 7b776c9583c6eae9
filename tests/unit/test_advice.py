"""What people are told to do: something for every end of a run, and only with commands that there are."""

import re
import shlex
from uuid import UUID

import pytest

from cli.hints import advice_in_words, command
from dataset_jobs.model.advice import ADVICE, REASONS, advice_for, advice_on_waiting, next_steps
from dataset_jobs.model.causes import Cause, CountsAs, Reason
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.states import JobState
from docs.generate.command_line import help_texts

JOB, DATASET = UUID(int=1), UUID(int=2)
HELP = {path.removeprefix("affirm-worker "): text for path, text in help_texts()}
COMMANDS = HELP.keys()
GROUPS = {path.split()[0] for path in COMMANDS if " " in path}
ALL = [
    *(advice_for(cause, None, JOB, DATASET) for cause in Cause),
    *(advice_for(Cause.CRASHED, reason, JOB, DATASET) for reason in Reason),
    *(advice_on_waiting(word, JOB, DATASET) for word in (Reason.REFUSED, Reason.QUOTA, Cause.UNAVAILABLE)),
    *(
        step
        for state in JobState
        for cancelling in (False, True)
        for step in next_steps(state, JOB, DATASET, cancelling=cancelling)
    ),
]


def test_there_is_advice_for_every_cause_and_every_reason() -> None:
    assert ADVICE.keys() == {*Cause}
    assert REASONS.keys() == {*Reason}


def test_only_a_completed_job_needs_nothing() -> None:
    assert {state for state in JobState if not next_steps(state, JOB, DATASET)} == {JobState.COMPLETED}


@pytest.mark.parametrize("text", [advice_in_words(advice) for advice in ALL])
def test_advice_is_whole_sentences_with_ids_filled_in(text: str) -> None:
    assert text[0].isupper()
    assert text.endswith(".")
    assert "{" not in text


@pytest.mark.parametrize("action", sorted({*Action} - {Action.PATCH_PARSER_POOL}))
def test_every_action_is_a_command_that_is_there(action: Action) -> None:
    line = command(Hint(action, JOB, DATASET, "name"))
    words = line.partition("affirm-worker ")[2].split()
    [path] = {words[0], " ".join(words[:2])} & COMMANDS - GROUPS
    assert {word for word in words if word.startswith("--")} <= set(re.split(r"[\s,]+", HELP[path]))
    assert "None" not in line


def test_a_parser_pool_is_patched_by_a_line_that_a_shell_can_read() -> None:
    hint = Hint(Action.PATCH_PARSER_POOL, name="name", namespace="names", patch='{"spec":{"paused":true}}')
    assert shlex.split(command(hint)) == [
        "kubectl", "patch", "parserpool", "name", "-n", "names", "--type", "merge", "-p", '{"spec":{"paused":true}}',
    ]  # fmt: skip
    assert " -n NAMESPACE " in command(Hint(Action.PATCH_PARSER_POOL, name="name", patch="{}"))


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.counts_as is CountsAs.INTERRUPTION])
def test_an_interruption_is_said_to_use_no_attempt(cause: Cause) -> None:
    assert ADVICE[cause].startswith("Nothing: no attempt is used")


def test_a_reason_says_more_than_its_cause() -> None:
    assert advice_for(Cause.CANNOT_START, Reason.IMAGE, JOB, DATASET).text.startswith("See that the runner's image")
    assert str(DATASET) in advice_in_words(advice_for(Cause.REJECTED, Reason.INVALID_FORMAT, JOB, DATASET))
    assert str(JOB) in advice_in_words(advice_for(Cause.CANCELLED, None, JOB, DATASET))


def test_a_job_that_is_being_cancelled_is_not_to_be_cancelled_again() -> None:
    [being_cancelled] = next_steps(JobState.RUNNING, JOB, DATASET, cancelling=True)
    [running] = next_steps(JobState.RUNNING, JOB, DATASET)
    assert being_cancelled.hints == ()
    assert running.hints == (Hint(Action.CANCEL_JOB, JOB, DATASET),)
