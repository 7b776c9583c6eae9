"""The product in a namespace where a webhook injects containers into every runner pod, as meshes do."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from controller.pools.runner_pod import LABEL_JOB
from tests.cluster import Cluster
from tests.e2e.installation import Installation, Servers, installed
from tests.e2e.side_by_side import Outcomes, side_by_side
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
from tests.servers.admission_webhook import webhook
from tests.servers.ports import free_port

Inject = Callable[[dict[str, Any]], Patch]
"""From a pod to what the webhook does to it."""

DATABASE = "sidecars"
WAITS_SECONDS = 8
ENDS_WHEN_TOLD = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(3600)"


@pytest.fixture(scope="module")
def meshed(cluster: Cluster, servers: Servers, product_images: str) -> Iterator[Installation]:
    with installed(cluster, servers, product_images, DATABASE, "worker.retryWaits=0s") as made:
        yield made


@pytest.fixture(scope="module")
def injected(meshed: Installation) -> Iterator[dict[str, Inject]]:
    """What the webhook does to the pods of a job, by its id."""
    injected: dict[str, Inject] = {}

    def answer(pod: dict[str, Any]) -> Patch:
        inject = injected.get(pod["metadata"]["labels"][LABEL_JOB])
        return inject(pod) if inject else []

    with webhook(meshed.cluster, meshed.namespace, answer, object_labels={"app": "affirm-parser"}):
        yield injected


@contextmanager
def paused(meshed: Installation) -> Iterator[None]:
    """Nothing is claimed until all is said that the webhook is to do."""
    meshed.query("update pools set paused = true")
    yield
    meshed.query("update pools set paused = false, max_running = 6")


def submit(meshed: Installation, folder: Path, year: int, sex: str = "F") -> dict[str, Any]:
    file = folder / f"yob{year}.txt"
    file.write_text(f"Zoe,{sex},{year}\r\n")
    [submitted] = meshed.submit(file)
    return submitted


def the_run(meshed: Installation, submitted: dict[str, Any]) -> dict[str, Any]:
    [run] = meshed.query("select * from runs where job_id = %s", submitted["job_id"])
    return run


def _is_of(made: dict[str, Any], *submitted: dict[str, Any]) -> bool:
    return made["metadata"]["labels"][LABEL_JOB] in [one["job_id"] for one in submitted]


def lived_on(meshed: Installation, good: dict[str, Any], bad: dict[str, Any]) -> None:
    jobs = meshed.until_finished([good, bad], seconds=200)
    assert [(job["state"], job["attempts"], job["last_cause"]) for job in jobs] == [
        ("completed", 0, None),
        ("failed", 1, "rejected"),
    ]
    for one in (good, bad):
        # What the slot was released with: the sidecar was still there.
        assert the_run(meshed, one)["evidence"]["left_running"] == [PROXY]

    def left(made: list[dict[str, Any]]) -> bool:
        return any(_is_of(one, good, bad) for one in made)

    meshed.cluster.wait(lambda: not left(meshed.runner_jobs()), "the runners' Jobs to be gone", seconds=100)
    # SIGTERM is not heard: the pod's grace period passes.
    meshed.cluster.wait(lambda: not left(meshed.runner_pods()), "the runners' pods to be gone", seconds=100)
    assert "these containers ran on: proxy" in meshed.cli("jobs", "explain", bad["job_id"]).stdout


def was_kept(meshed: Installation, submitted: dict[str, Any]) -> None:
    [job] = meshed.until_finished([submitted], seconds=200)
    assert (job["state"], job["attempts"]) == ("completed", 0)
    assert "left_running" not in the_run(meshed, submitted)["evidence"]
    pod = f"pod/{the_run(meshed, submitted)['pod_name']}"
    meshed.kubectl("wait", pod, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=100s")
    assert "committed 1 rows" in meshed.kubectl("logs", pod, "-c", "parser-runner")


def failed_first(meshed: Installation, submitted: dict[str, Any]) -> None:
    [job] = meshed.until_finished([submitted], seconds=200)
    assert (job["state"], job["attempts"], job["interruptions"]) == ("completed", 0, 0)


def came_late(meshed: Installation, submitted: dict[str, Any]) -> None:
    [job] = meshed.until_finished([submitted], seconds=200)
    assert (job["state"], job["attempts"], job["interruptions"]) == ("completed", 0, 0)
    run = the_run(meshed, submitted)
    assert (run["started_at"] - run["launched_at"]).total_seconds() > WAITS_SECONDS


def init_failed(meshed: Installation, injected: dict[str, Inject], submitted: dict[str, Any]) -> None:
    [run] = meshed.until(
        "select * from runs where job_id = %s and released_at is not null", submitted["job_id"], seconds=90
    )
    assert (run["cause"], run["reason"]) == ("cannot_start", "config")
    told = meshed.cli("jobs", "explain", submitted["job_id"]).stdout
    assert "init container mesh-init failed with exit code 3" in told
    # The advice is the command that the error ends with.
    assert meshed.kubectl("logs", run["pod_name"], "-c", "mesh-init", check=False) == ""
    del injected[submitted["job_id"]]
    [job] = meshed.until_finished([submitted], seconds=200)
    assert (job["state"], job["attempts"], job["interruptions"]) == ("completed", 0, 0)


@pytest.fixture(scope="module")
def outcomes(
    meshed: Installation,
    injected: dict[str, Inject],
    servers: Servers,
    python_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Outcomes[None]]:
    """What the jobs of each test came to; they wait side by side."""
    folder = tmp_path_factory.mktemp("files")
    late = forwards(6432, meshed.cluster.host_address, servers.postgres.port, WAITS_SECONDS)
    direct = servers.postgres.url(DATABASE, "127.0.0.1")
    through_it = direct.replace(f":{servers.postgres.port}/", ":6432/")

    def lives_on(pod: dict[str, Any]) -> Patch:
        return beside(container(python_image, LIVES_ON)) + killed_soon()

    def native(pod: dict[str, Any]) -> Patch:
        return before(container(python_image, ENDS_WHEN_TOLD, restartPolicy="Always"))

    def fails_first(pod: dict[str, Any]) -> Patch:
        return beside(container(python_image, "raise SystemExit(1)"))

    def comes_late(pod: dict[str, Any]) -> Patch:
        return with_environment(pod, "RUNNER_DATABASE_URL", through_it) + beside(container(python_image, late))

    def init_fails(pod: dict[str, Any]) -> Patch:
        return before(container(python_image, "raise SystemExit(3)", "mesh-init"))

    def job(inject: Inject, year: int, sex: str = "F") -> dict[str, Any]:
        submitted = submit(meshed, folder, year, sex)
        injected[submitted["job_id"]] = inject
        return submitted

    with paused(meshed):
        cases = {
            "lives on": partial(lived_on, meshed, job(lives_on, 2001), job(lives_on, 2002, sex="X")),
            "native": partial(was_kept, meshed, job(native, 2003)),
            "fails first": partial(failed_first, meshed, job(fails_first, 2004)),
            "comes late": partial(came_late, meshed, job(comes_late, 2005)),
            "init fails": partial(init_failed, meshed, injected, job(init_fails, 2006)),
        }
    with side_by_side(cases) as waiting:
        yield waiting


def test_a_sidecar_that_never_ends_holds_no_slot(outcomes: Outcomes[None]) -> None:
    outcomes["lives on"].result()


def test_a_pod_with_a_native_sidecar_is_kept(outcomes: Outcomes[None]) -> None:
    outcomes["native"].result()


def test_a_sidecar_that_fails_first_changes_nothing(outcomes: Outcomes[None]) -> None:
    outcomes["fails first"].result()


def test_a_network_that_comes_late_costs_no_attempt(outcomes: Outcomes[None]) -> None:
    """The database is reached through the sidecar, which is not there in the first seconds."""
    outcomes["comes late"].result()


def test_an_init_container_that_fails_uses_no_attempt(outcomes: Outcomes[None]) -> None:
    outcomes["init fails"].result()


def test_a_controller_that_dies_leaves_no_sidecar(
    meshed: Installation, injected: dict[str, Inject], python_image: str, tmp_path: Path
) -> None:
    """The run is settled, and its Job still there, when a controller starts: as if the last one had died in between."""
    port = free_port("0.0.0.0")
    gate = container(python_image, waits_for(meshed.cluster.host_address, port), "gate")
    with paused(meshed):
        submitted = submit(meshed, tmp_path, 2007)
        injected[submitted["job_id"]] = lambda pod: [*before(gate), *beside(container(python_image, LIVES_ON))]
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
