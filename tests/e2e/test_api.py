"""The HTTP API on a real Kubernetes: two pods of the chart, a key, uploads to rows, and pods that end."""

import http.client
import json
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.api.forms import FILE, Part, form
from tests.cluster import Cluster
from tests.e2e.forwarding import forwarded, going_on
from tests.e2e.installation import NATIONAL, RELEASE, Installation, Servers, installed
from tests.e2e.loads import rows_of

API = f"{RELEASE}-api"
PODS = ("get", "pods", "-l", "app.kubernetes.io/component=api", "-o", "json")
READY = "2"
TRIES = 200


@pytest.fixture(scope="module")
def served(cluster: Cluster, servers: Servers, product_images: str) -> Iterator[Installation]:
    """A release with the API, which is ready."""
    requests = "api.resources.requests.cpu=20m,api.resources.requests.memory=64Mi"
    with installed(cluster, servers, product_images, "api", f"api.enabled=true,{requests}") as made:
        yield made


@pytest.fixture(scope="module")
def key(served: Installation) -> str:
    """Made as the notes say."""
    made = ("keys", "make", "import", "--role", "uploader")
    return served.kubectl("exec", f"deployment/{RELEASE}", "-c", "controller", "--", "affirm-worker", *made).strip()


@pytest.mark.needs("curl")
def test_the_old_line_through_the_service_becomes_rows(served: Installation, key: str) -> None:
    file = NATIONAL[-1]
    [country] = served.query("select id from countries where code = 'US'")
    with forwarded(served, f"service/{API}", 80) as port:
        curl = subprocess.run(
            [
                "curl", "--silent", "--fail-with-body", "-X", "POST", f"http://localhost:{port}/v1/datasets/upload",
                "-H", f"Authorization: Bearer {key}", "-F", f"file=@{file}", "-F", f"country_id={country['id']}",
            ],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert curl.returncode == 0, curl.stdout + curl.stderr
    made = json.loads(curl.stdout)["data"]
    [job] = served.until_finished([made])
    assert (job["state"], made["verdict"]) == ("completed", "created")
    assert rows_of(served, made["dataset_id"]) == len(file.read_text().split())


def test_its_pods_have_no_token_and_their_own_login(served: Installation) -> None:
    ready = served.kubectl("get", f"deployment/{API}", "-o", "jsonpath={.status.readyReplicas}")
    assert ready == READY
    look = "import os; print(os.path.exists('/var/run/secrets/kubernetes.io'))"
    assert served.kubectl("exec", f"deployment/{API}", "--", "python3", "-c", look).strip() == "False"
    served.until("select 1 from pg_stat_activity where usename = 'api_api'")
    assert not served.query("select 1 from api_keys where name = 'first'")


def test_a_killed_pod_loses_and_doubles_no_upload(served: Installation, key: str) -> None:
    """In the middle of a body, and of many others: clients send again, to whichever pod answers."""
    victim, other = (one["metadata"]["name"] for one in _pods(served))
    years = served.new_years(24)
    uploaded = threading.Semaphore(0)
    with ExitStack() as stack:
        ports = [stack.enter_context(forwarded(served, f"pod/{name}", 8080)) for name in (victim, other)]

        def send(year: int) -> dict[str, Any]:
            for turn in range(TRIES):
                try:
                    made = _upload(ports[(year + turn) % 2], key, year)
                except (OSError, http.client.HTTPException):
                    continue
                uploaded.release()
                return made
            raise AssertionError(f"no pod takes the file of {year}")

        with closing(http.client.HTTPConnection("127.0.0.1", ports[0], timeout=100)) as half:
            _begin(half, key, years[0])
            with ThreadPoolExecutor(4) as clients:
                answers = [clients.submit(send, year) for year in years[1:]]
                for _ in range(6):
                    uploaded.acquire()
                served.kubectl("delete", "pod", victim, "--grace-period=0", "--force", "--wait=false")
                with pytest.raises((OSError, http.client.HTTPException)):
                    half.getresponse()
                made = [send(years[0]), *(one.result() for one in answers)]
    jobs = served.until_finished(made)
    assert [job["state"] for job in jobs] == ["completed"] * len(years)
    assert [rows_of(served, one["dataset_id"]) for one in made] == [1] * len(years)
    names = [f"yob{year}.txt" for year in years]
    [counts] = served.query(
        "select count(*) as datasets, count(distinct filename) as files from datasets where filename = any(%s)", names
    )
    assert counts == {"datasets": len(years), "files": len(years)}
    assert len({job["dataset_id"] for job in jobs}) == len(jobs)
    served.kubectl("rollout", "status", f"deployment/{API}", "--timeout=100s")


def test_a_pod_that_ends_says_so_to_its_streams(served: Installation, key: str) -> None:
    """It ends by itself, long before it would be killed."""
    served.kubectl("rollout", "status", f"deployment/{API}", "--timeout=100s")
    pod = _pods(served)[0]["metadata"]["name"]
    exit_code = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}{'\\n'}"
    with ExitStack() as stack:
        port = stack.enter_context(forwarded(served, f"pod/{pod}", 8080))
        streams = []
        for _ in range(5):
            connection = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=100)))
            connection.request("GET", "/v1/stream", headers={"Authorization": f"Bearer {key}"})
            streams.append(connection.getresponse())
            assert streams[-1].status == 200
        seen = stack.enter_context(going_on(served, "get", "pod", pod, "--watch", "-o", exit_code))
        served.kubectl("delete", "pod", pod, "--wait=false")
        ends = [stream.read().decode() for stream in streams]
        assert all('event: bye\ndata: {"why": "stopping"}' in end for end in ends), ends
        assert seen.stdout is not None
        assert next(code for line in seen.stdout if (code := line.strip())) == "0"


def _pods(installation: Installation) -> list[dict[str, Any]]:
    """Those of the API that are to stay."""
    listed = json.loads(installation.kubectl(*PODS))["items"]
    return [one for one in listed if "deletionTimestamp" not in one["metadata"]]


def _upload(port: int, key: str, year: int) -> dict[str, Any]:
    body, content_type = _small(year)
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {key}"}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=100)) as connection:
        connection.request("POST", "/v1/datasets/upload", body, headers)
        answer = connection.getresponse()
        said = answer.read()
    if answer.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        raise http.client.HTTPException(said.decode())
    assert answer.status in (http.HTTPStatus.OK, http.HTTPStatus.CREATED), said
    made: dict[str, Any] = json.loads(said)["data"]
    return made


def _begin(connection: http.client.HTTPConnection, key: str, year: int) -> None:
    """Sends the first half of an upload."""
    body, content_type = _small(year)
    connection.putrequest("POST", "/v1/datasets/upload")
    for name, value in (
        ("Content-Type", content_type), ("Authorization", f"Bearer {key}"), ("Content-Length", str(len(body))),
    ):  # fmt: skip
        connection.putheader(name, value)
    connection.endheaders(body[: len(body) // 2])


def _small(year: int) -> tuple[bytes, str]:
    return form(Part(FILE, f"Mary,F,{year}\n".encode(), f"yob{year}.txt"), Part("country", "US"))
