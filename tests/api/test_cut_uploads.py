"""Clients that are slow, gone, too many, or send another length than they said: nothing is half kept."""

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import BinaryIO

import pytest

from api.upload.limits import UploadLimits
from api.upload.uploads import Uploads
from dataset_jobs.storage.local import LocalStorage
from services.keys import Keys
from tests.api.client import Api, running
from tests.api.forms import BOUNDARY, FILE, Part, form
from tests.api.raw import PATH, raw
from tests.api.uploading import CONTENT, NOTHING, ONE, kept, upload, wait_for
from tests.integration.world import World

BODY, TYPE = form(Part(FILE, CONTENT, "yob2020.txt"), Part("country", "US"))
WHOLE = {"Content-Type": TYPE, "Content-Length": len(BODY)}
LIMIT = 1 << 20
RAW = "/v1/datasets/upload/yob2020.txt?country=US"


@pytest.fixture
def small(world: World) -> Iterator[Api]:
    """An API that takes files of a MiB, two at a time, and asks the third one soon to come again."""
    with running(world, limit_file_mib=1, api_uploads_at_once=2) as api:
        folder = world.folder / "spool"
        folder.mkdir()
        api.context.uploads = Uploads(UploadLimits(folder, LIMIT, 2, wait_seconds=0.2))
        yield api
        assert [*folder.iterdir()] == []


@pytest.fixture
def impatient(small: Api) -> Api:
    """It also loses patience soon."""
    small.context.uploads = Uploads(replace(small.context.uploads.limits, rate_seconds=1.0))
    return small


def test_a_client_that_leaves_in_the_middle_leaves_nothing(small: Api) -> None:
    for half in (len(BODY) - 1, len(BODY) // 2, 1, 0):
        with raw(small) as client:
            client.head(WHOLE)
            client.send(BODY[:half])
    wait_for(NOTHING, small)
    assert upload(small).status == 201


class Slow(LocalStorage):
    """Storage that waits before it stores a file."""

    entered, go_on = threading.Event(), threading.Event()

    def put(self, key: str, content: BinaryIO) -> str:
        self.entered.set()
        assert self.go_on.wait(100)
        return super().put(key, content)


def test_a_client_that_leaves_after_it_sent_all_has_sent_it(small: Api) -> None:
    """It hears nothing of it; sending the file again tells."""
    small.context.storage = storage = Slow(small.world.folder / "storage")
    with raw(small) as client:
        client.head(WHOLE)
        client.send(BODY)
        assert storage.entered.wait(100)
    storage.go_on.set()
    wait_for(ONE, small)
    again = upload(small)
    assert (again.status, again.json["data"]["verdict"]) == (200, "unchanged")


def test_a_silent_client_is_sent_away(impatient: Api) -> None:
    with raw(impatient) as client:
        client.head(WHOLE)
        client.send(BODY[:20])
        answer = client.answer()
        assert (answer.status, answer.code) == (408, "too-slow")
        assert "nothing came for 1 s" in answer.json["detail"]
    assert kept(impatient) == NOTHING


def test_a_slow_client_is_sent_away(impatient: Api) -> None:
    """It sends a byte again and again, so that it is never silent for long."""
    with raw(impatient) as client:
        client.head({**WHOLE, "Content-Length": LIMIT})
        gone = threading.Event()

        def trickle() -> None:
            while not gone.wait(0.05):
                client.send(b"-")

        client.send(BODY[:100])
        sender = threading.Thread(target=trickle)
        sender.start()
        try:
            answer = client.answer()
        finally:
            gone.set()
            sender.join()
        assert (answer.status, answer.code) == (408, "too-slow")
        assert "at least 1,000 a second must" in answer.json["detail"]
    assert kept(impatient) == NOTHING


def test_a_shorter_body_than_announced_is_not_taken(impatient: Api) -> None:
    with raw(impatient) as client:
        client.head({**WHOLE, "Content-Length": len(BODY) + 1})
        client.send(BODY)
        assert client.answer().code == "too-slow"
    assert kept(impatient) == NOTHING


def test_a_longer_body_than_announced_is_not_taken(small: Api) -> None:
    with raw(small) as client:
        client.head({**WHOLE, "Content-Length": len(BODY) - 4})
        client.send(BODY)
        assert client.answer().code == "malformed-multipart"
    assert kept(small) == NOTHING


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 5000, "5, 6"])
def test_a_length_that_is_none_is_refused(small: Api, length: str) -> None:
    with raw(small) as client:
        client.head({"Content-Type": TYPE, "Content-Length": length})
        client.send(BODY)
        assert client.answer().status in (400, 413)
    assert kept(small) == NOTHING


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(small: Api) -> None:
    """By its announced length alone; curl asks so, with Expect: 100-continue."""
    for expect in ({}, {"Expect": "100-continue"}):
        with raw(small) as client:
            client.head({**WHOLE, "Content-Length": 10 * LIMIT, **expect})
            answer = client.answer()
            assert (answer.status, answer.code, answer.json["limit"]) == (413, "too-large", LIMIT)
            assert answer.headers["connection"] == "close"
    assert len(small.context.uploads.spool) == 0


def test_a_client_that_sends_it_all_the_same_reads_the_refusal(small: Api) -> None:
    """Most clients send the whole body before they read, and see a reset connection otherwise."""
    for _ in range(5):
        answer = small.request("PUT", RAW, b"x" * (20 * LIMIT), role="uploader")
        assert (answer.status, answer.code) == (413, "too-large")
    assert kept(small) == NOTHING


def test_curl_shows_the_refusal_too(small: Api) -> None:
    """It asks before it sends a large body, and goes on when nobody answers soon."""
    path = small.world.file("large.txt", b"x" * (20 * LIMIT))
    address = f"http://127.0.0.1:{small.listening.port}{RAW}"
    header = f"Authorization: Bearer {small.keys['uploader']}"
    done = subprocess.run(["curl", "-sS", "-T", path, "-H", header, address], capture_output=True, check=True)
    assert b'"code": "too-large"' in done.stdout


@pytest.mark.parametrize("code", ["bad-key", "not-allowed", "unknown-parameter"])
def test_other_refusals_before_the_body_are_read_too(small: Api, code: str) -> None:
    how: dict[str, dict[str, str]] = {
        "bad-key": {"key": "aw_x"}, "not-allowed": {"role": "viewer"}, "unknown-parameter": {"role": "admin"},
    }  # fmt: skip
    path = RAW if code != "unknown-parameter" else f"{RAW}&contry=US"
    answer = small.request("PUT", path, b"x" * (20 * LIMIT), **how[code])  # type: ignore[arg-type]
    assert answer.code == code


def test_a_file_that_grows_too_large_is_refused(small: Api) -> None:
    with raw(small) as client:
        client.head({"Transfer-Encoding": "chunked"}, "PUT", RAW)
        for _ in range(20):
            client.chunk(b"x" * 100_000)
        client.chunk(b"")
        assert client.answer().code == "too-large"
    assert kept(small) == NOTHING


def test_a_form_without_end_is_refused(small: Api) -> None:
    """What comes after its end counts too: nobody reads it, and it takes a place."""
    with raw(small) as client:
        client.head({"Content-Type": TYPE, "Transfer-Encoding": "chunked"})
        client.chunk(BODY)
        for _ in range(20):
            client.chunk(b"x" * 100_000)
        client.chunk(b"")
        assert client.answer().code == "too-large"
    assert kept(small) == NOTHING


def test_a_file_of_just_the_limit_is_taken(small: Api) -> None:
    """The form around it does not count."""
    assert upload(small, b"x" * LIMIT).status == 201
    assert upload(small, b"y" * (LIMIT + 1)).code == "too-large"


def test_a_body_without_a_length_is_taken(small: Api) -> None:
    with raw(small) as client:
        client.head({"Content-Type": TYPE, "Transfer-Encoding": "chunked"})
        for start in range(0, len(BODY), 7):
            client.chunk(BODY[start : start + 7])
        client.chunk(b"")
        assert client.answer().status == 201
    assert kept(small) == ONE


def test_a_connection_is_kept_after_an_upload(small: Api) -> None:
    connection = small.connect()
    headers = {"Content-Type": TYPE, "Authorization": f"Bearer {small.keys['uploader']}"}
    for status in (201, 200, 200):
        connection.request("POST", PATH, BODY, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


def test_a_key_that_is_revoked_meanwhile_uploads_nothing(small: Api) -> None:
    with raw(small) as client:
        client.head(WHOLE)
        client.send(BODY[:50])
        wait_for((0, 0, 0, 1), small)
        key_id = small.keys["uploader"].split("_")[1]
        Keys(small.world.client.database).revoke(key_id)
        client.send(BODY[50:])
        answer = client.answer()
        assert (answer.status, answer.code) == (401, "bad-key")
        assert "was revoked" in answer.json["detail"]
    assert kept(small) == NOTHING


def test_more_files_than_places_are_asked_to_come_again(small: Api) -> None:
    with raw(small) as one, raw(small) as other:
        for client in (one, other):
            client.head({**WHOLE, "Content-Length": len(BODY)})
            client.send(BODY[:-1])
        wait_for((0, 0, 0, 2), small)
        answer = upload(small)
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "uploads-full", "2")
        one.send(BODY[-1:])
        assert one.answer().status == 201
    wait_for(ONE, small)
    assert upload(small).status == 200


def test_a_file_waits_a_little_for_a_place(api: Api) -> None:
    """Also if its client knows nothing of coming again."""
    api.context.uploads = Uploads(UploadLimits(api.world.folder, LIMIT, 1, wait_seconds=30))
    with raw(api) as one, raw(api) as other:
        one.head(WHOLE)
        one.send(BODY[:-1])
        wait_for((0, 0, 0, 1), api)
        other.head(WHOLE)
        other.send(BODY)
        one.send(BODY[-1:])
        assert (one.answer().status, other.answer().status) == (201, 200)


def test_two_hundred_at_once_all_arrive(api: Api) -> None:
    """Those that find no place come again, as the answer asks them to."""
    bodies = [b"Mary,F,%d\n" % number for number in range(1, 201)]
    met = Counter[int]()
    start = threading.Barrier(200)

    def arrive(content: bytes) -> int:
        start.wait(100)
        while True:
            status = upload(api, content).status
            met[status] += 1
            if status != 503:
                return status
            time.sleep(0.1)

    with ThreadPoolExecutor(200) as threads:
        assert [*threads.map(arrive, bodies)] == [201] * 200
    assert kept(api) == (200, 200, 200, 0)
    assert met.keys() <= {201, 503}


def test_the_same_bytes_at_once_make_one_dataset(api: Api) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = [*threads.map(lambda _: upload(api), range(8))]
    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    assert kept(api) == ONE


def test_a_form_may_come_in_any_pieces(small: Api) -> None:
    """Boundaries, headers and the file's own near-boundaries lie across them."""
    content = f"\r\n--{BOUNDARY[:-1]}\r\n--\r\n".encode() * 50
    body, _ = form(Part("country", "US"), Part(FILE, content, "yob2020.txt"))
    for size in (1, 3, 61, 4096):
        with raw(small) as client:
            client.head({**WHOLE, "Content-Length": len(body)})
            for start in range(0, len(body), size):
                client.send(body[start : start + size])
            assert client.answer().status in (200, 201)
    assert kept(small) == ONE
    [stored] = [path for path in (small.world.folder / "storage").rglob("*") if path.is_file()]
    assert stored.read_bytes() == content
