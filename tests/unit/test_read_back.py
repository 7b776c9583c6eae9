"""What the API writes is read back: values of every type that it gives, and the actions that help."""

import dataclasses
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from cli.wording.story import story as in_lines
from dataset_jobs.model.hints import Action, Advice, Hint
from dataset_jobs.model.sentences import sentence
from dataset_jobs.store.views import ControllerStatus, JobView, PoolStatus, Progress, ScheduleView
from remote.reading import Unreadable, hints_in, read
from services.actions import hint_of, offer
from services.datasets import KnownContent
from services.explain import explanation
from services.keys import Role
from services.story import Story, Told, story
from services.to_json import to_json
from services.waiting import Because, Place, Waiting
from tests.unit.status_samples import ALIVE, FAILING, JOB, NOON, POOL, QUIET, RUN, later

ID = UUID(int=7)
SAID = {"country": "US", "file": "a b.txt", "year": "2020", "sex": "F", "region": "US-NY", "columns": "name=n count=c"}
HINTS = [
    *(Hint(action, job_id=ID) for action in (Action.EXPLAIN_JOB, Action.CANCEL_JOB, Action.RUN_JOB_NOW)),
    *(Hint(action, dataset_id=ID) for action in (Action.DELETE_DATASET, Action.SHOW_DESCRIPTION)),
    Hint(Action.RETRY_FAILED, name="crashed"),
    Hint(Action.RUN_CONTROLLER, name="us"),
    Hint(Action.RUN_CONTROLLER),
    Hint(Action.RESUME_POOL, name="default"),
    Hint(Action.PATCH_PARSER_POOL, name="default", namespace="names", patch='{"spec":{"paused":false}}'),
    Hint(Action.LIST_FORMATS, country="US"),
    Hint(Action.SUBMIT_AS_FORMAT, country="US", file="a.txt", format="NAME"),
    Hint(Action.SUBMIT_AS_FORMAT, country="DE", format="de-koeln", region="CODE"),
    Hint(Action.SUBMIT_AS_REPLACEMENT, dataset_id=ID, replaces=str(UUID(int=8)), **SAID),  # type: ignore[arg-type]
    Hint(Action.SUBMIT_AS_REPLACEMENT, country="US"),
    *(Hint(action, **SAID) for action in Action if action.value.startswith("submit") and "repl" not in action),  # type: ignore[arg-type]
    Hint(Action.SUGGEST_COLUMNS, **SAID),  # type: ignore[arg-type]
    Hint(Action.CHOOSE_PORT),
    Hint(Action.MIGRATE),
]


@pytest.mark.parametrize("hint", HINTS, ids=lambda hint: str(hint.action))
def test_an_action_is_the_hint_that_it_was(hint: Hint) -> None:
    assert hint_of(to_json(offer(hint))) == hint


def test_every_action_is_known_by_what_it_says() -> None:
    for action in Action:
        found = hint_of(to_json(offer(Hint(action, job_id=ID, dataset_id=ID, name="x"))))
        assert found is not None
        assert found.action is action


NEWER = {"action": "fly", "target": "job", "label": "Fly", "parameters": {}, "asks": []}


@pytest.mark.parametrize("value", [None, 7, {}, NEWER])
def test_an_action_of_a_newer_version_is_left_out(value: Any) -> None:
    assert hint_of(value) is None
    assert hints_in({"actions": [value]}) == hints_in({"actions": value}) == []


WAITING = Waiting(
    Because.BEHIND_OTHERS, sentence("since {} behind {}", NOON, "others"), NOON, Place(3, False),
    hints=(Hint(Action.RESUME_POOL, name="default"),),
)  # fmt: skip
VALUES = [
    JOB, RUN, POOL, ALIVE, FAILING, WAITING,
    KnownContent("00" * 32, ID, "completed"),
    Progress(1, 2, 3, 4, 5, 6, 7, ["a", "b"]),
    Told(sentence("at {}: {}", NOON, "it ended"), (Hint(Action.SHOW_STATUS),)),
    Advice("Do it.", (Hint(Action.RETRY_JOB, ID), Hint(Action.SUBMIT, country="US", file="x"))),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_read_as_it_was_written(value: Any) -> None:
    written = to_json(value)
    assert to_json(read(type(value), written)) == written
    assert to_json(read(type(value), {**written, "newer": [1]})) == written
    if not hasattr(value, "text") or isinstance(value.text, str):  # words of sentences may be parted elsewhere
        assert read(type(value), written) == value


def test_a_story_is_read_as_it_was_told() -> None:
    run = dataclasses.replace(
        RUN, started_at=NOON, ended_at=later(20), released_at=later(20), cause="crashed", error="it fell",
        decision={"state": "failed", "why": "no more", "attempts": 4},
    )  # fmt: skip
    failed = dataclasses.replace(JOB, state="failed", finished_at=later(30), last_cause="crashed", last_error="it fell")
    told = story(explanation(failed, [run], QUIET, later(60)))
    back = read(Story, to_json(told))
    assert to_json(back) == to_json(told)
    assert in_lines(back) == in_lines(told)
    assert f"{later(30).astimezone():%H:%M:%S}" in "\n".join(in_lines(back))


def test_a_time_of_a_sentence_stays_a_time() -> None:
    said = read(Told, {"text": "tried at 2026-03-01 12:00:00 UTC and 2026-99-01 12:00:00 UTC", "actions": []}).text
    assert said.parts == ("tried at ", datetime(2026, 3, 1, 12, tzinfo=UTC), " and ", "2026-99-01 12:00:00 UTC")


def test_a_word_of_a_newer_version_stays_a_word() -> None:
    assert read(Role, "viewer") is Role.VIEWER
    assert read(Role, "owner") == "owner"


@pytest.mark.parametrize(
    "kind, value",
    [
        (JobView, []),
        (JobView, {"id": 7}),
        (Progress, {**to_json(VALUES[7]), "rows_done": "many"}),
        (Progress, {**to_json(VALUES[7]), "rows_done": True}),
        (Progress, {**to_json(VALUES[7]), "running_files": "a"}),
        (PoolStatus, {**to_json(POOL), "decided_at": "yesterday"}),
        (ControllerStatus, {}),
        (ScheduleView, None),
    ],
)
def test_what_is_of_another_type_is_refused(kind: type[Any], value: Any) -> None:
    with pytest.raises(Unreadable, match=kind.__name__):
        read(kind, value)
