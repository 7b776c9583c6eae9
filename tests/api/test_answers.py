"""What every answer has: ids, headers, errors in one shape."""

import json
import logging

import pytest

from tests.api.client import Api, running
from tests.integration.world import World


def test_an_error_has_the_members_of_both_generations(api: Api) -> None:
    answer = api.get("/v1/countries/XX")
    problem = answer.json
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["type"], problem["status"], problem["code"]) == (
        "/problems/country-not-found",
        404,
        "country-not-found",
    )
    assert problem["message"] == problem["detail"] == problem["error"]["message"]
    assert problem["error"]["code"] == problem["code"]
    assert problem["instance"] == "/v1/countries/XX"
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_a_sane_request_id_is_kept(api: Api) -> None:
    assert api.get("/healthz", headers={"X-Request-Id": "from-me.1"}).headers["x-request-id"] == "from-me.1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>"])
def test_another_request_id_is_replaced(api: Api, given: str) -> None:
    assert len(api.get("/healthz", headers={"X-Request-Id": given}).headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", ["/healthz", "/v1/me", "/nowhere", "/docs"])
def test_every_answer_has_the_security_headers(api: Api, path: str) -> None:
    headers = api.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "server" not in headers


def test_an_unknown_path_is_not_found(api: Api) -> None:
    assert api.get("/v1/nothing", role=None).code == "not-found"


def test_another_method_names_those_allowed(api: Api) -> None:
    answer = api.delete("/v1/countries")
    assert (answer.status, answer.code) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_head_has_the_headers_of_get_alone(api: Api) -> None:
    answer = api.request("HEAD", "/v1/countries")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["etag"] == api.get("/v1/countries").headers["etag"]


def test_an_unknown_parameter_is_refused_with_the_nearest(api: Api) -> None:
    answer = api.get("/v1/parsers", query={"contry": "US"})
    assert (answer.status, answer.code) == (400, "unknown-parameter")
    assert "did you mean country?" in answer.json["detail"]


def test_a_client_that_has_it_is_sent_nothing(api: Api) -> None:
    tag = api.get("/v1/countries/US").headers["etag"]
    answer = api.get("/v1/countries/US", headers={"If-None-Match": tag})
    assert (answer.status, answer.body) == (304, b"")


def test_each_request_is_one_line_of_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "api.access"), running(world) as api:
        api.get("/v1/me", query={"secret": "s3cr3t"})
    [line] = [one for one in caplog.records if one.name == "api.access"]
    assert line.getMessage() == "GET /v1/me 400"
    assert "s3cr3t" not in json.dumps(vars(line), default=str)
    assert vars(line)["caller"] == "test admin"


@pytest.mark.parametrize("path", ["/docs", "/problems/no-key"])
def test_the_pages_load_nothing_from_elsewhere(api: Api, path: str) -> None:
    page = api.get(path, role=None).text
    assert "<script" not in page
    assert "src=" not in page


def test_parsers_are_listed_by_country(api: Api) -> None:
    assert [one["format"] for one in api.get("/v1/parsers", query={"country": "ch"}).json["data"]] == ["zurich"]
    assert api.get("/v1/parsers", query={"country": "Atlantis"}).code == "country-not-found"


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "text/html, application/*;q=0.5", "", "Application/JSON"]
)
def test_a_client_that_takes_json_gets_it(api: Api, accept: str) -> None:
    assert api.get("/v1/me", headers={"Accept": accept}).status == 200


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "text/*", "[a", "application/jsonx"])
def test_a_client_that_takes_none_of_ours_is_refused(api: Api, accept: str) -> None:
    answer = api.get("/v1/me", headers={"Accept": accept})
    assert (answer.status, answer.code) == (406, "not-acceptable")


@pytest.mark.parametrize(
    "path", ["/v1/countries/%00", "/v1/countries/%ff%fe", "/v1/countries/%0d%0aX-A:%20b", "//", "/%2e%2e/x"]
)
def test_a_hostile_path_is_not_found(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status == 404
    assert "x-a" not in answer.headers


@pytest.mark.parametrize("query", ["%00=1", "a" * 5000 + "=1", "%ff=%fe", "=", "&&", ";"])
def test_a_hostile_query_is_answered(api: Api, query: str) -> None:
    assert api.get(f"/v1/me?{query}").status in (200, 400)
