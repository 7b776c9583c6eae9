"""Login and logout: who gets a session, what its cookie is like, and what is done with it from elsewhere."""

import socket
from collections.abc import Callable
from datetime import timedelta

import pytest

from services.keys import Keys, Role
from tests.api.client import Api, bounded, running
from tests.api.forms import FILE, Part, form
from tests.api.uploading import CONTENT, wait_for
from tests.dashboard.visitor import WRONG, Visitor, text_of
from tests.integration.world import World


def test_a_page_asks_nobody_to_log_in(api: Api) -> None:
    answer = Visitor(api).get("/jobs?q=state:failed&did=retry-job")
    assert (answer.status, answer.headers["location"]) == (303, "/login?next=%2Fjobs%3Fq%3Dstate%3Afailed")


def test_a_key_leads_to_the_page_that_was_asked_for(api: Api) -> None:
    visitor = Visitor(api)
    answer = visitor.log_in(api.keys["viewer"], "/jobs?q=state:failed")
    assert (answer.status, answer.headers["location"]) == (303, "/jobs?q=state:failed")
    assert "test viewer (viewer)" in text_of(visitor.follow(answer))


def test_a_session_is_a_caller_of_the_api_too(visit: Callable[[str], Visitor]) -> None:
    """Streams and uploads of pages go there."""
    me = visit("uploader").get("/v1/me", Accept="application/json").json["data"]
    assert (me["name"], me["role"], me["via"]) == ("test uploader", "uploader", "session")


ELSEWHERE = (
    "//evil.example", "/\\evil.example", "https://evil.example/", "/\t/evil.example", "javascript:x", "x", "",
)  # fmt: skip


def test_a_login_leads_to_this_server_alone(api: Api) -> None:
    for away in ELSEWHERE:
        assert Visitor(api).log_in(api.keys["viewer"], away).headers["location"] == "/", away


def test_a_wrong_key_gets_no_session(api: Api) -> None:
    for key, why in ((WRONG, "There is no such key"), ("x", "This is no key"), (" ", "Type a key")):
        visitor = Visitor(api)
        answer = visitor.log_in(key)
        assert answer.status in (401, 422)
        assert why in text_of(answer)
        assert visitor.cookies == {}


def test_wrong_keys_cost_what_they_cost_in_a_header(world: World) -> None:
    with bounded(world, 100) as api:
        assert [Visitor(api).log_in(WRONG).status for _ in range(3)] == [401, 401, 429]
        assert api.get("/v1/me", role=None, headers={"Authorization": f"Bearer {WRONG}"}).status == 429


def test_wrong_sessions_cost_as_much(world: World) -> None:
    with bounded(world, 100) as api:
        statuses = [Visitor(api, {f"aw-{api.listening.port}": f"{n}" * 43}).get("/").status for n in range(3)]
        assert statuses == [303, 303, 429]


def test_wrong_sessions_of_others_end_none(world: World) -> None:
    with bounded(world, 100) as api:
        visitor = Visitor(api)
        visitor.log_in(api.keys["viewer"])
        assert visitor.get("/").status == 200
        for number in range(3):
            Visitor(api, {f"aw-{api.listening.port}": f"{number}" * 43}).get("/")
        assert visitor.get("/").status == 200


def test_scripts_and_other_sites_get_no_cookie(api: Api) -> None:
    cookie = Visitor(api).log_in(api.keys["viewer"]).headers["set-cookie"]
    name, _, attributes = cookie.partition("=")
    assert name == f"aw-{api.listening.port}"
    assert attributes.split("; ")[1:] == ["Max-Age=43200", "Path=/", "HttpOnly", "SameSite=Strict"]


def test_elsewhere_the_cookie_needs_https(api: Api) -> None:
    visitor = Visitor(api, host="lists.example")
    cookie = visitor.log_in(api.keys["viewer"]).headers["set-cookie"]
    assert cookie.startswith("__Host-aw=") and cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")
    assert visitor.get("/").status == 200


def test_elsewhere_a_cookie_without_https_is_none(api: Api) -> None:
    """A page of a neighbouring name could set it, for a session of its own choice."""
    visitor = Visitor(api)
    visitor.log_in(api.keys["viewer"])
    [token] = visitor.cookies.values()
    assert Visitor(api, {"aw": token, "aw-443": token}, "lists.example").get("/").status == 303


def test_over_plain_http_a_login_says_what_to_do(api: Api) -> None:
    visitor = Visitor(api, host="lists.example:8080")
    answer = visitor.post("/login", {"key": api.keys["viewer"]}, Origin="http://lists.example:8080", Sec_Fetch_Site="")
    assert answer.status == 400
    assert "only over HTTPS" in text_of(answer)
    assert visitor.cookies == {}


def test_a_logout_ends_the_session_everywhere(visit: Callable[[str], Visitor], api: Api) -> None:
    visitor = visit("viewer")
    kept = dict(visitor.cookies)
    answer = visitor.press(visitor.get("/"), "Log out")
    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert visitor.cookies == {}
    assert Visitor(api, kept).get("/").status == 303


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_session_ends_with_its_key(api: Api, how: str) -> None:
    keys = Keys(api.world.client.database)
    made = keys.make("for a while", Role.VIEWER, timedelta(days=1))
    visitor = Visitor(api)
    visitor.log_in(made.text)
    assert visitor.get("/").status == 200
    if how == "revoked":
        keys.revoke(made.key.id)
    else:
        api.world.query("update api_keys set expires_at = now() where id = %s", made.key.id)
    answer = visitor.get("/jobs")
    assert (answer.status, visitor.cookies) == (303, {})
    assert answer.headers["location"] == f"/login?next=%2Fjobs&why={how}"
    assert "Your login has ended" in text_of(visitor.get(f"/login?why={how}"))
    assert "evil" not in visitor.get("/login?why=evil").text


def test_a_key_in_the_header_counts_before_a_session(visit: Callable[[str], Visitor], api: Api) -> None:
    visitor = visit("viewer")
    assert visitor.get("/v1/me", Authorization=f"Bearer {api.keys['admin']}").json["data"]["role"] == "admin"
    assert visitor.get("/v1/me", Authorization=f"Bearer {WRONG}").status == 401


def test_a_session_counts_before_the_local_role(world: World) -> None:
    with running(world, api_local_role="uploader") as api:
        visitor = Visitor(api)
        assert "local (uploader)" in text_of(visitor.get("/"))
        visitor.log_in(api.keys["viewer"])
        assert "test viewer (viewer)" in text_of(visitor.get("/"))


def test_the_script_of_a_page_is_sent_to_the_login(api: Api) -> None:
    headers = {"HX_Request": "true", "HX_Current_URL": f"http://127.0.0.1:{api.listening.port}/jobs?q=x"}
    answer = Visitor(api).get("/jobs", **headers)
    assert (answer.status, answer.headers["login-at"], answer.body) == (401, "/login?next=%2Fjobs%3Fq%3Dx", b"")
    assert answer.headers["hx-reswap"] == "none"


def test_an_upload_ends_with_the_session_that_it_came_with(visit: Callable[[str], Visitor], api: Api) -> None:
    """The key is revoked while the file is on its way."""
    visitor = visit("uploader")
    body, content_type = form(Part(FILE, CONTENT, "yob2020.txt"), Part("country", "US"))
    [(name, token)] = visitor.cookies.items()
    host = f"127.0.0.1:{api.listening.port}"
    head = {
        "Host": host, "Cookie": f"{name}={token}", "Sec-Fetch-Site": "same-origin", "Content-Type": content_type,
        "Content-Length": str(len(body)),
    }  # fmt: skip
    lines = "".join(f"{field}: {value}\r\n" for field, value in head.items())
    with socket.create_connection(("127.0.0.1", api.listening.port), 100) as client:
        client.sendall(f"POST /v1/datasets/upload HTTP/1.1\r\n{lines}\r\n".encode() + body[:-1])
        wait_for((0, 0, 0, 1), api)
        keys = api.world.client.keys
        keys.revoke(next(one.id for one in keys.all() if one.name == "test uploader"))
        client.sendall(body[-1:])
        assert client.recv(12) == b"HTTP/1.1 401"
    assert not api.world.query("select id from datasets")


def test_a_login_is_no_act_and_changes_nothing_for_others(world: World) -> None:
    with running(world, api_read_only=True) as api:
        visitor = Visitor(api)
        assert visitor.follow(visitor.log_in(api.keys["admin"])).status == 200
        assert visitor.post("/logout", {}).status == 303


OURS = "http://127.0.0.1"
FOREIGN = [
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
    {"Sec_Fetch_Site": ""},
    {"Sec_Fetch_Site": "", "Origin": "http://evil.example"},
    {"Sec_Fetch_Site": "", "Origin": "null"},
    {"Sec_Fetch_Site": "same-origin", "Origin": "http://evil.example"},
]


class TestFromAnotherSite:
    """A browser sends the cookie by itself; only what a page of this server sends counts."""

    @pytest.mark.parametrize("path", ["/act", "/login", "/logout"])
    def test_a_form_of_another_site_is_refused(self, admin: Visitor, path: str) -> None:
        before = dict(admin.cookies)
        form = {"action": "pause", "target": "pool", "id": "default", "key": admin.api.keys["viewer"]}
        for headers in FOREIGN:
            answer = admin.post(path, form, **headers)
            assert (answer.status, "another site" in text_of(answer).casefold()) == (403, True), headers
        assert admin.cookies == before
        assert admin.get("/").status == 200
        assert not admin.api.world.client.pools.get("default").paused

    def test_nor_does_it_reach_the_api(self, admin: Visitor) -> None:
        codes = [admin.post("/v1/pools/default/pause", {}, **headers).code for headers in FOREIGN]
        assert codes == ["cross-site"] * len(FOREIGN)

    def test_an_old_browser_names_its_origin(self, admin: Visitor) -> None:
        here = f"{OURS}:{admin.api.listening.port}"
        form = {"action": "pause", "target": "pool", "id": "default"}
        assert admin.post("/act", form, Sec_Fetch_Site="", Origin=here).status == 303
        assert admin.api.world.client.pools.get("default").paused
