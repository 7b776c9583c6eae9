"""Why a job waits, as a table of situations and sentences."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataset_jobs.model.times import ENDLESS
from dataset_jobs.store.views import LastRun, Surroundings
from services.waiting import Because, Place, Waiting, waiting_for
from tests.unit.status_samples import ALIVE, BLOCKED, GONE, JOB, NOON, POOL, STUCK, later

OPEN = replace(POOL, runs_launched=0, runs_working=0)
RUN = LastRun(JOB.id, NOON, None, None, None, None, None, None, None, None, None)
ENDED = replace(
    RUN, launched_at=NOON, started_at=NOON, ended_at=later(5), cause="crashed", error="exit code 1", max_attempts="4"
)
LAUNCHED = replace(RUN, launched_at=later(1))


def why(
    changes: dict[str, Any], run: LastRun | None, pool: Any = OPEN, controllers: Any = (ALIVE,), place: Any = None
) -> Waiting | None:
    return waiting_for(replace(JOB, **changes), run, Surroundings([pool], [*controllers]), place, later(60))


LATER = {"state": "scheduled", "run_at": later(300)}
RETRY = {**LATER, "attempts": 1, "last_cause": "crashed", "last_error": "exit code 1"}
GIVEN_BACK = {**LATER, "give_backs": 2, "blocked_since": NOON, "last_cause": "cannot_start", "last_error": "no"}


@pytest.mark.parametrize(
    ("because", "changes", "run", "around", "words"),
    [
        (Because.SCHEDULED, LATER, None, {}, "the next try is at 2026-03-01 12:05:00 UTC, in 4 min"),
        (Because.NEVER, {**LATER, "run_at": ENDLESS}, None, {}, "no time that comes; bring it forward to run it now"),
        (Because.BACKOFF, RETRY, ENDED, {}, "attempt 1 of 4 failed at 2026-03-01 12:00:05 UTC: crashed: exit code 1"),
        (Because.BACKOFF, RETRY, replace(ENDED, max_attempts="?"), {}, "attempt 1 failed at"),
        (Because.CANNOT_START, GIVEN_BACK, ENDED, {}, "none of its runs could start since 2026-03-01 12:00:00 UTC"),
        (Because.NO_CONTROLLER, {}, None, {"controllers": []}, "no controller that claims from pool default is"),
        (Because.NO_CONTROLLER, {}, None, {"controllers": [GONE]}, "no controller that claims from pool default is"),
        (Because.CONTROLLER_IN_TROUBLE, {}, None, {"controllers": [STUCK]}, "controller c/1 cannot work since"),
        (Because.POOL_REFUSED, {}, None, {"pool": replace(OPEN, refusal="no"), "controllers": [
            replace(ALIVE, pools=["other"])]}, "the ParserPool of pool default is refused: no"),
        (Because.POOL_PAUSED, {}, None, {"pool": replace(OPEN, paused=True, paused_since=NOON, paused_reason="backup")},
         "pool default is paused (backup) since 2026-03-01 12:00:00 UTC; the job waits until somebody resumes it"),
        (Because.POOL_CLOSED, {}, None, {"pool": replace(OPEN, max_running=0)}, "a maximum of 0 runs"),
        (Because.POOL_BLOCKED, {}, None, {"pool": BLOCKED}, "cannot_start (image): not found; one run is tried at"),
        (Because.POOL_FULL, {}, None, {"pool": POOL}, "all slots of pool default are in use: 2 of 2"),
        (Because.POOL_STARTING, {}, None, {"pool": replace(OPEN, max_running=9, max_pending=2, runs_launched=2)},
         "2 runs of pool default have not started, and no more than 2 may be on their way"),
        (Because.POOL_LIMITED, {}, None, {"pool": replace(
            OPEN, max_running=9, desired=1, runs_working=1, limited_by="scale_up_policy", reason="9 are due")},
         "pool default should have 1 run now: 9 are due"),
        (Because.BEHIND_OTHERS, {}, None, {"place": Place(13)}, "place 14, 13 jobs before it"),
        (Because.BEHIND_OTHERS, {}, None, {"place": Place(1000, exact=False)}, "more than 1,000 jobs before it"),
        (Because.NEXT, {}, None, {"place": Place(0)}, "it is the next one; a controller claims it as soon as "),
        (Because.NEXT, {"state": "scheduled"}, None, {}, "a controller claims it as soon as it has a slot for it"),
        (Because.LAUNCH, {"state": "running"}, RUN, {}, "and about to be launched"),
        (Because.NO_ANSWER, {"state": "running"}, replace(RUN, waits_for="unavailable", waits_for_error="500"), {},
         "its launch has no answer, and the same is asked again until there is one: 500"),
        (Because.START, {"state": "running"}, LAUNCHED, {}, "its runner has not started yet"),
        (Because.NO_ROOM, {"state": "running"}, replace(LAUNCHED, waits_for="unschedulable", waits_for_error="0/3"),
         {}, "no node of the cluster has room for its pod: 0/3"),
        (Because.CANNOT_START, {"state": "running"}, replace(LAUNCHED, waits_for="image", waits_for_error="401"), {},
         "its pod cannot start (image): 401"),
        (Because.CANCEL, {"state": "running", "cancel_requested_at": NOON}, RUN, {}, "it is being cancelled, since"),
        (Because.CANCEL, {"cancel_requested_at": NOON}, None, {}, "it is being cancelled, since"),
    ],
)  # fmt: skip
def test_a_job_says_what_it_waits_for(
    because: Because, changes: dict[str, Any], run: LastRun | None, around: dict[str, Any], words: str
) -> None:
    found = why(changes, run, **around)
    assert found is not None
    assert found.because is because
    assert words in str(found.text)
    assert "affirm-worker" not in str(found.text)


@pytest.mark.parametrize(
    "changes",
    [{"state": "running"}, {"state": "completed", "finished_at": NOON}, {"state": "of a newer version"}],
)
def test_a_job_that_does_not_wait_has_no_reason(changes: dict[str, Any]) -> None:
    assert why(changes, replace(LAUNCHED, started_at=later(2))) is None


def test_a_wait_has_its_figures() -> None:
    found = why(RETRY, ENDED)
    assert found is not None
    assert (found.attempt, found.max_attempts, found.next_try_at, found.since) == (1, 4, later(300), later(5))
    limited = why({}, None, pool=POOL, place=Place(3))
    assert limited is not None
    assert (limited.limited_by, limited.place) == ("maximum", Place(3))
    paused = why({}, None, pool=replace(OPEN, paused=True))
    assert paused is not None
    assert not paused.by_itself
    assert [hint.action for hint in paused.hints] == ["resume_pool"]


def test_the_operations_page_has_every_word_of_because() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.split("| because | the job waits for |")[1].split("\n\n")[0]
    words = [word for line in table.splitlines()[2:] for word in re.findall("`([a-z_]+)`", line.split("|")[1])]
    assert sorted(words) == sorted(Because)
