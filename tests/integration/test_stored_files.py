"""Stored files of no dataset: what leaves them, how they are found and removed, and what is never touched."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from dataset_jobs.model.actor import Act
from dataset_jobs.model.requests import Conflict, InvalidRequest
from dataset_jobs.storage import Storage, StorageConfig, open_storage
from services.audit import AuditFilter
from services.stored_files import FEW, Orphans, find_orphans, remove_orphans
from tests.integration.command_line import answer, runner
from tests.integration.world import World
from tests.servers.versitygw import VersityGateway

pytestmark = pytest.mark.every_postgres

DAY = timedelta(days=1)


def aged(world: World) -> None:
    """Makes every stored file two days old."""
    for path in world.folder.glob("storage/**/*"):
        os.utime(path, (time.time() - 2 * 86_400,) * 2)


def orphan(world: World, country: str = "US", dataset_id: UUID | None = None) -> str:
    """What a submission that died before its row was written leaves."""
    return world.storage.put(f"{country}/{dataset_id or uuid4()}", BytesIO(b"Mary,F,5\n"))


def found(world: World, older_than: timedelta = DAY) -> Orphans:
    return find_orphans(world.client.database, world.storage, older_than)


def stored(world: World) -> set[str]:
    folder = world.folder / "storage"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_only_files_of_no_dataset_are_removed(world: World) -> None:
    kept = f"US/{world.submit_small().dataset_id}"
    uris = {orphan(world), orphan(world, "FR")}
    aged(world)
    orphans = found(world)
    assert ({one.uri for one in orphans.files}, orphans.known, orphans.size) == (uris, 1, 18)
    assert remove_orphans(world.client.database, world.storage, orphans) == 2
    assert stored(world) == {kept}
    [entry] = world.client.audit.page(AuditFilter(action=Act.STORAGE_CLEAN), 10).items
    assert entry.detail == {"files": 2, "bytes": 18}


def test_young_files_are_left_alone(world: World) -> None:
    """Their rows may be about to be written."""
    orphan(world)
    assert found(world, timedelta(hours=1)).files == []
    with pytest.raises(InvalidRequest, match="an hour ago"):
        found(world, timedelta(minutes=59))


@pytest.mark.parametrize(
    "name", ["US/notes.txt", "US/sub/{id}", "in/{id}", "US/{id}.txt", "US/.{id}.part", "US/{ID}", "affirm-doctor/{id}"]
)
def test_other_files_are_never_touched(world: World, name: str) -> None:
    made = uuid4()
    path = world.folder / "storage" / name.format(id=made, ID=str(made).upper())
    path.parent.mkdir(parents=True)
    path.write_text("x")
    aged(world)
    assert found(world) == Orphans([], 0)


def test_a_file_that_got_its_row_meanwhile_stays(world: World) -> None:
    made = world.submit_small()
    [path] = (world.folder / "storage").rglob(str(made.dataset_id))
    aged(world)
    [file] = world.storage.files("US")
    assert remove_orphans(world.client.database, world.storage, Orphans([file], 1)) == 0
    assert path.exists()


def test_another_installations_files_are_not_removed(world: World) -> None:
    world.submit_small()
    for _ in range(FEW + 1):
        orphan(world)
    aged(world)
    orphans = found(world)
    with pytest.raises(Conflict, match="another installation"):
        remove_orphans(world.client.database, world.storage, orphans)
    assert len(stored(world)) == FEW + 2
    assert remove_orphans(world.client.database, world.storage, orphans, even_most=True) == FEW + 1


def test_the_command_asks_and_removes(world: World) -> None:
    uri = orphan(world)
    aged(world)
    run = runner(world.environment, world.folder)
    would = run("datasets", "clean", "--dry-run")
    assert uri in would.stdout and "would remove 1 file (9 bytes)" in would.stdout
    assert "--yes" in run("datasets", "clean", code=2).stderr
    assert len(stored(world)) == 1
    assert answer(run("datasets", "clean", "--yes", "--json")) == {"files": [uri], "bytes": 9, "removed": 1}
    assert "each of 0 files is of a dataset" in run("datasets", "clean").stdout
    assert stored(world) == set()


@pytest.fixture
def s3(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    with VersityGateway(tmp_path / "s3") as server:
        for name, value in server.credentials().items():
            monkeypatch.setenv(name, value)
        yield open_storage(StorageConfig.from_env(server.storage_env(server.make_bucket("names"), "files")))


def test_orphans_in_s3_are_removed(world: World, s3: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.stored_files.LEAST_AGE", -DAY)
    uri = s3.put(f"US/{uuid4()}", BytesIO(b"Mary,F,5\n"))
    s3.put("US/yob2020.txt", BytesIO(b"Mary,F,5\n"))
    assert found_in(world, s3, DAY).files == []
    orphans = found_in(world, s3, -timedelta(minutes=5))
    assert [(one.uri, one.size) for one in orphans.files] == [(uri, 9)]
    assert remove_orphans(world.client.database, s3, orphans) == 1
    assert [one.name for one in s3.files("US")] == ["yob2020.txt"]


def found_in(world: World, storage: Storage, older_than: timedelta) -> Orphans:
    return find_orphans(world.client.database, storage, older_than)
