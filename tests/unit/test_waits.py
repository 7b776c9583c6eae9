"""What a controller that is to end still waits for, in words."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cli.exit_codes import of_waiting
from dataset_jobs.model.errors import Forbidden, Misconfigured
from dataset_jobs.model.waits import NEVER_PROBES, PoolInTheWay, RunsElsewhere


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


ELSEWHERE = RunsElsewhere("vm/1", 1, "yob2020.txt", seconds(2), seconds(17), seconds(43))
BLOCKED = PoolInTheWay(
    name="default", paused=False, max_running=64, blocked_cause="cannot_start", blocked_reason="config",
    blocked_error="no module", probes=NEVER_PROBES, blocked_for=seconds(31), probe_in=seconds(9), waiting=3,
    unreleased=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (ELSEWHERE, "another controller (vm/1) that loads yob2020.txt: last heard of 17 s ago; after 43 s more"),
        (replace(ELSEWHERE, runs=3), "yob2020.txt and 2 more"),
        (replace(ELSEWHERE, controller_silent_for=None), "whose controller (vm/1) is gone: yob2020.txt: 43 s more"),
        (replace(ELSEWHERE, controller_silent_for=seconds(46)), "whose controller (vm/1) is gone"),
        (replace(ELSEWHERE, lease_left=seconds(-3)), "0 s more"),
        (BLOCKED, "3 jobs wait, since runs of pool default cannot start: cannot_start (config): no module (for 31 s; "),
        (replace(BLOCKED, waiting=1), "1 job waits"),
        (replace(BLOCKED, paused=True), "pool default is paused, and 3 jobs wait until somebody resumes it"),
        (replace(BLOCKED, max_running=0), "has a maximum of 0 runs"),
    ],
)
def test_a_wait_says_for_what_and_how_long(what: RunsElsewhere | PoolInTheWay, words: str) -> None:
    assert words in what.describe()


@pytest.mark.parametrize(
    ("pool", "error"),
    [
        (BLOCKED, Misconfigured),
        (replace(BLOCKED, blocked_cause="forbidden", blocked_reason="storage"), Forbidden),
        (replace(BLOCKED, probes=NEVER_PROBES - 1), None),
        (replace(BLOCKED, unreleased=1), None),
        (replace(BLOCKED, blocked_reason="quota"), None),
        (replace(BLOCKED, blocked_cause=None, paused=True), None),
    ],
)
def test_a_pool_never_starts_if_probes_failed_for_a_setting(pool: PoolInTheWay, error: type[Exception] | None) -> None:
    assert type(pool.never()) is (error or type(None))


@pytest.mark.parametrize(
    ("causes", "code"),
    [
        ([], 0),
        (["forbidden", "forbidden"], 77),
        (["cannot_start"], 78),
        (["forbidden", "cannot_start"], 1),
        (["forbidden", None], 1),
        ([None], 1),
        (["unavailable"], 1),
    ],
)
def test_the_exit_code_says_what_all_waiting_jobs_wait_for(causes: list[str | None], code: int) -> None:
    assert of_waiting(causes) == code
