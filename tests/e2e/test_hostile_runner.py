"""A runner's pod that somebody has taken over: it has what the chart gives runners, and gets no further."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import AdminShutdown, LockNotAvailable

from dataset_jobs.model.keys import RUN_SECRET
from tests.e2e import hostile_pod
from tests.e2e.installation import RELEASE, Installation
from tests.e2e.loads import COPY_WAITS, copy_slowed_down, rows_of, variant
from tests.integration.hostile import DENIED, LEFT_OVER, LOCKS_FIRST, REFUSED

ATTEMPTS = {name: sql for attempts in REFUSED.values() for name, sql in attempts.items()}
ALLOWED = {name: one.sql for name, one in LEFT_OVER.items() if "%(" not in one.sql}
POOL = "hostile"
CONTROLLERS = "select pid from pg_stat_activity where datname = current_database() and usename = 'shared_controller'"
ROWS_OF_2023 = 31804
"""Those of the file that `variant` copies, and one."""


@pytest.fixture(scope="module")
def loading(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Another runner's load, open as long as the hostile one is at work."""
    folder = tmp_path_factory.mktemp("victim")
    installation.query("update pools set paused = true where name = 'default'")
    [year] = installation.new_years(1)
    [submitted] = installation.submit(variant(folder, year))
    with copy_slowed_down(installation, submitted["dataset_id"], year):
        installation.query("update pools set paused = false where name = 'default'")
        installation.until(COPY_WAITS)
        yield submitted
    [job] = installation.until_finished([submitted])
    assert (job["state"], job["attempts"], job["lease_epoch"]) == ("completed", 0, 1)
    assert rows_of(installation, submitted["dataset_id"]) == ROWS_OF_2023


@pytest.fixture(scope="module")
def tried(
    installation: Installation, loading: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """What the hostile pod reports, and `pod`: the pod as Kubernetes has it."""
    [other] = installation.query("select key from datasets where id = %s", loading["dataset_id"])
    facts = {"other_job": loading["job_id"], "other_dataset": loading["dataset_id"], "other_key": other["key"]}
    facts["controller_pid"] = installation.query(CONTROLLERS)[0]["pid"]
    given = {"attempts": ATTEMPTS, "allowed": ALLOWED, "facts": facts, "namespace": installation.namespace}
    command = ["python3", "-c", Path(hostile_pod.__file__).read_text(encoding="utf-8"), json.dumps(given)]
    template = {"spec": {"containers": [{"name": "parser-runner", "command": command}]}}
    pool = {"apiVersion": "affirm.dev/v1", "kind": "ParserPool", "metadata": {"name": POOL}}
    spec = {"controller": RELEASE, "podTemplate": template}
    installation.kubectl("apply", "-f", "-", input=json.dumps({**pool, "spec": spec}))
    installation.until("select 1 from pools where name = %s", POOL)
    into = replace(installation, environment={**installation.environment, "POOL": POOL})
    [submitted] = into.submit_small(tmp_path_factory.mktemp("hostile"))
    try:
        [run] = installation.until("select * from runs where job_id = %s and started_at is not null",
                                   submitted["job_id"])  # fmt: skip
        installation.cluster.wait(lambda: hostile_pod.MARK in log(installation, run), "the hostile pod's report", 120)
        [line] = [one for one in log(installation, run).splitlines() if one.startswith(hostile_pod.MARK)]
        [pod] = [one for one in installation.runner_pods()
                 if one["metadata"]["labels"]["affirm.dev/job-id"] == submitted["job_id"]]  # fmt: skip
        yield json.loads(line.removeprefix(hostile_pod.MARK)) | {"pod": pod, "job_id": submitted["job_id"]}
    finally:
        installation.cli("jobs", "cancel", submitted["job_id"])
        installation.until_finished([submitted])
        installation.kubectl("delete", "parserpool", POOL, "--timeout=100s")


def log(installation: Installation, run: dict[str, Any]) -> str:
    return installation.kubectl("logs", f"job/{run['launch_name']}", check=False)


def test_what_is_not_a_runners_is_refused_in_its_pod(tried: dict[str, Any]) -> None:
    """Each attempt of the list, with the login and the secret that the pod has."""
    otherwise = {name: state for name, state in tried["refused"].items() if state != DENIED.sqlstate}
    assert otherwise.keys() == {*LOCKS_FIRST}
    assert {*otherwise.values()} <= {LockNotAvailable.sqlstate, AdminShutdown.sqlstate}, (
        "a controller may end its session"
    )
    assert tried["refused"].keys() == ATTEMPTS.keys()


def test_what_postgres_cannot_refuse_is_the_list_of_the_docs(tried: dict[str, Any]) -> None:
    assert tried["allowed"] == dict.fromkeys(ALLOWED)


def test_the_pod_holds_one_login_and_no_others(tried: dict[str, Any]) -> None:
    environment = tried["environment"]
    assert psycopg.conninfo.conninfo_to_dict(environment["DATABASE_URL"])["user"] == "shared_runner"
    urls = {name for name, value in environment.items() if "postgresql://" in value}
    assert urls == {"DATABASE_URL"}
    secrets = {name for name, value in environment.items() if "SECRET" in name and value}
    assert secrets == {RUN_SECRET, "AWS_SECRET_ACCESS_KEY"}


def test_the_pod_is_that_of_every_runner(
    installation: Installation, tried: dict[str, Any], loading: dict[str, Any]
) -> None:
    """But for its command: so what it could not do, no runner can."""
    [other] = [one for one in installation.runner_pods()
               if one["metadata"]["labels"]["affirm.dev/job-id"] == loading["job_id"]]  # fmt: skip

    def given(pod: dict[str, Any]) -> dict[str, Any]:
        [container] = pod["spec"]["containers"]
        environment = [one for one in container["env"] if one["name"] != RUN_SECRET]
        named = ("serviceAccountName", "automountServiceAccountToken", "securityContext", "volumes")
        return {name: pod["spec"].get(name) for name in named} | {
            "env": environment, "mounts": container["volumeMounts"], "context": container["securityContext"],
        }  # fmt: skip

    assert given(tried["pod"]) == given(other)


def test_the_pod_sees_no_process_but_its_own(tried: dict[str, Any]) -> None:
    assert tried["processes"] == ["1 True"]
    assert tried["user"] == [65532, 65532]


def test_the_pod_has_no_token_and_the_api_server_refuses_it(tried: dict[str, Any]) -> None:
    assert tried["files"] == []
    assert set(tried["api"].values()) <= {401, 403}, tried["api"]


def test_the_pod_writes_its_temporary_folder_alone(tried: dict[str, Any]) -> None:
    assert tried["written"] == ["/tmp"]
