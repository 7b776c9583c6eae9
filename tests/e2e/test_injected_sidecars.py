"""The product in a namespace where a webhook injects containers into every runner pod, as meshes do."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Cluster
from tests.e2e.installation import Installation, Servers, installed
from tests.e2e.sidecars import (
    LIVES_ON,
    PROXY,
    Patch,
    before,
    beside,
    container,
    forwards,
    killed_soon,
    waits_for,
    with_environment,
)
from tests.servers.admission_webhook import Webhook, webhook
from tests.servers.ports import free_port

DATABASE = "sidecars"
WAITS_SECONDS = 8
ENDS_WHEN_TOLD = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(3600)"


@pytest.fixture(scope="module")
def meshed(cluster: Cluster, servers: Servers, product_images: str) -> Iterator[Installation]:
    with installed(cluster, servers, product_images, DATABASE, "worker.retryWaits=0s") as made:
        yield made


@pytest.fixture(scope="module")
def hook(meshed: Installation) -> Iterator[Webhook]:
    labels = {"app": "affirm-parser"}
    with webhook(meshed.cluster, meshed.namespace, lambda pod: [], object_labels=labels) as hook:
        yield hook


def submit(meshed: Installation, folder: Path, year: int, sex: str = "F") -> dict[str, Any]:
    file = folder / f"yob{year}.txt"
    file.write_text(f"Zoe,{sex},{year}\r\n")
    [submitted] = meshed.submit(file)
    return submitted


def the_run(meshed: Installation, submitted: dict[str, Any]) -> dict[str, Any]:
    [run] = meshed.query("select * from runs where job_id = %s", submitted["job_id"])
    return run


def until_nothing_is_left(meshed: Installation) -> None:
    meshed.cluster.wait(lambda: meshed.runner_jobs() == [], "the runner's Job to be gone", seconds=20)
    # SIGTERM is not heard: the pod's grace period passes.
    meshed.cluster.wait(lambda: meshed.runner_pods() == [], "the runner's pod to be gone", seconds=60)


def test_a_sidecar_that_never_ends_holds_no_slot(
    meshed: Installation, hook: Webhook, python_image: str, tmp_path: Path
) -> None:
    hook.answer = lambda pod: beside(container(python_image, LIVES_ON)) + killed_soon()
    good, bad = submit(meshed, tmp_path, 2001), submit(meshed, tmp_path, 2002, sex="X")
    jobs = meshed.until_finished([good, bad], seconds=60)
    assert [(job["state"], job["attempts"], job["last_cause"]) for job in jobs] == [
        ("completed", 0, None),
        ("failed", 1, "rejected"),
    ]
    for one in (good, bad):
        # What the slot was released with: the sidecar was still there.
        assert the_run(meshed, one)["evidence"]["left_running"] == [PROXY]
    until_nothing_is_left(meshed)
    assert "these containers ran on: proxy" in meshed.cli("jobs", "explain", bad["job_id"]).stdout


def test_a_pod_with_a_native_sidecar_is_kept(
    meshed: Installation, hook: Webhook, python_image: str, tmp_path: Path
) -> None:
    hook.answer = lambda pod: before(container(python_image, ENDS_WHEN_TOLD, restartPolicy="Always"))
    submitted = submit(meshed, tmp_path, 2003)
    [job] = meshed.until_finished([submitted], seconds=60)
    assert (job["state"], job["attempts"]) == ("completed", 0)
    assert "left_running" not in the_run(meshed, submitted)["evidence"]
    pod = f"pod/{the_run(meshed, submitted)['pod_name']}"
    meshed.kubectl("wait", pod, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")
    assert "committed 1 rows" in meshed.kubectl("logs", pod, "-c", "parser-runner")


def test_a_sidecar_that_fails_first_changes_nothing(
    meshed: Installation, hook: Webhook, python_image: str, tmp_path: Path
) -> None:
    hook.answer = lambda pod: beside(container(python_image, "raise SystemExit(1)"))
    submitted = submit(meshed, tmp_path, 2004)
    [job] = meshed.until_finished([submitted], seconds=60)
    assert (job["state"], job["attempts"], job["interruptions"]) == ("completed", 0, 0)


def test_a_network_that_comes_late_costs_no_attempt(
    meshed: Installation, hook: Webhook, servers: Servers, python_image: str, tmp_path: Path
) -> None:
    """The database is reached through the sidecar, which is not there in the first seconds."""
    address = meshed.cluster.host_address
    program = forwards(6432, address, servers.postgres.port, WAITS_SECONDS)
    direct = servers.postgres.url(DATABASE, "127.0.0.1")
    through_it = direct.replace(f":{servers.postgres.port}/", ":6432/")

    def inject(pod: dict[str, Any]) -> Patch:
        return [
            *with_environment(pod, "RUNNER_DATABASE_URL", through_it),
            *beside(container(python_image, program)),
        ]

    hook.answer = inject
    submitted = submit(meshed, tmp_path, 2005)
    [job] = meshed.until_finished([submitted], seconds=90)
    assert (job["state"], job["attempts"], job["interruptions"]) == ("completed", 0, 0)
    run = the_run(meshed, submitted)
    assert (run["started_at"] - run["launched_at"]).total_seconds() > WAITS_SECONDS


def test_an_init_container_that_fails_uses_no_attempt(
    meshed: Installation, hook: Webhook, python_image: str, tmp_path: Path
) -> None:
    hook.answer = lambda pod: before(container(python_image, "raise SystemExit(3)", "mesh-init"))
    submitted = submit(meshed, tmp_path, 2006)
    [run] = meshed.until(
        "select * from runs where job_id = %s and released_at is not null", submitted["job_id"], seconds=60
    )
    assert (run["cause"], run["reason"]) == ("cannot_start", "config")
    told = meshed.cli("jobs", "explain", submitted["job_id"]).stdout
    assert "init container mesh-init failed with exit code 3" in told
    # The advice is the command that the error ends with.
    assert meshed.kubectl("logs", run["pod_name"], "-c", "mesh-init", check=False) == ""
    hook.answer = lambda pod: []
    [job] = meshed.until_finished([submitted], seconds=90)
    assert (job["state"], job["attempts"], job["interruptions"]) == ("completed", 0, 0)


def test_a_controller_that_dies_leaves_no_sidecar(
    meshed: Installation, hook: Webhook, python_image: str, tmp_path: Path
) -> None:
    """The run is settled, and its Job still there, when a controller starts: as if the last one had died in between."""
    port = free_port("0.0.0.0")
    gate = container(python_image, waits_for(meshed.cluster.host_address, port), "gate")
    hook.answer = lambda pod: [*before(gate), *beside(container(python_image, LIVES_ON))]
    submitted = submit(meshed, tmp_path, 2007)
    meshed.until("select 1 from runs where job_id = %s and launched_at is not null", submitted["job_id"])
    meshed.scale_controller(0)
    with socket.create_server(("0.0.0.0", port)):
        meshed.until("select 1 from runs where job_id = %s and committed_at is not null", submitted["job_id"])
    meshed.query(
        "update runs set released_at = now(), ended_at = coalesce(ended_at, now()), cause = 'completed'"
        " where job_id = %s",
        submitted["job_id"],
    )
    assert [_is_of(job, submitted) for job in meshed.runner_jobs()].count(True) == 1
    meshed.scale_controller(1)
    meshed.cluster.wait(
        lambda: not any(_is_of(job, submitted) for job in meshed.runner_jobs()), "the Job to be gone", seconds=30
    )


def _is_of(job: dict[str, Any], submitted: dict[str, Any]) -> bool:
    return bool(job["metadata"]["labels"]["affirm.dev/job-id"] == submitted["job_id"])
