"""The API server is killed in the middle of runs, and comes back: nothing is lost, nothing runs twice."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster import control_plane_faults
from tests.e2e.installation import Installation
from tests.e2e.loads import NOTHING_RUNS, copy_slowed_down, rows_of, variant


def test_runs_go_on_while_the_api_server_is_away_and_the_controller_does_after(
    installation: Installation, tmp_path: Path
) -> None:
    if not control_plane_faults.possible(installation.cluster):
        pytest.skip("kills the API server of a cluster of this host")
    installation.until(NOTHING_RUNS)
    installation.query("update pools set paused = true")
    years = installation.new_years(4)
    submitted = installation.submit(*(variant(tmp_path, year) for year in years))
    restarts = _restarts(installation)
    with ExitStack() as held:
        for one, year in zip(submitted, years, strict=True):
            held.enter_context(copy_slowed_down(installation, one["dataset_id"], year))
        installation.query("update pools set paused = false")
        # Some run, and some are being launched.
        installation.until("select 1 from runs where started_at is not null and released_at is null")
        control_plane_faults.restart_api_server(installation.cluster)
    jobs = installation.until_finished(submitted)
    columns = ("state", "attempts", "interruptions", "give_backs", "lease_epoch")
    assert [tuple(job[name] for name in columns) for job in jobs] == [("completed", 0, 0, 0, 1)] * len(jobs)
    assert [rows_of(installation, one["dataset_id"]) for one in submitted] == [31804] * len(jobs)
    assert _restarts(installation) == restarts, "the controller has lived through it"


def _restarts(installation: Installation) -> list[int]:
    pods = installation.cluster.get(
        "pods", "-n", installation.namespace, "-l", "app.kubernetes.io/component=controller"
    )["items"]
    return [pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods]
