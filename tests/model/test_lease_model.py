"""The lease protocol holds whatever the order of its steps; and the model would notice if it did not.

The limits of the model: docs/lease-model.md.
"""

from pathlib import Path

import pytest

from tests.model.spin import MODEL, Bounds, search

pytestmark = pytest.mark.needs("spin")

ONE_RUN = Bounds(jobs=1, epochs=1, faults=2)
TWO_RUNS_OF_A_JOB = Bounds(jobs=1, epochs=2, faults=1)
TWO_JOBS = Bounds(jobs=2, epochs=1, faults=1)
TWO_JOBS_IN_GOOD_TIMES = Bounds(jobs=2, epochs=1, faults=0)


@pytest.mark.parametrize("bounds", [ONE_RUN, TWO_RUNS_OF_A_JOB, TWO_JOBS], ids=str)
def test_one_commit_at_most_and_no_slot_too_many_in_any_order_of_steps(tmp_path: Path, bounds: Bounds) -> None:
    found = search(tmp_path, bounds)
    assert found.error == "", found.log
    print(f"\n{bounds}: {found.states:,} states, nothing found")


@pytest.mark.parametrize("bounds", [ONE_RUN, TWO_RUNS_OF_A_JOB, TWO_JOBS_IN_GOOD_TIMES], ids=str)
def test_everything_ends_in_any_order_of_steps(tmp_path: Path, bounds: Bounds) -> None:
    found = search(tmp_path, bounds, ends=True)
    assert found.error == "", found.log
    print(f"\n{bounds}: {found.states:,} states, everything ends")


@pytest.mark.parametrize(
    ("mistake", "bounds", "ends", "error"),
    [
        ("NO_FENCE", TWO_RUNS_OF_A_JOB, False, "commits==1"),
        ("NO_POOL_LOCK", TWO_JOBS_IN_GOOD_TIMES, False, "<=1"),
        ("FAIL_OPEN", ONE_RUN, False, "runner!=0"),
        ("EPOCH_STAYS", TWO_RUNS_OF_A_JOB, False, "claimed"),
        ("GIVE_BACK_BLIND", ONE_RUN, False, "runner!=0"),
        ("NO_TERMINATE", ONE_RUN, True, "non-progress cycle"),
        ("BY_JOB_UID", ONE_RUN, False, "runner!=0"),
    ],
)
def test_a_mistake_in_the_protocol_is_found(
    tmp_path: Path, mistake: str, bounds: Bounds, ends: bool, error: str
) -> None:
    assert f"#define {mistake} " in MODEL.read_text(encoding="utf-8")
    assert error in search(tmp_path, bounds, ends, mistake).error


def test_a_slot_is_freed_beside_a_harmless_pod(tmp_path: Path) -> None:
    """Not what one would wish: docs/lease-model.md says how it comes. If it is fixed, the model can ask for more."""
    assert "assertion violated" in search(tmp_path, ONE_RUN, mistake="STRICT").error
