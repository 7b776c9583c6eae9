"""GET /v1/datasets and what is below it."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from dataset_jobs.store.views import DatasetView
from tests.api.client import Api
from tests.api.fits import fitting
from tests.api.reading import to_text, walked
from tests.integration.world import NO_RETRIES, SubmittedFile

ONE = "/v1/datasets/{dataset_id}"


def datasets(api: Api, **query: Any) -> list[str]:
    """The ids of a list."""
    return [one["id"] for one in fitting("/v1/datasets", api.get("/v1/datasets", query=query))["data"]]


async def loaded(api: Api, year: int = 2001, content: str = "Mary,F,7\nJohn,M,8\n") -> SubmittedFile:
    made = api.world.submit_small(year, content)
    await api.world.run_until_idle(retry=NO_RETRIES)
    return made


async def test_each_filter_selects(api: Api) -> None:
    good = str((await loaded(api)).dataset_id)
    new = str(api.world.submit_small(2003).dataset_id)
    sha256 = api.world.dataset(UUID(good))["sha256"]
    both = {good, new}
    expected: list[tuple[dict[str, Any], set[str]]] = [
        ({"country": "US"}, both),
        ({"country": "SE"}, set()),
        ({"status": "pending"}, {new}),
        ({"status": ["pending", "completed"]}, both),
        ({"filename": "2001"}, {good}),
        ({"filename": "yob*"}, both),
        ({"sha256": sha256.upper()}, {good}),
        ({"year": 2001}, {good}),
        ({"year": 1999}, set()),
        ({"measure": "births"}, {good}),
        ({"region": "none"}, set()),
        ({"since": "2020-01-01T00:00:00Z"}, both),
        ({"until": "2020-01-01T00:00:00Z"}, set()),
        ({"batch": "none"}, set()),
        ({"superseded": "false"}, both),
        ({"superseded": "true"}, set()),
        ({"sort": "newest"}, both),
    ]
    for query, ids in expected:
        assert set(datasets(api, **query)) == ids, query


@pytest.mark.parametrize(
    "query", [{"sha256": "abc"}, {"sort": "oldest"}, {"status": "lost"}, {"year": "x"}, {"superseded": "perhaps"}]
)
def test_a_wrong_parameter_is_refused(api: Api, query: dict[str, Any]) -> None:
    answer = api.get("/v1/datasets", query=query)
    assert (answer.status, answer.code) == (400, "field-invalid")


def test_pages_do_not_move_when_datasets_come(api: Api) -> None:
    old = [str(api.world.submit_small(year).dataset_id) for year in range(2000, 2005)]
    first = api.get("/v1/datasets", query={"limit": 2}).json
    api.world.submit_small(2010)
    rest = walked(api, "/v1/datasets", limit=2, cursor=first["meta"]["next_cursor"])
    assert [one["id"] for one in first["data"]] + [one for page in rest for one in page] == old[::-1]
    assert datasets(api, limit=1, offset=5) == [old[0]]
    assert api.get("/v1/datasets", query={"count": "estimate"}).json["meta"]["total"] == 6


async def test_a_dataset_can_be_read_back(api: Api) -> None:
    made = await loaded(api)
    found = fitting(ONE, api.get(f"/v1/datasets/{made.dataset_id}"))["data"]
    kept = api.world.client.datasets.get(made.dataset_id)
    names = [name for name in DatasetView.__slots__ if name != "storage_uri"]
    values = {name: getattr(kept, name) for name in names}
    assert {name: found[name] for name in names} == {
        name: [to_text(one) for one in value] if isinstance(value, list) else to_text(value)
        for name, value in values.items()
    }
    assert found["storage_uri"] == ""
    assert kept.storage_uri not in api.get(f"/v1/datasets/{made.dataset_id}").text


async def test_a_dataset_has_the_old_members(api: Api) -> None:
    made = await loaded(api)
    found = fitting(ONE, api.get(f"/v1/datasets/{made.dataset_id}"))["data"]
    assert (found["country_code"], found["file_size"], found["error_message"]) == ("US", 18, None)
    assert found["country_id"] == api.get("/v1/countries/US").json["data"]["id"]
    assert found["uploaded_at"] == found["created_at"]
    assert found["uploaded_by"] == api.get("/v1/audit").json["data"][-1]["actor"]
    assert found["processed_at"] == found["loaded_at"] is not None
    assert found["processing_time_seconds"] > 0


async def test_a_dataset_says_what_it_covers(api: Api) -> None:
    made = await loaded(api)
    found = fitting(ONE, api.get(f"/v1/datasets/{str(made.dataset_id)[:8]}"))["data"]
    assert found["coverage"] == [
        {"year": 2001, "gender": "F", "rows": 1, "total": 7, "superseded_by": None},
        {"year": 2001, "gender": "M", "rows": 1, "total": 8, "superseded_by": None},
    ]
    assert [one["id"] for one in found["jobs"]] == [str(made.job_id)]
    assert (found["report"]["rows"], found["report"]["accepted"]) == (2, True)
    other = api.world.submit(api.world.file("other.txt", "Eve,F,9\n"), year=2001, replaces=[made.dataset_id])
    await api.world.run_until_idle()
    found = fitting(ONE, api.get(f"/v1/datasets/{made.dataset_id}"))["data"]
    assert [one["superseded_by"] for one in found["coverage"]] == [str(other.dataset_id), None]
    assert fitting(ONE, api.get(f"/v1/datasets/{other.dataset_id}"))["data"]["supersedes"] == [str(made.dataset_id)]


async def test_a_failed_dataset_has_its_error(api: Api) -> None:
    made = await loaded(api, 2002, "Mary,F,3\nAnna,F,many\n")
    found = fitting(ONE, api.get(f"/v1/datasets/{made.dataset_id}"))["data"]
    assert (found["status"], found["report"], found["processing_time_seconds"]) == ("failed", None, None)
    assert "line 2" in found["error_message"]


async def test_an_unchanged_dataset_is_sent_once(api: Api) -> None:
    made = await loaded(api)
    tag = api.get(f"/v1/datasets/{made.dataset_id}").headers["etag"]
    assert api.get(f"/v1/datasets/{made.dataset_id}", headers={"If-None-Match": tag}).status == 304
    api.world.client.datasets.reprocess(made.dataset_id)
    assert api.get(f"/v1/datasets/{made.dataset_id}", headers={"If-None-Match": tag}).status == 200


@pytest.mark.parametrize("below", ["", "/file"])
def test_a_dataset_that_is_not_there_is_404(api: Api, below: str) -> None:
    job = api.world.submit_small(2000).job_id
    for given in (str(UUID(int=0)), "0000", "no-id", "ab", "%00", quote("a/b", safe="")):
        assert api.get(f"/v1/datasets/{given}{below}").code == "not-found", given
    assert "the id of a job" in api.get(f"/v1/datasets/{job}{below}").json["detail"]


def test_the_file_comes_as_it_was_submitted(api: Api) -> None:
    content = b"Mary,F,7\r\n" * 100_000
    made = api.world.submit(api.world.file('yob2000 "ü".txt', content), year=2000)
    answer = api.get(f"/v1/datasets/{made.dataset_id}/file", headers={"Accept": "text/csv"})
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''yob2000%20%22%C3%BC%22.txt"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-length"] == str(len(content))
    tag = answer.headers["etag"]
    assert api.get(f"/v1/datasets/{made.dataset_id}/file", headers={"If-None-Match": tag}).status == 304
    head = api.request("HEAD", f"/v1/datasets/{made.dataset_id}/file")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(content)))


def test_a_file_that_storage_has_lost_is_gone(api: Api) -> None:
    made = api.world.submit_small(2000)
    api.world.storage.delete(api.world.dataset(made.dataset_id)["storage_uri"])
    answer = api.get(f"/v1/datasets/{made.dataset_id}/file")
    assert (answer.status, answer.code) == (410, "file-gone")
    assert api.get(f"/v1/datasets/{made.dataset_id}").status == 200
