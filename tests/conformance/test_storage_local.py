"""What only storage in a local folder has to hold, besides the common suite."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden, Misconfigured, Unavailable
from dataset_jobs.storage import Storage, StorageConfig, open_storage
from tests.conformance.streams import MIB, read, stream
from tests.faults.conditions import needs_root, no_more_open_files, small_disk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files" / "US").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    return tmp_path / "files"


def local(folder: Path) -> Storage:
    return open_storage(StorageConfig("local", path=folder))


def test_local_uris_are_relative_so_that_the_folder_may_be_moved(folder: Path) -> None:
    uri = local(folder).put("US/1", io.BytesIO(b"x"))
    assert uri == "local:US/1"
    assert read(local(folder.rename(folder.with_name("moved"))), uri) == b"x"


def test_local_links_that_lead_out_of_the_folder_are_not_followed(folder: Path) -> None:
    (folder / "US" / "file").symlink_to(folder.parent / "secret")
    (folder / "DE").symlink_to(folder.parent)
    storage = local(folder)
    for uri in ("local:US/file", "local:DE/secret"):
        with pytest.raises(Forbidden):
            storage.open(uri)
    for use in (lambda: storage.put("DE/secret", io.BytesIO(b"y")), lambda: storage.delete("local:DE/secret")):
        with pytest.raises(Forbidden):
            use()
    storage.put("US/file", io.BytesIO(b"y"))  # replaces the link itself
    assert (folder.parent / "secret").read_bytes() == b"secret"


def test_local_folders_and_pipes_are_not_opened(folder: Path) -> None:
    (folder / "US" / "folder").mkdir()
    os.mkfifo(folder / "US" / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(Forbidden):
            local(folder).open(f"local:US/{name}")


def test_local_nothing_but_the_file_is_left_after_a_put_that_failed(folder: Path) -> None:
    def fail() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        local(folder).put("US/1", stream(3 * MIB, at_end=fail))
    assert list((folder / "US").iterdir()) == []


def test_local_an_empty_folder_reads_as_a_volume_that_is_not_mounted(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="mounted") as caught:
        local(tmp_path).open("local:US/1")
    assert caught.value.reason is Reason.STORAGE
    local(tmp_path).delete("local:US/1")


def test_local_a_path_that_is_a_file_is_misconfigured(folder: Path) -> None:
    with pytest.raises(Misconfigured, match="STORAGE_PATH"):
        local(folder.parent / "secret").open("local:US/1")


def test_local_a_full_disk_is_temporary(folder: Path) -> None:
    program = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    run = subprocess.run(
        [sys.executable, "-c", f"{program}; from {__name__} import *; put_too_much({str(folder)!r})"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "temporary_io []\n", run.stderr


def put_too_much(folder: str) -> None:
    """Run in a process of its own, which may write no more than some bytes to a file."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        local(Path(folder)).put("US/1", stream(MIB))
    except Unavailable as error:
        print(error.reason, list((Path(folder) / "US").iterdir()))


def test_local_links_and_pipes_are_not_listed(
    folder: Path,
) -> None:
    """And a missing folder differs from an empty one."""
    (folder / "US" / "link").symlink_to(folder.parent / "secret")
    (folder / "US" / "folder").symlink_to(folder.parent)
    os.mkfifo(folder / "US" / "pipe")
    assert list(local(folder).files("US")) == []
    with pytest.raises(Unavailable, match="no folder local:DE"):
        list(local(folder).files("DE"))
    (folder / "DE").symlink_to(folder.parent)
    with pytest.raises(Forbidden):
        list(local(folder).files("DE"))


def test_local_a_location_may_be_a_path_below_the_root(folder: Path) -> None:
    assert local(folder).location(f"{folder}/in/fr/") == "in/fr"
    with pytest.raises(Forbidden):
        local(folder).location(str(folder.parent))


@needs_root
def test_local_a_disk_that_is_really_full_is_temporary_and_stays_clean(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "1m") as disk:
        (disk / "US").mkdir()
        with pytest.raises(Unavailable, match="ENOSPC") as caught:
            local(disk).put("US/1", stream(3 * MIB))
        assert list((disk / "US").iterdir()) == []
        local(disk).put("US/1", stream(MIB // 2))
    assert caught.value.reason is Reason.TEMPORARY_IO


@needs_root
def test_local_a_read_only_disk_is_forbidden_and_can_be_read(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "1m") as disk:
        (disk / "US").mkdir()
        local(disk).put("US/1", io.BytesIO(b"x"))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert read(local(disk), "local:US/1") == b"x"
        for use in (lambda: local(disk).put("US/2", io.BytesIO(b"y")), lambda: local(disk).delete("local:US/1")):
            with pytest.raises(Forbidden, match="Read-only file system"):
                use()


def test_local_too_few_open_files_are_temporary_wherever_they_are_missed(folder: Path) -> None:
    storage = local(folder)
    uri = storage.put("US/1", io.BytesIO(b"x"))
    uses: list[Callable[[], object]] = [
        lambda: storage.open(uri),
        lambda: storage.put("US/2", io.BytesIO(b"y")),
        lambda: storage.delete(uri),
        lambda: list(storage.files("US")),
    ]
    for use in uses:
        for spare in range(20):
            with no_more_open_files(spare):
                try:
                    use()
                    break
                except Unavailable as error:
                    assert error.reason is Reason.TEMPORARY_IO
        else:
            raise AssertionError("it never went through")
        assert spare, "it opens nothing"
        storage.put("US/1", io.BytesIO(b"x"))
