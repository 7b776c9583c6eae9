"""A cluster that takes nothing from the controller, and images that are no runner: told, healed, and no budget used."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.pools.runner_pod import CONTAINER
from tests.cluster import Cluster, images
from tests.e2e.controllers import BLOCKED, FINISHED, assert_completed, controller, ticking_until, told
from tests.e2e.installation import RELEASE, Installation
from tests.e2e.loads import copy_held_up

# kopf leaves its connections to the garbage collector where an error has ended it.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")


def entry_point(*command: str) -> dict[str, Any]:
    """A pod template whose container is started so."""
    return {"pod_template": {"spec": {"containers": [{"name": CONTAINER, "command": [*command]}]}}}


@pytest.fixture(scope="module")
def other_image(cluster: Cluster) -> str:
    """The runner's image of a later version, and a program of no known kind."""
    return images.load(cluster, images.OTHER_RUNNER)


OTHER = images.OTHER_RUNNER.tag
LATER = 9999
"""The schema version that it is for."""

NO_RUNNERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "of another version": (
        {"image": OTHER}, "image",
        f"(schema {LATER}), but the controller of version",
    ),
    "that ends by itself": (
        entry_point("python3", "-c", "raise SystemExit(1)"), "image",
        "the container took no run and left no word: it ended with exit code 1",
    ),
    "that has another program": (entry_point("/no/such/program"), "config", "no such file or directory"),
    "that may not be executed": (entry_point("/etc/passwd"), "config", "permission denied"),
    "of another kind of machine": (
        {"image": OTHER} | entry_point("/program"),
        "", "exec format error",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_RUNNERS)
async def test_an_image_that_is_no_runner_of_ours_uses_no_attempt(
    controllers_away: Installation, other_image: str, tmp_path: Path, case: str
) -> None:
    installation = controllers_away
    how, reason, error = NO_RUNNERS[case]
    submitted = installation.submit_small(tmp_path)
    blocked, kubeconfig = "select 1 from pools where blocked_since is not null", installation.cluster.kubeconfig
    ended = f"{blocked} and exists (select 1 from runs where job_id = %s and cause is not null)"
    async with controller(installation, kubeconfig, tmp_path, **how) as (reconciler, _):
        await ticking_until(reconciler, installation, ended, submitted[0]["job_id"])
        text = told(installation, submitted)
    async with controller(installation, kubeconfig, tmp_path) as (reconciler, _):
        await ticking_until(reconciler, installation, FINISHED)
    assert f"cannot_start ({reason}" in text
    assert error in text or not reason, text
    assert_completed(installation, submitted)


@contextmanager
def without(installation: Installation, kind: str, name: str) -> Iterator[None]:
    """Takes an object away for a while."""
    made = json.loads(installation.kubectl("get", kind, name, "-o", "json"))
    made["metadata"] = {key: made["metadata"][key] for key in ("name", "namespace", "labels")}
    installation.kubectl("delete", kind, name)
    try:
        yield
    finally:
        installation.cluster.apply(made)


def test_rights_that_are_taken_away_are_told_until_they_are_back(
    controllers_away: Installation, tmp_path: Path
) -> None:
    """The installed controller, in its pod, with its own service account."""
    installation = controllers_away
    # As if no controller had worked for a while.
    installation.query("update runs set launched_at = launched_at - interval '2 minutes'")
    installation.scale_controller(1)
    try:
        with without(installation, "rolebinding", RELEASE):
            submitted = installation.submit_small(tmp_path)
            installation.until(BLOCKED, "refused")
            status = installation.cli("status").stdout
        installation.until_finished(submitted)
        installation.until("select 1 from pools where blocked_since is null")
        role = json.loads(installation.kubectl("get", "role", RELEASE, "-o", "json"))
        verbs = role["rules"][0]["verbs"]
        change = '[{"op": "replace", "path": "/rules/0/verbs", "value": %s}]'
        fewer = json.dumps([verb for verb in verbs if verb != "create"])
        installation.kubectl("patch", "role", RELEASE, "--type=json", "-p", change % fewer)
        submitted += installation.submit_small(tmp_path)
        installation.until(BLOCKED, "refused")
        text = told(installation, submitted[1:])
        installation.kubectl("patch", "role", RELEASE, "--type=json", "-p", change % json.dumps(verbs))
        installation.until_finished(submitted)
    finally:
        installation.scale_controller(0)
    who = f'User "system:serviceaccount:{installation.namespace}:{RELEASE}" cannot'
    assert "cannot_start (refused): Kubernetes API: 403:" in status
    assert f"is forbidden: {who}" in status
    assert f"jobs.batch is forbidden: {who} create resource" in text
    assert "give it to the controller's service account (rbac.create of the chart)" in text
    assert_completed(installation, submitted)


@contextmanager
def dying_namespace(installation: Installation) -> Iterator[str]:
    """A namespace with all that runners need, whose deletion hangs on a finalizer until this ends."""
    with installation.cluster.namespace("affirm-dying") as name:
        kinds = "secrets,configmaps,serviceaccounts"
        items = json.loads(installation.kubectl("get", kinds, "-o", "json"))["items"]
        made = []
        for item in items:
            if item["metadata"]["name"] not in ("default", "kube-root-ca.crt") and "helm.sh" not in item.get(
                "type", ""
            ):
                item["metadata"] = {"name": item["metadata"]["name"], "namespace": name}
                made.append(item)
        metadata = {"name": "stays", "namespace": name, "finalizers": ["affirm.test/stays"]}
        installation.cluster.apply(*made, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
        try:
            yield name
        finally:
            gone = '[{"op": "remove", "path": "/metadata/finalizers"}]'
            installation.cluster.kubectl(
                "patch", "configmap", "stays", "-n", name, "--type=json", "-p", gone, check=False
            )


async def test_a_namespace_that_is_deleted_takes_no_budget_but_one_interruption(
    controllers_away: Installation, tmp_path: Path
) -> None:
    installation = controllers_away
    kubectl, kubeconfig = installation.cluster.kubectl, installation.cluster.kubeconfig
    [year] = installation.new_years(1)
    file = tmp_path / f"yob{year}.txt"
    file.write_text(f"Mary,F,{year}\n")
    submitted = installation.submit(file)
    with dying_namespace(installation) as namespace:
        async with controller(installation, kubeconfig, tmp_path, namespace=namespace) as (reconciler, _):
            with copy_held_up(installation, submitted[0]["dataset_id"], year, "Mary"):
                await ticking_until(
                    reconciler, installation, "select 1 from runs where bytes_done > 0 and ended_at is null"
                )
                kubectl("delete", "namespace", namespace, "--wait=false")
                await ticking_until(reconciler, installation, BLOCKED, "refused")
            text = told(installation, submitted)
            for _ in range(8):
                await ticking_until(reconciler, installation, "select 1")
                installation.query("update jobs set run_at = now() where state = 'scheduled'")
                installation.query("update pools set probe_at = now() where blocked_since is not null")
                await reconciler.tick_safely()
            [job] = installation.query("select * from jobs where id = %s", submitted[0]["job_id"])
            assert (job["attempts"], job["interruptions"]) == (0, 1)
            assert job["give_backs"] > 3
    async with controller(installation, kubeconfig, tmp_path, namespace=namespace) as (reconciler, _):
        installation.cluster.wait(lambda: kubectl("get", "ns", namespace, "--ignore-not-found") == "", "its end")
        before = len(installation.query("select 1 from runs"))
        await ticking_until(reconciler, installation, "select 1 where (select count(*) from runs) > %s + 1", before)
        gone = told(installation, submitted)
    async with controller(installation, kubeconfig, tmp_path) as (reconciler, _):
        await ticking_until(reconciler, installation, FINISHED)
    assert f"unable to create new content in namespace {namespace} because it is being terminated" in text
    assert "A namespace that is being terminated: install in another one." in text
    assert f'namespaces "{namespace}" not found' in gone
    [job] = installation.query("select * from jobs where id = %s", submitted[0]["job_id"])
    assert (job["state"], job["attempts"], job["interruptions"]) == ("completed", 0, 1)
