"""GET /v1/jobs and what is below it."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from dataset_jobs.store.views import JobView
from tests.api.client import Api
from tests.api.fits import fitting
from tests.api.reading import one_of_each, to_text, walked
from tests.integration.world import AT_ONCE


def jobs(api: Api, **query: Any) -> list[str]:
    """The ids of a list."""
    return [one["id"] for one in fitting("/v1/jobs", api.get("/v1/jobs", query=query))["data"]]


def submitted(api: Api, *years: int) -> list[str]:
    """New jobs, the first one first."""
    return [str(api.world.submit_small(year).job_id) for year in years]


async def test_each_filter_selects(api: Api) -> None:
    good, bad, queued = await one_of_each(api)
    ids = {"good": str(good.job_id), "bad": str(bad.job_id), "queued": str(queued.job_id)}
    expected: list[tuple[dict[str, Any], set[str]]] = [
        ({"state": "failed"}, {"bad"}),
        ({"status": "completed"}, {"good"}),
        ({"state": ["completed", "failed"]}, {"good", "bad"}),
        ({"state": "completed,failed"}, {"good", "bad"}),
        ({"state": "completed", "status": "queued"}, {"good", "queued"}),
        ({"pool": "default"}, {"good", "bad", "queued"}),
        ({"country": "us"}, {"good", "bad", "queued"}),
        ({"country": "SE"}, set()),
        ({"cause": "rejected"}, {"bad"}),
        ({"reason": "invalid_format"}, {"bad"}),
        ({"reason": "no_such"}, set()),
        ({"reason": "none"}, {"good", "queued"}),
        ({"ended_since": "2020-01-01T00:00:00Z"}, {"good", "bad"}),
        ({"ended_since": "2100-01-01T00:00:00Z"}, set()),
        ({"type": "parse_dataset"}, {"good", "bad", "queued"}),
        ({"type": "reprocess_dataset"}, set()),
        ({"dataset_id": str(good.dataset_id)}, {"good"}),
        ({"filename": "2001"}, {"good"}),
        ({"filename": "YOB200?.txt"}, {"good", "bad", "queued"}),
        ({"since": "2020-01-01T00:00:00Z"}, {"good", "bad", "queued"}),
        ({"since": "2100-01-01T00:00:00+01:00"}, set()),
        ({"until": "2020-01-01T00:00:00Z"}, set()),
        ({"batch": "none"}, set()),
        ({"ids": [ids["good"], ids["queued"]]}, {"good", "queued"}),
        ({"ids": f"{ids['good']},{ids['bad']}"}, {"good", "bad"}),
    ]
    for query, names in expected:
        assert set(jobs(api, **query)) == {ids[name] for name in names}, query
    country = api.get("/v1/countries/US").json["data"]["id"]
    assert len(jobs(api, country=country)) == 3


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"state": "lost"}, "field-invalid"),
        ({"pool": "none"}, "field-invalid"),
        ({"country": "XX"}, "country-not-found"),
        ({"since": "2020-01-01"}, "field-invalid"),
        ({"since": "2020-01-01T00:00:00"}, "field-invalid"),
        ({"dataset_id": "7"}, "field-invalid"),
        ({"limit": 0}, "field-invalid"),
        ({"limit": 201}, "field-invalid"),
        ({"offset": 10_001}, "field-invalid"),
        ({"count": "all"}, "field-invalid"),
        ({"ids": [str(UUID(int=number)) for number in range(51)]}, "field-invalid"),
        ({"ids": str(UUID(int=1)), "state": "failed"}, "field-invalid"),
        ({"cursor": "bm90aGluZw"}, "cursor-mismatch"),
        ({"filename": "a\0b"}, "field-invalid"),
        ({"stat": "failed"}, "unknown-parameter"),
        ({"sort": "oldest"}, "field-invalid"),
        ({"sort": "finished", "state": "failed"}, "field-invalid"),
    ],
)
def test_a_wrong_parameter_is_refused(api: Api, query: dict[str, Any], code: str) -> None:
    answer = api.get("/v1/jobs", query=query)
    assert (answer.status, answer.code) == (404 if code == "country-not-found" else 400, code)


def test_pages_do_not_move_when_jobs_come(api: Api) -> None:
    old = submitted(api, *range(2000, 2005))
    first = api.get("/v1/jobs", query={"limit": 2, "pool": "default"}).json
    submitted(api, 2010, 2011)
    rest = walked(api, "/v1/jobs", limit=2, pool="default", cursor=first["meta"]["next_cursor"])
    assert [one["id"] for one in first["data"]] + [one for page in rest for one in page] == old[::-1]


def test_queued_jobs_come_as_they_are_claimed(api: Api) -> None:
    ids = submitted(api, 2000, 2001, 2002, 2003)
    api.world.client.jobs.reschedule(UUID(ids[2]), priority=5)
    answer = api.get("/v1/jobs", query={"state": "queued"}).json
    assert answer["meta"]["order"] == "claim"
    assert [one["id"] for one in answer["data"]] == [ids[2], ids[0], ids[1], ids[3]]
    assert walked(api, "/v1/jobs", state="queued", limit=3) == [[ids[2], ids[0], ids[1]], [ids[3]]]
    assert [one["waiting"]["place"] for one in answer["data"]] == [
        {"ahead": number, "exact": True} for number in range(4)
    ]


def test_scheduled_jobs_come_as_they_are_due(api: Api) -> None:
    ids = submitted(api, 2000, 2001)
    api.world.client.jobs.reschedule(UUID(ids[0]), run_at=datetime(2100, 1, 1, tzinfo=UTC))
    api.world.client.jobs.reschedule(UUID(ids[1]), run_at=datetime(2099, 1, 1, tzinfo=UTC))
    answer = api.get("/v1/jobs", query={"state": "scheduled"}).json
    assert answer["meta"]["order"] == "due"
    assert [one["id"] for one in answer["data"]] == ids[::-1]
    assert answer["data"][0]["run_at"] == "2099-01-01T00:00:00.000Z"


async def test_jobs_that_are_over_come_by_their_ends(api: Api) -> None:
    good, bad, _ = await one_of_each(api)
    api.world.query("update jobs set finished_at = now() - interval '1 hour' where id = %s", bad.job_id)
    assert walked(api, "/v1/jobs", sort="finished", limit=1) == [[str(good.job_id)], [str(bad.job_id)]]


def test_a_cursor_of_other_filters_is_refused(api: Api) -> None:
    submitted(api, 2000, 2001)
    cursor = api.get("/v1/jobs", query={"limit": 1}).json["meta"]["next_cursor"]
    for query in ({"state": "queued"}, {"pool": "default"}, {"country": "US"}):
        assert api.get("/v1/jobs", query={"cursor": cursor, **query}).code == "cursor-mismatch"
    assert api.get("/v1/datasets", query={"cursor": cursor, "country": "US"}).code == "cursor-mismatch"
    assert api.get("/v1/jobs", query={"cursor": cursor, "offset": 1}).code == "field-invalid"


def test_old_clients_may_skip(api: Api) -> None:
    ids = submitted(api, 2000, 2001, 2002)
    answer = api.get("/v1/jobs", query={"limit": 1, "offset": 1, "count": "estimate"}).json
    assert [one["id"] for one in answer["data"]] == [ids[1]]
    assert (answer["meta"]["offset"], answer["meta"]["total"], answer["meta"]["total_is_exact"]) == (1, 3, True)
    assert jobs(api, state="queued", limit=1, offset=2) == [ids[2]]
    assert jobs(api, offset=10_000) == []


def test_a_job_can_be_read_back(api: Api) -> None:
    [job_id] = submitted(api, 2000)
    found = fitting("/v1/jobs/{job_id}", api.get(f"/v1/jobs/{job_id}"))["data"]
    kept = api.world.client.jobs.get(UUID(job_id))[0]
    fields = {name: found[name] for name in JobView.__slots__}
    assert fields == {name: to_text(getattr(kept, name)) for name in JobView.__slots__}
    assert api.get(f"/v1/jobs/{job_id[:8]}").json["data"]["id"] == job_id


async def test_a_finished_job_has_the_old_members(api: Api) -> None:
    good, bad, queued = await one_of_each(api)
    found = fitting("/v1/jobs/{job_id}", api.get(f"/v1/jobs/{good.job_id}"))["data"]
    assert (found["status"], found["type"], found["waiting"]) == ("completed", "parse_dataset", None)
    assert found["completed_at"] == found["finished_at"] is not None
    assert found["processing_time_seconds"] > 0
    assert found["progress"]["share"] == 1
    assert found["progress"]["rows_done"] == 1
    failed = fitting("/v1/jobs/{job_id}", api.get(f"/v1/jobs/{bad.job_id}"))["data"]
    assert (failed["status"], failed["last_cause"], failed["last_reason"]) == ("failed", "rejected", "invalid_format")
    assert "expected a whole number" in failed["last_error"]
    waits = fitting("/v1/jobs/{job_id}", api.get(f"/v1/jobs/{queued.job_id}"))["data"]
    assert (waits["status"], waits["progress"]["share"], waits["started_at"]) == ("queued", None, None)
    assert waits["max_attempts"] >= 1


def test_a_job_says_why_it_waits(api: Api) -> None:
    [job_id] = submitted(api, 2000)
    waiting = api.get(f"/v1/jobs/{job_id}").json["data"]["waiting"]
    assert waiting["because"] == "no_controller"
    api.world.client.jobs.reschedule(UUID(job_id), run_at=datetime(2100, 1, 1, tzinfo=UTC))
    waiting = api.get(f"/v1/jobs/{job_id}").json["data"]["waiting"]
    assert (waiting["because"], waiting["next_try_at"]) == ("scheduled", "2100-01-01T00:00:00.000Z")
    [action] = waiting["actions"]
    assert (action["action"], action["method"], action["href"]) == ("run_now", "POST", f"/v1/jobs/{job_id}/run-now")


async def test_an_unchanged_job_is_sent_once(api: Api) -> None:
    good, _, _ = await one_of_each(api)
    tag = api.get(f"/v1/jobs/{good.job_id}").headers["etag"]
    assert api.get(f"/v1/jobs/{good.job_id}", headers={"If-None-Match": tag}).status == 304
    api.world.client.datasets.reprocess(good.dataset_id)
    await api.world.run_until_idle(retry=AT_ONCE)
    assert api.get(f"/v1/datasets/{good.dataset_id}", headers={"If-None-Match": tag}).status == 200


def test_an_unchanged_list_is_sent_once(api: Api) -> None:
    submitted(api, 2000)
    tag = api.get("/v1/jobs").headers["etag"]
    assert api.get("/v1/jobs", headers={"If-None-Match": tag}).status == 304
    submitted(api, 2001)
    assert api.get("/v1/jobs", headers={"If-None-Match": tag}).status == 200


@pytest.mark.parametrize("below", ["", "/story", "/runs"])
def test_a_job_that_is_not_there_is_404(api: Api, below: str) -> None:
    dataset = api.world.submit_small(2000).dataset_id
    for given in (str(UUID(int=0)), "0000", "no-id", "ab", "%00", quote("a/b", safe="")):
        assert api.get(f"/v1/jobs/{given}{below}").code == "not-found", given
    assert "the id of a dataset" in api.get(f"/v1/jobs/{dataset}{below}").json["detail"]


async def test_runs_have_their_decision_in_words(api: Api) -> None:
    _, bad, queued = await one_of_each(api)
    [run] = fitting("/v1/jobs/{job_id}/runs", api.get(f"/v1/jobs/{bad.job_id}/runs"))["data"]
    assert (run["epoch"], run["cause"], run["decision"]["state"]) == (1, "rejected", "failed")
    assert run["sentence"].startswith("rejected (invalid_format): yob2002.txt, line 2:")
    assert run["decided"].startswith("failed, since")
    assert fitting("/v1/jobs/{job_id}/runs", api.get(f"/v1/jobs/{queued.job_id}/runs"))["data"] == []
