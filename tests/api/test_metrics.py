"""What the API counts, and where it says so."""

import socket
import subprocess
import time
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import ApiMetrics, metrics_served
from dataset_jobs.model.errors import Misconfigured
from tests.api.client import Api
from tests.api.raw import raw
from tests.api.uploading import CONTENT, upload
from tests.servers.ports import free_port


def text(api: Api) -> str:
    return api.context.metrics.exposition("")[0].decode()


def values(api: Api, name: str) -> dict[tuple[str, ...], float]:
    """By the values of the labels, in the order of the labels' names; zeros are left out."""
    return {
        tuple(one.labels[label] for label in sorted(one.labels)): one.value
        for family in text_string_to_metric_families(text(api))
        for one in family.samples
        if one.name == f"affirm_worker_api_{name}" and one.value
    }


def over(api: Api) -> None:
    """Waits until no request is under way: an answer arrives before its request is counted."""
    while values(api, "requests_open"):
        time.sleep(0.01)


def test_requests_are_counted_by_method_route_and_status(api: Api) -> None:
    assert api.get("/v1/jobs").status == 200
    assert api.get("/v1/jobs", role=None).status == 401
    assert api.get("/v1/jobs/5a7c910f").status == 404
    assert api.request("HEAD", "/v1/jobs").status == 200
    over(api)
    assert values(api, "requests_total") == {
        ("GET", "/v1/jobs", "200"): 1,
        ("GET", "/v1/jobs", "401"): 1,
        ("GET", "/v1/jobs/{job_id}", "404"): 1,
        ("HEAD", "/v1/jobs", "200"): 1,
    }
    assert values(api, "request_duration_seconds_count")["GET", "/v1/jobs"] == 2


def test_strangers_make_no_series_of_their_own(api: Api) -> None:
    for number in range(20):
        assert api.get(f"/nothing/{number}", role=None).status == 404
        assert api.request(f"BREW{number}", "/v1/jobs", role=None).status == 405
    over(api)
    assert values(api, "requests_total") == {("GET", "other", "404"): 20, ("other", "other", "405"): 20}


def test_files_that_were_taken_are_counted(api: Api) -> None:
    assert upload(api).status == 201
    assert upload(api).status == 200
    assert upload(api, b"").status == 422
    assert values(api, "uploads_total") == {("created",): 1, ("known",): 1}
    assert values(api, "uploaded_bytes_total") == {(): 2 * len(CONTENT)}


def test_a_file_that_is_being_received_is_in_the_spool(api: Api) -> None:
    with raw(api) as client:
        client.head({"Content-Length": 600_000}, "PUT", "/v1/datasets/upload/yob2020.txt?country=US")
        client.send(b"x" * 500_000)
        while values(api, "spool_bytes").get((), 0) < 256 * 1024:
            time.sleep(0.01)
        assert values(api, "receiving_files") == {(): 1}
        assert values(api, "requests_open") == {(): 1}
    over(api)  # the client has left
    assert values(api, "receiving_files") == values(api, "spool_bytes") == {}
    assert values(api, "requests_total") == {("PUT", "/v1/datasets/upload/{filename}", "499"): 1}


def test_they_are_on_their_own_port_alone(api: Api) -> None:
    port = free_port("")
    with metrics_served(api.context.metrics, port):
        assert api.get("/metrics").status == 404
        over(api)
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=100) as answer:
            said = answer.read().decode()
    assert 'affirm_worker_api_requests_total{method="GET",route="other",status="404"} 1.0' in said
    assert "process_resident_memory_bytes" in said
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_port_in_use_is_a_wrong_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with (
            pytest.raises(Misconfigured, match=f"API_METRICS_PORT {port}: another process listens there"),
            metrics_served(ApiMetrics(), port),
        ):
            pass


@pytest.mark.needs("promtool")
def test_promtool_finds_nothing_wrong(api: Api) -> None:
    upload(api)
    checked = subprocess.run(["promtool", "check", "metrics"], input=text(api), capture_output=True, text=True)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
