"""Files that are only to be checked: a report of what a load would do, and nothing is kept."""

import threading
from collections.abc import Sequence
from typing import Any, BinaryIO

import pytest

from dataset_jobs.model.errors import OutOfMemory
from dataset_jobs.model.report import Report
from services.submission import Submission
from tests.api.client import Answer, Api, running
from tests.api.forms import FILE, Part
from tests.api.uploading import CONTENT, NOTHING, SHA256, kept, send, upload
from tests.integration.world import World


def check(api: Api, content: bytes = CONTENT, name: str = "yob2020.txt", **fields: str) -> Answer:
    parts = [Part(FILE, content, name), Part("country", "US"), *(Part(*one) for one in fields.items())]
    return send(api, *parts, path="/v1/datasets/validate")


def test_a_good_file_is_reported(api: Api) -> None:
    answer = check(api)
    assert answer.status == 200
    data = answer.json["data"]
    assert (data["ok"], data["recognised"], data["parser"], data["measure"]) == (
        True,
        True,
        "us-ssa-national",
        "births",
    )
    assert (data["years"], data["sexes"], data["rows"], data["total"]) == ([2020], ["F", "M"], 2, 16720)
    assert data["totals"][0] == {"year": 2020, "sex": "F", "rows": 1, "total": 7065}
    assert (data["problems"], data["overlaps"], data["dataset_id"]) == ([], [], None)
    assert kept(api) == NOTHING


def test_a_bad_file_is_a_report_too(api: Api) -> None:
    bad = b"Mary,F,7065\n" + b"Anna,F,x\n" * 30
    answer = check(api, bad)
    assert answer.status == 200
    data = answer.json["data"]
    assert (data["ok"], data["reason"], len(data["problems"])) == (False, "invalid_format", 20)
    assert (data["problems"][0]["line"], data["problems"][0]["column"]) == (2, None)
    assert "count" in data["problems"][0]["reason"]
    assert data["more_problems"] == 10
    assert "Anna" not in answer.text
    assert kept(api) == NOTHING


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"\0" * 100, "yob2020.txt"), (b"PK\x03\x04" + b"x" * 500, "a.zip"), (b"PK\x03\x04", "a.xlsx"), (b"{", "a.json")],
)
def test_whatever_comes_is_reported(api: Api, content: bytes, name: str) -> None:
    answer = check(api, content, name)
    assert (answer.status, answer.json["data"]["ok"]) == (200, False)
    assert answer.json["data"]["problems"]


async def test_what_counts_already_is_named(api: Api) -> None:
    dataset_id = upload(api).json["data"]["dataset_id"]
    await api.world.run_until_idle()
    assert check(api).json["data"]["dataset_id"] == dataset_id
    other = CONTENT + b"Anna,F,12\n"
    data = check(api, other).json["data"]
    overlap = {"dataset_id": dataset_id, "filename": "yob2020.txt", "years": [2020], "sexes": ["F", "M"]}
    assert (data["ok"], data["overlaps"], data["would_replace"]) == (False, [overlap], [])
    assert "would count twice" in data["problems"][0]["reason"]
    data = check(api, other, replaces=dataset_id).json["data"]
    assert (data["ok"], data["overlaps"], data["would_replace"]) == (True, [], [overlap])


@pytest.mark.parametrize("how", ["form", "address", "raw"])
def test_an_upload_may_be_only_a_check(api: Api, how: str) -> None:
    if how == "raw":
        query = {"country": "US", "validate_only": "true"}
        answer = api.request("PUT", "/v1/datasets/upload/yob2020.txt", CONTENT, role="uploader", query=query)
    elif how == "address":
        parts = Part(FILE, CONTENT, "yob2020.txt"), Part("country", "US")
        answer = send(api, *parts, query={"validate_only": "true"})
    else:
        answer = upload(api, validate_only="true")
    assert (answer.status, answer.json["data"]["ok"]) == (200, True)
    assert kept(api) == NOTHING


def test_another_hash_is_refused_before_the_file_is_read(api: Api) -> None:
    assert check(api, sha256=SHA256).status == 200
    assert check(api, sha256="0" * 64).code == "digest-mismatch"


def test_a_file_may_be_checked_where_nothing_may_change(world: World) -> None:
    with running(world, api_read_only=True) as api:
        assert check(api).status == 200
        assert upload(api).code == "read-only"


def test_a_file_that_takes_too_long_is_stopped(world: World) -> None:
    with running(world, api_validate_deadline="1s") as api:
        large = b"".join(b"N%s,F,7\n" % b"abcdefghijklmnop"[: 1 + number % 16] for number in range(6_000_000))
        answer = check(api, large)
        assert (answer.status, answer.code) == (504, "took-too-long")
        while (again := check(api)).status == 504:  # a second may be too short for a process to begin
            pass
        assert again.status == 200


class Waiting:
    """Reads no file before it may, then says that there is no memory."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.go_on = threading.Event()

    def __call__(self, submission: Submission, country: str, content: BinaryIO) -> Sequence[Report]:
        self.entered.release()
        assert self.go_on.wait(100)
        raise OutOfMemory("local machine: no memory")


def test_more_files_than_are_checked_at_a_time_are_refused(api: Api) -> None:
    waiting = Waiting()
    api.context.read_reports = waiting
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(check(api))) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert waiting.entered.acquire(timeout=100)
    refused = check(api)
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "busy", "5")
    waiting.go_on.set()
    for thread in threads:
        thread.join()
    assert [answer.code for answer in answers] == ["busy", "busy"]
    assert all("no memory" in answer.json["detail"] for answer in answers)
