"""What is done to jobs and datasets over HTTP: the new state as the answer, and each reason for a no."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from dataset_jobs.model.actor import Actor
from services.audit import AuditFilter
from services.client import Client
from services.keys import Keys, Role
from services.submit import FileOptions
from tests.api.acting import ACTS, failed, idle_dataset, later, waiting
from tests.api.client import Api, running
from tests.api.fits import fitting
from tests.integration.world import World

JOB = "/v1/jobs/{job_id}"
RUNNING = "update jobs set state = 'running', lease_epoch = 1, finished_at = null where id = %s"


def uploaded(api: Api, role: str, year: int = 2020) -> tuple[UUID, UUID]:
    """A dataset and its job, submitted with the key of a role."""
    key = Keys(api.world.client.database).check(api.keys[role])
    client = Client(api.world.client.database.acting_as(Actor(key.name, "api", "upload", key.id)))
    path = api.world.file(f"yob{year}.txt", f"Mary,F,{year}\n")
    made = client.submit_file(api.world.storage, path, FileOptions("US"))
    assert made.dataset_id is not None and made.job_id is not None
    return made.dataset_id, made.job_id


class TestCancel:
    def test_a_job_that_waits_is_cancelled(self, api: Api) -> None:
        job = waiting(api)
        body = {"reason": "the wrong file"}
        answer = api.post(f"/v1/jobs/{job}/cancel", json_body=body)
        found = fitting(JOB + "/cancel", answer, "POST")["data"]
        assert (found["id"], found["state"], found["waiting"]) == (str(job), "cancelled", None)
        again = api.get(f"/v1/jobs/{job}")
        assert again.json["data"] == found
        assert again.headers["etag"] == answer.headers["etag"]
        [entry] = api.world.client.audit.page(AuditFilter(action="job.cancel"), 5).items
        assert entry.detail == body

    async def test_one_at_work_is_asked_to_end(self, api: Api) -> None:
        job = waiting(api)
        api.world.query(
            "with job as (update jobs set state = 'running', lease_epoch = 1 where id = %s returning id, pool)"
            " insert into runs (job_id, epoch, owner, launcher, lease_until, pool)"
            " select id, 1, 'a', 'process', now() + interval '1 hour', pool from job",
            job,
        )
        for _ in range(2):
            answer = api.post(f"/v1/jobs/{job}/cancel")
            found = fitting(JOB + "/cancel", answer, "POST", 202)["data"]
            assert found["state"] == "running" and found["cancel_requested_at"]
        assert len(api.world.client.audit.page(AuditFilter(action="job.cancel"), 5).items) == 1

    async def test_one_that_is_over_stays(self, api: Api) -> None:
        job = waiting(api)
        await api.world.run_until_idle()
        answer = api.post(f"/v1/jobs/{job}/cancel")
        assert (answer.status, answer.code) == (409, "completed-already")
        assert "has completed" in answer.json["detail"]
        answer = api.post(f"/v1/jobs/{failed_one(api)}/cancel")
        assert (answer.status, answer.code) == (409, "completed-already")
        assert answer.json["actions"][0]["href"].endswith("/story")


def failed_one(api: Api) -> UUID:
    job = api.world.submit_small(1999).job_id
    api.world.query("update jobs set state = 'failed', last_cause = 'rejected', last_error = 'x', finished_at = now()"
                    " where id = %s", job)  # fmt: skip
    return job


class TestRetry:
    def test_a_failed_job_is_queued_again(self, api: Api) -> None:
        job = failed(api)
        body = {"priority": 7, "run_at": "2h"}
        found = fitting(JOB + "/retry", api.post(f"/v1/jobs/{job}/retry", json_body=body), "POST")["data"]
        assert (found["state"], found["priority"], found["attempts"]) == ("scheduled", 7, 0)
        assert found["waiting"]["next_try_at"] == found["run_at"]

    async def test_one_that_cannot_be_put_back_says_why(self, api: Api) -> None:
        job = waiting(api)
        answer = api.post(f"/v1/jobs/{job}/retry")
        assert (answer.status, answer.code) == (409, "cannot-be-put-back")
        assert "not finished" in answer.json["detail"]
        await api.world.run_until_idle()
        answer = api.post(f"/v1/jobs/{job}/retry")
        assert answer.code == "cannot-be-put-back"
        [action] = answer.json["actions"]
        assert (action["method"], action["href"].rpartition("/")[2]) == ("POST", "reprocess")
        assert api.request(action["method"], action["href"]).status == 202


class TestWaiting:
    def test_a_scheduled_job_is_run_now(self, api: Api) -> None:
        job = later(api)
        found = fitting(JOB + "/run-now", api.post(f"/v1/jobs/{job}/run-now"), "POST")["data"]
        assert found["state"] == "queued"

    @pytest.mark.parametrize("what", ["run-now", "change"])
    def test_one_that_does_not_wait_stays_as_it_is(self, api: Api, what: str) -> None:
        job = failed(api)
        if what == "change":
            answer = api.request("PATCH", f"/v1/jobs/{job}", json_body={"priority": 1})
        else:
            answer = api.post(f"/v1/jobs/{job}/run-now")
        assert (answer.status, answer.code) == (409, "not-waiting")

    def test_priority_time_and_pool_are_changed(self, api: Api) -> None:
        job = waiting(api)
        api.world.query("insert into pools (name, max_running) values ('large', 4)")
        body = {"priority": -3, "run_at": "2090-01-01T00:00:00Z", "pool": "large"}
        found = fitting(JOB, api.request("PATCH", f"/v1/jobs/{job}", json_body=body), "PATCH")["data"]
        assert (found["priority"], found["run_at"][:10], found["pool"]) == (-3, "2090-01-01", "large")
        assert found["state"] == "scheduled"

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"priority": 40_000},
            {"priority": "high"},
            {"run_at": "tomorrow"},
            {"run_at": 5},
            {"run_at": "9999-12-31T23:59:59Z"},
            {"pool": "none"},
            {"priorty": 1},
            [],
        ],
    )
    def test_what_cannot_be_is_refused(self, api: Api, body: object) -> None:
        answer = api.request("PATCH", f"/v1/jobs/{waiting(api)}", json_body=body)
        assert (answer.status, answer.code) == (422, "field-invalid"), answer.text

    def test_if_it_has_changed_since_it_was_seen_it_stays(self, api: Api) -> None:
        job = waiting(api)
        tag = {"If-Match": api.get(f"/v1/jobs/{job}").headers["etag"]}
        first = api.request("PATCH", f"/v1/jobs/{job}", json_body={"priority": 1}, headers=tag)
        assert first.status == 200
        second = api.request("PATCH", f"/v1/jobs/{job}", json_body={"priority": 2}, headers=tag)
        assert (second.status, second.code) == (412, "changed")
        tag = {"If-Match": first.headers["etag"]}
        assert api.request("PATCH", f"/v1/jobs/{job}", json_body={"priority": 2}, headers=tag).status == 200
        for given, status in (("*", 200), ('"nonsense"', 412), (f'"x", {tag["If-Match"]}', 412)):
            answer = api.request("PATCH", f"/v1/jobs/{job}", json_body={"priority": 3}, headers={"If-Match": given})
            assert answer.status == status

    def test_its_place_in_the_queue_is_no_change_of_it(self, api: Api) -> None:
        job = waiting(api)
        tag = api.get(f"/v1/jobs/{job}").headers["etag"]
        for year in range(1990, 1995):
            ahead = api.world.submit_small(year).job_id
            api.request("PATCH", f"/v1/jobs/{ahead}", json_body={"priority": 9})
        assert api.get(f"/v1/jobs/{job}").headers["etag"] != tag
        answer = api.request("PATCH", f"/v1/jobs/{job}", json_body={"priority": 1}, headers={"If-Match": tag})
        assert answer.status == 200

    def test_of_two_changes_at_once_of_the_same_version_one_wins(self, api: Api) -> None:
        for year in range(1990, 1995):
            job = api.world.submit_small(year).job_id
            tag = {"If-Match": api.get(f"/v1/jobs/{job}").headers["etag"]}

            def change(number: int, job: UUID = job, tag: dict[str, str] = tag) -> int:
                return api.request("PATCH", f"/v1/jobs/{job}", json_body={"priority": number}, headers=tag).status

            with ThreadPoolExecutor(4) as threads:
                assert sorted(threads.map(change, range(1, 5))) == [200, 412, 412, 412]


class TestDatasets:
    async def test_a_dataset_is_loaded_again(self, api: Api) -> None:
        made = api.world.submit_small()
        await api.world.run_until_idle()
        path = "/v1/datasets/{dataset_id}/reprocess"
        answer = api.post(f"/v1/datasets/{made.dataset_id}/reprocess", json_body={"priority": 2})
        found = fitting(path, answer, "POST", 202)["data"]
        assert (found["status"], found["dataset_id"]) == ("reprocessing", str(made.dataset_id))
        assert (found["job"]["type"], found["job"]["priority"]) == ("reprocess_dataset", 2)
        assert answer.headers["location"] == f"/v1/jobs/{found['job_id']}"
        assert answer.headers["link"] == f'</v1/jobs/{found["job_id"]}>; rel="monitor"'
        answer = api.post(f"/v1/datasets/{made.dataset_id}/reprocess")
        assert (answer.status, answer.code) == (409, "job-unfinished")

    @pytest.mark.every_postgres
    async def test_a_dry_run_says_what_would_go(self, api: Api) -> None:
        old = api.world.submit_small(2020)
        await api.world.run_until_idle()
        path = api.world.file("yob2020.txt", "Mary,F,9\nAnna,F,8\n")
        new = api.world.submit(path, replaces=[old.dataset_id])
        await api.world.run_until_idle()
        answer = api.delete(f"/v1/datasets/{new.dataset_id}", query={"dry_run": "true"})
        found = fitting("/v1/datasets/{dataset_id}", answer, "DELETE")["data"]
        assert (found["rows"], found["years"], found["jobs"]) == (2, [2020], 1)
        assert found["would_count_instead"] == [str(old.dataset_id)]
        [again] = found["successors"]
        assert (again["dataset_id"], again["filename"]) == (str(old.dataset_id), "yob2020.txt")
        assert (again["years"], again["sexes"]) == ([2020], ["F"])
        assert api.get(f"/v1/datasets/{new.dataset_id}").status == 200
        assert api.delete(f"/v1/datasets/{new.dataset_id}").status == 204
        assert api.get(f"/v1/datasets/{new.dataset_id}").status == 404
        assert api.get(f"/v1/datasets/{old.dataset_id}").json["data"]["superseded_by"] == []

    def test_one_that_a_run_holds_stays(self, api: Api) -> None:
        made = api.world.submit_small()
        api.world.query(RUNNING, made.job_id)
        for query in ({}, {"dry_run": "true"}):
            answer = api.delete(f"/v1/datasets/{made.dataset_id}", query=query)
            assert (answer.status, answer.code) == (409, "job-unfinished")
            assert answer.json["actions"][0]["href"] == f"/v1/jobs/{made.job_id}/cancel"

    def test_a_file_that_stays_in_storage_is_logged(self, api: Api, caplog: pytest.LogCaptureFixture) -> None:
        dataset = idle_dataset(api)
        folder = api.world.folder / "storage"
        folder.rename(api.world.folder / "elsewhere")
        assert api.delete(f"/v1/datasets/{dataset}").status == 204
        assert api.delete(f"/v1/datasets/{dataset}").status == 404
        assert any("its stored file is not" in one.getMessage() for one in caplog.records)


class TestUploaders:
    """An uploader steers what its key has uploaded, and nothing else."""

    ACTS = ("/v1/jobs/{job}/cancel", "/v1/jobs/{job}/retry", "/v1/datasets/{dataset}/reprocess")

    def test_its_own(self, api: Api) -> None:
        dataset, job = uploaded(api, "uploader")
        expected = dict(zip(self.ACTS, (200, 200, 409), strict=True))
        for path, status in expected.items():
            answer = api.post(path.format(job=job, dataset=dataset), role="uploader")
            assert answer.status == status, answer.text

    @pytest.mark.parametrize("by", ["admin", "the command line", "a revoked key of the same name"])
    def test_what_others_have_uploaded(self, api: Api, by: str) -> None:
        if by == "the command line":
            made = api.world.submit_small()
            dataset, job = made.dataset_id, made.job_id
        elif by == "admin":
            dataset, job = uploaded(api, "admin")
        else:
            dataset, job = uploaded(api, "uploader")
            keys = Keys(api.world.client.database)
            keys.revoke(api.keys["uploader"].split("_")[1])
            api.keys["uploader"] = keys.make("test uploader", Role.UPLOADER).text
        for path in self.ACTS:
            answer = api.post(path.format(job=job, dataset=dataset), role="uploader")
            assert (answer.status, answer.code) == (403, "not-allowed")
            assert answer.json["role"] == "admin"
        assert api.world.job(job)["state"] == "queued"

    def test_an_admin_steers_all(self, api: Api) -> None:
        _, job = uploaded(api, "uploader")
        assert api.post(f"/v1/jobs/{job}/cancel").status == 200


def test_nothing_is_done_if_it_is_read_only(world: World) -> None:
    with running(world, api_read_only=True) as api:
        codes = {case.ask(api, "0000").code for case in ACTS.values()}
    assert codes == {"read-only"}
