"""Times at the edges of the calendar: each is an answer or a clear no, never a fault of the program."""

from typing import Any

import pytest

from tests.api.acting import idle_dataset, waiting
from tests.api.client import Api

BEFORE = ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z")
AFTER = ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-12:00", "9999-01-01T00:00:00Z")
FILTERS = [
    ("/v1/jobs", "since"), ("/v1/jobs", "until"), ("/v1/datasets", "since"), ("/v1/datasets", "until"),
    ("/v1/failures", "since"), ("/v1/audit", "since"),
]  # fmt: skip


@pytest.mark.parametrize("given", AFTER)
def test_no_job_is_asked_to_run_so_late(api: Api, given: str) -> None:
    job, dataset = waiting(api), idle_dataset(api)
    before = api.world.job(job)["run_at"]
    everything: Any = {"filter": {"state": ["queued"]}, "run_at": given}
    for answer in (
        api.request("PATCH", f"/v1/jobs/{job}", json_body={"run_at": given}),
        api.post(f"/v1/jobs/{job}/retry", json_body={"run_at": given}),
        api.post(f"/v1/datasets/{dataset}/reprocess", json_body={"run_at": given}),
        api.post("/v1/operations", json_body={"action": "set", **everything}),
    ):
        assert (answer.status, answer.code) == (422, "field-invalid")
        assert answer.json["errors"][0]["field"] == "run_at"
        assert "a time of the years 1 to 9998" in answer.json["detail"]
    assert api.world.job(job)["run_at"] == before


@pytest.mark.parametrize("given", [*BEFORE, *AFTER])
def test_a_list_since_or_until_then_is_an_answer(api: Api, given: str) -> None:
    waiting(api)
    for path, name in FILTERS:
        found = api.get(path, query={name: given})
        assert found.status == 200, (path, name, found.text)
        if path != "/v1/failures":
            assert bool(found.json["data"]) is ((name == "since") is (given in BEFORE)), (path, name)


@pytest.mark.parametrize("given", [*BEFORE, *AFTER])
def test_an_operation_since_or_until_then_is_an_answer(api: Api, given: str) -> None:
    waiting(api)
    for name in ("since", "until"):
        body = {"action": "cancel", "dry_run": True, "filter": {"state": "queued", name: given}}
        answer = api.post("/v1/operations", json_body=body)
        assert answer.status == 200, answer.text
        assert answer.json["data"]["matching"] == int((name == "since") is (given in BEFORE))


@pytest.mark.parametrize("given", [*BEFORE, *AFTER])
def test_the_past_until_then_is_no_fault(api: Api, given: str) -> None:
    for name in ("from", "to"):
        answer = api.get("/v1/pools/default/history", query={name: given})
        assert answer.status in (200, 400), answer.text
