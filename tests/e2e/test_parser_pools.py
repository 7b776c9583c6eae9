"""ParserPools on a real cluster, as the one who runs it sees them: kubectl in, kubectl out."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Cluster
from tests.e2e.installation import RELEASE, Installation, Servers, beside, installed
from tests.e2e.side_by_side import Outcomes, side_by_side

SLOWLY = {"command": ["sh", "-c", 'sleep 6; exec parser-runner "$@"', "--"]}
"""A runner that takes its time: what a pod template may do, and what it must not break."""


@pytest.fixture(scope="module")
def pools(cluster: Cluster, servers: Servers, product_images: str) -> Iterator[Installation]:
    """An installation of its own, and the ParserPool `default` of its release."""
    with installed(cluster, servers, product_images, "pools", r"worker.retryWaits=0s") as made:
        apply(made, "default")
        until(made, lambda: ready(made, "default") == ("True", "Serving"), "default to be served")
        yield made


def apply(installation: Installation, pool: str, controller: str = RELEASE, **spec: Any) -> None:
    """`kubectl apply` of a ParserPool."""
    metadata = {"name": pool, "namespace": installation.namespace}
    spec = {"controller": controller, **spec}
    made = {"apiVersion": "affirm.dev/v1", "kind": "ParserPool", "metadata": metadata, "spec": spec}
    installation.cluster.kubectl("apply", "-f", "-", input=json.dumps(made))


def get(installation: Installation, pool: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(installation.kubectl("get", "pp", pool, "-o", "json"))
    return found


def condition(installation: Installation, pool: str, kind: str) -> dict[str, Any]:
    """One condition, if it is about the newest generation; else nothing."""
    found = get(installation, pool)
    for one in found.get("status", {}).get("conditions", ()):
        if one["type"] == kind and one["observedGeneration"] == found["metadata"]["generation"]:
            return {**one}
    return {"status": None, "reason": None, "message": ""}


def ready(installation: Installation, pool: str) -> tuple[str, str]:
    one = condition(installation, pool, "Ready")
    return one["status"], one["reason"]


def until(installation: Installation, holds: Callable[[], bool], what: str, seconds: float = 100) -> None:
    installation.cluster.wait(holds, what, seconds)


def submit(installation: Installation, folder: Path, pool: str, *years: int) -> list[dict[str, Any]]:
    """Submits one small file a year to a pool."""
    files = [folder / f"yob{year}.txt" for year in years]
    for path in files:
        path.write_text(f"Mary,F,{path.name[3:7]}\r\n")
    into = replace(installation, environment={**installation.environment, "POOL": pool})
    return into.submit(*files)


def runner_of(installation: Installation, submitted: dict[str, Any]) -> dict[str, Any]:
    """The Kubernetes Job of a submission."""
    [job] = [
        job
        for job in installation.runner_jobs()
        if job["metadata"]["labels"]["affirm.dev/job-id"] == submitted["job_id"]
    ]
    return job


def states(jobs: list[dict[str, Any]]) -> set[tuple[str, int, int]]:
    return {(job["state"], job["attempts"], job["interruptions"]) for job in jobs}


def test_kubectl_shows_a_pool_in_one_line_and_scale_sets_its_maximum(pools: Installation) -> None:
    header, line = pools.kubectl("get", "pp", "default").splitlines()
    assert header.split() == [
        *("NAME", "QUEUED", "SCHEDULED", "RUNNING", "PENDING", "DESIRED", "MAX", "OLDEST", "WAIT", "STATE", "AGE"),
    ]
    assert line.split()[:5] == ["default", "0", "0", "0", "0"]
    pools.kubectl("scale", "pp", "default", "--replicas=7")
    pools.until("select 1 from pools where name = 'default' and max_running = 7")
    assert pools.kubectl("get", "pp", "default").splitlines()[1].split()[6] == "7"
    pools.kubectl("wait", "pp/default", "--for=condition=Ready", "--timeout=100s")


def each_runs_its_own(pools: Installation, folder: Path) -> None:
    apply(
        pools, "large",
        runner={
            "labels": {"size": "large"},
            "env": [{"name": "LOG_LEVEL", "value": "DEBUG"}],
            "resources": {"limits": {"memory": "300Mi"}},
            "memoryCeiling": "600Mi",
        },
        podTemplate={
            "metadata": {"annotations": {"karpenter.sh/do-not-disrupt": "false", "note": "large"}},
            "spec": {
                "terminationGracePeriodSeconds": 7,
                "containers": [{"name": "parser-runner", "resources": {"requests": {"cpu": "60m"}}}],
                "initContainers": [{
                    "name": "beside", "image": runner_image(pools), "restartPolicy": "Always",
                    "command": ["sleep", "3600"],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }],
            },
        },
    )  # fmt: skip
    pools.until("select 1 from pools where name = 'large'")
    [ours] = submit(pools, folder, "large", 2001)
    [plain] = submit(pools, folder, "default", 2002)
    assert states(pools.until_finished([ours, plain])) == {("completed", 0, 0)}
    large, small = runner_of(pools, ours), runner_of(pools, plain)
    assert large["metadata"]["labels"]["affirm.dev/pool"] == "large"
    assert large["metadata"]["labels"]["size"] == "large"
    template = large["spec"]["template"]
    [container] = template["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == "300Mi"
    assert container["resources"]["requests"]["cpu"] == "60m"
    assert {"name": "LOG_LEVEL", "value": "DEBUG"} in container["env"]
    assert template["spec"]["terminationGracePeriodSeconds"] == 7
    assert template["metadata"]["annotations"]["note"] == "large"
    assert template["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"] == "false"
    assert small["metadata"]["labels"]["affirm.dev/pool"] == "default"
    assert "size" not in small["metadata"]["labels"]
    pools.kubectl("delete", "pp", "large", "--timeout=100s")


# A template that is refused, and the path of what is wrong in it.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "hostAliases": (
        {"podTemplate": {"spec": {"hostAliases": [{"ip": "nowhere"}]}}},
        "spec.podTemplate.spec.hostAliases[0].ip",
    ),
    "imagee": (
        {"podTemplate": {"spec": {"containers": [{"name": "parser-runner", "imagee": "x"}]}}},
        "spec.podTemplate.spec.containers[0].imagee",
    ),
    "resources": ({"runner": {"resources": {"limits": {"memory": "1Mi"}}}}, "spec.runner.resources.requests"),
    "priorityClassName": ({"runner": {"priorityClassName": "NO SUCH"}}, "spec.runner.priorityClassName"),
    "hostPath": (
        {"podTemplate": {"spec": {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}}},
        "spec.podTemplate.spec.volumes[x].hostPath",
    ),
    "serviceAccountName": ({"runner": {"serviceAccountName": RELEASE}}, "spec.runner.serviceAccountName"),
}


def refused(pools: Installation, case: str) -> None:
    broken, path = REFUSED[case]
    name = f"fine-{case.lower()}"
    apply(pools, name, runner={"labels": {"kept": "yes"}})
    until(pools, lambda: ready(pools, name) == ("True", "Serving"), f"{name} to be served")
    apply(pools, name, **broken)
    until(pools, lambda: ready(pools, name) == ("False", "Refused"), "the template to be refused")
    assert path in condition(pools, name, "Ready")["message"]
    in_force = get(pools, name)["status"]["inForce"]
    assert {*in_force} == {"generation", "runner"}
    assert in_force["runner"] == {"labels": {"kept": "yes"}}
    pools.kubectl("delete", "pp", name, "--timeout=100s")


def last_good_template(pools: Installation, folder: Path) -> None:
    apply(pools, "kept", runner={"labels": {"kept": "yes"}})
    until(pools, lambda: ready(pools, "kept") == ("True", "Serving"), "kept to be served")
    apply(pools, "kept", podTemplate={"spec": {"dnsPolicy": "Sometimes"}})
    until(pools, lambda: ready(pools, "kept") == ("False", "Refused"), "the template to be refused")
    submitted = submit(pools, folder, "kept", 2003)
    assert states(pools.until_finished(submitted)) == {("completed", 0, 0)}
    assert runner_of(pools, submitted[0])["metadata"]["labels"]["kept"] == "yes"
    events = json.loads(pools.kubectl("get", "events", "--field-selector=involvedObject.kind=ParserPool", "-o", "json"))
    told = {(one["involvedObject"]["name"], one["reason"]) for one in events["items"]}
    assert ("kept", "Refused") in told
    pools.kubectl("delete", "pp", "kept", "--timeout=100s")


def drained(pools: Installation, folder: Path) -> None:
    slow = {"spec": {"containers": [{"name": "parser-runner", **SLOWLY}]}}
    apply(pools, "drain", maxParallelism=3, podTemplate=slow)
    pools.until("select 1 from pools where name = 'drain'")
    submitted = submit(pools, folder, "drain", 2011, 2012, 2013, 2014, 2015)
    pools.until("select 1 from runs where pool = 'drain' and launched_at is not null offset 2")
    apply(pools, "drain", maxParallelism=1, podTemplate=slow)
    pools.until("select 1 from pools where name = 'drain' and max_running = 1")
    [now] = pools.query("select clock_timestamp() as now")
    assert states(pools.until_finished(submitted)) == {("completed", 0, 0)}
    beside_another = pools.query(
        "select 1 from runs later join runs earlier"
        " on earlier.pool = later.pool and earlier.claimed_at < later.claimed_at"
        " and earlier.released_at > later.claimed_at where later.pool = 'drain' and later.claimed_at > %s",
        now["now"],
    )
    assert beside_another == []
    pools.kubectl("delete", "pp", "drain", "--timeout=100s")


def paused(pools: Installation, folder: Path) -> None:
    apply(pools, "rest", paused=True)
    until(pools, lambda: ready(pools, "rest") == ("False", "Paused"), "rest to be paused")
    submitted = submit(pools, folder, "rest", 2021)
    until(pools, lambda: get(pools, "rest")["status"]["queued"] == 1, "the status to tell of the job")
    assert pools.kubectl("get", "pp", "rest").splitlines()[1].split()[-2] == "Paused"
    assert pools.query("select 1 from runs where pool = 'rest'") == []
    apply(pools, "rest", paused=False)
    assert states(pools.until_finished(submitted)) == {("completed", 0, 0)}
    pools.kubectl("delete", "pp", "rest", "--timeout=100s")


def deleted(pools: Installation, folder: Path) -> None:
    slow = {"spec": {"containers": [{"name": "parser-runner", **SLOWLY}]}}
    apply(pools, "gone", maxParallelism=1, podTemplate=slow)
    pools.until("select 1 from pools where name = 'gone'")
    submitted = submit(pools, folder, "gone", 1931, 1932)
    pools.until("select 1 from runs where pool = 'gone' and launched_at is not null")
    pools.kubectl("delete", "pp", "gone", "--timeout=100s")
    pools.until("select 1 from runs where pool = 'gone' and committed_at is not null and released_at is not null")
    [before] = pools.query("select decision from pools where name = 'default'")
    # So long as it takes the controller to come round twice, at the least.
    pools.until("select 1 from pools where name = 'default' and decision > %s", before["decision"] + 1)
    assert sorted(job["state"] for job in pools.query("select state from jobs where pool = 'gone'")) == [
        "completed",
        "queued",
    ]
    apply(pools, "gone")
    assert states(pools.until_finished(submitted)) == {("completed", 0, 0)}
    pools.kubectl("delete", "pp", "gone", "--timeout=100s")


def unchanged(pools: Installation, folder: Path) -> None:
    # kubectl apply would keep what is null to itself.
    nothing = {"metadata": {"annotations": {"karpenter.sh/do-not-disrupt": None}}, "spec": {"dnsConfig": None}}
    made = {"apiVersion": "affirm.dev/v1", "kind": "ParserPool", "metadata": {"name": "still"}}
    made |= {"spec": {"controller": RELEASE, "podTemplate": nothing}}
    pools.cluster.kubectl("create", "-n", pools.namespace, "-f", "-", input=json.dumps(made))
    until(pools, lambda: ready(pools, "still") == ("True", "Serving"), "still to be served")
    assert get(pools, "still")["status"]["inForce"]["podTemplate"] == nothing

    def version() -> str:
        return str(get(pools, "still")["metadata"]["resourceVersion"])

    def rounds() -> int:
        return sum(row["decision"] for row in pools.query("select decision from pools where name = 'still'"))

    before, first = version(), rounds()
    until(pools, lambda: rounds() > first + 2, "the controller to come round")
    assert version() == before


@pytest.fixture(scope="module")
def outcomes(pools: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes[None]]:
    """What the pools of each test came to; they wait side by side."""
    each = (each_runs_its_own, last_good_template, drained, paused, deleted, unchanged)
    cases = {case.__name__: partial(case, pools, tmp_path_factory.mktemp(case.__name__)) for case in each}
    with side_by_side(cases | {case: partial(refused, pools, case) for case in REFUSED}) as waiting:
        yield waiting


def test_each_pool_runs_its_own_jobs_with_its_own_template(outcomes: Outcomes[None]) -> None:
    outcomes["each_runs_its_own"].result()


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_template_is_shown_with_its_path(outcomes: Outcomes[None], case: str) -> None:
    """The old template stays in force."""
    outcomes[case].result()


def test_runs_go_on_by_the_last_good_template_while_a_new_one_is_refused(outcomes: Outcomes[None]) -> None:
    outcomes["last_good_template"].result()


def test_a_lower_maximum_drains_and_disturbs_no_run(outcomes: Outcomes[None]) -> None:
    outcomes["drained"].result()


def test_a_paused_pool_claims_nothing_until_it_goes_on(outcomes: Outcomes[None]) -> None:
    outcomes["paused"].result()


def test_a_pool_that_is_deleted_lets_its_runs_finish_and_keeps_its_jobs_queued(outcomes: Outcomes[None]) -> None:
    outcomes["deleted"].result()


def test_a_status_is_not_written_while_nothing_changes(outcomes: Outcomes[None]) -> None:
    outcomes["unchanged"].result()


def test_two_installations_in_one_namespace_leave_each_others_pools_and_jobs_alone(
    pools: Installation, servers: Servers, product_images: str, tmp_path: Path
) -> None:
    with beside(pools, servers, product_images, "second") as second:
        apply(second, "theirs", controller="second-affirm-worker", runner={"labels": {"whose": "theirs"}})
        second.until("select 1 from pools where name = 'theirs'")
        apply(pools, "ours", runner={"labels": {"whose": "ours"}})
        pools.until("select 1 from pools where name = 'ours'")
        # Both have a queue of both names; each serves the one that is its own.
        for installation in (pools, second):
            installation.query("insert into pools (name, max_running) values ('ours', 5), ('theirs', 5)"
                               " on conflict do nothing")  # fmt: skip
        mine = submit(pools, tmp_path, "ours", 1941)
        other = submit(pools, tmp_path, "theirs", 1942)
        theirs = submit(second, tmp_path, "theirs", 1941)
        assert states(pools.until_finished(mine)) == {("completed", 0, 0)}
        assert states(second.until_finished(theirs)) == {("completed", 0, 0)}
        assert runner_of(pools, mine[0])["metadata"]["labels"]["whose"] == "ours"
        assert runner_of(second, theirs[0])["metadata"]["labels"]["whose"] == "theirs"
        assert pools.query("select state from jobs where id = %s", other[0]["job_id"]) == [{"state": "queued"}]
        selectors = {get(pools, pool)["status"]["selector"].split(",")[0] for pool in ("ours", "theirs")}
        assert len(selectors) == 2
        pools.kubectl("delete", "pp", "ours", "theirs", "--timeout=100s")


def runner_image(installation: Installation) -> str:
    config = json.loads(installation.kubectl("get", "configmap", RELEASE, "-o", "json"))["data"]["runner.json"]
    image: str = json.loads(config)["image"]
    return image
