"""Which waits of runners for each other chaos reports."""

from uuid import UUID

import pytest

from dataset_jobs.model.keys import RunKey
from tests.chaos.waits import LASTING_SECONDS, Wait, stuck

JOB = UUID(int=7)
EARLIER, LATER = RunKey(JOB, 1), RunKey(JOB, 2)


def wait(waiting: RunKey, holding: RunKey, seconds: float) -> Wait:
    one, other = (f"parser-runner {key.job_id} {key.epoch}" for key in (waiting, holding))
    return Wait(one, other, "-- runner.take\nselect", "-- load.commit\nselect", seconds)


@pytest.mark.parametrize("seconds", [0, LASTING_SECONDS + 1])
def test_a_wait_for_another_run_is_reported_at_once(seconds: float) -> None:
    [found] = stuck([wait(LATER, EARLIER, seconds)], {EARLIER})
    assert found.startswith(f"parser-runner {JOB} 2 waits for parser-runner {JOB} 1 (-- runner.take for -- load")


def test_a_wait_within_a_run_is_reported_if_it_lasts() -> None:
    assert not [*stuck([wait(LATER, LATER, LASTING_SECONDS)], set())]
    assert [*stuck([wait(LATER, LATER, LASTING_SECONDS + 1)], {EARLIER})]


def test_a_runner_that_we_stopped_may_be_waited_for() -> None:
    assert not [*stuck([wait(LATER, LATER, LASTING_SECONDS + 1)], {LATER})]
