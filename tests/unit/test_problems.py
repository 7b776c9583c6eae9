"""The problems of an installation: in which order, whose fault, and whether they pass."""

from dataclasses import replace
from uuid import UUID

import pytest

from dataset_jobs.store.views import Blocked, FailedJobs, Status
from services.failures import failure_group
from services.problems import Fault, Severity, problems
from services.status import Kind
from tests.unit.status_samples import ALIVE, BLOCKED, FAILING, GONE, NOON, POOL, QUIET, STUCK, later

ROOM = replace(POOL, runs_waiting=1, waits_for_error="0/3 nodes")
PAUSED = replace(POOL, paused=True, paused_since=NOON)
WAITING = [Blocked("default", "cannot_start", "quota", 2, NOON, later(9), UUID(int=1))]
FAILED = FailedJobs("rejected", "invalid_format", 4, NOON, later(9), UUID(int=1), "line 2", ["default"], ["US"])


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        (replace(QUIET, controllers=[ALIVE]), []),
        (replace(QUIET, pools=[ROOM]), [Kind.NO_CONTROLLER, Kind.PODS_WAIT_FOR_ROOM, Kind.POOL_FULL]),
        (replace(QUIET, pools=[PAUSED], controllers=[STUCK]), [Kind.CONTROLLER_IN_TROUBLE, Kind.POOL_PAUSED]),
        (replace(QUIET, pools=[PAUSED], controllers=[ALIVE, STUCK]), [Kind.POOL_PAUSED, Kind.CONTROLLER_IN_TROUBLE]),
        (replace(QUIET, controllers=[ALIVE], failing=[FAILING], blocked=WAITING, pools=[ROOM]),
         [Kind.JOBS_BLOCKED, Kind.SCHEDULE_FAILS, Kind.PODS_WAIT_FOR_ROOM, Kind.POOL_FULL]),
    ],
)  # fmt: skip
def test_the_worst_problem_comes_first(status: Status, kinds: list[Kind]) -> None:
    assert [one.kind for one in problems(status, later(60))] == kinds


def test_an_idle_installation_without_a_controller_is_only_noted() -> None:
    [one] = problems(replace(QUIET, pools=[replace(POOL, queued=0, running=0)]), later(60))
    assert (one.kind, one.severity) == (Kind.NO_CONTROLLER, Severity.NOTE)
    [one] = problems(replace(QUIET, controllers=[GONE]), later(60))
    assert one.since == GONE.seen_at


@pytest.mark.parametrize(
    ("cause", "reason", "fault"),
    [
        ("cannot_start", "image", Fault.SETUP),
        ("cannot_start", "quota", Fault.CLUSTER),
        ("forbidden", "storage", Fault.STORAGE),
        ("unavailable", "database", Fault.DATABASE),
        ("evicted", None, Fault.CLUSTER),
        ("crashed", None, Fault.PROGRAM),
        ("of a newer version", None, Fault.PROGRAM),
    ],
)
def test_a_blocked_pool_says_whose_fault_it_is(cause: str, reason: str | None, fault: Fault) -> None:
    pool = replace(BLOCKED, blocked_cause=cause, blocked_reason=reason)
    one = problems(replace(QUIET, pools=[pool], controllers=[ALIVE]), later(60))[0]
    assert (one.kind, one.fault, one.by_itself, one.since) == (Kind.POOL_BLOCKED, fault, True, NOON)
    assert fault.words


@pytest.mark.parametrize(("jobs", "told"), [(3, False), (4, True)])
def test_failures_are_a_problem_if_many_failed_alike(jobs: int, told: bool) -> None:
    group = failure_group(replace(FAILED, jobs=jobs))
    found = problems(replace(QUIET, controllers=[ALIVE]), later(60), [group])
    assert [(one.kind, one.fault) for one in found] == [("failures", Fault.FILES)] * told
    assert not group.retryable


def test_a_cause_of_a_newer_version_has_a_group_too() -> None:
    group = failure_group(replace(FAILED, cause="melted", reason=None, jobs=1))
    assert "no other knows the cause melted" in group.advice.text
    assert str(group.text) == "1 job failed at 2026-03-01 12:00:09 UTC: melted: line 2"
