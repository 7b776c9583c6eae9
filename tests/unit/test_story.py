"""A job's story as a table of values and sentences."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.places import Places
from cli.commands.status import heading, remarks
from cli.wording.obstacles import waits_in_words
from cli.wording.story import story
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.outcome import LogLine, Outcome
from dataset_jobs.model.sentences import duration
from dataset_jobs.store.views import Blocked, JobView, RunView, Status
from services.explain import explanation
from services.story import story as tell
from tests.unit.status_samples import ALIVE, BLOCKED, FAILING, GONE, JOB, NOON, POOL, QUIET, RUN, STUCK, later


def told(job: JobView, *runs: RunView) -> str:
    return "\n".join(story(tell(explanation(job, runs, QUIET, later(60)))))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "the next try is as soon as there is a free slot"),
        ({"state": "scheduled", "run_at": later(300)}, ", in 4 min"),
        ({"state": "scheduled", "run_at": later(30)}, ", as soon as there is a free slot"),
        ({"state": "running"}, "it is running"),
        ({"state": "running", "cancel_requested_at": later(5)}, "it is being cancelled, since "),
        ({"state": "running", "cancel_requested_at": later(5)}, "its run commits nothing, and is being stopped"),
        ({"state": "failed", "finished_at": later(9), "last_error": "line 2: bad"}, "line 2: bad"),
        ({"state": "failed", "finished_at": later(9)}, "affirm-worker jobs retry 00000000-"),
        ({"state": "cancelled", "finished_at": later(9)}, "it was cancelled at"),
        ({"state": "completed", "finished_at": later(9)}, "nothing is to be done"),
        ({"type": "reprocess_dataset"}, "is to load again yob2020.txt"),
        ({"attempts": 1, "interruptions": 2}, "used up: 1 attempt, 2 interruptions"),
        ({"give_backs": 3, "blocked_since": NOON, "last_error": "quota"}, "3 claims given back"),
        ({"give_backs": 3, "blocked_since": NOON, "last_error": "quota"}, "none of its runs could start since"),
        ({}, "it has not run yet"),
    ],
)
def test_what_is_said_of_a_job(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in told(replace(JOB, **changes))


DECIDED = {"state": "scheduled", "why": "attempt 1 of 4 failed", "wait_seconds": 60.0, "run_at": None,
           "attempts": 1, "interruptions": 0, "give_backs": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "run 1: about to be launched"),
        ({"launched_at": later(1), "launch_name": "n"}, "run 1: launched, its runner has not started yet"),
        ({"started_at": later(2)}, "run 1: at work"),
        ({"committed_at": later(3), "rows_done": 7}, "run 1: has committed 7 rows"),
        ({"cause": "completed", "rows_done": 7}, "run 1: completed, 7 rows committed"),
        ({"cause": "timed_out", "error": "too late"}, "run 1: timed_out: too late"),
        ({"cause": "cannot_start", "reason": "image"}, "run 1: cannot_start (image)"),
        ({"launched_at": later(1), "ended_at": later(200)}, "launched after 1.0 s, ended after 3 min"),
        ({"pod_name": "p", "node": "n"}, "pod p, node n"),
        ({"evidence": {"exit_code": 0}}, "seen from outside: exit code 0"),
        ({"evidence": {"signal": 9, "gone": True}}, "seen from outside: signal 9, process or pod gone"),
        ({"evidence": {"left_running": ["istio-proxy"]}}, "these containers ran on: istio-proxy"),
        ({"evidence": {"conditions": {"DisruptionTarget": "EvictionByEvictionAPI"}}},
         "DisruptionTarget EvictionByEvictionAPI"),
        ({"evidence": {"message": "Back-off\npulling"}}, "message: Back-off pulling"),
        ({"decision": DECIDED}, "decided: try again in 60 s, since attempt 1 of 4 failed (used up by then: 1 attempt"),
        ({"decision": {**DECIDED, "state": "queued"}}, "decided: queue it again at once, since"),
        ({"decision": {**DECIDED, "state": "failed"}}, "decided: failed, since"),
        ({"decision": {"state": None, "why": "the runner committed"}},
         "decided: nothing to change, since the runner committed"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_run(changes: dict[str, Any], sentence: str) -> None:
    text = told(replace(JOB, state="running"), replace(RUN, **changes))
    assert sentence in text, text


def test_what_the_runner_said_is_told_from_its_run_or_else_from_its_message() -> None:
    line = LogLine("2026-03-01T12:00:01.000Z", "INFO", "started on yob2020.txt")
    said = Outcome(Cause.REJECTED, Reason.INVALID_FORMAT, "bad", ("line 2: bad", "line 3: worse"), log=(line,))
    for run in (replace(RUN, outcome=said.as_dict()), replace(RUN, evidence={"message": said.to_message()})):
        text = told(JOB, run)
        assert "    line 3: worse\n" in text
        assert "    2026-03-01T12:00:01.000Z INFO started on yob2020.txt" in text
        assert "message:" not in text


def test_a_file_is_named_as_the_run_has_read_it() -> None:
    said = Outcome(Cause.REJECTED, Reason.INVALID_FORMAT, "empty.csv: the file is empty", ("the file is empty",))
    text = told(JOB, replace(RUN, cause="rejected", outcome=said.as_dict()))
    assert "is to load empty.csv" in text
    assert "the same bytes were given again as yob2020.txt" in text


def test_the_runs_and_the_times_it_was_put_back_come_in_order() -> None:
    second = replace(RUN, epoch=2, claimed_at=later(100))
    text = told(replace(JOB, retried_at=[later(50), later(200)]), RUN, second)
    places = [text.index(part) for part in ("run 1:", "put back by hand", "run 2:")]
    assert places == sorted(places)
    assert text.rindex("put back by hand") > places[-1]


def test_the_advice_is_about_the_last_run_that_has_ended() -> None:
    first, second = replace(RUN, cause="out_of_memory"), replace(RUN, epoch=2, cause="cannot_start", reason="quota")
    text = told(replace(JOB, state="scheduled"), first, second, replace(RUN, epoch=3))
    assert "ResourceQuota" in text
    assert "memory limit" not in text


@pytest.mark.parametrize(
    ("waits_for", "launched_at", "advice"),
    [
        ("quota", NOON, "Make room in the namespace's ResourceQuota"),
        ("refused", NOON, "A LimitRange, or a quota that wants a value: set runner.resources"),
        ("unavailable", None, "See why there is no answer: the API server, or a webhook that it asks"),
    ],
)
def test_a_run_that_waits_has_advice_before_it_is_given_up(
    waits_for: str, launched_at: datetime | None, advice: str
) -> None:
    first = replace(RUN, cause="crashed")
    waits = replace(
        RUN, epoch=2, cause=None, started_at=None, launched_at=launched_at, waits_for=waits_for, waits_for_error="no"
    )
    text = told(replace(JOB, state="running"), first, waits)
    assert advice in text
    assert "bug report" not in text, "of the run before it"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0.0 s"), (1.26, "1.3 s"), (59, "59 s"), (150, "2 min"), (7300, "2 h"), (86400 * 5, "5 days")],
)
def test_a_span_of_time_reads_as_people_say_it(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("status", "remark"),
    [
        (QUIET, "nothing is blocked"),
        (replace(QUIET, pools=[POOL]), "pool default has no free slot: 3 queued wait"),
        (replace(QUIET, pools=[POOL], controllers=[ALIVE]), ": 3 jobs wait and 2 run, 1 per runner; at the maximum "),
        (replace(QUIET, pools=[POOL], controllers=[ALIVE]), "pool default: 2 desired since "),
        (replace(QUIET, pools=[replace(POOL, paused=True)]), "pool default is paused: 3 queued wait"),
        (replace(QUIET, pools=[BLOCKED]), "cannot_start (image): not found; one run is tried at"),
        (replace(QUIET, pools=[replace(POOL, runs_waiting=3, waits_for_error="0/1 nodes are available")]),
         "pool default: 3 pods wait for room in the cluster: 0/1 nodes are available"),
        (replace(QUIET, pools=[replace(POOL, runs_unanswered=2, unanswered_since=NOON, unanswered_error="500: x")]),
         "pool default: 2 launches have no answer since 2026-03-01"),
        (replace(QUIET, controllers=[ALIVE]),
         "controller c/1 (process, pool default): last heard of 1.0 s ago, last claim 60 s ago, holds 1 slot"),
        (replace(QUIET, controllers=[replace(ALIVE, last_claim=None, unreleased=0)]), "has claimed nothing yet"),
        (replace(QUIET, controllers=[replace(ALIVE, seen_at=None, silent_seconds=None)]), "pool default): has ended, "),
        (replace(QUIET, controllers=[replace(GONE, unreleased=0)] * 2), "2 controllers ended without a word in the "),
        (replace(QUIET, pools=[replace(POOL, failed=10)]), "10 jobs failed: affirm-worker jobs list --state failed"),
        (replace(QUIET, controllers=[GONE]), "is gone: not heard of for 50 s, last claim 60 s ago, holds 1 slot, which "
         "are free in 10 s"),
        (replace(QUIET, controllers=[replace(GONE, heard_of_until=NOON)]), "which the next controller frees"),
        (replace(QUIET, controllers=[STUCK]), "(tried 7 times; this does not pass by itself): permission denied"),
        (replace(QUIET, controllers=[replace(STUCK, trouble_permanent=False, trouble_tries=1)]),
         "(tried once; it is tried again until it passes): permission denied"),
        (replace(QUIET, pools=[POOL], controllers=[replace(ALIVE, pools=["other"])]),
         "no controller that is running claims from pool default: 3 queued wait"),
        (replace(QUIET, blocked=[Blocked("default", "cannot_start", "no image", 2, NOON, later(9), UUID(int=1))]),
         f"affirm-worker jobs explain {UUID(int=1)}"),
        (replace(QUIET, failing=[FAILING]), "schedule ssa fails, 3 times by now: no such folder; next try "),
        (replace(QUIET, failing=[replace(FAILING, failures=1)]), "schedule ssa fails, once by now: no such folder; "),
        (replace(QUIET, failing=[replace(FAILING, paused=True, again_at=None)]), "no such folder; it is paused"),
    ],
)  # fmt: skip
def test_what_status_says_beside_its_table(status: Status, remark: str) -> None:
    assert remark in "\n".join(remarks(status, later(60)))


@pytest.mark.parametrize(
    "changes",
    [{"queued": 0, "running": 0, "reason": "no job waits or runs"}, {"paused": True, "desired": 0}],
    ids=["idle", "paused"],
)
def test_a_desired_number_without_a_meaning_is_not_told(changes: dict[str, Any]) -> None:
    status = replace(QUIET, pools=[replace(POOL, **changes)], controllers=[ALIVE])
    assert "desired" not in "\n".join(remarks(status, later(60)))


@pytest.mark.parametrize(
    "status",
    [
        replace(QUIET, pools=[replace(POOL, paused=True)], controllers=[ALIVE]),
        replace(QUIET, pools=[POOL]),
        replace(QUIET, controllers=[STUCK]),
    ],
    ids=["paused", "no controller", "a controller in trouble"],
)
def test_what_is_in_the_way_is_not_called_nothing(status: Status) -> None:
    assert "nothing is blocked" not in [*remarks(status, later(60))]


def test_controllers_that_have_ended_are_left_out() -> None:
    ended = replace(ALIVE, unreleased=0, seen_at=None, silent_seconds=None)
    status = replace(QUIET, pools=[replace(POOL, queued=0)], controllers=[ended] * 10)
    assert [*remarks(status, later(60))] == ["nothing is blocked"]
    assert len([*remarks(status, later(60), wide=True)]) == 12


@pytest.mark.parametrize(
    ("places", "status", "lines"),
    [
        (Places("db:5432/names", "ann", False, None, "s3://names", "prod"), replace(QUIET, controllers=[ALIVE]),
         ["context      prod", "database     db:5432/names as ann", "storage      s3://names",
          "controllers  1 running"]),
        (Places("/h/postgres", None, True, "DATABASE_URL is not set", "/h/storage"), QUIET,
         ["database     embedded, /h/postgres (DATABASE_URL is not set)", "storage      /h/storage",
          "controllers  no controller is running: affirm-worker run"]),
        (Places("service s", None, False, None, "/h"), replace(QUIET, controllers=[ALIVE, ALIVE]),
         ["database     service s", "storage      /h",
          "controllers  2 running; 1 of them can be notified, the others look by themselves"]),
    ],
)  # fmt: skip
def test_status_begins_with_what_it_is_about(places: Places, status: Status, lines: list[str]) -> None:
    assert [*heading(places, status)] == lines


LOADS = replace(
    RUN, launcher="process", launched_at=NOON, started_at=NOON, lease_until=later(80)
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "run", "status", "sentence"),
    [
        ({}, None, QUIET, "no controller that claims from pool default is running: affirm-worker run"),
        ({}, None, replace(QUIET, controllers=[GONE]), "no controller that claims from pool default is running"),
        ({}, None, replace(QUIET, controllers=[STUCK]), "controller c/1 cannot work since "),
        ({}, None, replace(QUIET, controllers=[ALIVE], pools=[replace(POOL, paused=True)]), "pool default is paused"),
        ({}, None, replace(QUIET, controllers=[ALIVE], pools=[POOL]), "no free slot: 2 of 2 are in use"),
        ({}, None, replace(QUIET, controllers=[ALIVE], pools=[replace(POOL, max_running=0)]), "a maximum of 0 runs"),
        ({"state": "scheduled"}, None, replace(QUIET, controllers=[ALIVE], pools=[BLOCKED]), "is blocked since "),
        ({"state": "running"}, LOADS, replace(QUIET, controllers=[ALIVE]), "it is ended in 20 s, and the job is"),
        ({"state": "running"}, LOADS, replace(QUIET, controllers=[GONE]), "queued again (its controller c/1 is gone)"),
        ({"state": "running"}, replace(LOADS, lease_until=NOON), QUIET, "it is ended now, by the next controller"),
    ],
)  # fmt: skip
def test_what_a_job_waits_for(changes: dict[str, Any], run: RunView | None, status: Status, sentence: str) -> None:
    runs = [] if run is None else [run]
    explained = explanation(replace(JOB, **changes), runs, status, later(60))
    waits = waits_in_words(tell(explained))
    assert sentence in "\n".join(waits)
    assert set(waits) <= set(story(tell(explained)))


@pytest.mark.parametrize(
    "changes",
    [{"state": "completed", "finished_at": NOON}, {"state": "scheduled", "run_at": later(90)}],
    ids=["finished", "later"],
)
def test_a_job_that_waits_for_nothing_says_nothing(changes: dict[str, Any]) -> None:
    status = replace(QUIET, controllers=[ALIVE], pools=[replace(POOL, paused=True)])
    assert explanation(replace(JOB, **changes), [], status, later(60)).waits == ()


def test_a_launch_without_an_answer_is_told() -> None:
    run = replace(RUN, waits_for="unavailable", waits_for_error="no answer from the API server")
    words = "about to be launched: no answer yet, and the same is asked again: no answer from the API server"
    assert words in told(replace(JOB, state="running"), run)
