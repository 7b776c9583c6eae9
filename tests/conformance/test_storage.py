"""One suite for every kind of storage: a local folder, and a real S3 server over a directory."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import FileMissing, Forbidden, Misconfigured, Unavailable
from dataset_jobs.storage import Storage, StorageConfig, open_storage
from tests.conformance.storage_places import Place, in_bucket, in_folder
from tests.conformance.streams import MIB, Stream, read, stream
from tests.servers.versitygw import VersityGateway


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VersityGateway]:
    with VersityGateway(tmp_path_factory.mktemp("s3")) as server:
        server.make_bucket("files")
        yield server


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    if request.param == "local":
        with in_folder() as folder:
            yield folder
    else:
        server: VersityGateway = request.getfixturevalue("gateway")
        for name, value in server.credentials().items():
            monkeypatch.setenv(name, value)
        yield in_bucket(server, "files", prefix=f"{uuid.uuid4()}/of a test")


@pytest.fixture
def storage(place: Place) -> Storage:
    return place.storage


def test_what_is_put_can_be_opened(storage: Storage) -> None:
    assert read(storage, storage.put("US/1", io.BytesIO(b"Mary,F,7065\n"))) == b"Mary,F,7065\n"


def test_an_empty_file_is_a_file(storage: Storage) -> None:
    assert read(storage, storage.put("US/empty", io.BytesIO())) == b""


def test_put_begins_where_the_content_stands_and_leaves_it_open(storage: Storage) -> None:
    content = io.BytesIO(b"skipped, kept")
    content.seek(9)
    assert read(storage, storage.put("US/1", content)) == b"kept"
    assert not content.closed


def test_put_replaces_what_was_there(storage: Storage) -> None:
    storage.put("US/1", io.BytesIO(b"a longer old file"))
    assert read(storage, storage.put("US/1", io.BytesIO(b"new"))) == b"new"


def test_two_keys_are_two_files(storage: Storage) -> None:
    uris = [storage.put(key, io.BytesIO(key.encode())) for key in ("US/1", "US/11", "DE/1")]
    assert [read(storage, uri) for uri in uris] == [b"US/1", b"US/11", b"DE/1"]


def test_another_process_with_the_same_settings_opens_the_same_uri(place: Place) -> None:
    uri = place.storage.put("US/1", io.BytesIO(b"x"))
    again = StorageConfig.from_env(StorageConfig.from_env(place.env).to_env())
    assert read(open_storage(again), uri) == b"x"


@pytest.mark.parametrize(
    "key",
    [
        "one",
        "a/b/c/d",
        "with space/ and more ",
        "São Tomé/Zoë",
        "100%25/%2e%2e/+&=?#",
        "quotes'\"<xml>&amp;`",
        "...",
        ".hidden",
        "-",
        "back\\slash",
        "😀",
        "n" * 200,
    ],
)
def test_odd_keys_are_kept_as_they_are(storage: Storage, key: str) -> None:
    uri = storage.put(key, io.BytesIO(key.encode()))
    assert uri.endswith(key)
    assert read(storage, uri) == key.encode()
    storage.delete(uri)
    storage.put("other", io.BytesIO(b"x"))
    with pytest.raises(FileMissing):
        storage.open(uri)


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "US/../../up", "US/./1", "US//1", "US/1/", "a\0b"])
def test_keys_that_lead_elsewhere_are_refused(storage: Storage, key: str) -> None:
    with pytest.raises(Forbidden):
        storage.put(key, io.BytesIO(b"x"))


def test_uris_that_lead_elsewhere_are_refused(storage: Storage) -> None:
    uri = storage.put("US/1", io.BytesIO(b"x"))
    for wrong in (uri + "/../1", uri.replace("US/1", "US/../US/1"), uri.replace("US/1", "/etc/passwd")):
        for use in (storage.open, storage.delete):
            with pytest.raises(Forbidden):
                use(wrong)


@pytest.mark.parametrize(
    "uri", ["", "US/1", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/", "s4://files/US/1"]
)
def test_uris_of_no_known_kind_are_refused(storage: Storage, uri: str) -> None:
    for use in (storage.open, storage.delete):
        with pytest.raises(Misconfigured):
            use(uri)


def test_a_uri_of_the_other_kind_is_refused(storage: Storage) -> None:
    local = storage.put("US/1", io.BytesIO(b"x")).startswith("local:")
    with pytest.raises(Misconfigured):
        storage.open("s3://files/US/1" if local else "local:US/1")


def test_a_file_can_be_read_in_pieces_and_by_lines(storage: Storage) -> None:
    uri = storage.put("US/1", io.BytesIO(b"one\r\ntwo\nthree"))
    with storage.open(uri) as file:
        assert [file.read(2), file.readline(), file.read(100), file.read(1)] == [b"on", b"e\r\n", b"two\nthree", b""]
    with storage.open(uri) as file:
        assert list(file) == [b"one\r\n", b"two\n", b"three"]


def test_a_file_may_be_closed_before_its_end_and_others_open_at_once(storage: Storage) -> None:
    uri = storage.put("US/1", stream(3 * MIB))
    for _ in range(30):
        with storage.open(uri) as one, storage.open(uri) as other:
            assert len(one.read(10)) == len(other.read(10)) == 10


def test_a_big_file_is_streamed_both_ways_in_bounded_memory(storage: Storage) -> None:
    storage.put("US/warm", stream(9 * MIB))  # what is imported on first use is not the file's
    content = Stream(64 * MIB)
    tracemalloc.start()
    try:
        uri = storage.put("US/big", content)  # type: ignore[arg-type]
        put_peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        digest = hashlib.sha256()
        with storage.open(uri) as file:
            while block := file.read(100_000):
                digest.update(block)
        read_peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert digest.digest() == content.sha256.digest()
    assert put_peak < 24 * MIB
    assert read_peak < 4 * MIB


def test_a_missing_file_is_missing(storage: Storage) -> None:
    uri = storage.put("US/1", io.BytesIO(b"x"))
    for missing in (uri + "2", uri.replace("US/1", "DE/1")):
        with pytest.raises(FileMissing) as caught:
            storage.open(missing)
        assert caught.value.reason is Reason.FILE_NOT_FOUND


def test_deleting_removes_one_file_and_may_be_repeated(storage: Storage) -> None:
    uri, other = (storage.put(key, io.BytesIO(b"x")) for key in ("US/1", "US/2"))
    storage.delete(uri)
    storage.delete(uri)
    storage.delete(uri.replace("US/1", "DE/1"))
    with pytest.raises(FileMissing):
        storage.open(uri)
    assert read(storage, other) == b"x"


def test_where_we_are_refused_it_is_forbidden_and_no_credential_is_told(place: Place) -> None:
    uri = place.storage.put("US/1", io.BytesIO(b"x"))
    with place.refusing():
        storage = place.storage
        uses: list[Callable[[], object]] = [
            lambda: storage.open(uri),
            lambda: storage.put("US/1", io.BytesIO(b"y")),
            lambda: storage.delete(uri),
        ]
        for use in uses:
            with pytest.raises(Forbidden) as caught:
                use()
            assert caught.value.reason is Reason.STORAGE
            told = f"{caught.value} {caught.value.__cause__}"
            assert not any(place.env[name] in told for name in place.env if name.startswith("AWS_") and "KEY" in name)
            assert "hunter2" not in told
    assert read(place.storage, uri) == b"x"


def test_where_storage_is_away_it_is_unavailable_and_not_missing(place: Place) -> None:
    storage = place.storage
    uri = storage.put("US/1", io.BytesIO(b"x"))
    with place.away():
        uses: list[Callable[[], object]] = [
            lambda: storage.open(uri),
            lambda: storage.put("US/2", io.BytesIO(b"y")),
            lambda: storage.delete(uri),
        ]
        for use in uses:
            with pytest.raises(Unavailable) as caught:
                use()
            assert caught.value.reason is Reason.STORAGE
    assert read(storage, uri) == b"x"


def test_readers_see_the_old_or_the_new_file_and_never_a_mixture(place: Place) -> None:
    storage = place.storage
    uri = storage.put("US/1", io.BytesIO(b"a" * MIB))
    done = threading.Event()

    def write() -> None:
        own = place.storage
        for letter in b"bcdefghij":
            own.put("US/1", io.BytesIO(bytes([letter]) * MIB))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        content = read(storage, uri)
        assert len(content) == MIB
        assert len(set(content)) == 1
    writer.join()


def test_an_error_of_the_source_keeps_the_old_file(storage: Storage) -> None:
    """The error comes out unchanged."""

    class SourceError(OSError):
        pass

    def fail() -> None:
        raise SourceError("the user's disk")

    uri = storage.put("US/1", io.BytesIO(b"old"))
    for size in (1000, 10 * MIB):
        with pytest.raises(SourceError):
            storage.put("US/1", stream(size, at_end=fail))
    assert read(storage, uri) == b"old"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def put_and_die_before_it_is_in_place(key: str) -> None:
    """Run in a process of its own: every byte has been handed over when it is killed."""
    open_storage(StorageConfig.from_env(os.environ)).put(key, stream(20 * MIB, at_end=die))


def test_a_crash_before_the_file_is_in_place_leaves_nothing_new_under_the_key(place: Place) -> None:
    storage = place.storage
    old = storage.put("US/old", io.BytesIO(b"old"))
    for key in ("US/new", "US/old"):
        run = subprocess.run(
            [sys.executable, "-c", f"from {__name__} import *; put_and_die_before_it_is_in_place({key!r})"],
            env={**os.environ, **place.env},
            cwd=Path(__file__).parents[2],
            check=False,
        )
        assert run.returncode == -signal.SIGKILL
    with pytest.raises(FileMissing):
        storage.open(old.replace("US/old", "US/new"))
    assert read(storage, old) == b"old"


def put(storage: Storage, *keys: str) -> dict[str, str]:
    """Their URIs."""
    return {key: storage.put(key, io.BytesIO(key.encode())) for key in keys}


def test_a_folder_is_listed_with_its_subfolders(
    storage: Storage,
) -> None:
    """Its neighbours and hidden files are left out."""
    uris = put(
        storage, "in/fr/2.csv", "in/fr/1 é.csv", "in/fr/old/3.csv", "in/fr/old/.4.part", "in/fr/.h/5", "in/fr2/6"
    )
    found = list(storage.files("in/fr"))
    assert {listed.uri for listed in found} == {
        uris[key] for key in ("in/fr/2.csv", "in/fr/1 é.csv", "in/fr/old/3.csv")
    }
    assert {listed.name for listed in found} == {"2.csv", "1 é.csv", "3.csv"}
    assert {read(storage, listed.uri) for listed in found} >= {b"in/fr/2.csv"}


def test_a_file_has_another_version_exactly_when_it_has_other_bytes(storage: Storage) -> None:
    def version() -> str:
        [found] = storage.files("in")
        return found.version

    storage.put("in/1", io.BytesIO(b"Mary,F,1"))
    first = version()
    assert version() == first
    storage.put("in/1", io.BytesIO(b"Mary,F,2"))
    assert version() != first


def test_a_long_list_is_whole(storage: Storage) -> None:
    keys = [f"in/{number:04}" for number in range(1100)]
    for key in keys:
        storage.put(key, io.BytesIO())
    assert sorted(f"in/{listed.name}" for listed in storage.files("in")) == keys


def test_a_location_is_given_as_a_key_or_as_a_uri(storage: Storage) -> None:
    folder = storage.put("in/fr/1", io.BytesIO()).removesuffix("/1")
    assert {storage.location(given) for given in ("in/fr", "in/fr/", folder, f"{folder}/")} == {"in/fr"}
    for given in ("", "/", "..", "in/../..", "in//fr", "/etc"):
        with pytest.raises(Forbidden):
            storage.location(given)
    for given in ("ftp://somewhere/in", "s3://another-bucket/in"):
        with pytest.raises((Misconfigured, Forbidden)):
            storage.location(given)


def test_a_list_says_when_storage_refuses_or_is_away(place: Place) -> None:
    place.storage.put("in/1", io.BytesIO())
    with place.refusing(), pytest.raises(Forbidden):
        list(place.storage.files("in"))
    with place.away(), pytest.raises(Unavailable):
        list(place.storage.files("in"))
