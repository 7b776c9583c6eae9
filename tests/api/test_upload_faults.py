"""Uploads while disks are full, storage or database are away: an answer that says so, and nothing half kept."""

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from api.upload.limits import UploadLimits
from api.upload.uploads import Uploads
from dataset_jobs.storage import StorageConfig, open_storage
from services.stored_files import find_orphans, remove_orphans
from tests.api.client import Api, running
from tests.api.forms import FILE, Part, form
from tests.api.raw import raw
from tests.api.uploading import CONTENT, NOTHING, ONE, kept, upload
from tests.faults.conditions import needs_root, small_disk
from tests.integration.world import World
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import BREAKS, Fault, FaultProxy, Kind
from tests.servers.versitygw import VersityGateway

RAW = "/v1/datasets/upload/yob2020.txt?country=US"
BODY, TYPE = form(Part(FILE, CONTENT, "yob2020.txt"), Part("country", "US"))
MIB = 1 << 20


def spooling_to(api: Api, folder: Path, file_bytes: int = MIB) -> None:
    api.context.uploads = Uploads(UploadLimits(folder, file_bytes))


@needs_root
def test_a_file_that_does_not_fit_is_refused_before_it_is_sent(api: Api, tmp_path: Path) -> None:
    with small_disk(tmp_path / "spool", "256k") as folder:
        spooling_to(api, folder)
        with raw(api) as client:
            client.head({"Content-Length": 300_000}, "PUT", RAW)
            answer = client.answer()
        assert (answer.status, answer.code) == (507, "no-space")
        assert "API_SPOOL_DIR" in answer.json["detail"]
        assert upload(api).status == 201
    assert kept(api) == ONE


@needs_root
def test_files_that_come_at_once_share_the_room(api: Api, tmp_path: Path) -> None:
    """What the others still have to send is theirs."""
    with small_disk(tmp_path / "spool", "256k") as folder:
        spooling_to(api, folder)
        with raw(api) as first, raw(api) as second:
            first.head({"Content-Length": 200_000}, "PUT", RAW)
            while not len(api.context.uploads.spool):
                time.sleep(0.01)
            second.head({"Content-Length": 100_000}, "PUT", RAW)
            assert second.answer().code == "no-space"
            first.send(b"x" * 200_000)
            assert first.answer().status == 201


@needs_root
def test_a_disk_that_fills_up_meanwhile_is_an_answer(api: Api, tmp_path: Path) -> None:
    with small_disk(tmp_path / "spool", "1m") as folder:
        spooling_to(api, folder, 900_000)
        with raw(api) as client:
            client.head({"Transfer-Encoding": "chunked"}, "PUT", RAW)
            client.chunk(b"x" * 1000)
            while not len(api.context.uploads.spool):
                time.sleep(0.01)
            with contextlib.suppress(OSError):
                (folder / "something else").write_bytes(b"x" * MIB)
            client.chunk(b"x" * 800_000)
            client.chunk(b"")
            answer = client.answer()
        assert (answer.status, answer.code) == (507, "no-space")
    assert kept(api) == NOTHING


def test_a_spool_that_is_gone_is_an_answer(api: Api, tmp_path: Path) -> None:
    spooling_to(api, tmp_path / "missing")
    answer = upload(api)
    assert (answer.status, answer.code) == (503, "storage-away")
    assert kept(api) == NOTHING


def test_a_file_in_the_spool_has_no_name(api: Api, tmp_path: Path) -> None:
    """So nothing is left of it, whatever becomes of the process."""
    folder = tmp_path / "spool"
    folder.mkdir()
    spooling_to(api, folder)
    with raw(api) as client:
        client.head({"Content-Length": 600_000}, "PUT", RAW)
        client.send(b"x" * 500_000)
        while not any(str(folder) in _target(one) for one in Path("/proc/self/fd").iterdir()):
            time.sleep(0.01)
        assert [*folder.iterdir()] == []


def _target(link: Path) -> str:
    with contextlib.suppress(OSError):
        return str(link.readlink())
    return ""


def test_local_storage_that_is_away_is_an_answer(api: Api) -> None:
    storage = api.world.folder / "storage"
    storage.rmdir()
    answer = upload(api)
    assert (answer.status, answer.code) == (503, "storage-away"), answer.text
    assert int(answer.headers["retry-after"]) > 0
    storage.mkdir()
    assert kept(api) == NOTHING
    assert upload(api).status == 201


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VersityGateway]:
    with VersityGateway(tmp_path / "s3") as server:
        for name, value in server.credentials().items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def api_on_s3(world: World, s3: VersityGateway) -> Iterator[Api]:
    settings: dict[str, Any] = {
        name.lower(): value for name, value in s3.storage_env(s3.make_bucket("uploads"), "files").items()
    }
    world.storage_config = StorageConfig.from_env({name.upper(): value for name, value in settings.items()})
    with running(world, **settings) as made:
        yield made


async def test_uploads_go_to_s3(api_on_s3: Api) -> None:
    answers = [upload(api_on_s3) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 200]
    [dataset] = api_on_s3.world.query("select * from datasets")
    storage = open_storage(api_on_s3.world.storage_config)
    with storage.open(dataset["storage_uri"]) as stored:
        assert stored.read() == CONTENT
    storage.delete(dataset["storage_uri"])
    assert upload(api_on_s3).status == 200
    with storage.open(dataset["storage_uri"]) as stored:
        assert stored.read() == CONTENT


def test_s3_that_is_away_is_an_answer(api_on_s3: Api, s3: VersityGateway) -> None:
    s3.stop()
    answer = upload(api_on_s3)
    assert (answer.status, answer.code) == (503, "storage-away"), answer.text
    assert kept(api_on_s3) == NOTHING
    s3.start()
    assert upload(api_on_s3).status == 201


def test_a_database_that_is_away_is_an_answer(world: World) -> None:
    """Before the file is sent, since the key is looked up first."""
    with running(world, conninfo="postgresql://nobody@127.0.0.1:1/names") as api, raw(api) as client:
        client.head({"Content-Length": len(BODY), "Content-Type": TYPE})
        answer = client.answer()
        assert (answer.status, answer.code) == (503, "database-away")
        assert int(answer.headers["retry-after"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", [one for one in BREAKS if one is not Kind.SILENT])
def test_a_database_that_goes_away_at_any_statement_leaves_nothing_half(
    world: World, postgres: PostgresServer, kind: Kind
) -> None:
    """A client that sends its file again has it loaded once, wherever the connection broke."""
    with FaultProxy(postgres.port) as proxy, running(world, conninfo=proxy.url(world.conninfo)) as api:
        for number in count(1):
            content = b"Mary,F,%d\n" % number
            proxy.arm(Fault(kind, number))
            answer = upload(api, content)
            assert answer.status in (200, 201) or answer.code == "database-away", (number, answer.text)
            if proxy.fired is None:
                break
            proxy.arm(None)
            assert upload(api, content).status in (200, 201)
            datasets, jobs, _, receiving = kept(api)
            assert (datasets, jobs, receiving) == (number, number, 0)
        assert number > 10
    for path in world.folder.glob("storage/**/*"):
        os.utime(path, (0, 0))
    orphans = find_orphans(world.client.database, world.storage, timedelta(days=1))
    assert orphans.files, "some connections broke between the file and its row"
    remove_orphans(world.client.database, world.storage, orphans)
    assert sum(one.is_file() for one in world.folder.glob("storage/**/*")) == len(world.query("select 1 from datasets"))
    for dataset in world.query("select * from datasets"):
        with world.storage.open(dataset["storage_uri"]) as stored:
            assert len(stored.read()) == dataset["size"]
