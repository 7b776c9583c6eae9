"""The controller is replaced, and there are more of them, and fewer: what runs goes on, and is launched once."""

from contextlib import ExitStack
from pathlib import Path

from tests.e2e.installation import RELEASE, Installation
from tests.e2e.loads import NOTHING_RUNS, copy_slowed_down, rows_of, variant


def test_a_rolling_update_and_a_change_of_replicas_interrupt_no_run(installation: Installation, tmp_path: Path) -> None:
    installation.until(NOTHING_RUNS)
    [pool] = installation.query("select max_running from pools where name = 'default'")
    installation.query("update pools set paused = true, max_running = 3 where name = 'default'")
    try:
        years = installation.new_years(6)
        submitted = installation.submit(*(variant(tmp_path, year) for year in years))
        ids = [one["job_id"] for one in submitted]
        with ExitStack() as held:
            for one, year in zip(submitted[:2], years[:2], strict=True):
                held.enter_context(copy_slowed_down(installation, one["dataset_id"], year))
            installation.query("update pools set paused = false where name = 'default'")
            installation.until("select 1 where (select count(*) from runs where started_at is not null) >= 2")
            # While these two are in the middle of their COPY, the third slot goes on being taken and freed.
            installation.kubectl("rollout", "restart", f"deployment/{RELEASE}")
            installation.kubectl("rollout", "status", f"deployment/{RELEASE}", "--timeout=50s")
        installation.scale_controller(3)
        installation.scale_controller(1)
        jobs = installation.until_finished(submitted)
    finally:
        installation.query("update pools set max_running = %s where name = 'default'", pool["max_running"])
    columns = ("state", "attempts", "interruptions", "give_backs", "lease_epoch")
    assert [tuple(job[name] for name in columns) for job in jobs] == [("completed", 0, 0, 0, 1)] * len(ids)
    assert [rows_of(installation, one["dataset_id"]) for one in submitted] == [31804] * len(ids)
    runs = installation.query("select cause, count(*) from runs where job_id = any(%s) group by cause", ids)
    assert [(run["cause"], run["count"]) for run in runs] == [("completed", len(ids))]
    launched = [
        job["metadata"]["labels"]["affirm.dev/job-id"]
        for job in installation.runner_jobs()
        if job["metadata"]["labels"]["affirm.dev/job-id"] in ids
    ]
    assert sorted(launched) == sorted(ids)
