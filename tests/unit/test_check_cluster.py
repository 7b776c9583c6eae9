"""Checks of a cluster: what is wrong with it, and what puts that right."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from kubernetes.aio.client import Configuration

from controller.check_cluster import check_cluster
from controller.launchers.interface import ClusterSilent
from controller.launchers.kubernetes.inspection import KubernetesInspection
from controller.launchers.kubernetes.rights import RIGHTS
from controller.pools.runner_pod import RunnerTemplate
from dataset_jobs.model.limits import Limits
from services.checks.findings import Finding, Verdict, worst
from tests.servers.kubernetes_namespace import FakeNamespace, serving

RESOURCES = {"requests": {"cpu": "10m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}
TEMPLATE = RunnerTemplate(image="registry.example/affirm-parser-runner:0.1.0", resources=RESOURCES)
CONTROLLER = {(verb, right.group, right.resource) for right in RIGHTS for verb in right.verbs}


@pytest.fixture
async def namespace() -> AsyncIterator[FakeNamespace]:
    made = FakeNamespace()
    async with serving(made):
        yield made


async def look(
    namespace: FakeNamespace, template: RunnerTemplate | None = TEMPLATE, stranger: bool = False
) -> list[Finding]:
    configuration = Configuration(host=namespace.url)
    if stranger:
        configuration.api_key = {"BearerToken": "Bearer stranger"}
    inspection = KubernetesInspection(configuration, namespace.name, 5)
    try:
        return await check_cluster(inspection, template, Limits(workbook_memory_mib=1))
    finally:
        await inspection.close()


def bad(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.verdict not in (Verdict.OK, Verdict.SKIPPED)]


async def test_a_good_cluster_is_ok(namespace: FakeNamespace) -> None:
    found = await look(namespace)
    assert worst(found) is Verdict.OK
    assert [one.says for one in found] == [
        "Kubernetes 1.34, namespace names, as admin",
        "all 13 rights of a controller",
        "ParserPools are known, with all fields of this version",
        "runner's image registry.example/affirm-parser-runner:0.1.0, by its tag",
        "the runner's Job and pod would be accepted",
    ]
    assert namespace.created == []


async def test_a_controllers_own_rights_are_enough(namespace: FakeNamespace) -> None:
    namespace.granted = CONTROLLER
    found = await look(namespace, stranger=True)
    assert worst(found) is Verdict.OK
    assert found[-1].says == "the runner's Job would be accepted; its pod cannot be tried with these rights"


async def test_rights_that_are_missing_are_granted_by_the_fix(namespace: FakeNamespace) -> None:
    namespace.granted = CONTROLLER - {("patch", "batch", "jobs"), ("patch", "affirm.dev", "parserpools/status")}
    [finding] = bad(await look(namespace, stranger=True))
    assert finding.says == "rights of a controller are missing: patch jobs; patch parserpools/status"
    assert [fix.shell for fix in finding.fixes] == [
        "kubectl -n names create role affirm-worker-jobs --verb=patch --resource=jobs.batch",
        "kubectl -n names create rolebinding affirm-worker-jobs --role=affirm-worker-jobs"
        " --serviceaccount=names:stranger",
        "kubectl -n names create role affirm-worker-parserpools-status --verb=patch"
        " --resource=parserpools.affirm.dev/status",
        "kubectl -n names create rolebinding affirm-worker-parserpools-status --role=affirm-worker-parserpools-status"
        " --serviceaccount=names:stranger",
    ]


async def test_without_rights_the_job_is_not_tried(namespace: FakeNamespace) -> None:
    found = await look(namespace, stranger=True)
    assert found[-1].says == "the runner's Job cannot be tried without the right to create jobs"


async def test_an_old_kubernetes_is_wrong(namespace: FakeNamespace) -> None:
    namespace.minor = "28+"
    [finding] = bad(await look(namespace))
    assert "too old, 1.29 or later is needed" in finding.says


@pytest.mark.parametrize("stranger", [False, True])
async def test_parser_pools_that_are_unknown_are_a_warning(namespace: FakeNamespace, stranger: bool) -> None:
    namespace.custom_resource, namespace.granted = None, CONTROLLER
    [finding] = bad(await look(namespace, stranger=stranger))
    assert (finding.verdict, "does not know ParserPools" in finding.says) == (Verdict.WARNING, True)
    assert finding.fixes[0].shell == "kubectl apply --server-side -f charts/affirm-worker/files/parserpools.yaml"


async def test_parser_pools_of_an_older_version_are_a_warning(namespace: FakeNamespace) -> None:
    assert namespace.custom_resource is not None
    schema = namespace.custom_resource["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    del schema["properties"]["spec"]["properties"]["retention"]
    [finding] = bad(await look(namespace))
    assert "of an older version, without retention" in finding.says


async def test_a_parser_pool_that_nobody_heeds_is_a_warning(namespace: FakeNamespace) -> None:
    metadata = {"name": "nightly", "generation": 2}
    heeded = {"metadata": metadata | {"name": "heeded"}, "spec": {}, "status": {"observedGeneration": 2}}
    namespace.parser_pools = [{"metadata": metadata, "spec": {"controller": "gone"}}, heeded]
    namespace.granted = CONTROLLER
    for stranger in (False, True):
        [finding] = bad(await look(namespace, stranger=stranger))
        assert finding.says.startswith("no controller heeds ParserPool nightly: it names gone")


async def test_a_service_account_that_is_missing_is_made_by_the_fix(namespace: FakeNamespace) -> None:
    [finding] = bad(await look(namespace, RunnerTemplate("r/a:1", service_account_name="runner", resources=RESOURCES)))
    assert finding.fixes[0].shell == "kubectl -n names create serviceaccount runner"
    namespace.accounts.add("runner")
    template = RunnerTemplate("r/a:1", service_account_name="runner", resources=RESOURCES)
    assert bad(await look(namespace, template)) == []


@pytest.mark.parametrize("image", ["registry.example:5000/runner", "runner:latest"])
async def test_an_image_without_a_version_is_a_warning(namespace: FakeNamespace, image: str) -> None:
    [finding] = bad(await look(namespace, RunnerTemplate(image, resources=RESOURCES)))
    assert (finding.verdict, image in finding.says) == (Verdict.WARNING, True)


@pytest.mark.parametrize(
    ("hard", "verdict", "says", "patched"),
    [
        ({"limits.memory": "256Mi"}, "wrong", "limits.memory 0 of 256Mi", '"limits.memory": "512Mi"'),
        ({"requests.cpu": "5m"}, "wrong", "requests.cpu 0 of 5m", '"requests.cpu": "10m"'),
        ({"count/jobs.batch": "0"}, "wrong", "count/jobs.batch 0 of 0", '"count/jobs.batch": "1"'),
        ({"requests.storage": "1Gi"}, None, "", ""),
    ],
)
async def test_room_in_quotas_is_compared_with_one_run(
    namespace: FakeNamespace, hard: dict[str, str], verdict: str | None, says: str, patched: str
) -> None:
    namespace.quotas["q"] = hard
    found = bad(await look(namespace))
    assert [str(one.verdict) for one in found] == ([verdict] if verdict else [])
    for one in found:
        assert says in one.says
        assert one.fixes[0].shell.startswith("kubectl -n names patch resourcequota q --type merge -p '")
        assert patched in one.fixes[0].shell


async def test_a_quota_that_wants_a_value_that_runners_lack_is_wrong(namespace: FakeNamespace) -> None:
    namespace.quotas["q"] = {"limits.cpu": "4"}
    [finding] = bad(await look(namespace, RunnerTemplate("r/a:1", resources={"limits": {"memory": "1Gi"}})))
    assert "wants limits.cpu of every pod, and runners name none" in finding.says


async def test_a_job_that_would_be_refused_is_wrong(namespace: FakeNamespace) -> None:
    namespace.refused = "admission webhook says no"
    [finding] = bad(await look(namespace))
    assert "the runner's Job would be refused: Kubernetes API: 403: admission webhook says no" in finding.says


async def test_without_a_template_the_rest_is_looked_at(namespace: FakeNamespace) -> None:
    found = await look(namespace, None)
    assert found[-1].verdict is Verdict.SKIPPED and bad(found) == []


async def test_a_silent_cluster_is_an_error(namespace: FakeNamespace) -> None:
    namespace.url = "http://127.0.0.1:9"
    with pytest.raises(ClusterSilent):
        await look(namespace)


@pytest.mark.parametrize(("memory", "warns"), [("256Mi", False), ("128Mi", True)])
async def test_a_runners_memory_is_compared_with_a_workbooks(
    namespace: FakeNamespace, memory: str, warns: bool
) -> None:
    found = bad(await look(namespace, RunnerTemplate("r/a:1", resources={"limits": {"memory": memory, "cpu": "1"}})))
    assert ["may need 129Mi" in one.says for one in found] == [True] * warns


async def test_keys_of_a_newer_chart_are_a_warning(namespace: FakeNamespace) -> None:
    [finding] = bad(await look(namespace, replace(TEMPLATE, unknown=("runtimeClassName",))))
    assert (finding.verdict, "does not know: runtimeClassName." in finding.says) == (Verdict.WARNING, True)
