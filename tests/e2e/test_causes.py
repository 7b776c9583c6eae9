"""What ends a pod on a real cluster, and what the launcher and the diagnosis make of it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from controller.launchers.interface import Launch, ObservedRun, Phase
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.outcomes.diagnosis import diagnose, why_not_started
from controller.pools.runner_pod import CONTAINER, LABEL_JOB
from dataset_jobs.model.causes import Cause, CountsAs, Reason
from dataset_jobs.model.settlement import Diagnosis
from tests.cluster import Cluster
from tests.conformance.launcher_contract import EXITS_0, IS_KILLED, REJECTS, WORKS, until
from tests.e2e.acting_pods import EATS_MEMORY, SMALL, Place, pending_with
from tests.e2e.side_by_side import PAUSE_SECONDS, Outcomes, in_a_loop, side_by_side

FILLS_DISK, SEGFAULTS = "5", "6"


def started_by(command: str) -> dict[str, Any]:
    """A pod template whose container runs another program."""
    return {"spec": {"containers": [{"name": CONTAINER, "command": [command]}]}}


DISK_LIMIT = {**SMALL, "limits": {**SMALL["limits"], "ephemeral-storage": "10Mi"}}


# What the runner does, and its template; the cause of its end, and the reason.
ENDS: dict[str, tuple[str, dict[str, Any], Cause, Reason | None]] = {
    "out_of_memory": (EATS_MEMORY, {}, Cause.OUT_OF_MEMORY, None),
    "timed_out": (WORKS, {"deadline_seconds": 20}, Cause.TIMED_OUT, None),
    "disk_full": (FILLS_DISK, {"resources": DISK_LIMIT}, Cause.DISK_FULL, None),
    "crashed_by_sigsegv": (SEGFAULTS, {}, Cause.CRASHED, None),
    "crashed_by_sigkill": (IS_KILLED, {}, Cause.CRASHED, None),
    "left_without_commit": (EXITS_0, {}, Cause.LEFT_WITHOUT_COMMIT, None),
    "rejected": (REJECTS, {}, Cause.REJECTED, Reason.INVALID_FORMAT),
    "no_program": (WORKS, {"pod_template": started_by("/no/such/program")}, Cause.CANNOT_START, Reason.CONFIG),
    "no_runner": (WORKS, {"pod_template": started_by("false")}, Cause.CANNOT_START, Reason.IMAGE),
}


async def _ended(place: Place, name: str) -> ObservedRun:
    acts, template, _, _ = ENDS[name]
    async with place.launched(acts, **template) as (launcher, launch):
        seen = await until(launcher, launch.key, Phase.ENDED, pause_seconds=PAUSE_SECONDS)
        place.record(name)
    return seen


# Its template, what is seen of it in the end, and the reason.
NEVER_STARTS: dict[str, tuple[dict[str, Any], Callable[[ObservedRun], bool], Reason]] = {
    "image": (
        {"image": "localhost/no-such-image:1"},
        lambda seen: seen.evidence.seen_as == "ImagePull",
        Reason.IMAGE,
    ),
    "config": (
        {"env": ({"name": "X", "valueFrom": {"secretKeyRef": {"name": "no-such-secret", "key": "x"}}},)},
        lambda seen: seen.evidence.seen_as == "Config",
        Reason.CONFIG,
    ),
    "unschedulable": (
        {"resources": {"requests": {"cpu": "900"}}},
        lambda seen: "PodScheduled" in seen.evidence.conditions,
        Reason.UNSCHEDULABLE,
    ),
    "pod_security": (
        {"volumes": ({"name": "host", "hostPath": {"path": "/"}},)},
        lambda seen: "violates PodSecurity" in seen.evidence.message,
        Reason.REFUSED,
    ),
}


async def _never_started(place: Place, name: str) -> ObservedRun:
    template, ready, _ = NEVER_STARTS[name]
    async with place.launched(WORKS, **template) as (launcher, launch):
        seen = await pending_with(launcher, launch, ready)
        place.record(f"cannot_start_{name}")
    return seen


# A rule of the namespace; the reason, and what the error says.
RULES: dict[str, tuple[str, dict[str, Any], Reason, str]] = {
    "quota": ("ResourceQuota", {"hard": {"pods": "0"}}, Reason.QUOTA, "exceeded quota: rule"),
    "value": ("ResourceQuota", {"hard": {"limits.cpu": "9"}}, Reason.REFUSED, "must specify limits.cpu"),
    "limit_range": (
        "LimitRange",
        {"limits": [{"type": "Container", "max": {"memory": "40Mi"}}]},
        Reason.REFUSED,
        "maximum memory usage per Container is 40Mi, but limit is 64Mi",
    ),
}


async def _ruled_out(cluster: Cluster, image: str, name: str) -> ObservedRun:
    kind, spec, _, _ = RULES[name]
    with cluster.namespace("affirm-rules") as namespace:
        metadata = {"name": "rule", "namespace": namespace}
        cluster.apply({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec})
        if kind == "ResourceQuota":
            cluster.wait(
                lambda: '"used"' in cluster.kubectl("get", "resourcequota/rule", "-n", namespace, "-o", "json"),
                "the quota to be counted",
            )
        place = Place(cluster, namespace, image)
        async with place.launched(WORKS) as (launcher, launch):
            seen = await pending_with(launcher, launch, lambda seen: seen.evidence.message != "")
            place.record(f"cannot_start_{name}")
    return seen


@pytest.fixture(scope="module")
def outcomes(cluster: Cluster, namespace: str, acting_image: str) -> Iterator[Outcomes[ObservedRun]]:
    """What was seen last of each run that nobody takes away; they wait side by side."""

    def here() -> Place:
        return Place(cluster, namespace, acting_image)

    cases = {name: partial(in_a_loop, _ended, here(), name) for name in ENDS}
    cases |= {name: partial(in_a_loop, _never_started, here(), name) for name in NEVER_STARTS}
    cases |= {name: partial(in_a_loop, _ruled_out, cluster, acting_image, name) for name in RULES}
    with side_by_side(cases) as waiting:
        yield waiting


@pytest.mark.parametrize("name", ENDS)
def test_what_ends_a_pod_is_told_apart(outcomes: Outcomes[ObservedRun], name: str) -> None:
    _, _, cause, reason = ENDS[name]
    seen = outcomes[name].result()
    found = diagnose(seen.evidence, None, taken=name != "no_runner")
    assert (found.cause, found.reason) == (cause, reason), seen
    assert seen.evidence.node
    assert seen.evidence.pod_name


@pytest.mark.parametrize("name", NEVER_STARTS)
def test_what_keeps_a_pod_from_starting_is_told_apart(outcomes: Outcomes[ObservedRun], name: str) -> None:
    *_, reason = NEVER_STARTS[name]
    seen = outcomes[name].result()
    found = why_not_started(seen.evidence, timedelta(days=2), timedelta(0), timedelta(hours=24))
    assert isinstance(found, Diagnosis)
    assert (found.cause, found.reason) == (Cause.CANNOT_START, reason)
    assert found.error


@pytest.mark.parametrize("name", RULES)
def test_a_rule_of_the_namespace_is_told_by_the_events_of_the_job(outcomes: Outcomes[ObservedRun], name: str) -> None:
    *_, reason, error = RULES[name]
    seen = outcomes[name].result()
    assert seen.evidence.pod_name is None
    found = why_not_started(seen.evidence, timedelta(days=2), timedelta(0), timedelta(hours=24))
    assert found is not None
    assert (found.cause, found.reason) == (Cause.CANNOT_START, reason)
    assert error in found.error


def _pod_of(place: Place, launch: Launch) -> dict[str, Any]:
    selector = f"{LABEL_JOB}={launch.key.job_id}"
    [pod] = place.cluster.get("pods", "--namespace", place.namespace, "-l", selector)["items"]
    return dict(pod)


def _evict(place: Place, launch: Launch) -> None:
    pod = _pod_of(place, launch)["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": place.namespace},
    }
    path = f"/api/v1/namespaces/{place.namespace}/pods/{pod}/eviction"
    place.cluster.kubectl("create", "--raw", path, "-f", "-", input=json.dumps(eviction))


def _drain(place: Place, launch: Launch) -> None:
    node = _pod_of(place, launch)["spec"]["nodeName"]
    selector = f"--pod-selector={LABEL_JOB}={launch.key.job_id}"
    try:
        place.cluster.kubectl("drain", node, selector, "--force", "--ignore-daemonsets", "--delete-emptydir-data")
    finally:
        place.cluster.kubectl("uncordon", node)


def _preempt(place: Place, launch: Launch) -> None:
    """A pod of high priority takes the CPU that is left, and all that the run has."""
    node = place.cluster.get("nodes")["items"][0]
    cores = int(node["status"]["allocatable"]["cpu"])
    name = f"affirm-urgent-{launch.key.job_id.hex[:6]}"
    metadata = {"name": name, "namespace": place.namespace}
    container = {
        "name": "urgent",
        "image": place.template.image,
        "imagePullPolicy": "Never",
        "args": ["--job-id", "2", "--epoch", "1"],
        "resources": {"requests": {"cpu": f"{cores * 1000 - 450}m"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    place.cluster.apply(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": 1_000_000,
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {
                "priorityClassName": name,
                "restartPolicy": "Never",
                "securityContext": security,
                "containers": [container],
            },
        },
    )


def _delete_pod(place: Place, launch: Launch) -> None:
    name = _pod_of(place, launch)["metadata"]["name"]
    place.cluster.kubectl("delete", "pod", name, "--namespace", place.namespace, "--wait=false")


@pytest.mark.parametrize(
    ("name", "provoke", "template", "cause"),
    [
        ("evicted", _evict, {}, Cause.EVICTED),
        ("drained", _drain, {}, Cause.EVICTED),
        ("preempted", _preempt, {"resources": {"requests": {"cpu": "500m"}}}, Cause.PREEMPTED),
        ("deleted_pod", _delete_pod, {}, Cause.VANISHED),
    ],
)
async def test_what_takes_a_pod_away_is_told_apart_also_when_the_pod_is_gone(
    place: Place, name: str, provoke: Callable[[Place, Launch], None], template: dict[str, Any], cause: Cause
) -> None:
    if not place.cluster.disposable:
        pytest.skip("takes a node out of service, or all its room")
    async with place.launched(WORKS, **template) as (launcher, launch):
        await until(launcher, launch.key, Phase.RUNNING)
        taking = asyncio.create_task(asyncio.to_thread(provoke, place, launch))
        seen = await until(launcher, launch.key, Phase.ENDED)
        await taking
        found = diagnose(seen.evidence, None)
        place.record(name)
        await _until_no_pod(launcher, launch)
        place.record(f"{name}_and_gone", with_pods=False)
        without_memory = await launcher.get(launch.key)
    assert without_memory is not None
    assert without_memory.evidence.gone
    assert found.cause is cause, seen
    # A controller that comes later and has seen nothing still knows that it was an interruption.
    assert diagnose(without_memory.evidence, None).cause.counts_as is CountsAs.INTERRUPTION


async def _until_no_pod(launcher: KubernetesLauncher, launch: Launch) -> None:
    """Until the launcher sees that the Job is over and its pod gone."""
    while not (await until(launcher, launch.key, Phase.ENDED)).evidence.gone:
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", ["deleted_job", "cancelled"])
async def test_of_a_job_that_is_deleted_the_pod_is_seen_until_it_is_gone(place: Place, name: str) -> None:
    async with place.launched(WORKS) as (launcher, launch):
        running = await until(launcher, launch.key, Phase.RUNNING)
        if name == "cancelled":
            await launcher.stop(launch.key)
        else:
            place.cluster.kubectl("delete", "job", running.name, "--namespace", place.namespace, "--wait=false")
        last = running
        async with asyncio.timeout(200):
            while (found := await launcher.get(launch.key)) is not None:
                last = found
                await asyncio.sleep(0.02)
        assert await launcher.list_all() == []
        place.record(name)
    assert last.evidence.deleted
    # Of a run that was cancelled, the cause that was kept counts.
    assert diagnose(last.evidence, None).cause is Cause.VANISHED
