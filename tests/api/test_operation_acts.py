"""Operations over HTTP: what they would do, that this process carries them on, and another one if this one dies."""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from dataset_jobs.model.actor import Act
from services.audit import AuditFilter
from services.filters import JobFilter
from services.keys import Keys, Role
from services.operation_acts import Doing
from tests.api.acting import ACTS, FAIL
from tests.api.client import Api, running
from tests.api.fits import fitting
from tests.integration.world import World
from tests.kit.warm_command import ROOT

PATH = "/v1/operations"
FAIL_ALL = FAIL.partition(" where ")[0]


def start(api: Api, status: int = 202, **body: Any) -> Any:
    answer = api.post(PATH, json_body=body)
    return fitting(PATH, answer, "POST", status)["data"]


def problem(api: Api, **body: Any) -> tuple[int, str, str]:
    answer = api.post(PATH, json_body=body)
    return answer.status, answer.code, answer.json["detail"]


async def ended(api: Api, operation: str) -> Any:
    """The operation when it is over."""
    await api.world.until(f"select from operations where id = '{operation}' and state <> 'running'")
    return fitting(PATH + "/{operation_id}", api.get(f"{PATH}/{operation}"))["data"]


def filled(world: World, jobs: int, failed: int) -> list[str]:
    """So many jobs, of which the first ones have failed."""
    made = [str(world.submit_small(1700 + number).job_id) for number in range(jobs)]
    for job in made[:failed]:
        world.query(FAIL, job)
    return made


async def test_a_preview_says_for_how_many_it_is_possible(api: Api) -> None:
    jobs = filled(api.world, 4, 3)
    found = start(api, 200, action="retry", filter={"pool": "default"}, dry_run=True)
    assert found == {
        "matching": 4, "can": 3, "cannot": [{"why": "it is queued", "count": 1}], "first": jobs[0], "last": jobs[3],
    }  # fmt: skip
    assert api.get(PATH).json["data"] == []


async def test_it_is_carried_on_beside_the_answers(api: Api) -> None:
    jobs = filled(api.world, 4, 3)
    answer = api.post(PATH, json_body={"action": "retry", "filter": {"state": "failed"}, "priority": 5})
    made = fitting(PATH, answer, "POST", 202)["data"]
    assert answer.headers["location"] == f"{PATH}/{made['id']}"
    assert (made["of"], made["by"], made["action"]) == (3, "test admin", "retry")
    found = await ended(api, made["id"])
    assert (found["state"], found["done"], found["failed"]) == ("completed", 3, 0)
    assert [api.world.job(job)["priority"] for job in jobs] == [5, 5, 5, 0]  # type: ignore[arg-type]
    acts = api.world.client.audit.page(AuditFilter(action=Act.JOB_RETRY), 100).items
    assert {(one.actor, one.request_id) for one in acts} == {("test admin", answer.headers["x-request-id"])}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"action": "cancel", "filter": {"filename": "yob1702*"}}, ["queued", "queued", "cancelled"]),
        ({"action": "set", "filter": {"type": "parse_dataset"}, "run_at": "1d"}, ["scheduled"] * 3),
        ({"action": "delete", "filter": {"status": "pending", "country": "us"}}, []),
        ({"action": "retry", "filter": {"state": ["failed", "cancelled"]}}, ["queued"] * 3),
    ],
)
async def test_each_action_is_done_with_what_matches(api: Api, body: Any, wanted: list[str]) -> None:
    filled(api.world, 3, 0)
    await ended(api, start(api, **body)["id"])
    states = [row["state"] for row in api.world.query("select state from jobs order by key")]
    assert states == wanted


async def test_datasets_are_loaded_again(api: Api) -> None:
    filled(api.world, 2, 2)
    found = await ended(api, start(api, action="reprocess", filter={"since": "2000-01-01T00:00:00Z"})["id"])
    assert found["done"] == 2
    assert api.world.one("select count(*) from jobs where state = 'queued'")["count"] == 2


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"action": "retry", "filter": {}}, "say which"),
        ({"action": "retry", "filter": {"state": []}}, "say which"),
        ({"action": "retry"}, "filter: it is needed"),
        ({"action": "purge", "filter": {"state": "failed"}}, "action: expected 'retry'"),
        ({"action": "delete", "filter": {"state": "failed"}}, "delete is an act on datasets, and state is not"),
        ({"action": "retry", "filter": {"status": "failed"}}, "retry is an act on jobs, and status is not"),
        ({"action": "retry", "filter": {"state": "lost"}}, "filter.state.0"),
        ({"action": "retry", "filter": {"stat": "failed"}}, "did you mean state?"),
        ({"action": "set", "filter": {"state": "queued"}}, "give a priority, a time or a pool"),
        ({"action": "retry", "filter": {"pool": "none"}}, "none"),
        ({"action": "retry", "filter": {"since": "2020-01-01"}}, "filter.since"),
        ({"action": "retry", "filter": {"state": "failed"}, "limit": 0}, "limit"),
    ],
)
def test_what_cannot_be_is_refused(api: Api, body: Any, says: str) -> None:
    status, code, detail = problem(api, **body)
    assert (status, code) == (422, "field-invalid")
    assert says in detail


def test_a_country_that_is_not_there_is_refused(api: Api) -> None:
    assert problem(api, action="retry", filter={"country": "XX"})[:2] == (404, "country-not-found")


def test_more_than_the_limit_are_left_alone(api: Api) -> None:
    filled(api.world, 3, 3)
    for dry_run in (True, False):
        status, code, detail = problem(api, action="retry", filter={"state": "failed"}, limit=2, dry_run=dry_run)
        assert (status, code) == (409, "too-many")
        assert "more than 2 match" in detail
    assert api.get(PATH).json["data"] == []


async def test_a_purge_is_an_operation(api: Api) -> None:
    filled(api.world, 3, 2)
    query = {"older_than": "1d", "dry_run": "true"}
    assert fitting("/v1/jobs", api.delete("/v1/jobs", query=query), "DELETE", 200)["data"]["matching"] == 2
    made = fitting("/v1/jobs", api.delete("/v1/jobs", query={"older_than": "1d"}), "DELETE", 202)["data"]
    assert (await ended(api, made["id"]))["done"] == 2
    assert api.world.one("select count(*) from jobs")["count"] == 1
    for wrong in ({}, {"older_than": "long"}, {"older_than": "-1d"}, {"older_than": "1d", "state": "queued"}):
        answer = api.delete("/v1/jobs", query=wrong)
        assert (answer.status, answer.code) == (400, "field-invalid"), wrong


async def test_one_that_is_over_cannot_be_cancelled(api: Api) -> None:
    made = start(api, action="retry", filter={"batch": "none"})
    await ended(api, made["id"])
    answer = api.post(f"{PATH}/{made['id']}/cancel")
    assert (answer.status, answer.code) == (409, "over")


def test_a_cancelled_one_says_who_has(api: Api) -> None:
    made = ACTS["cancel-operation"].given(api)
    found = fitting(PATH + "/{operation_id}/cancel", api.post(f"{PATH}/{made}/cancel"), "POST")["data"]
    assert (found["state"], found["cancelled_by"]) == ("cancelled", "test admin")


async def test_one_of_another_process_is_found(api: Api) -> None:
    """Such as of the command line, which has ended before it was done."""
    jobs = filled(api.world, 2, 2)
    made = api.world.client.operations.start(Doing.RETRY, JobFilter())
    assert (await ended(api, str(made.id)))["done"] == len(jobs)


@pytest.fixture
def another(world: World) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another API, as a process; it and where it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--listen", "127.0.0.1:0"], cwd=ROOT, text=True,
        env={**os.environ, **world.environment}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, next(int(found[1]) for line in process.stdout if (found := re.search(r"at .*:(\d+)$", line)))
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def test_a_killed_process_leaves_the_rest_to_another(
    world: World, another: tuple[subprocess.Popen[str], int]
) -> None:
    """It dies in its second batch. Each job is retried once, by whichever of the two."""
    jobs = filled(world, 120, 0)
    world.query(FAIL_ALL)
    key = Keys(world.client.database).make("ops", Role.ADMIN, timedelta(days=1)).text
    process, port = another
    with psycopg.connect(world.conninfo) as holding:
        holding.execute("select from jobs where id = %s for update", [jobs[40]])
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=100)) as connection:
            body = json.dumps({"action": "retry", "filter": {"state": "failed"}})
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            connection.request("POST", PATH, body, headers)
            answer = connection.getresponse()
            made = json.loads(answer.read())["data"]
        assert (answer.status, made["of"]) == (202, 120)
        await world.until("select from operations where done = 50")
        await world.until(
            "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        process.kill()
        process.wait()
    assert world.one("select state, done from operations") == {"state": "running", "done": 50}
    with running(world) as api:
        world.query("update operations set lease_until = now()")  # instead of a minute's wait
        api.context.background.wake()
        found = await ended(api, made["id"])
    assert (found["state"], found["done"], found["failed"]) == ("completed", 120, 0)
    assert {len(row["retried_at"]) for row in world.query("select retried_at from jobs")} == {1}
    acts = world.query("select target, count(*) from audit where action = 'job.retry' group by 1")
    assert {row["count"] for row in acts} == {1}
    assert len(acts) == 120
