"""Who is let in: keys, proxies, this machine, nobody. Each guard has a test that fails without it."""

from datetime import timedelta
from typing import Any

import pytest

from services.keys import Keys, Role
from tests.api.client import Api, bounded, running
from tests.api.forms import FILE, Part, form
from tests.api.raw import raw
from tests.api.uploading import CONTENT, wait_for
from tests.integration.world import World

LOCAL = {"Host": "localhost"}


def test_a_key_says_who_its_holder_is(api: Api) -> None:
    me = api.get("/v1/me", role="uploader").json["data"]
    assert (me["name"], me["role"], me["via"]) == ("test uploader", "uploader", "key")


def test_nobody_is_told_which_header_to_add(api: Api) -> None:
    answer = api.get("/v1/me", role=None)
    assert (answer.status, answer.code) == (401, "no-key")
    assert "Authorization: Bearer" in answer.json["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic YTpi", f"Bearer aw_12345678_{'a' * 43}", ""])
def test_a_wrong_key_is_refused(api: Api, header: str) -> None:
    answer = api.get("/v1/me", role=None, headers={"Authorization": header})
    assert (answer.status, answer.code) == (401, "bad-key")


def test_a_revoked_key_is_refused_at_once(api: Api) -> None:
    keys = Keys(api.world.client.database)
    made = keys.make("for a while", Role.VIEWER)
    assert api.get("/v1/me", key=made.text).status == 200
    keys.revoke(made.key.id)
    assert api.get("/v1/me", key=made.text).code == "bad-key"


def test_an_expired_key_is_told_so(api: Api) -> None:
    made = Keys(api.world.client.database).make("short", Role.VIEWER, timedelta(days=1))
    api.world.query("update api_keys set expires_at = now() - interval '1 s' where id = %s", made.key.id)
    assert api.get("/v1/me", key=made.text).code == "key-expired"


def test_a_key_in_the_address_is_an_unknown_parameter(api: Api) -> None:
    assert api.get("/v1/me", query={"key": api.keys["admin"]}).code == "unknown-parameter"


def test_public_names_open_countries_alone(world: World) -> None:
    with running(world, api_public_names=True) as api:
        assert api.get("/v1/countries", role=None).status == 200
        assert api.get("/v1/parsers", role=None).code == "no-key"


def test_many_wrong_keys_of_an_address_are_refused(world: World) -> None:
    with bounded(world, 100) as api:
        wrong = {"Authorization": f"Bearer aw_12345678_{'a' * 43}"}
        codes = [api.get("/v1/me", role=None, headers=wrong).code for _ in range(3)]
        assert codes == ["bad-key", "bad-key", "too-many-requests"]


def test_wrong_keys_of_others_keep_no_holder_of_a_key_out(world: World) -> None:
    with bounded(world, 100) as api:
        assert api.get("/v1/me").status == 200
        wrong = {"Authorization": f"Bearer aw_12345678_{'a' * 43}"}
        assert [api.get("/v1/me", role=None, headers=wrong).status for _ in range(3)] == [401, 401, 429]
        assert api.get("/v1/me").status == 200


def test_wrong_keys_of_others_break_off_no_upload(world: World) -> None:
    """They come from the same address while the file is on its way; the key of the upload is looked at once more."""
    body, content_type = form(Part(FILE, CONTENT, "yob2020.txt"), Part("country", "US"))
    with bounded(world, 100) as api, raw(api) as client:
        client.head({"Content-Type": content_type, "Content-Length": len(body)})
        client.send(body[:-1])
        wait_for((0, 0, 0, 1), api)
        wrong = {"Authorization": f"Bearer aw_12345678_{'a' * 43}"}
        assert [api.get("/v1/me", role=None, headers=wrong).status for _ in range(3)] == [401, 401, 429]
        client.send(body[-1:])
        answer = client.answer()
        assert (answer.status, answer.code) == (201, "")


def test_a_key_has_so_many_requests_a_minute(world: World) -> None:
    with bounded(world, 2) as api:
        answers = [api.get("/v1/me") for _ in range(3)]
        assert [one.status for one in answers] == [200, 200, 429]
        assert answers[0].headers["ratelimit-policy"] == '"requests";q=2;w=60'
        assert answers[0].headers["ratelimit"].startswith('"requests";r=1;t=')
        assert 1 <= int(answers[2].headers["retry-after"]) <= 60
        assert api.get("/v1/me", role="viewer").status == 200


class TestFromThisMachine:
    """API_LOCAL_ROLE, as the old manual's curl line needs it."""

    def test_the_local_role_needs_no_key(self, world: World) -> None:
        with running(world, api_local_role="uploader") as api:
            me = api.get("/v1/me", role=None).json["data"]
            assert (me["role"], me["via"]) == ("uploader", "local")

    def test_without_the_setting_there_is_none(self, api: Api) -> None:
        assert api.get("/v1/me", role=None).code == "no-key"

    def test_it_counts_only_if_the_server_is_local(self, world: World) -> None:
        with running(world, where="0.0.0.0:0", api_local_role="uploader") as api:
            assert api.get("/v1/me", role=None).code == "no-key"

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-Forwarded-For": "10.0.0.1"},
            {"Forwarded": "for=10.0.0.1"},
            {"X-Forwarded-Host": "x"},
            {"X-Real-IP": "10.0.0.1"},
            {"Via": "1.1 proxy"},
        ],
    )
    def test_a_proxy_on_this_machine_is_not_this_machine(self, world: World, headers: dict[str, str]) -> None:
        with running(world, api_local_role="uploader") as api:
            assert api.get("/v1/me", role=None, headers=headers).code == "no-key"

    @pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080", ""])
    def test_another_host_name_is_not_this_machine(self, world: World, host: str) -> None:
        with running(world, api_local_role="uploader") as api:
            assert api.get("/v1/me", role=None, headers={"Host": host}).code == "no-key"

    @pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:80", "LOCALHOST"])
    def test_its_own_names_are(self, world: World, host: str) -> None:
        with running(world, api_local_role="uploader") as api:
            assert api.get("/v1/me", role=None, headers={"Host": host}).status == 200


class TestBehindAProxy:
    """X-Forwarded-User of API_TRUSTED_PROXIES."""

    ANNA = {"X-Forwarded-User": "anna", "X-Forwarded-Groups": "staff, data"}  # noqa: RUF012
    SETTINGS: dict[str, Any] = {"api_trusted_proxies": "127.0.0.0/8", "api_proxy_roles": "data=uploader,staff=viewer"}  # noqa: RUF012

    def test_a_user_has_the_best_role_of_the_groups(self, world: World) -> None:
        with running(world, **self.SETTINGS) as api:
            me = api.get("/v1/me", role=None, headers=self.ANNA).json["data"]
            assert (me["name"], me["role"], me["via"]) == ("anna", "uploader", "proxy")

    def test_a_user_without_such_a_group_is_not_allowed(self, world: World) -> None:
        with running(world, **self.SETTINGS) as api:
            headers = {"X-Forwarded-User": "bob", "X-Forwarded-Groups": "guests"}
            assert api.get("/v1/me", role=None, headers=headers).code == "not-allowed"

    def test_anybody_else_is_not_believed(self, world: World) -> None:
        settings: dict[str, Any] = {**self.SETTINGS, "api_trusted_proxies": "10.0.0.0/8"}
        with running(world, **settings) as api:
            assert api.get("/v1/me", role=None, headers=self.ANNA).code == "no-key"
