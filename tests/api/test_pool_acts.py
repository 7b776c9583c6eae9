"""Pools and schedules over HTTP: what becomes of them, and each reason for a no."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from services.audit import AuditFilter
from tests.api.acting import SCHEDULE, blocked, folder, schedule
from tests.api.client import Api
from tests.api.fits import fitting

DESCRIBED = "update pools set described = 7, described_in = 'names'"
ONE = "/v1/schedules/{name}"


def add(api: Api, **values: Any) -> tuple[int, str, str]:
    """The status, the code and the detail of a new schedule."""
    answer = api.post("/v1/schedules", json_body={**SCHEDULE, **values})
    return answer.status, answer.code, answer.json.get("detail", "")


class TestPools:
    def test_a_paused_pool_says_why(self, api: Api) -> None:
        path = "/v1/pools/{name}/pause"
        found = fitting(path, api.post("/v1/pools/default/pause", json_body={"reason": "migration"}), "POST")["data"]
        assert (found["paused"], found["paused_reason"]) == (True, "migration")
        found = fitting("/v1/pools/{name}/resume", api.post("/v1/pools/default/resume"), "POST")["data"]
        assert found["paused"] is False

    def test_a_blocked_pool_is_probed(self, api: Api) -> None:
        blocked(api)
        found = fitting("/v1/pools/{name}/probe", api.post("/v1/pools/default/probe"), "POST")["data"]
        assert found["blocked"]["probe_at"] < api.world.client.now().isoformat()

    @pytest.mark.parametrize("what", ["pause", "resume"])
    def test_one_that_a_parser_pool_describes_answers_with_the_kubectl_line(self, api: Api, what: str) -> None:
        api.world.query(f"{DESCRIBED}, paused = true, paused_since = now()")
        answer = api.post(f"/v1/pools/default/{what}")
        assert (answer.status, answer.code) == (409, "pool-is-described")
        _, _, line = answer.json["detail"].partition("kubectl ")
        words = shlex.split(line)
        assert words[:5] == ["patch", "parserpool", "default", "-n", "names"]
        assert json.loads(words[-1]) == {"spec": {"paused": what == "pause"}}
        [action] = answer.json["actions"]
        assert (action["action"], action["method"]) == ("patch", None)

    def test_a_described_pool_is_probed_too(self, api: Api) -> None:
        blocked(api)
        api.world.query(DESCRIBED)
        assert api.post("/v1/pools/default/probe").status == 200

    def test_one_that_is_not_there_is_not_found(self, api: Api) -> None:
        for what in ("pause", "resume", "probe"):
            answer = api.post(f"/v1/pools/defualt/{what}")
            assert (answer.status, answer.code) == (404, "not-found")
            assert "did you mean default?" in answer.json["detail"]


class TestSchedules:
    def test_a_new_one_is_as_its_get_says(self, api: Api) -> None:
        folder(api)
        body = {**SCHEDULE, "timezone": "Europe/Paris", "priority": 4, "sex": "female", "region": "us-ny"}
        answer = api.post("/v1/schedules", json_body=body)
        found = fitting("/v1/schedules", answer, "POST", 201)["data"]
        assert answer.headers["location"] == "/v1/schedules/us"
        assert api.get("/v1/schedules/us").json["data"] == found
        assert (found["location"], found["sex_hint"], found["region_hint"], found["priority"]) == (
            "in", "F", "US-NY", 4,
        )  # fmt: skip

    def test_an_address_is_kept(self, api: Api) -> None:
        body = {"name": "fr", "cron": "0 3 * * 1", "country": "fr", "url": "https://example.org/a.csv"}
        found = fitting("/v1/schedules", api.post("/v1/schedules", json_body=body), "POST", 201)["data"]
        assert (found["url"], found["location"]) == ("https://example.org/a.csv", None)

    @pytest.mark.parametrize(
        "location",
        ["/etc", "/", "../..", "in/../../..", "file:///etc", "s3://others/in", "", "US", "US/2020", "a\x00b"],
    )
    def test_no_other_folder_of_the_server_is_read(self, api: Api, location: str) -> None:
        status, code, _ = add(api, location=location)
        assert (status, code) == (422, "field-invalid")
        assert api.get("/v1/schedules").json["data"] == []

    def test_a_link_out_of_storage_is_not_followed(self, api: Api, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.mkdir()
        (secret / "yob2000.txt").write_text("Mary,F,5\n")
        folder(api)
        (api.world.folder / "storage" / "in" / "link").symlink_to(secret)
        (api.world.folder / "storage" / "out").symlink_to(secret)
        for name in ("in", "out"):
            assert add(api, name=name, location=name)[0] == 201
            assert api.post(f"/v1/schedules/{name}/run").status == 202
            wait_until_looked(api, name)
        assert api.get("/v1/datasets").json["data"] == []

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "/etc/passwd", "ftp://example.org/a", "https://a:b@example.org/a", "nonsense"]
    )
    def test_no_other_address_is_kept(self, api: Api, url: str) -> None:
        status, code, _ = add(api, location=None, url=url)
        assert (status, code) == (422, "field-invalid")

    @pytest.mark.parametrize(
        ("values", "code"),
        [
            ({"cron": "never"}, "bad-cron"),
            ({"cron": "0 0 30 2 *"}, "bad-cron"),
            ({"timezone": "Europe/Atlantis"}, "bad-cron"),
            ({"country": "XX"}, "country-not-found"),
            ({"pool": "none"}, "field-invalid"),
            ({"name": "Not So"}, "field-invalid"),
            ({"year": 3}, "field-invalid"),
            ({"url": "https://example.org/a"}, "field-invalid"),
            ({"location": None}, "field-invalid"),
            ({"filename": "a.csv"}, "field-invalid"),
            ({"crn": "0 5 * * *"}, "field-invalid"),
        ],
    )
    def test_what_cannot_be_is_refused(self, api: Api, values: dict[str, Any], code: str) -> None:
        assert add(api, **values)[1] == code

    def test_what_is_left_out_stays_and_null_takes_away(self, api: Api) -> None:
        folder(api)
        add(api, sex="F", year=2000)
        before = api.get("/v1/schedules/us").json["data"]
        body = {"cron": "0 6 * * *", "sex": None}
        found = fitting(ONE, api.request("PATCH", "/v1/schedules/us", json_body=body), "PATCH")["data"]
        changed = {name for name, value in found.items() if value != before[name]}
        assert changed == {"cron", "next_at", "sex_hint"}
        answer = api.request("PATCH", "/v1/schedules/us", json_body={"cron": "* *"})
        assert (answer.status, answer.code) == (422, "bad-cron")
        assert api.get("/v1/schedules/us").json["data"] == found

    def test_a_look_submits_what_is_new(self, api: Api) -> None:
        schedule(api)
        path = api.world.folder / "storage" / "in" / "yob2000.txt"
        path.write_text("Mary,F,5\n")
        os.utime(path, (0, 0))  # it has not changed for long
        answer = api.post("/v1/schedules/us/run")
        assert fitting(ONE + "/run", answer, "POST", 202)["data"]["name"] == "us"
        found = wait_until_looked(api, "us")
        assert (found["files"], found["submitted"], found["error"]) == (1, 1, None)
        [entry] = api.world.client.audit.page(AuditFilter(action="dataset.submit"), 5).items
        assert (entry.actor, entry.surface) == ("test admin", "api")

    def test_one_that_is_being_done_is_left_alone(self, api: Api) -> None:
        schedule(api)
        api.world.query("update schedules set holder = gen_random_uuid(), not_before = now() + interval '1 hour'")
        answer = api.post("/v1/schedules/us/run")
        assert (answer.status, answer.code) == (409, "at-work")

    def test_a_broken_off_look_says_so_on_the_schedule(self, api: Api) -> None:
        schedule(api)
        (api.world.folder / "storage" / "in").rmdir()
        assert api.post("/v1/schedules/us/run").status == 202
        found = wait_until_looked(api, "us")
        assert "there is no folder" in found["error"]


def wait_until_looked(api: Api, name: str) -> Any:
    """The schedule when nobody is at it any more."""
    while (found := api.get(f"/v1/schedules/{name}").json["data"])["looking"]:
        pass
    return found
