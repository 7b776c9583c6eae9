"""Clusters with rules of their own: LimitRanges, quotas, webhooks. Each is reported and heals without loss.

The controller works on this host; API server, admission, Job controller and kubelet are real.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.outcomes.retry import RetryPolicy
from controller.pools.runner_pod import Memory
from tests.e2e.controllers import (
    BLOCKED,
    FINISHED,
    MAXIMUM,
    assert_completed,
    assert_each_once,
    controller,
    ticking_until,
    told,
)
from tests.e2e.installation import Installation
from tests.servers.admission_webhook import Refused, webhook

# kopf leaves its connections to the garbage collector where an error has ended it.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")

MIB = 2**20
UNANSWERED = "select 1 from runs where released_at is null and launched_at is null and waits_for = 'unavailable'"


@contextmanager
def rule(installation: Installation, kind: str, spec: dict[str, Any]) -> Iterator[None]:
    """A LimitRange or ResourceQuota of the namespace, counted before this goes on."""
    metadata = {"name": "rule", "namespace": installation.namespace}
    installation.cluster.apply({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec})
    try:
        if kind == "ResourceQuota":
            installation.cluster.wait(
                lambda: '"used"' in installation.kubectl("get", "resourcequota/rule", "-o", "json"), "the quota's count"
            )
        yield
    finally:
        installation.kubectl("delete", kind, "rule", "--ignore-not-found")


def limits(**item: Any) -> dict[str, Any]:
    return {"limits": [{"type": "Container", **item}]}


# The runner asks for 256Mi of memory, and may have 512Mi of it and 1Gi of disk.
RULES = {
    "a LimitRange's maximum": (
        "LimitRange", limits(max={"memory": "300Mi"}), "refused",
        "maximum memory usage per Container is 300Mi, but limit is 512Mi", "A LimitRange",
    ),
    "a LimitRange's ratio": (
        "LimitRange", limits(maxLimitRequestRatio={"memory": "1"}), "refused",
        "memory max limit to request ratio per Container is 1", "A LimitRange",
    ),
    "a quota of local disk": (
        "ResourceQuota", {"hard": {"limits.ephemeral-storage": "500Mi"}}, "quota",
        "exceeded quota: rule, requested: limits.ephemeral-storage=1Gi", "Make room in the namespace's ResourceQuota",
    ),
    "a quota of Jobs": (
        "ResourceQuota", {"hard": {"count/jobs.batch": "0"}}, "quota",
        "exceeded quota: rule, requested: count/jobs.batch=1", "or raise it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RULES)
async def test_a_rule_of_the_namespace_is_told_and_costs_nothing(
    controllers_away: Installation, tmp_path: Path, case: str
) -> None:
    installation = controllers_away
    kind, spec, reason, error, advice = RULES[case]
    submitted = installation.submit_small(tmp_path)
    kubeconfig = installation.cluster.kubeconfig
    async with controller(installation, kubeconfig, tmp_path) as (reconciler, _):
        with rule(installation, kind, spec):
            await ticking_until(reconciler, installation, BLOCKED, reason)
            for _ in range(5):
                await reconciler.tick_safely()
            text = told(installation, submitted)
        await ticking_until(reconciler, installation, FINISHED, seconds=200)
    assert f"cannot_start ({reason})" in text
    assert error in text
    assert advice in text
    assert_completed(installation, submitted)


async def test_a_value_that_a_quota_wants_is_named_and_setting_it_is_enough(
    controllers_away: Installation, tmp_path: Path
) -> None:
    """The quota stays; the pool's pods get what the advice says."""
    installation = controllers_away
    submitted = installation.submit_small(tmp_path)
    kubeconfig = installation.cluster.kubeconfig
    with rule(installation, "ResourceQuota", {"hard": {"limits.cpu": "20"}}):
        async with controller(installation, kubeconfig, tmp_path) as (reconciler, _):
            await ticking_until(reconciler, installation, BLOCKED, "refused")
            text = told(installation, submitted)
        resources = {
            "requests": {"cpu": "50m", "memory": "256Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        }
        async with controller(
            installation, kubeconfig, tmp_path, resources=resources, start_deadline=timedelta(seconds=10)
        ) as (reconciler, _):
            await ticking_until(reconciler, installation, FINISHED, seconds=200)
    assert "failed quota: rule: must specify limits.cpu for: parser-runner" in text
    assert "a quota that wants a value: set runner.resources of the chart to what it allows" in text
    assert_completed(installation, submitted)


async def test_the_limit_that_killed_a_runner_is_the_one_that_it_had(
    controllers_away: Installation, tmp_path: Path
) -> None:
    """The pool's template sets none; the namespace's LimitRange does."""
    installation = controllers_away
    submitted = installation.submit_small(tmp_path)
    kubeconfig, requests = installation.cluster.kubeconfig, {"requests": {"cpu": "50m"}}
    async with controller(installation, kubeconfig, tmp_path, resources=requests, memory=None) as (reconciler, _):
        with rule(installation, "LimitRange", limits(default={"memory": "16Mi"}, defaultRequest={"memory": "16Mi"})):
            await ticking_until(
                reconciler, installation, "select 1 from jobs where id = %s and attempts > 0", submitted[0]["job_id"]
            )
            text = told(installation, submitted)
        await ticking_until(reconciler, installation, FINISHED, seconds=200)
    assert "out_of_memory: the runner was killed at its memory limit (16Mi)" in text
    assert "the next one has no more memory, since the pool's template sets no limit of it" in text
    [job] = installation.query("select * from jobs where id = %s", submitted[0]["job_id"])
    assert job["state"] == "completed"


async def test_memory_beyond_a_limit_range_is_given_up_again(controllers_away: Installation, tmp_path: Path) -> None:
    """A job that runs out of the memory that the namespace allows fails for that, soon, and blocks no pool."""
    installation = controllers_away
    submitted = installation.submit_small(tmp_path)
    how: dict[str, Any] = {
        "resources": {"requests": {"cpu": "50m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}},
        "memory": Memory(16 * MIB, 16 * MIB, 64 * MIB),
        "retry": RetryPolicy(max_retries=1, waits=(timedelta(0),)),
        "start_deadline": timedelta(seconds=10),
    }
    with rule(installation, "LimitRange", limits(max={"memory": "20Mi"})):
        async with controller(installation, installation.cluster.kubeconfig, tmp_path, **how) as (reconciler, _):
            await ticking_until(reconciler, installation, FINISHED, seconds=200)
    [job] = installation.query("select * from jobs where id = %s", submitted[0]["job_id"])
    assert (job["state"], job["last_cause"], job["attempts"]) == ("failed", "out_of_memory", 2)
    runs = installation.query("select cause, reason, error from runs where job_id = %s order by epoch", job["id"])
    assert [(run["cause"], run["reason"]) for run in runs] == [
        ("out_of_memory", None),
        *[("cannot_start", "refused")] * 3,
        ("out_of_memory", None),
    ]
    assert "maximum memory usage per Container is 20Mi, but limit is 32Mi" in runs[1]["error"]
    assert not installation.query("select 1 from pools where blocked_since is not null")


def _allow(made: dict[str, Any]) -> list[dict[str, Any]]:
    return []


def _deny(made: dict[str, Any]) -> list[dict[str, Any]]:
    raise Refused("this image is not signed")


def _conflict(made: dict[str, Any]) -> list[dict[str, Any]]:
    raise Refused("come again", 409)


def _break(made: dict[str, Any]) -> list[dict[str, Any]]:
    raise ZeroDivisionError


def _dawdle(made: dict[str, Any]) -> list[dict[str, Any]]:
    """Longer than the API server waits for it."""
    time.sleep(1.5)
    return []


def _sleep(made: dict[str, Any]) -> list[dict[str, Any]]:
    """Longer than the controller waits for the API server."""
    time.sleep(3)
    return []


DENIED = 'admission webhook "asked.affirm.test" denied the request: this image is not signed'
FAILED = 'failed calling webhook "asked.affirm.test"'
WEBHOOKS: dict[str, tuple[str, Any, int, str, str]] = {
    "denies Jobs": ("jobs", _deny, 10, BLOCKED, DENIED),
    "denies pods": ("pods", _deny, 10, BLOCKED, DENIED),
    "breaks at Jobs": ("jobs", _break, 10, UNANSWERED, FAILED),
    "is slow at Jobs": ("jobs", _dawdle, 1, UNANSWERED, FAILED),
    "is slower than the controller": ("jobs", _sleep, 10, UNANSWERED, "Kubernetes API: TimeoutError"),
    "answers 409": ("jobs", _conflict, 10, UNANSWERED, "come again"),
}
"""What it is asked about, what it does, how long the API server waits for it, what follows, and what is told."""


@pytest.mark.parametrize("case", WEBHOOKS)
async def test_a_webhook_that_gives_trouble_is_told_and_every_job_runs_once(
    controllers_away: Installation, tmp_path: Path, case: str
) -> None:
    installation = controllers_away
    resource, answer, timeout, sql, error = WEBHOOKS[case]
    submitted = installation.submit_small(tmp_path, 3)
    parameters = ("refused",) if sql == BLOCKED else ()
    labels = {"app": "affirm-parser"}
    kubeconfig = installation.cluster.kubeconfig
    with webhook(
        installation.cluster, installation.namespace, answer, resource, labels, timeout_seconds=timeout
    ) as hook:
        async with controller(installation, kubeconfig, tmp_path) as (reconciler, _):
            await ticking_until(reconciler, installation, sql, *parameters)
            text = told(installation, submitted)
            hook.answer = _allow
            await ticking_until(reconciler, installation, FINISHED, seconds=200)
            await reconciler.tick()
    assert error in text
    assert ("have no answer since" in text or "launch has no answer since" in text) == (sql == UNANSWERED)
    assert_completed(installation, submitted)
    if sql == UNANSWERED:
        assert_each_once(installation, submitted)


async def test_a_webhook_that_refuses_at_random_costs_time_only(controllers_away: Installation, tmp_path: Path) -> None:
    installation = controllers_away
    submitted = installation.submit_small(tmp_path, 3)
    lock, counts = threading.Lock(), {"asked": 0}

    def now_and_then(made: dict[str, Any]) -> list[dict[str, Any]]:
        with lock:
            counts["asked"] += 1
            number = counts["asked"]
        match number % 4:
            case 1:
                raise Refused("not now")
            case 2:
                raise ZeroDivisionError
            case 3:
                time.sleep(2.5)
        return []

    labels = {"app": "affirm-parser"}
    with webhook(installation.cluster, installation.namespace, now_and_then, "jobs", labels):
        async with controller(installation, installation.cluster.kubeconfig, tmp_path) as (reconciler, _):
            await ticking_until(reconciler, installation, FINISHED, seconds=200)
    assert counts["asked"] > len(submitted)
    assert_completed(installation, submitted)
    assert not installation.query("select 1 from pools where blocked_since is not null")


async def test_a_webhook_that_is_not_there_is_told_for_as_long(controllers_away: Installation, tmp_path: Path) -> None:
    """Its server is down, and the failure policy is Fail. More jobs wait than are launched at the same time."""
    installation = controllers_away
    submitted = installation.submit_small(tmp_path, 3)
    labels = {"app": "affirm-parser"}
    with webhook(installation.cluster, installation.namespace, _allow, "jobs", labels) as hook:
        nobody = f"https://{installation.cluster.host_address}:9/asked"
        url = json.dumps([{"op": "replace", "path": "/webhooks/0/clientConfig/url", "value": nobody}])
        kind = "mutatingwebhookconfigurations"
        installation.cluster.kubectl("patch", kind, hook.name, "--type=json", "-p", url)
        async with controller(installation, installation.cluster.kubeconfig, tmp_path) as (reconciler, _):
            await ticking_until(reconciler, installation, UNANSWERED)
            began = time.monotonic()
            while time.monotonic() - began < 3:
                await reconciler.tick_safely()
            text = told(installation, submitted)
            held = installation.query("select 1 from runs where released_at is null")
            installation.cluster.kubectl("delete", kind, hook.name)
            await ticking_until(reconciler, installation, FINISHED, seconds=200)
    assert FAILED in text
    assert "connection refused" in text
    assert 0 < len(held) <= MAXIMUM
    assert_completed(installation, submitted)
