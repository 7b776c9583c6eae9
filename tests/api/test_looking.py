"""Stories, failures, pools, the status, schedules, the audit."""

import re

import psycopg
import pytest

from cli.wording.story import story as lines_of_explain
from dataset_jobs.migrations import LATEST
from dataset_jobs.version import own_version
from services.figures import Sampler
from services.filters import JobFilter
from services.operation_acts import Doing
from services.operations import Operations
from tests.api.client import Api
from tests.api.fits import fitting
from tests.api.reading import one_of_each
from tests.integration.world import NO_RETRIES

TEXT = {"Accept": "text/plain"}


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


async def test_a_story_has_the_words_of_explain(api: Api) -> None:
    """The command line adds commands, this the requests: each after the same words."""
    for made in await one_of_each(api):
        answer = api.get(f"/v1/jobs/{made.job_id}/story", headers=TEXT)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8", answer.text
        lines = lines_of_explain(api.world.client.story(made.job_id))
        said = [re.sub(r"( \(FILE is .*\))?:?$", "", line) for line in lines if "affirm-worker " not in line]
        told = answer.text.splitlines()
        assert said
        assert [line for line in said if not any(other.startswith(line) for other in told)] == []


async def test_a_story_is_data_too(api: Api) -> None:
    good, bad, queued = await one_of_each(api)
    found = fitting("/v1/jobs/{job_id}/story", api.get(f"/v1/jobs/{bad.job_id}/story"))["data"]
    assert found["sentence"].startswith("it failed at ")
    assert [one["what"] for one in found["timeline"]][:2] == ["submitted", "claimed"]
    assert found["runs"][0]["sentence"].startswith("rejected (invalid_format)")
    retry = next(one for one in found["actions"] if one["action"] == "retry")
    assert (retry["method"], retry["href"], retry["body"]) == ("POST", f"/v1/jobs/{bad.job_id}/retry", {})
    assert retry["label"] == "Retry now"
    assert fitting("/v1/jobs/{job_id}/story", api.get(f"/v1/jobs/{good.job_id}/story"))["data"]["waiting"] is None
    waits = fitting("/v1/jobs/{job_id}/story", api.get(f"/v1/jobs/{queued.job_id}/story"))["data"]
    assert waits["waiting"]["because"] == "no_controller"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*;q=0.5, application/json;q=0.4", "text/plain"),
        ("text/plain, application/json", "application/json"),
        ("text/html", "problem"),
        ("application/json;q=0", "problem"),
    ],
)
def test_the_form_is_what_the_client_accepts(api: Api, accept: str, kind: str) -> None:
    job_id = api.world.submit_small(2000).job_id
    answer = api.get(f"/v1/jobs/{job_id}/story", headers={"Accept": accept})
    assert kind in answer.headers["content-type"]
    assert (answer.status, answer.code) == ((406, "not-acceptable") if kind == "problem" else (200, ""))


async def test_failures_come_in_groups(api: Api) -> None:
    for year in (2001, 2002):
        api.world.submit_small(year, f"Mary,F,{year}\nAnna,F,many\n")
    await api.world.run_until_idle(retry=NO_RETRIES)
    found = fitting("/v1/failures", api.get("/v1/failures"))
    [group] = found["data"]
    assert (group["cause"], group["reason"], group["count"]) == ("rejected", "invalid_format", 2)
    assert group["first_at"] <= group["last_at"]
    assert group["advice"]["text"]
    assert found["meta"]["exact"] is True
    assert api.get(f"/v1/jobs/{group['sample_job']}").status == 200
    assert fitting("/v1/failures", api.get("/v1/failures?country=SE"))["data"] == []
    assert fitting("/v1/failures", api.get("/v1/failures?pool=default&country=US"))["data"] == [group]
    assert api.get("/v1/failures?since=2100-01-01T00:00:00Z").json["data"] == []
    assert api.get("/v1/failures?country=Atlantis").code == "country-not-found"


async def test_a_pool_shows_its_queue_and_its_past(api: Api) -> None:
    await one_of_each(api)
    [pool] = fitting("/v1/pools", api.get("/v1/pools"))["data"]
    assert (pool["name"], pool["depth"], pool["pending"], pool["blocked"]) == ("default", 1, 0, None)
    found = fitting("/v1/pools/{name}", api.get("/v1/pools/default"))["data"]
    assert {one["cause"]: one["runs"] for one in found["recent"]} == {"completed": 1, "rejected": 1}
    assert api.get("/v1/pools/defaul").json["detail"] == "there is no pool defaul; did you mean default?"


def test_a_pool_shows_what_its_controllers_hold(api: Api) -> None:
    job_id = api.world.submit_small(2000).job_id
    api.world.query("insert into controllers (owner, launcher, pools) values ('c/1', 'process', '{default}')")
    api.world.query(
        "insert into runs (job_id, epoch, pool, launcher, owner, lease_until)"
        " values (%s, 1, 'default', 'process', 'c/1', now() + interval '1 minute')",
        job_id,
    )
    [controller] = fitting("/v1/pools/{name}", api.get("/v1/pools/default"))["data"]["controllers"]
    assert (controller["owner"], controller["unreleased"]) == ("c/1", 1)
    assert controller["last_claim"] is not None and controller["heard_of_until"] > controller["last_claim"]


def test_who_has_paused_a_pool_sees_it_at_once(api: Api) -> None:
    assert api.get("/v1/pools").json["data"][0]["paused"] is False
    api.world.client.pools.pause("default", "backup")
    found = fitting("/v1/pools/{name}", api.get("/v1/pools/default"))["data"]
    assert (found["paused"], found["paused_reason"], found["depth"]) == (True, "backup", 0)


def test_the_past_of_a_pool_comes_in_columns(api: Api) -> None:
    api.world.query(
        "insert into pool_minutes select 'default', date_trunc('minute', now()) - interval '1 minute' * n,"
        " n, n, 1, 0, 2, 4, 10, 1, 120 from generate_series(1, 30) n"
    )
    path = "/v1/pools/{name}/history"
    found = fitting(path, api.get("/v1/pools/default/history"))["data"]
    assert found["step"] == "5m"
    assert {len(value) for name, value in found.items() if name != "step"} == {len(found["t"])}
    assert 288 <= len(found["t"]) <= 290
    assert sum(filter(None, found["finished"])) == 300
    assert found["depth"][0] is None
    [pool] = fitting("/v1/pools", api.get("/v1/pools"))["data"]
    assert (pool["success_ratio"], pool["busy"]) == (0.9, 0.5)
    hour = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z", "step": "1m"}
    assert len(fitting(path, api.get("/v1/pools/default/history", query=hour))["data"]["t"]) == 60
    assert api.get("/v1/pools/none/history").code == "not-found"
    for wrong in (
        {"step": "2m"},
        {"from": "2000-01-01T00:00:00Z", "step": "1m"},
        {"to": "2000-01-01T00:00:00Z", "from": "2001-01-01T00:00:00Z"},
    ):
        answer = api.get("/v1/pools/default/history", query=wrong)
        assert (answer.status, answer.code) == (400, "field-invalid")


def test_operations_are_listed(api: Api) -> None:
    api.world.submit_small(2000)
    operations = Operations(api.world.client.database)
    made = [str(operations.start(Doing.CANCEL, JobFilter(file=name)).id) for name in ("2000", "2001", "2002")]
    first = fitting("/v1/operations", api.get("/v1/operations?limit=2"))
    second = fitting("/v1/operations", api.get("/v1/operations", query={"cursor": first["meta"]["next_cursor"]}))
    assert [one["id"] for one in first["data"] + second["data"]] == made[::-1]
    found = fitting("/v1/operations/{operation_id}", api.get(f"/v1/operations/{made[0]}"))["data"]
    assert (found["action"], found["of"], found["done"], found["filter"]) == ("cancel", 1, 0, {"file": "2000"})
    assert found["by"] == found["made_by"]


def test_a_blocked_pool_says_why(api: Api) -> None:
    api.world.query(
        "update pools set blocked_since = now(), blocked_cause = 'cannot_start', blocked_reason = 'image',"
        " blocked_error = 'no such image', probe_at = now()"
    )
    blocked = fitting("/v1/pools/{name}", api.get("/v1/pools/default"))["data"]["blocked"]
    assert (blocked["cause"], blocked["reason"], blocked["error"]) == ("cannot_start", "image", "no such image")


def test_the_status_says_what_is_wrong(api: Api) -> None:
    api.world.submit_small(2000)
    api.world.client.pools.pause("default", "backup")
    found = fitting("/v1/status", api.get("/v1/status"))["data"]
    assert [one["kind"] for one in found["problems"]] == ["no_controller", "pool_paused"]
    assert found["problems"][0]["severity"] < found["problems"][1]["severity"]
    resume = found["problems"][1]["actions"][0]
    assert (resume["method"], resume["href"]) == ("POST", "/v1/pools/default/resume")
    assert [one["name"] for one in found["pools"]] == ["default"]
    assert found["versions"] == {"api": own_version(), "database": LATEST}
    assert found["as_of"].endswith("Z")


def test_schedules_are_listed_by_name(api: Api) -> None:
    (api.world.folder / "storage" / "in").mkdir()
    for name in ("ssa", "abc", "zzz"):
        api.world.client.schedules.add(name, "0 3 * * 1", "UTC", "in", "US", "default")
    first = fitting("/v1/schedules", api.get("/v1/schedules?limit=2"))
    assert [one["name"] for one in first["data"]] == ["abc", "ssa"]
    cursor = first["meta"]["next_cursor"]
    assert [one["name"] for one in api.get("/v1/schedules", query={"cursor": cursor}).json["data"]] == ["zzz"]
    found = fitting("/v1/schedules/{name}", api.get("/v1/schedules/ssa"))["data"]
    assert (found["cron"], found["location"], found["paused"]) == ("0 3 * * 1", "in", False)
    assert api.get("/v1/schedules/none").code == "not-found"


def test_the_audit_is_listed_and_filtered(api: Api) -> None:
    made = api.world.submit_small(2000)
    api.world.client.pools.pause("default", "backup")
    api.world.client.jobs.cancel(made.job_id)
    found = fitting("/v1/audit", api.get("/v1/audit"))["data"]
    assert [one["action"] for one in found][:3] == ["job.cancel", "pool.pause", "dataset.submit"]
    assert [one["id"] for one in found] == sorted((one["id"] for one in found), reverse=True)
    target = f"job/{made.job_id}"
    assert [one["target"] for one in api.get("/v1/audit", query={"target": target}).json["data"]] == [target]
    assert len(api.get("/v1/audit?action=key.make").json["data"]) == 3
    assert api.get("/v1/audit?since=2100-01-01T00:00:00Z").json["data"] == []
    assert api.get("/v1/audit", query={"actor": found[0]["actor"], "limit": 1}).json["meta"]["has_more"] is True
    assert api.get("/v1/audit?actor=nobody").json["data"] == []


def test_known_figures_are_given_without_the_database(api: Api) -> None:
    """However many look, the past of pools is read with the other figures, by the sampler alone."""
    api.world.query(
        "insert into pool_minutes values ('default', now() - interval '1 minute', 0, 0, 0, 0, 3, 4, 4, 1, 60)"
    )
    sampler = api.context.sampler = Sampler(api.context.client.database, every_seconds=3600)
    sampler.figures()
    with psycopg.connect(api.world.conninfo) as locked:
        locked.execute("lock table pool_minutes")
        [listed] = fitting("/v1/pools", api.get("/v1/pools"))["data"]
        [shown] = fitting("/v1/status", api.get("/v1/status"))["data"]["pools"]
    assert listed == shown
    assert (shown["success_ratio"], shown["busy"]) == (0.75, 0.25)
