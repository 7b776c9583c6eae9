"""Pods with injected containers on a real cluster, and what launcher and diagnosis make of them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from controller.launchers.interface import ObservedRun, Phase
from controller.launchers.kubernetes.objects import Pod
from controller.outcomes.diagnosis import diagnose, why_not_started
from dataset_jobs.model.causes import Cause, Reason
from tests.cluster import Cluster
from tests.conformance.launcher_contract import EXITS_0, REJECTS, WORKS, until
from tests.e2e.acting_pods import EATS_MEMORY, Place, pending_with
from tests.e2e.side_by_side import PAUSE_SECONDS, Outcomes, in_a_loop, side_by_side
from tests.e2e.sidecars import LIVES_ON, PROXY, Patch, before, beside, container, killed_soon
from tests.servers.admission_webhook import webhook

FAILS_AT_ONCE = "raise SystemExit(1)"
OUTLIVES = "import time; time.sleep(4); raise SystemExit(1)"
ENDS_WITH_IT = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(3600)"
SAYS_A_SECRET = "open('/dev/termination-log', 'w').write('password=hunter2'); raise SystemExit(3)"
NO_IMAGE = "localhost/no-such-proxy:1"

Inject = Callable[[str], Patch]
"""From an image with Python to what the webhook does to the pod."""


def _lives_on(image: str) -> Patch:
    return beside(container(image, LIVES_ON)) + killed_soon()


def _native(image: str, program: str, **fields: Any) -> Patch:
    return before(container(image, program, restartPolicy="Always", **fields))


# As Istio's has one: the runner waits for it. Without it a sidecar counts as started however soon it ends.
PROBE = {"startupProbe": {"exec": {"command": ["python3", "-c", "pass"]}, "initialDelaySeconds": 5}}

# What the runner does; the cause of its end, and the reason.
LIVES = {
    "sidecar_lives_on": (EXITS_0, Cause.LEFT_WITHOUT_COMMIT, None),
    "sidecar_outlives_a_rejection": (REJECTS, Cause.REJECTED, Reason.INVALID_FORMAT),
    "sidecar_outlives_a_kill": (EATS_MEMORY, Cause.OUT_OF_MEMORY, None),
}
# What the runner does, its template, and what is injected; the cause of its end.
COMES_TO_AN_END: dict[str, tuple[str, dict[str, Any], Inject, Cause]] = {
    # The kubelet ends the sidecar at the pod's deadline, long after the runner.
    "sidecar_at_the_deadline": (REJECTS, {"deadline_seconds": 20}, _lives_on, Cause.REJECTED),
    "sidecar_at_the_deadline_without_a_word": (
        *(EXITS_0, {"deadline_seconds": 20}, _lives_on),
        Cause.LEFT_WITHOUT_COMMIT,
    ),
    "sidecar_fails_after_the_runner": (
        *(EXITS_0, {}, lambda image: beside(container(image, OUTLIVES))),
        Cause.LEFT_WITHOUT_COMMIT,
    ),
    "native_sidecar": (EXITS_0, {}, lambda image: _native(image, ENDS_WITH_IT), Cause.LEFT_WITHOUT_COMMIT),
}
# What is injected; the reason.
NEVER_STARTS: dict[str, tuple[Inject, Reason]] = {
    "sidecar_crashes": (lambda image: _native(image, FAILS_AT_ONCE, **PROBE), Reason.CONFIG),
    "sidecar_image": (
        lambda image: _native(NO_IMAGE, LIVES_ON, imagePullPolicy="IfNotPresent", **PROBE),
        Reason.IMAGE,
    ),
}
INJECTED: dict[str, Inject] = {
    **dict.fromkeys(LIVES, _lives_on),
    **{name: inject for name, (_, _, inject, _) in COMES_TO_AN_END.items()},
    **{name: inject for name, (inject, _) in NEVER_STARTS.items()},
    "sidecar_ends_first": lambda image: beside(container(image, FAILS_AT_ONCE)),
    "init_failed": lambda image: before(container(image, SAYS_A_SECRET, "mesh-init")),
}
CASE = "case"
"""The label of a pod by which the webhook knows what to inject."""

Seen = tuple[ObservedRun, Pod | None]
"""What was seen last of a run, and of its pod."""


async def _lived_on(place: Place, name: str) -> Seen:
    async with place.launched(LIVES[name][0], labels={CASE: name}) as (launcher, launch):
        seen = await until(launcher, launch.key, Phase.ENDED, pause_seconds=PAUSE_SECONDS)
        place.record(name)
        [pod] = [pod for pod in place.api.pods if pod.metadata.key == launch.key]
    return seen, pod


async def _came_to_an_end(place: Place, name: str) -> Seen:
    acts, template, _, _ = COMES_TO_AN_END[name]
    async with place.launched(acts, labels={CASE: name}, **template) as (launcher, launch):
        await until(launcher, launch.key, Phase.ENDED, pause_seconds=PAUSE_SECONDS)
        place.cluster.wait(lambda: _is_terminal(place, name), "the whole pod to end", seconds=200)
        seen = await until(launcher, launch.key, Phase.ENDED)
        place.record(name)
    return seen, None


def _pod(place: Place, name: str) -> dict[str, Any]:
    [pod] = place.cluster.get("pods", "-n", place.namespace, "-l", f"{CASE}={name}")["items"]
    return dict(pod)


def _is_terminal(place: Place, name: str) -> bool:
    return _pod(place, name)["status"]["phase"] in ("Succeeded", "Failed")


async def _ended_first(place: Place, name: str) -> Seen:
    async with place.launched(WORKS, labels={CASE: name}) as (launcher, launch):
        await until(launcher, launch.key, Phase.RUNNING, pause_seconds=PAUSE_SECONDS)
        place.cluster.wait(lambda: _proxy_has_ended(place, name), "the sidecar to end")
        seen = await until(launcher, launch.key, Phase.RUNNING)
        place.record(name)
    return seen, None


def _proxy_has_ended(place: Place, name: str) -> bool:
    statuses = _pod(place, name)["status"].get("containerStatuses", [])
    return any(one["name"] == PROXY and "terminated" in one["state"] for one in statuses)


async def _init_failed(place: Place, name: str) -> Seen:
    async with place.launched(WORKS, labels={CASE: name}) as (launcher, launch):
        seen = await until(launcher, launch.key, Phase.ENDED, pause_seconds=PAUSE_SECONDS)
        place.record(f"cannot_start_{name}")
    return seen, None


async def _never_started(place: Place, name: str) -> Seen:
    def is_in_trouble(seen: ObservedRun) -> bool:
        return seen.evidence.seen_as in ("Config", "ImagePull")

    async with place.launched(WORKS, labels={CASE: name}) as (launcher, launch):
        seen = await pending_with(launcher, launch, is_in_trouble)
        place.record(f"cannot_start_{name}")
    return seen, None


@pytest.fixture(scope="module")
def outcomes(cluster: Cluster, namespace: str, acting_image: str, python_image: str) -> Iterator[Outcomes[Seen]]:
    """What was seen of each run and its pod; they wait side by side."""
    acts = {
        **dict.fromkeys(LIVES, _lived_on),
        **dict.fromkeys(COMES_TO_AN_END, _came_to_an_end),
        **dict.fromkeys(NEVER_STARTS, _never_started),
        "sidecar_ends_first": _ended_first,
        "init_failed": _init_failed,
    }
    cases = {name: partial(in_a_loop, act, Place(cluster, namespace, acting_image), name) for name, act in acts.items()}

    def inject(pod: dict[str, Any]) -> Patch:
        return INJECTED[pod["metadata"]["labels"][CASE]](python_image)

    with webhook(cluster, namespace, inject), side_by_side(cases) as waiting:
        yield waiting


@pytest.mark.parametrize("name", LIVES)
def test_the_runners_own_end_counts_while_a_sidecar_lives(outcomes: Outcomes[Seen], name: str) -> None:
    _, cause, reason = LIVES[name]
    seen, pod = outcomes[name].result()
    found = diagnose(seen.evidence, None)
    assert (found.cause, found.reason, seen.evidence.left_running) == (cause, reason, (PROXY,))
    assert pod is not None
    assert (pod.status.phase, pod.terminal) == ("Running", False)


@pytest.mark.parametrize("name", COMES_TO_AN_END)
def test_what_a_sidecar_comes_to_later_is_no_evidence(outcomes: Outcomes[Seen], name: str) -> None:
    *_, cause = COMES_TO_AN_END[name]
    seen, _ = outcomes[name].result()
    assert (diagnose(seen.evidence, None).cause, seen.evidence.left_running) == (cause, ())


def test_a_sidecar_that_ends_first_changes_nothing(outcomes: Outcomes[Seen]) -> None:
    seen, _ = outcomes["sidecar_ends_first"].result()
    assert (seen.evidence.exit_code, seen.evidence.container_started) == (None, True)


def test_a_failing_init_container_is_named_as_the_cause(outcomes: Outcomes[Seen]) -> None:
    seen, _ = outcomes["init_failed"].result()
    found = diagnose(seen.evidence, None)
    assert (found.cause, found.reason) == (Cause.CANNOT_START, Reason.CONFIG)
    assert "init container mesh-init failed with exit code 3" in found.error
    assert "hunter2" not in repr(seen)


@pytest.mark.parametrize("name", NEVER_STARTS)
def test_a_native_sidecar_that_does_not_start_is_named(outcomes: Outcomes[Seen], name: str) -> None:
    _, reason = NEVER_STARTS[name]
    seen, _ = outcomes[name].result()
    found = why_not_started(seen.evidence, timedelta(days=2), timedelta(0), timedelta(hours=24))
    assert found is not None
    assert (found.cause, found.reason) == (Cause.CANNOT_START, reason)
    assert f"init container {PROXY}" in found.error
