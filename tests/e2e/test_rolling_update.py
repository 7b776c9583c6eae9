"""Upgrade, rollback, more controllers and fewer, under load: what runs goes on, and each job is launched once.

The newer version is this one with one more migration, which a ConfigMap puts among the others in every pod. So it knows
a newer schema, and so do its runners; after the rollback the older one works on the schema that the newer one has made.
`AFFIRM_UPGRADE_JOBS=200` has more jobs.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.installation import RELEASE, ROOT, Installation
from tests.e2e.loads import NOTHING_RUNS, copy_slowed_down, rows_of, variant

JOBS = int(os.environ.get("AFFIRM_UPGRADE_JOBS", "10"))
NEWER = 9998
MIGRATION = f"{NEWER}_newer.sql"
WORDS = "-- Older programs: go on.\nalter table pools add column newer text;\n"
UNDO = f"delete from schema_migrations where version = {NEWER}; alter table pools drop column if exists newer"
WHERE = "import dataset_jobs.migrations; print(dataset_jobs.migrations.__path__[0])"
WAIT = ("--wait", "--timeout", "240s")
COLUMNS = ("state", "attempts", "interruptions", "give_backs", "lease_epoch")


def lists(folder: Path, number: int) -> list[Path]:
    """Files of one row, each of a state and year of its own."""
    paths = [folder / f"{['AK', 'AL', 'AR', 'AZ'][one % 4]}.{1910 + one // 4}.TXT" for one in range(number)]
    for path in paths:
        state, year, _ = path.name.split(".")
        path.write_text(f"{state},F,{year},Mary,14\n")
    return paths


@contextmanager
def upgraded(installation: Installation, folder: Path) -> Iterator[None]:
    """Puts the newer version in the place of this one by helm, and takes it back by helm."""
    place = installation.kubectl("exec", f"deployment/{RELEASE}", "--", "python3", "-c", WHERE).strip()
    newer: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "data": {MIGRATION: WORDS}}
    newer["metadata"] = {"name": "newer", "namespace": installation.namespace}
    installation.cluster.apply(newer)
    mounted = {
        "extraVolumes": [{"name": "newer", "configMap": {"name": "newer"}}],
        "extraVolumeMounts": [{"name": "newer", "mountPath": f"{place}/{MIGRATION}", "subPath": MIGRATION}],
    }
    values = folder / "newer.yaml"
    values.write_text(json.dumps({"controller": mounted, "runner": mounted}))
    chart, where = ROOT / "charts" / "affirm-worker", ("--namespace", installation.namespace)
    try:
        installation.cluster.helm(
            "upgrade", RELEASE, chart, *where, "--reset-then-reuse-values", "--values", values, *WAIT
        )
        yield
        installation.cluster.helm("rollback", RELEASE, *where, *WAIT)
    finally:
        # The others of this session share the database.
        installation.query("set search_path = affirm, public; " + UNDO)


def schema(installation: Installation) -> int:
    [found] = installation.query("select max(version) as version from schema_migrations")
    return int(found["version"])


def migration_log(installation: Installation) -> str:
    """What the migration of the newest controller's pod has said. The one before may still be ending."""
    selector = "app.kubernetes.io/component=controller"
    pods = json.loads(installation.kubectl("get", "pods", "-l", selector, "-o", "json"))["items"]
    [pod] = [one["metadata"]["name"] for one in pods if "deletionTimestamp" not in one["metadata"]]
    return installation.kubectl("logs", pod, "--container=migrate")


def test_upgrade_rollback_and_scaling_interrupt_no_run(installation: Installation, tmp_path: Path) -> None:
    installation.until(NOTHING_RUNS)
    [pool] = installation.query("select max_running from pools where name = 'default'")
    most = min(3 + JOBS // 20, 6)  # a machine of two cores has to have time for the controllers
    installation.query("update pools set paused = true, max_running = %s where name = 'default'", most)
    try:
        years = installation.new_years(2)
        held = installation.submit(*(variant(tmp_path, year) for year in years))
        submitted = held + installation.submit(*lists(tmp_path, JOBS))
        ids = [one["job_id"] for one in submitted]
        with ExitStack() as holding:
            for one, year in zip(held, years, strict=True):
                holding.enter_context(copy_slowed_down(installation, one["dataset_id"], year))
            installation.query("update pools set paused = false where name = 'default'")
            installation.until("select 1 where (select count(*) from runs where started_at is not null) >= 2")
            # While these two are in the middle of their COPY, the other slots go on being taken and freed.
            with upgraded(installation, tmp_path):
                assert schema(installation) == NEWER
            assert "this affirm-worker is older and knows version" in migration_log(installation)
        installation.scale_controller(3)
        installation.scale_controller(1)
        jobs = installation.until_finished(submitted, seconds=120 + JOBS)
    finally:
        installation.query("update pools set max_running = %s where name = 'default'", pool["max_running"])
    assert [tuple(job[name] for name in COLUMNS) for job in jobs] == [("completed", 0, 0, 0, 1)] * len(ids)
    loaded = [rows_of(installation, one["dataset_id"]) for one in submitted]
    assert loaded == [31804] * len(held) + [1] * JOBS
    runs = installation.query("select cause, count(*) from runs where job_id = any(%s) group by cause", ids)
    assert [(run["cause"], run["count"]) for run in runs] == [("completed", len(ids))]
    launched = [
        job["metadata"]["labels"]["affirm.dev/job-id"]
        for job in installation.runner_jobs()
        if job["metadata"]["labels"]["affirm.dev/job-id"] in ids
    ]
    assert sorted(launched) == sorted(ids)


def test_the_notes_say_who_upgrades_the_definition(installation: Installation, tmp_path: Path) -> None:
    """Of ParserPools: nobody, since kubectl has applied it; and whether it is of another version than the chart."""
    whose = "the definition of ParserPools in this cluster is"
    helm, where = installation.cluster.helm, ("--namespace", installation.namespace)
    said = " ".join(helm("get", "notes", RELEASE, *where).split())
    assert f"Note: {whose} this chart's version, and no release upgrades it." in said
    other = tmp_path / "chart"
    shutil.copytree(ROOT / "charts" / "affirm-worker", other)
    file = other / "files" / "parserpools.yaml"
    file.write_text(file.read_text().replace("maxPendingPods:", "mostPendingPods:"))
    said = " ".join(helm("upgrade", RELEASE, other, *where, "--reset-then-reuse-values", "--dry-run=server").split())
    assert f"WARNING: {whose} of another version than this chart, and no release upgrades it." in said
