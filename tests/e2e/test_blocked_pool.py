"""Pools whose pods cannot start, on a real cluster: blocked, told, and open again by themselves."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Cluster
from tests.e2e.alarms import blocked_alert
from tests.e2e.installation import RELEASE, ROOT, Installation, Servers, installed
from tests.e2e.side_by_side import Outcomes, side_by_side

BLOCKED = "select * from pools where blocked_since is not null and blocked_reason = %s"
OPEN = "select 1 from pools where blocked_since is null"


def files(folder: Path, *years: int) -> list[Path]:
    made = [folder / f"yob{year}.txt" for year in years]
    for path, year in zip(made, years, strict=True):
        path.write_text(f"Mary,F,{year}\r\n")
    return made


def pool_events(installation: Installation) -> dict[str, str]:
    """The messages of the controllers' events, by reason."""
    listed = json.loads(installation.kubectl("get", "events", "-o", "json"))["items"]
    ours = [event for event in listed if event.get("source", {}).get("component") == "affirm-worker"]
    assert all(event["involvedObject"]["uid"] for event in ours)
    return {event["reason"]: event["message"] for event in ours}


def used_up(jobs: list[dict[str, Any]]) -> set[tuple[str, int, int]]:
    return {(job["state"], job["attempts"], job["interruptions"]) for job in jobs}


def until_finished_soon(installation: Installation, submitted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Waits until they are finished, as if a minute passed with each second."""
    ids = [one["job_id"] for one in submitted]
    unfinished = "select 1 from jobs where id = any(%s) and finished_at is null"
    deadline = time.monotonic() + 200
    while installation.query(unfinished, ids) and time.monotonic() < deadline:
        installation.query("update pools set probe_at = now() where blocked_since is not null")
        installation.query("update jobs set run_at = now() where state = 'scheduled'")
        installation.touch_pods()
        time.sleep(1)
    return installation.until_finished(submitted, seconds=100)


def given_up(installation: Installation) -> bool:
    installation.touch_pods()
    return bool(installation.query("select 1 from runs where cause = 'cannot_start' and released_at is not null"))


def a_missing_image(installation: Installation, product_images: str, folder: Path) -> str:
    """Returns what the alert said."""
    submitted = installation.submit(*files(folder, 2001, 2002))
    installation.until(BLOCKED, "image")
    submitted += installation.submit(*files(folder, 2003, 2004, 2005))
    installation.cluster.wait(lambda: given_up(installation), "a run to be given up")
    [counts] = installation.query("select count(*) from runs where released_at is null")
    assert counts["count"] <= 2, "those that were there, or one probe"
    status = installation.cli("status").stdout
    assert "pool default is blocked since" in status
    assert "cannot_start (image):" in status
    assert "localhost/affirm-parser-runner:nowhere" in pool_events(installation)["PoolBlocked"]
    said = blocked_alert(installation, folder / "blocked", fires=True)

    installation.cluster.helm(
        "upgrade", RELEASE, ROOT / "charts" / "affirm-worker", "--namespace", installation.namespace,
        "--reuse-values", "--set", f"runner.image.tag={product_images}", "--wait", "--timeout", "120s",
    )  # fmt: skip
    jobs = until_finished_soon(installation, submitted)
    assert used_up(jobs) == {("completed", 0, 0)}
    installation.until(OPEN)
    assert "PoolUnblocked" in pool_events(installation)
    blocked_alert(installation, folder / "open", fires=False)
    return said


def a_full_quota(installation: Installation, folder: Path) -> str:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota"}
    metadata = {"name": "few", "namespace": installation.namespace}
    # One is the controller's.
    installation.cluster.apply({**quota, "metadata": metadata, "spec": {"hard": {"pods": "1"}}})
    # Two: Kubernetes waits 8 s before it tries to make a pod again, then 16 s, then 32 s.
    submitted = installation.submit(*files(folder, 2001, 2002))
    [pool] = installation.until(BLOCKED, "quota")
    assert "exceeded quota: few" in pool["blocked_error"]
    installation.cluster.apply({**quota, "metadata": metadata, "spec": {"hard": {"pods": "2"}}})
    jobs = until_finished_soon(installation, submitted)
    assert used_up(jobs) == {("completed", 0, 0)}
    return ""


@pytest.fixture(scope="module")
def outcomes(
    cluster: Cluster, servers: Servers, product_images: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcomes[str]]:
    """What each installation came to; they wait side by side."""

    def install(database: str, *settings: str) -> Installation:
        return installations.enter_context(installed(cluster, servers, product_images, database, *settings))

    with ExitStack() as installations:
        image = install(
            "without_image", "runner.image.tag=nowhere,runner.image.pullPolicy=Never,worker.startDeadline=10s"
        )
        quota = install("quota")
        cases = {
            "image": partial(a_missing_image, image, product_images, tmp_path_factory.mktemp("image")),
            "quota": partial(a_full_quota, quota, tmp_path_factory.mktemp("quota")),
        }
        with side_by_side(cases) as waiting:
            yield waiting


def test_a_missing_image_blocks_the_pool_until_fixed(outcomes: Outcomes[str]) -> None:
    """It costs no attempt."""
    outcomes["image"].result()


@pytest.mark.needs("promtool")
def test_a_blocked_pool_is_an_alert_until_fixed(outcomes: Outcomes[str]) -> None:
    """By the chart's own rules, in a Prometheus that scrapes the controller's pod."""
    assert outcomes["image"].result().startswith("The pool is blocked for cannot_start (image). One run")


def test_a_full_quota_for_pods_is_reported(outcomes: Outcomes[str]) -> None:
    """All goes on as room comes."""
    outcomes["quota"].result()
