"""Pods with injected containers on a real cluster, and what launcher and diagnosis make of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from controller.launchers.interface import ObservedRun, Phase
from controller.outcomes.diagnosis import diagnose, why_not_started
from dataset_jobs.model.causes import Cause, Reason
from tests.cluster import Cluster
from tests.conformance.launcher_contract import EXITS_0, REJECTS, WORKS, until
from tests.e2e.acting_pods import EATS_MEMORY, Place, pending_with
from tests.e2e.sidecars import LIVES_ON, PROXY, Patch, before, beside, container, killed_soon
from tests.servers.admission_webhook import webhook

FAILS_AT_ONCE = "raise SystemExit(1)"
OUTLIVES = "import time; time.sleep(4); raise SystemExit(1)"
ENDS_WITH_IT = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(3600)"
SAYS_A_SECRET = "open('/dev/termination-log', 'w').write('password=hunter2'); raise SystemExit(3)"

Inject = Callable[[str], Patch]


def _lives_on(image: str) -> Patch:
    return beside(container(image, LIVES_ON)) + killed_soon()


@pytest.mark.parametrize(
    ("name", "acts", "cause", "reason"),
    [
        ("sidecar_lives_on", EXITS_0, Cause.LEFT_WITHOUT_COMMIT, None),
        ("sidecar_outlives_a_rejection", REJECTS, Cause.REJECTED, Reason.INVALID_FORMAT),
        ("sidecar_outlives_a_kill", EATS_MEMORY, Cause.OUT_OF_MEMORY, None),
    ],
)
async def test_the_runners_own_end_counts_while_a_sidecar_lives(
    cluster: Cluster, place: Place, python_image: str, name: str, acts: str, cause: Cause, reason: Reason | None
) -> None:
    with webhook(cluster, place.namespace, lambda pod: _lives_on(python_image)):
        async with place.launched(acts) as (launcher, launch):
            seen = await until(launcher, launch.key, Phase.ENDED)
            place.record(name)
            [pod] = [pod for pod in place.api.pods if pod.metadata.key == launch.key]
    found = diagnose(seen.evidence, None)
    assert (found.cause, found.reason, seen.evidence.left_running) == (cause, reason, (PROXY,))
    assert (pod.status.phase, pod.terminal) == ("Running", False)


@pytest.mark.parametrize(
    ("name", "acts", "template", "inject", "cause"),
    [
        # The kubelet ends the sidecar at the pod's deadline, long after the runner.
        ("sidecar_at_the_deadline", REJECTS, {"deadline_seconds": 8}, _lives_on, Cause.REJECTED),
        (
            "sidecar_at_the_deadline_without_a_word",
            EXITS_0,
            {"deadline_seconds": 8},
            _lives_on,
            Cause.LEFT_WITHOUT_COMMIT,
        ),
        (
            "sidecar_fails_after_the_runner",
            EXITS_0,
            {},
            lambda image: beside(container(image, OUTLIVES)),
            Cause.LEFT_WITHOUT_COMMIT,
        ),
        (
            "native_sidecar",
            EXITS_0,
            {},
            lambda image: before(container(image, ENDS_WITH_IT, restartPolicy="Always")),
            Cause.LEFT_WITHOUT_COMMIT,
        ),
    ],
)
async def test_what_a_sidecar_comes_to_later_is_no_evidence(
    cluster: Cluster,
    place: Place,
    python_image: str,
    name: str,
    acts: str,
    template: dict[str, Any],
    inject: Inject,
    cause: Cause,
) -> None:
    with webhook(cluster, place.namespace, lambda pod: inject(python_image)):
        async with place.launched(acts, **template) as (launcher, launch):
            await until(launcher, launch.key, Phase.ENDED)
            cluster.wait(lambda: _is_terminal(place, str(launch.key.job_id)), "the whole pod to end", seconds=60)
            seen = await until(launcher, launch.key, Phase.ENDED)
            place.record(name)
    assert (diagnose(seen.evidence, None).cause, seen.evidence.left_running) == (cause, ())


def _is_terminal(place: Place, job_id: str) -> bool:
    [pod] = place.cluster.get("pods", "-n", place.namespace, "-l", f"affirm.dev/job-id={job_id}")["items"]
    return pod["status"]["phase"] in ("Succeeded", "Failed")


async def test_a_sidecar_that_ends_first_changes_nothing(cluster: Cluster, place: Place, python_image: str) -> None:
    with webhook(cluster, place.namespace, lambda pod: beside(container(python_image, FAILS_AT_ONCE))):
        async with place.launched(WORKS) as (launcher, launch):
            await until(launcher, launch.key, Phase.RUNNING)
            cluster.wait(lambda: _proxy_has_ended(place, str(launch.key.job_id)), "the sidecar to end")
            seen = await until(launcher, launch.key, Phase.RUNNING)
            place.record("sidecar_ends_first")
    assert (seen.evidence.exit_code, seen.evidence.container_started) == (None, True)


def _proxy_has_ended(place: Place, job_id: str) -> bool:
    [pod] = place.cluster.get("pods", "-n", place.namespace, "-l", f"affirm.dev/job-id={job_id}")["items"]
    statuses = pod["status"].get("containerStatuses", [])
    return any(one["name"] == PROXY and "terminated" in one["state"] for one in statuses)


async def test_a_failing_init_container_is_named_as_the_cause(
    cluster: Cluster, place: Place, python_image: str
) -> None:
    init = container(python_image, SAYS_A_SECRET, "mesh-init")
    with webhook(cluster, place.namespace, lambda pod: before(init)):
        async with place.launched(WORKS) as (launcher, launch):
            seen = await until(launcher, launch.key, Phase.ENDED)
            place.record("cannot_start_init_failed")
    found = diagnose(seen.evidence, None)
    assert (found.cause, found.reason) == (Cause.CANNOT_START, Reason.CONFIG)
    assert "init container mesh-init failed with exit code 3" in found.error
    assert "hunter2" not in repr(seen)


@pytest.mark.parametrize(
    ("name", "image", "program", "reason"),
    [
        ("sidecar_crashes", None, FAILS_AT_ONCE, Reason.CONFIG),
        ("sidecar_image", "localhost/no-such-proxy:1", LIVES_ON, Reason.IMAGE),
    ],
)
async def test_a_native_sidecar_that_does_not_start_is_named(
    cluster: Cluster, place: Place, python_image: str, name: str, image: str | None, program: str, reason: Reason
) -> None:
    # As Istio's has one: the runner waits for it. Without it a sidecar counts as started however soon it ends.
    probe = {"exec": {"command": ["python3", "-c", "pass"]}, "initialDelaySeconds": 5}
    policy = {"restartPolicy": "Always", "imagePullPolicy": "IfNotPresent" if image else "Never"}
    sidecar = container(image or python_image, program, startupProbe=probe, **policy)

    def is_in_trouble(seen: ObservedRun) -> bool:
        return seen.evidence.seen_as in ("Config", "ImagePull")

    with webhook(cluster, place.namespace, lambda pod: before(sidecar)):
        async with place.launched(WORKS) as (launcher, launch):
            seen = await pending_with(launcher, launch, is_in_trouble)
            place.record(f"cannot_start_{name}")
    found = why_not_started(seen.evidence, timedelta(days=2), timedelta(0), timedelta(hours=24))
    assert found is not None
    assert (found.cause, found.reason) == (Cause.CANNOT_START, reason)
    assert f"init container {PROXY}" in found.error
