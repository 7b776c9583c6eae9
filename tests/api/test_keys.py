"""Keys by the API: made once, listed without secrets, revoked at once."""

import pytest

from tests.api.client import Api


def test_a_key_is_shown_once_and_works(api: Api) -> None:
    made = api.post("/v1/keys", json_body={"name": "import", "role": "uploader", "expires_in": "90d"})
    assert made.status == 201
    assert made.headers["cache-control"] == "no-store"
    key = made.json["data"]
    me = api.get("/v1/me", key=key["key"]).json["data"]
    assert (me["name"], me["role"], me["key_id"]) == ("import", "uploader", key["id"])
    assert me["expires_at"] == key["expires_at"]
    assert key["key"] not in api.get("/v1/keys").text


def test_the_list_says_who_made_a_key(api: Api) -> None:
    api.post("/v1/keys", json_body={"name": "import", "role": "viewer"})
    assert api.get("/v1/keys").json["data"][0]["made_by"] == "test admin"


def test_making_a_key_is_in_the_audit(api: Api) -> None:
    made = api.post("/v1/keys", json_body={"name": "import", "role": "viewer"}, headers={"X-Request-Id": "mine"})
    row = api.world.one("select * from audit where request_id = 'mine'")
    assert (row["actor"], row["surface"], row["target"]) == ("test admin", "api", f"key/{made.json['data']['id']}")


def test_a_revoked_key_is_out_at_once(api: Api) -> None:
    made = api.post("/v1/keys", json_body={"name": "import", "role": "viewer"}).json["data"]
    assert [api.delete(f"/v1/keys/{made['id']}").status for _ in range(2)] == [204, 204]
    assert api.get("/v1/me", key=made["key"]).code == "bad-key"


def test_the_last_admin_stays(api: Api) -> None:
    [admin] = [one for one in api.get("/v1/keys").json["data"] if one["role"] == "admin"]
    answer = api.delete(f"/v1/keys/{admin['id']}")
    assert (answer.status, answer.code) == (409, "last-admin")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"name": "a", "role": "boss"}, "role: expected 'viewer', 'uploader' or 'admin'"),
        ({"name": "a", "role": "viewer", "expire_in": "1d"}, "did you mean expires_in?"),
        ({"name": "a", "role": "viewer", "expires_in": "soon"}, "expires_in: expected a number and its unit"),
        ({"name": "", "role": "viewer"}, "name"),
        ({"name": "a\nb", "role": "viewer"}, "one line"),
        ({"role": "viewer"}, "name: it is needed"),
        ([], "valid dictionary"),
        ("x", "valid dictionary"),
    ],
)
def test_a_wrong_body_is_refused_field_by_field(api: Api, body: object, says: str) -> None:
    answer = api.post("/v1/keys", json_body=body)
    assert (answer.status, answer.code) == (422, "field-invalid")
    assert says in answer.json["detail"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"name": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_refused(api: Api, body: bytes) -> None:
    answer = api.post("/v1/keys", body=body, headers={"Content-Type": "application/json"})
    assert answer.code in ("not-json", "field-invalid")


def test_a_name_in_use_is_a_conflict(api: Api) -> None:
    assert [api.post("/v1/keys", json_body={"name": "a", "role": "viewer"}).status for _ in range(2)] == [201, 409]
