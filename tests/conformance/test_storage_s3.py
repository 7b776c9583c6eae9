"""What only S3 storage has to hold, besides the common suite."""

import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import FileMissing, Forbidden, Misconfigured, Unavailable
from dataset_jobs.storage import Storage, StorageConfig, open_storage
from tests.conformance.streams import MIB, read, stream
from tests.servers.canned_http import answering
from tests.servers.versitygw import VersityGateway


@pytest.fixture
def own_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VersityGateway]:
    """One that the test may stop."""
    with VersityGateway(tmp_path) as server:
        server.make_bucket("files")
        for name, value in server.credentials().items():
            monkeypatch.setenv(name, value)
        yield server


def s3(env: dict[str, str]) -> Storage:
    return open_storage(StorageConfig.from_env(env))


def test_s3_a_dying_server_is_no_end_of_file(
    own_gateway: VersityGateway,
) -> None:
    """A server that dies in the middle of a file is unavailable."""
    storage = s3(own_gateway.storage_env("files"))
    uri = storage.put("US/1", stream(64 * MIB))
    with storage.open(uri) as file:
        assert len(file.read(MIB)) == MIB
        own_gateway.kill()
        with pytest.raises(Unavailable) as caught:
            while file.read(MIB):
                pass
    assert caught.value.reason is Reason.STORAGE


def test_s3_a_server_that_comes_back_is_used_again(own_gateway: VersityGateway) -> None:
    storage = s3(own_gateway.storage_env("files"))
    uri = storage.put("US/1", io.BytesIO(b"x"))
    own_gateway.stop()
    with pytest.raises(Unavailable):
        storage.open(uri)
    own_gateway.start()
    assert read(storage, uri) == b"x"


def test_s3_a_missing_bucket_is_misconfigured_and_not_a_missing_file(own_gateway: VersityGateway) -> None:
    storage = s3(own_gateway.storage_env("no-such-bucket"))
    uses: list[Callable[[], object]] = [
        lambda: storage.open("s3://no-such-bucket/US/1"),
        lambda: storage.put("US/1", io.BytesIO(b"x")),
        lambda: storage.delete("s3://no-such-bucket/US/1"),
    ]
    for use in uses:
        with pytest.raises(Misconfigured, match="NoSuchBucket"):
            use()


def test_s3_another_bucket_and_what_is_not_below_the_prefix_are_not_opened(own_gateway: VersityGateway) -> None:
    own_gateway.make_bucket("others")
    for bucket, prefix in (("others", ""), ("files", "other")):
        s3(own_gateway.storage_env(bucket, prefix)).put("US/1", io.BytesIO(b"x"))
    storage = s3(own_gateway.storage_env("files", "own"))
    assert storage.put("US/1", io.BytesIO(b"x")) == "s3://files/own/US/1"
    with pytest.raises(Misconfigured):
        storage.open("s3://others/US/1")
    with pytest.raises(Forbidden):
        storage.open("s3://files/other/US/1")


def test_s3_without_any_credentials_is_forbidden(own_gateway: VersityGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Forbidden, match="NoCredentials"):
        s3(own_gateway.storage_env("files")).open("s3://files/US/1")


def test_s3_half_of_the_credentials_is_forbidden(own_gateway: VersityGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Forbidden, match="PartialCredentials"):
        s3(own_gateway.storage_env("files")).open("s3://files/US/1")


def test_s3_an_unreadable_aws_profile_is_misconfigured(
    own_gateway: VersityGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(Misconfigured, match="ProfileNotFound"):
        s3(own_gateway.storage_env("files"))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"STORAGE_S3_ENDPOINT": "http://under_score:9000"}, "STORAGE_S3_ENDPOINT"),
        ({"AWS_ENDPOINT_URL": "hunter2@x"}, "AWS_ENDPOINT_URL"),
    ],
)
def test_s3_an_endpoint_that_botocore_refuses_is_misconfigured_and_named(
    settings: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in settings.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match=name) as caught:
        s3({"STORAGE_TYPE": "s3", "STORAGE_S3_BUCKET": "files", **settings})
    assert "hunter2" not in str(caught.value)


def error_body(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>key AKIAEXAMPLE</Message></Error>".encode()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VersityGateway(Path()).credentials().items():
        monkeypatch.setenv(name, value)


def s3_at(endpoint: str) -> Storage:
    return s3({"STORAGE_TYPE": "s3", "STORAGE_S3_BUCKET": "files", "STORAGE_S3_ENDPOINT": endpoint})


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, error_body("NoSuchKey"), FileMissing),
        (404, b"", Unavailable),
        (404, b"<html><body>default backend</body></html>", Unavailable),
        (404, error_body("NoSuchBucket"), Misconfigured),
        (403, error_body("AccessDenied"), Forbidden),
        (403, error_body("InvalidAccessKeyId"), Forbidden),
        (403, error_body("SignatureDoesNotMatch"), Forbidden),
        (403, b"", Forbidden),
        (401, b"", Forbidden),
        (400, error_body("ExpiredToken"), Forbidden),
        (400, error_body("AuthorizationHeaderMalformed"), Misconfigured),
        (400, error_body("InvalidRequest"), Misconfigured),
        (400, error_body("RequestTimeout"), Unavailable),
        (429, b"", Unavailable),
        (500, error_body("InternalError"), Unavailable),
        (502, b"<html>bad gateway</html>", Unavailable),
        (503, error_body("SlowDown"), Unavailable),
    ],
)
def test_s3_answers_are_told_apart(status: int, body: bytes, error: type[Exception]) -> None:
    requests: list[str] = []
    with answering(status, body, requests=requests) as endpoint, pytest.raises(error) as caught:
        s3_at(endpoint).open("s3://files/US/1")
    assert type(caught.value) is error
    assert "s3://files/US/1" in str(caught.value)
    assert "AKIAEXAMPLE" not in str(caught.value)
    assert set(requests) == {"GET /files/US/1"}
    assert len(requests) <= 3


@pytest.mark.usefixtures("keys")
def test_s3_a_body_shorter_than_promised_is_unavailable_and_no_end_of_file() -> None:
    with (
        answering(200, b"half a file", promised_bytes=1000) as endpoint,
        s3_at(endpoint).open("s3://files/US/1") as file,
        pytest.raises(Unavailable),
    ):
        file.read()


@pytest.mark.usefixtures("keys")
def test_s3_something_that_does_not_speak_http_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def hang_up() -> None:
            while True:
                try:
                    silent.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(Unavailable):
            s3_at(f"http://127.0.0.1:{silent.getsockname()[1]}").open("s3://files/US/1")
        silent.shutdown(socket.SHUT_RDWR)
        thread.join()


def read_in_a_forked_child() -> None:
    """Run in a process of its own, which has no other threads."""
    storage = s3(dict(os.environ))
    child = os.fork()
    if child == 0:
        try:
            os.write(1, read(storage, "s3://files/US/1"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def test_s3_storage_that_was_opened_before_a_fork_serves_the_child(own_gateway: VersityGateway) -> None:
    env = own_gateway.storage_env("files")
    s3(env).put("US/1", io.BytesIO(b"what the child read"))
    run = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import *; read_in_a_forked_child()"],
        env={**os.environ, **env},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
    )
    assert run.stdout == b"what the child read"
