"""Uploads: what is answered, what is stored, and that both are what the command line does."""

import base64
import hashlib
import subprocess
from typing import Any

import pytest

from services.sources.passed_over import why_passed_over
from tests.api.client import Api, running
from tests.api.fits import fitting
from tests.api.forms import FILE, Part, form
from tests.api.uploading import CONTENT, SHA256, send, stored, upload
from tests.integration.world import DATA, World
from tests.kit.roles import as_role


async def test_an_upload_is_stored_and_loaded(api: Api) -> None:
    answer = upload(api)
    assert answer.status == 201
    data = answer.json["data"]
    assert (data["verdict"], data["status"]) == ("created", "pending")
    assert answer.headers["location"] == f"/v1/datasets/{data['dataset_id']}"
    assert answer.headers["link"] == f'</v1/jobs/{data["job_id"]}>; rel="monitor"'
    assert (data["dataset"]["filename"], data["dataset"]["sha256"], data["dataset"]["country"]) == (
        "yob2020.txt",
        SHA256,
        "US",
    )
    assert data["dataset"]["storage_uri"] == ""
    assert data["job"]["state"] == "queued"
    assert stored(api) == [CONTENT]
    await api.world.run_until_idle()
    assert api.world.rows(data["dataset_id"]) == 2


def test_an_upload_shows_dataset_and_job_as_lists_do(api: Api) -> None:
    data = fitting("/v1/datasets/upload", upload(api), "POST", 201)["data"]
    [dataset], [job] = (api.get(f"/v1/{name}").json["data"] for name in ("datasets", "jobs"))
    assert (data["dataset"], data["job"]) == (dataset, {**job, "waiting": data["job"]["waiting"]})
    assert data["dataset"]["uploaded_by"] == "test uploader"
    assert data["job"]["waiting"].keys() == job["waiting"].keys()


def test_the_old_manuals_curl_line_works_word_for_word(world: World) -> None:
    """On this machine without a key; the port and the country's id are what its reader fills in."""
    with running(world, api_local_role="uploader") as api:
        country_id = world.one("select id from countries where code = 'US'")["id"]
        world.file("yob2023.txt", CONTENT)
        line = (
            "curl -X POST http://localhost:8080/v1/datasets/upload \\\n"
            '  -F "file=@yob2023.txt" \\\n'
            '  -F "country_id=<country-uuid>"'
        ).replace(":8080", f":{api.listening.port}")
        line = line.replace("<country-uuid>", str(country_id))
        done = subprocess.run(["bash", "-c", line], cwd=world.folder, capture_output=True, check=True)
        assert b'"status":"pending"' in done.stdout
        dataset = world.one("select * from datasets")
        assert (dataset["filename"], dataset["sha256"], dataset["country_id"]) == ("yob2023.txt", SHA256, country_id)


def test_a_file_may_be_the_body_itself(api: Api) -> None:
    query = {"country": "us", "year": 2020, "priority": 5, "run_at": "12h", "batch": "spring"}
    answer = api.request("PUT", "/v1/datasets/upload/renamed.txt", CONTENT, role="uploader", query=query)
    assert answer.status == 201
    [dataset] = api.world.query("select * from datasets")
    [job] = api.world.query("select * from jobs")
    assert (dataset["filename"], dataset["year_hint"], dataset["batch"]) == ("renamed.txt", 2020, "spring")
    assert (job["priority"], job["state"]) == (5, "scheduled")


def test_every_field_of_a_form_is_heeded(api: Api) -> None:
    fields: dict[str, Any] = {
        "year": "2020", "sex": "female", "region": "us-ny", "columns": "name=n count=c", "measure": "births",
        "priority": "-3", "run_at": "2030-01-01T00:00Z", "pool": "default", "sha256": SHA256.upper(), "batch": "a",
    }  # fmt: skip
    assert upload(api, **fields).status == 201
    dataset, job = api.world.one("select * from datasets"), api.world.one("select * from jobs")
    assert (dataset["year_hint"], dataset["sex_hint"], dataset["region_hint"]) == (2020, "F", "US-NY")
    assert '"measure":"births"' in dataset["description"].replace(" ", "")
    assert (job["priority"], job["state"], job["run_at"].isoformat()[:10]) == (-3, "scheduled", "2030-01-01")


def test_the_same_bytes_again_change_nothing(api: Api) -> None:
    first, again = upload(api), upload(api)
    assert (first.status, again.status) == (201, 200)
    assert (again.json["data"]["verdict"], again.json["data"]["dataset_id"]) == (
        "unchanged",
        first.json["data"]["dataset_id"],
    )
    assert again.json["data"]["job_id"] == first.json["data"]["job_id"]
    assert len(api.world.query("select id from datasets")) == 1
    assert len(stored(api)) == 1


async def test_the_same_bytes_as_something_else_are_refused(api: Api) -> None:
    upload(api)
    await api.world.run_until_idle()
    refused = upload(api, name="yob1999.txt")
    assert (refused.status, refused.code) == (409, "overlapping")
    assert "delete that one first" in refused.json["detail"]


def test_bytes_that_are_being_loaded_as_something_else_wait(api: Api) -> None:
    job_id = upload(api).json["data"]["job_id"]
    api.world.query("update jobs set state = 'running', lease_epoch = 1 where id = %s", job_id)
    api.world.query("update datasets set status = 'processing'")
    refused = upload(api, name="yob1999.txt")
    assert (refused.status, refused.code) == (409, "dataset-busy")
    assert "when that run has ended" in refused.json["detail"]


def test_an_upload_is_in_the_audit_under_the_keys_name(api: Api) -> None:
    dataset_id = upload(api).json["data"]["dataset_id"]
    [entry] = api.world.query("select * from audit where action = 'dataset.submit'")
    assert (entry["actor"], entry["surface"], entry["target"]) == ("test uploader", "api", f"dataset/{dataset_id}")


async def test_the_role_of_an_api_is_enough(world: World) -> None:
    """It can neither claim nor settle, and uploads, corrects, restores and checks all the same."""
    with running(world, conninfo=as_role(world.conninfo, "affirm_api")) as api:
        assert upload(api).json["data"]["verdict"] == "created"
        assert upload(api, name="yob2021.txt").json["data"]["verdict"] == "corrected"
        assert upload(api, name="yob2021.txt", batch="b").json["data"]["verdict"] == "unchanged"
        await world.run_until_idle()
        for path in (world.folder / "storage").rglob("*"):
            if path.is_file():
                path.unlink()
        assert upload(api, name="yob2021.txt").json["data"]["verdict"] == "restored"
        assert upload(api, name="yob2021.txt", validate_only="true").json["data"]["ok"]
        asked = {"country": "US", "sha256": [SHA256]}
        assert api.post("/v1/datasets/known", role="uploader", json_body=asked).json["data"][0]["known"]


def test_what_is_known_need_not_be_sent(api: Api) -> None:
    dataset_id = upload(api).json["data"]["dataset_id"]
    asked = {"country": "US", "sha256": ["0" * 64, SHA256]}
    answer = api.post("/v1/datasets/known", role="uploader", json_body=asked)
    unknown, known = answer.json["data"]
    assert (unknown["known"], unknown["dataset_id"]) == (False, None)
    assert (known["known"], known["dataset_id"], known["status"]) == (True, dataset_id, "pending")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"country": "US", "sha256": ["x"]}, "field-invalid"),
        ({"country": "US", "sha256": ["0" * 64] * 1001}, "field-invalid"),
        ({"country": "US"}, "field-invalid"),
        ({"country": "US", "sha265": []}, "field-invalid"),
        ({"country": "XX", "sha256": []}, "country-not-found"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused(api: Api, asked: dict[str, Any], code: str) -> None:
    assert api.post("/v1/datasets/known", role="uploader", json_body=asked).code == code


def test_the_limits_are_shown_in_the_old_shape(world: World) -> None:
    with running(world, limit_file_mib=3, api_uploads_at_once=5) as api:
        data = api.get("/v1/datasets/upload/limits", role="viewer").json["data"]
    assert (data["max_file_size"], data["max_file_size_mb"], data["concurrency"]) == (3 << 20, 3, 5)
    samples = [path for path in DATA.rglob("*") if path.is_file() and len(path.relative_to(DATA).parts) > 1]
    endings = {path.suffix.lower() for path in samples if why_passed_over(path.name) is None}
    assert endings <= {*data["allowed_extensions"]}


def test_digests_that_are_right_are_taken(api: Api) -> None:
    body, content_type = form(Part(FILE, CONTENT, "yob2020.txt"), Part("country", "US"))
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    headers = {"Content-Type": content_type, "Content-Digest": f"sha-512=:AAAA:, sha-256=:{digest}:"}
    assert api.post("/v1/datasets/upload", body=body, headers=headers).status == 201


@pytest.mark.parametrize(
    "digest",
    [
        "sha-256=:AAAA:",
        "sha-256=:%:",
        "sha-256=AAAA",
        "sha-512=:AAAA:, sha-256=:é:",
        f"sha-256=:{base64.b64encode(b'0' * 32).decode()}:",
    ],
)
def test_other_bytes_than_announced_are_not_kept(api: Api, digest: str) -> None:
    answer = send(
        api, Part(FILE, CONTENT, "a.txt"), Part("country", "US"), headers={"Content-Digest": digest}
    )  # fmt: skip
    assert (answer.status, answer.code) == (400, "digest-mismatch")
    assert stored(api) == []


def test_another_hash_than_the_field_says_is_not_kept(api: Api) -> None:
    answer = upload(api, sha256="0" * 64)
    assert (answer.status, answer.code) == (400, "digest-mismatch")
    assert SHA256 in answer.json["detail"]
    assert stored(api) == []
