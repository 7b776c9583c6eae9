"""A job's story as data: the same words for every surface, times that stay times, and no command."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from dataset_jobs.model.sentences import Sentence, in_utc, joined, sentence
from dataset_jobs.model.times import BEGINLESS, ENDLESS
from dataset_jobs.store.views import Status
from services.explain import explanation
from services.story import Happened, Story, story
from services.to_json import to_json
from tests.unit.status_samples import ALIVE, BLOCKED, JOB, NOON, POOL, QUIET, RUN, later

STATES: list[dict[str, Any]] = [
    {},
    {"state": "scheduled", "run_at": later(300)},
    {"state": "scheduled", "run_at": ENDLESS},
    {"state": "running"},
    {"state": "failed", "finished_at": later(9), "last_error": "no"},
    {"state": "cancelled", "finished_at": later(9)},
    {"state": "completed", "finished_at": later(9)},
    {"state": "of a newer version"},
]
STATUSES = [QUIET, replace(QUIET, pools=[POOL]), replace(QUIET, pools=[BLOCKED], controllers=[ALIVE])]


def told(changes: dict[str, Any], *runs: Any, status: Status = QUIET) -> Story:
    return story(explanation(replace(JOB, **changes), runs, status, later(60)))


@pytest.mark.parametrize("changes", STATES, ids=str)
@pytest.mark.parametrize("status", STATUSES, ids=["quiet", "full", "blocked"])
def test_no_story_names_a_command(changes: dict[str, Any], status: Status) -> None:
    ended = replace(RUN, cause="crashed", error="exit code 1")
    document = json.dumps(to_json(told(changes, ended, status=status)))
    assert "affirm-worker" not in document
    assert "kubectl" not in document


def test_the_timeline_is_in_order_and_ends_with_the_next_try() -> None:
    run = replace(
        RUN, claimed_at=later(1), launched_at=later(2), launch_name="n", pod_name="p", node="n1", started_at=later(3),
        ended_at=later(9), cause="crashed", error="exit code 1",
    )  # fmt: skip
    found = told({"state": "scheduled", "run_at": later(300), "retried_at": [later(0.5)]}, run).timeline
    assert [moment.what for moment in found] == [
        Happened.SUBMITTED, Happened.RETRIED, Happened.CLAIMED, Happened.LAUNCHED, Happened.STARTED, Happened.ENDED,
        Happened.NEXT_TRY,
    ]  # fmt: skip
    assert [moment.run for moment in found] == [None, None, 1, 1, 1, 1, None]
    assert str(found[3].text) == "run 1 launched as p on n1"
    assert str(found[5].text) == "run 1: crashed: exit code 1"


def test_a_finished_job_ends_its_timeline() -> None:
    found = told({"state": "cancelled", "finished_at": later(9), "cancel_requested_at": later(8)}).timeline
    assert [moment.what for moment in found] == [Happened.SUBMITTED, Happened.CANCEL_REQUESTED, Happened.FINISHED]


def test_what_is_possible_follows_the_state() -> None:
    possible = {changes.get("state", "queued"): [one.action for one in told(changes).actions] for changes in STATES}
    assert possible["queued"] == ["set", "cancel", "delete"]
    assert possible["running"] == ["cancel"]
    assert possible["failed"] == ["retry", "reprocess", "delete"]
    assert possible["completed"] == ["reprocess", "delete"]
    assert possible["of a newer version"] == []


def test_a_time_in_a_sentence_stays_a_time() -> None:
    made = sentence("since {}: {}", NOON, "two\nlines")
    assert made.parts == ("since ", NOON, ": ", "two lines")
    assert str(made) == "since 2026-03-01 12:00:00 UTC: two lines"
    assert made.said(lambda moment: f"<{moment:%H}>") == "since <12>: two lines"
    assert to_json({"text": made}) == {"text": str(made)}
    assert str(joined("; ", [sentence("a"), sentence("{}", made)])) == f"a; {made}"
    assert str(sentence("{}", None)) == "-"
    assert not Sentence()


@pytest.mark.parametrize(
    "moment",
    [ENDLESS, BEGINLESS, datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))) - timedelta(hours=1),
     datetime(1, 1, 1, 1, tzinfo=timezone(timedelta(hours=14)))],
    ids=str,
)  # fmt: skip
def test_a_time_out_of_range_is_written_too(moment: datetime) -> None:
    assert in_utc(moment)
    assert in_utc(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01 00:00:00 UTC"
