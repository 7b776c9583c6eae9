"""The chart asks for no right that the controller does not use, shows no secret, and its pods are restricted."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from controller.launchers.kubernetes.api import KubernetesApi
from controller.launchers.kubernetes.rights import MAKES_POOL, RIGHTS, Right
from controller.operator import Watcher
from controller.pools.resource import PoolRefused, read_pool
from controller.pools.runner_pod import job_manifest
from controller.pools.spec import PoolSpec
from controller.runner_config import read_runner_config
from dataset_jobs.model.keys import RunKey
from tests.unit import chart

EVERY = pytest.mark.parametrize(
    "values", [chart.LEAST, chart.EVERYTHING, chart.LOCAL], ids=["least", "everything", "local"]
)
CLUSTER_WIDE = ["ClusterRole", "ClusterRole", "CustomResourceDefinition"]
KINDS = [
    *("ConfigMap", *CLUSTER_WIDE, "Deployment", "PodDisruptionBudget"),
    *("Role", "RoleBinding", "ServiceAccount", "ServiceAccount"),
]

CONTEXTS = ("podSecurityContext", "securityContext")

# The volume types that the restricted profile of the Pod Security Standards allows.
ALLOWED_VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
}


@EVERY
def test_no_secret_is_rendered_and_outside_the_namespace_only_the_custom_resource(values: str) -> None:
    """With the roles of those who use it."""
    rendered = chart.objects(values)
    monitored = ["PodMonitor"] if values == chart.EVERYTHING else []
    assert sorted(found["kind"] for found in rendered) == sorted([*KINDS, *monitored])
    namespaced = [found for found in rendered if found["kind"] not in CLUSTER_WIDE]
    assert {found["metadata"]["namespace"] for found in namespaced} == {"affirm-worker"}


@EVERY
def test_the_controllers_pod_is_restricted(values: str) -> None:
    assert [*_violations(chart.controller_pod(values))] == []


@EVERY
def test_runner_pods_are_restricted_and_have_no_token(values: str, tmp_path: Path) -> None:
    pod = _runner_pod(values, tmp_path)
    assert [*_violations(pod)] == []
    assert pod["automountServiceAccountToken"] is False


def test_openshift_chooses_the_user_of_every_pod(tmp_path: Path) -> None:
    """The SCC restricted-v2 refuses a user or group that is not of the namespace's range, and sets its own."""
    values = (chart.CHART / "openshift.yaml").read_text() + chart.LEAST
    for pod in (chart.controller_pod(values), _runner_pod(values, tmp_path)):
        assert [*_violations(pod | {"securityContext": pod["securityContext"] | {"runAsUser": 1000650000}})] == []
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & {*pod["securityContext"]}


_UNKNOWN_TO_OLDER_CHARTS = [
    *(f"{of}: {{{context}: null}}" for of in ("controller", "runner") for context in CONTEXTS),
    "runner: {allowed: null}",
    "runner: {memoryCeiling: null}",
    "database: {schema: null, runnerUrlKey: '', ownerUrlKey: null, apiUrlKey: null, caSecret: null, caKey: null}",
    "pool: {maxPending: null}",
    "worker: {startDeadline: null, retention: null}",
    "limits: null",
    "crds: {aggregateRoles: null}",
    "crds: null",
    "metrics: null",
    "bundled: null",
    "pool: {parserPool: null}",
    "api: null",
]


@pytest.mark.parametrize("values", _UNKNOWN_TO_OLDER_CHARTS)
def test_values_of_an_older_chart_make_the_same_pods(values: str, tmp_path: Path) -> None:
    """An upgrade by `helm upgrade --reuse-values` leaves a newer key without a value, even without its default."""
    reused = f"{chart.LEAST}\n{values}"
    runner = _runner_pod(reused, tmp_path)
    for pod in (chart.controller_pod(reused), runner):
        assert [*_violations(pod)] == []
    assert runner["containers"][0]["resources"] == _runner_pod(chart.LEAST, tmp_path)["containers"][0]["resources"]


def test_a_ca_has_its_key_with_values_of_an_older_chart() -> None:
    volumes = chart.controller_pod(f"{chart.LEAST}\ndatabase: {{caSecret: ca, caKey: null}}")["volumes"]
    [ca] = [volume["secret"] for volume in volumes if volume["name"] == "database-ca"]
    assert ca == {"secretName": "ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}


@pytest.mark.parametrize("of", ["controller", "runner"])
def test_security_contexts_are_what_the_values_say(of: str, tmp_path: Path) -> None:
    values = f"""
{chart.LEAST}
{of}:
  podSecurityContext: {{runAsUser: 1000650000, fsGroup: null, supplementalGroups: [7]}}
  securityContext: {{readOnlyRootFilesystem: null, capabilities: null, runAsNonRoot: true}}
"""
    pods = {"controller": chart.controller_pod(values), "runner": _runner_pod(values, tmp_path)}
    changed = pods.pop(of)
    [unchanged] = pods.values()
    context = changed["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["supplementalGroups"]) == (1000650000, 65532, [7])
    assert "fsGroup" not in context
    for container in (*changed.get("initContainers", ()), *changed["containers"]):
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "runAsNonRoot": True}
    assert [*_violations(unchanged)] == []


@pytest.mark.parametrize(
    "broken",
    [
        {"hostNetwork": True},
        {"securityContext": {}},
        {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]},
        {"containers": [{"name": "bare"}]},
    ],
)
def test_the_check_sees_what_is_not_restricted(broken: dict[str, Any]) -> None:
    assert [*_violations(chart.controller_pod() | broken)]


@EVERY
def test_only_the_controllers_pod_has_a_service_account_token(values: str) -> None:
    accounts = [found for found in chart.objects(values) if found["kind"] == "ServiceAccount"]
    assert [account["automountServiceAccountToken"] for account in accounts] == [False, False]
    names = {account["metadata"]["name"] for account in accounts}
    used = {chart.controller_pod(values)["serviceAccountName"], chart.runner_config(values)["serviceAccountName"]}
    assert used == names
    [subject] = chart.only("RoleBinding", values)["subjects"]
    assert subject["name"] == chart.controller_pod(values)["serviceAccountName"]


@pytest.mark.parametrize("name", ["", "default"])
def test_no_role_is_bound_to_the_account_of_every_pod(name: str) -> None:
    values = f"{chart.LEAST}\nserviceAccount: {{create: false, name: '{name}'}}"
    with pytest.raises(chart.Refused, match=r"serviceAccount\.name is needed with serviceAccount.create false"):
        chart.text(values)


def test_an_existing_account_is_bound_by_its_name() -> None:
    values = f"{chart.LEAST}\nserviceAccount: {{create: false, name: mine}}"
    [subject] = chart.only("RoleBinding", values)["subjects"]
    assert (subject["name"], chart.controller_pod(values)["serviceAccountName"]) == ("mine", "mine")
    [account] = [found for found in chart.objects(values) if found["kind"] == "ServiceAccount"]
    assert account["metadata"]["name"] == "affirm-worker-runner"


def test_who_may_edit_a_namespace_may_edit_its_parser_pools() -> None:
    """But nobody's status: the controller takes the template in force from there."""
    view, edit = (found for found in chart.objects() if found["kind"] == "ClusterRole")
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    assert view["metadata"]["labels"][f"{prefix}view"] == edit["metadata"]["labels"][f"{prefix}edit"] == "true"
    assert {verb for rule in view["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert {resource for rule in edit["rules"] for resource in rule["resources"]} == {
        "parserpools",
        "parserpools/scale",
    }
    for off in ("{aggregateRoles: false}", "{install: false}"):
        assert not [found for found in chart.objects(f"{chart.LEAST}\ncrds: {off}") if found["kind"] == "ClusterRole"]


def test_pods_of_a_pool_may_use_what_the_values_allow(tmp_path: Path) -> None:
    allowed = "runner: {allowed: {secrets: [proxy], serviceAccounts: [reader]}}"
    asking = {"podTemplate": {"spec": {"serviceAccountName": "reader", "imagePullSecrets": [{"name": "proxy"}]}}}
    file = tmp_path / "runner.json"
    for values in (chart.LEAST, f"{chart.LEAST}\n{allowed}"):
        file.write_text(chart.only("ConfigMap", values)["data"]["runner.json"])
        base = PoolSpec("default", template=read_runner_config(file))
        refused = None
        try:
            read_pool("large", asking, 1, base)
        except PoolRefused as error:
            refused = error
        assert (refused is None) == (values != chart.LEAST)


@EVERY
def test_no_pool_gets_the_controllers_url_or_account(values: str, tmp_path: Path) -> None:
    file = tmp_path / "runner.json"
    file.write_text(chart.only("ConfigMap", values)["data"]["runner.json"])
    base = PoolSpec("default", template=read_runner_config(file))
    secret = "names-database" if values == chart.EVERYTHING else "affirm-worker"
    for asking in (
        {"serviceAccountName": chart.controller_pod(values)["serviceAccountName"]},
        {"containers": [{"name": "parser-runner", "envFrom": [{"secretRef": {"name": secret}}]}]},
        {"volumes": [{"name": "x", "secret": {"secretName": secret}}]},
    ):
        with pytest.raises(PoolRefused):
            read_pool("large", {"podTemplate": {"spec": asking}}, 1, base)
    assert read_pool("large", {}, 1, base)


@pytest.mark.parametrize(("values", "more"), [(chart.LEAST, []), ("", [MAKES_POOL])])
def test_the_role_grants_the_rights_that_doctor_asks_for(values: str, more: list[Right]) -> None:
    """And the one to make the first ParserPool, where the controller makes it."""
    granted = {
        Right(group, resource, tuple(rule["verbs"]))
        for rule in chart.only("Role", values)["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert granted == {*RIGHTS, *more}


async def test_the_role_grants_what_launcher_and_watcher_ask_for_and_no_more() -> None:
    """Where the controller makes the first ParserPool."""
    asked: set[tuple[str, str, str]] = set()
    async with _recording(asked) as configuration:
        await _call_everything(KubernetesApi(configuration, "affirm-worker"))
        watcher = Watcher(
            configuration,
            "affirm-worker",
            uuid4(),
            lambda thing, deleted: None,
            lambda deleted, resource: None,
        )
        watcher.start()
        async with asyncio.timeout(100):
            watched = [("batch", "jobs"), ("", "pods"), ("affirm.dev", "parserpools")]
            while not {(*one, "watch") for one in watched} <= asked:
                await asyncio.sleep(0.02)
            watcher.stop()
            while watcher.alive():
                await asyncio.sleep(0.02)
    granted = {
        (group, resource, verb)
        for rule in chart.only("Role", "")["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert asked == granted


async def _call_everything(api: KubernetesApi) -> None:
    """Each public method once; a new one has to be added here."""
    calls = {
        "create_job": api.create_job({}),
        "get_job": api.get_job("a"),
        "list_jobs": api.list_jobs("a=b"),
        "list_pods": api.list_pods("a=b"),
        "list_events": api.list_events("Job", "FailedCreate"),
        "set_job_ttl": api.set_job_ttl("a", 1),
        "delete_job": api.delete_job("a"),
        "create_event": api.create_event({}),
        "try_job": api.try_job({}),
        "list_parser_pools": api.list_parser_pools(),
        "create_parser_pool": api.create_parser_pool({}),
        "parser_pool_fields": api.parser_pool_fields(),
        "set_parser_pool_status": api.set_parser_pool_status("a", {}),
    }
    try:
        assert {name for name in vars(KubernetesApi) if not name.startswith("_")} == {*calls, "close"}
        for call in calls.values():
            await call
    finally:
        for call in calls.values():
            call.close()
        await api.close()


@asynccontextmanager
async def _recording(asked: set[tuple[str, str, str]]) -> AsyncIterator[Configuration]:
    """An API server that answers anything, and notes each request as RBAC sees it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path in _DISCOVERY:
            return web.json_response(_DISCOVERY[request.path])
        asked.add(_as_rbac(request))
        if request.query.get("watch"):
            stream = web.StreamResponse()
            await stream.prepare(request)
            await stopping.wait()
            return stream
        return web.json_response(
            {"kind": "List", "metadata": {"name": "a", "uid": "a", "resourceVersion": "1"}, "items": []}
        )

    stopping = asyncio.Event()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        stopping.set()
        await runner.cleanup()


def _resource(name: str, kind: str, namespaced: bool = True) -> dict[str, Any]:
    verbs = ["create", "delete", "get", "list", "patch", "watch"]
    return {"name": name, "singularName": "", "kind": kind, "namespaced": namespaced, "verbs": verbs}


def _group(name: str) -> dict[str, Any]:
    return {"name": name, "preferredVersion": {"version": "v1"}, "versions": [{"version": "v1"}]}


# What every service account may read.
_DISCOVERY: dict[str, dict[str, Any]] = {
    "/version": {"major": "1", "minor": "34"},
    "/api": {"versions": ["v1"]},
    "/api/v1": {"resources": [_resource("pods", "Pod"), _resource("namespaces", "Namespace", namespaced=False)]},
    "/apis": {"groups": [_group("batch"), _group("affirm.dev")]},
    "/openapi/v3/apis/affirm.dev/v1": {"components": {"schemas": {}}},
    "/apis/batch/v1": {"resources": [_resource("jobs", "Job")]},
    "/apis/affirm.dev/v1": {"resources": [_resource("parserpools", "ParserPool")]},
}


def _as_rbac(request: web.Request) -> tuple[str, str, str]:
    """Group, resource and verb of a request; outside the namespace, its whole path as the resource."""
    path = re.fullmatch(r"/(?:api|apis/(?P<group>[\w.]+))/v1/namespaces/affirm-worker/(?P<rest>.+)", request.path)
    if path is None:
        return "", request.path, request.method.lower()
    resource, _, rest = path["rest"].partition("/")
    name, _, part = rest.partition("/")
    resource = f"{resource}/{part}" if part else resource
    if request.method == "GET":
        verb = "watch" if request.query.get("watch") else "get" if name else "list"
    else:
        verb = {"POST": "create", "PATCH": "patch", "DELETE": "delete", "PUT": "update"}[request.method]
    return path["group"] or "", resource, verb


def _runner_pod(values: str, folder: Path) -> dict[str, Any]:
    """The PodSpec that the controller makes of its configuration."""
    (folder / "runner.json").write_text(chart.only("ConfigMap", values)["data"]["runner.json"])
    template = read_runner_config(folder / "runner.json")
    manifest = job_manifest(RunKey(uuid4(), 1), uuid4(), "default", uuid4(), template)
    spec: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return spec


def _violations(pod: dict[str, Any]) -> Iterator[str]:
    """What the restricted profile of the Pod Security Standards refuses, and a root file system that is not read-only.

    Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    context = pod.get("securityContext", {})
    yield from (name for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name))
    yield from (name for name in ("sysctls", "seLinuxOptions", "windowsOptions") if context.get(name))
    if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile"
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        yield "the pod may run as root"
    for volume in pod.get("volumes", ()):
        if not {*volume} - {"name"} <= ALLOWED_VOLUMES:
            yield f"volume {volume['name']}"
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        yield from (f"{container['name']}: {fault}" for fault in _container_violations(container))


def _container_violations(container: dict[str, Any]) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if context.get("capabilities") != {"drop": ["ALL"]}:
        yield "capabilities"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem"
    # All else is the pod's to say.
    yield from {*context} - {"allowPrivilegeEscalation", "capabilities", "readOnlyRootFilesystem"}
    yield from ("hostPort" for port in container.get("ports", ()) if port.get("hostPort"))
