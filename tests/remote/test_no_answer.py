"""What is wrong with the way to the API is said in one line, with the exit code that the same has everywhere."""

import json
import socket
from io import BytesIO
from pathlib import Path

import pytest

from dataset_jobs.model.errors import Misconfigured, Unavailable
from remote.client import RemoteClient
from remote.connection import FILE_TRIES, Patience
from tests.integration.command_line import Run, answer, runner
from tests.remote.conftest import BothWays
from tests.servers.canned_http import answering
from tests.servers.file_server import Page, make_certificate, serving

PROBLEM = {"Content-Type": "application/problem+json"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner({"AFFIRM_WORKER_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}, tmp_path)


def refusal(run: Run, address: str, code: int, *arguments: str, **settings: str) -> str:
    """What a command says that ends with this exit code."""
    done = run(*(arguments or ("jobs", "list")), code=code, AFFIRM_WORKER_API=address, **settings)
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("affirm-worker: ")
    return line.removeprefix("affirm-worker: ")


def test_without_a_key_the_api_says_how_to_send_one(both: BothWays) -> None:
    said = both.asking_as(None)("jobs", "list", code=77).stderr
    assert said.startswith(f"affirm-worker: {both.address}: ")
    assert said.count("\n") == 1


def test_a_bad_key_is_refused(both: BothWays) -> None:
    bad = f"aw_00000000_{'x' * 43}"
    done = both.asking_as(None, AFFIRM_WORKER_KEY=bad)("status", code=77)
    assert "there is no such key" in done.stderr
    assert bad not in done.stdout + done.stderr


def test_a_viewer_may_look_and_not_upload(both: BothWays) -> None:
    path = both.world.file("yob2020.txt", "Mary,F,7\n")
    viewer = both.asking_as("viewer")
    viewer("datasets", "list")
    assert "uploader" in viewer("upload", path, "--country", "US", code=77).stderr
    assert both.world.query("select 1 from datasets") == []


def test_a_key_may_be_in_a_file(both: BothWays) -> None:
    path = both.world.file("key", f"{both.api.keys['viewer']}\n")
    both.asking_as(None, AFFIRM_WORKER_KEY_FILE=str(path))("jobs", "list")
    missing = both.asking_as(None, AFFIRM_WORKER_KEY_FILE=str(both.world.folder / "none"))("jobs", "list", code=78)
    assert "AFFIRM_WORKER_KEY_FILE: the file" in missing.stderr


def test_an_api_that_is_away_is_said_at_once(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert refusal(run, address, 75) == f"{address}: connection refused"


def test_files_that_cannot_be_sent_end_with_75(run: Run, tmp_path: Path) -> None:
    (tmp_path / "yob2020.txt").write_text("Mary,F,7\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        refusal(run, address, 75, "upload", "yob2020.txt", "--country", "US")


def test_only_a_file_is_sent_again() -> None:
    asked: list[str] = []
    with answering(502, requests=asked) as address, RemoteClient(address, None) as client:
        with pytest.raises(Unavailable):
            client.connection.send("PUT", "/file", body=lambda: BytesIO(b"Mary"), headers={"Content-Length": "4"})
        with pytest.raises(Unavailable):
            client.connection.post("/act")
    assert asked == ["PUT /file"] * FILE_TRIES + ["POST /act"]


def test_a_slow_api_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with RemoteClient(address, None, Patience(answer=0.2)) as client, pytest.raises(Unavailable, match="in time"):
            client.jobs.list()


def test_a_busy_api_is_asked_again_when_it_says() -> None:
    body = json.dumps({"code": "too-many-requests", "detail": "too many", "status": 429}).encode()
    with serving() as server:
        busy = Page(body, 429, {**PROBLEM, "Retry-After": "0"}, validators=False)
        address = server.at("/v1/pools?limit=200", busy).removesuffix("/v1/pools?limit=200")

        def then() -> None:
            found = Page(b'{"data": [], "meta": {"has_more": false}}', validators=False)
            found.headers = {"Content-Type": "application/json"}
            server.pages["/v1/pools?limit=200"] = found

        busy.then = then
        with RemoteClient(address, None) as client:
            assert client.pools.list() == []


def test_a_busy_api_is_not_asked_for_ever() -> None:
    body = json.dumps({"code": "database-away", "detail": "no connection", "status": 503}).encode()
    with serving() as server:
        page = Page(body, 503, {**PROBLEM, "Retry-After": "5"}, validators=False)
        address = server.at("/v1/pools?limit=200", page).removesuffix("/v1/pools?limit=200")
        with (
            RemoteClient(address, None, Patience(again=1)) as client,
            pytest.raises(Unavailable, match="no connection"),
        ):
            client.pools.list()


@pytest.mark.parametrize("status, code", [(404, 78), (200, 78), (302, 78), (502, 75), (401, 77), (500, 78)])
def test_another_program_at_the_address_is_told_apart(run: Run, status: int, code: int) -> None:
    with answering(status, b"<html>") as address:
        assert address in refusal(run, address, code)


def test_a_route_that_an_older_api_lacks_is_named(both: BothWays) -> None:
    older = "does not know GET /v1/newer; it may be of an older version"
    with RemoteClient(both.address, both.api.keys["admin"]) as client, pytest.raises(Misconfigured, match=older):
        client.connection.get("/v1/newer")


def test_a_certificate_for_another_name_is_refused(run: Run, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "server.pem")
    with serving(certificate) as server:
        address = server.url.replace("127.0.0.1", "localhost")
        said = refusal(run, address, 78, SSL_CERT_FILE=str(certificate))
        assert "its certificate is not accepted: Hostname mismatch" in said
        assert "its certificate is not accepted" in refusal(run, server.url, 78)


def test_an_answer_of_another_kind_is_no_crash(run: Run) -> None:
    with serving() as server:
        page = Page(b'{"data": [{"id": 7}], "meta": {}}', validators=False)
        page.headers = {"Content-Type": "application/json"}
        address = server.at("/v1/pools?limit=200", page).removesuffix("/v1/pools?limit=200")
        assert "the API's answer cannot be read: PoolStatus.name" in refusal(run, address, 78, "pools", "list")


@pytest.mark.parametrize(
    "address", ["names.example.org", "ftp://x", "https://user:pw@host/", "http://h:x", "https://h/?q"]
)
def test_a_wrong_address_is_refused_by_its_setting(run: Run, address: str) -> None:
    said = refusal(run, address, 78)
    assert said.startswith("AFFIRM_WORKER_API is ")
    assert "pw" not in said


COMMANDS = ["run", "migrate", "psql", "load x --country US", "serve"]


@pytest.mark.parametrize("command", COMMANDS)
def test_what_needs_the_database_itself_says_so(run: Run, command: str) -> None:
    said = refusal(run, "https://names.example.org", 78, *command.split())
    assert "this command needs the database itself" in said
    assert "--direct takes the embedded database instead" in said


def test_the_api_wins_over_the_database_unless_direct(both: BothWays) -> None:
    settings = {"AFFIRM_WORKER_API": both.address, "AFFIRM_WORKER_KEY": both.api.keys["viewer"]}
    assert answer(both.direct("status", "--json", **settings))["api"] == both.address
    for words in (("--direct", "status", "--json"), ("status", "--json", "--direct")):
        assert answer(both.direct(*words, **settings))["api"] is None
    assert f"API          {both.address}\n" in both.direct("status", **settings).stdout


def test_a_context_has_an_api_and_a_key(both: BothWays, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    (tmp_path / "key").write_text(both.api.keys["viewer"])
    config.write_text(f'[contexts.far]\napi = "{both.address}"\nkey = {{file = "key"}}\n')
    near = runner({"AFFIRM_WORKER_CONFIG": str(config), "PATH": "/usr/bin:/bin"}, tmp_path)
    assert answer(near("--context", "far", "status", "--json"))["api"] == both.address
    # DATABASE_URL of the environment names another place.
    mine = near("--context", "far", "status", "--json", **both.world.environment)
    assert answer(mine)["api"] is None


def test_the_key_is_never_shown(both: BothWays, tmp_path: Path) -> None:
    key, config = both.api.keys["viewer"], tmp_path / "config.toml"
    near = runner({"AFFIRM_WORKER_CONFIG": str(config), "PATH": "/usr/bin:/bin"}, tmp_path)
    near("context", "add", "far", f"api={both.address}", f"key={key}")
    near("context", "use", "far")
    for words in ("settings", "settings --json", "context show", "context list", "context show --json", "status"):
        done = near(*words.split())
        assert key not in done.stdout + done.stderr, words
    assert "***" in near("settings", AFFIRM_WORKER_KEY=key, AFFIRM_WORKER_API=both.address).stdout
