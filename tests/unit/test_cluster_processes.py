"""The test cluster's processes are known by id and start time, and its caches are filled once."""

import fcntl
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import ClusterError, building, paths, processes
from tests.cluster.layout import Files

SLEEP = ["/bin/sleep", "60"]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_was_started_is_stopped_together_with_the_children_that_outlive_it(files: Files) -> None:
    processes.start(files, "parent", ["/bin/sh", "-c", "setsid sleep 60 & exit 0"])
    processes.start(files, "sleeper", SLEEP)
    wait_until(lambda: processes.dead(files) == ["parent"] and len(processes.marked(files)) == 2)

    processes.stop(files)

    assert processes.marked(files) == []


def test_processes_left_running_hold_no_inherited_lock(files: Files, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        fcntl.flock(lock, fcntl.LOCK_EX)
        processes.start(files, "sleeper", SLEEP)
    with (tmp_path / "lock").open("w") as again:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert processes.dead(files) == []
    processes.stop(files)


def test_a_process_id_that_is_somebody_elses_by_now_is_left_alone(files: Files) -> None:
    with subprocess.Popen(SLEEP) as other:
        files.processes.mkdir()
        record = {"pid": other.pid, "started": "1"}
        (files.processes / "old.json").write_text(json.dumps(record))

        processes.stop(files)

        assert other.poll() is None
        other.send_signal(signal.SIGKILL)


def test_a_process_that_ended_by_itself_is_reported_with_the_end_of_its_log(files: Files) -> None:
    processes.start(files, "broken", ["/bin/sh", "-c", "echo no such flag >&2; exit 1"])
    wait_until(lambda: processes.dead(files) == ["broken"])

    with pytest.raises(ClusterError, match=r"broken ended(.|\n)*no such flag"):
        processes.check(files)


def test_a_cache_folder_is_made_once_by_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that fails makes none."""
    monkeypatch.setenv("AFFIRM_WORKER_CACHE", str(tmp_path))
    made: list[Path] = []

    def make(folder: Path) -> None:
        time.sleep(0.05)
        (folder / "tool").touch()
        made.append(folder)

    def fail(folder: Path) -> None:
        raise OSError("disk full")

    with building.allowed():
        with pytest.raises(OSError, match="disk full"):
            paths.cached("tool-1", fail)
        threads = [threading.Thread(target=paths.cached, args=("tool-1", make)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(made) == 1 and (tmp_path / "tool-1" / "tool").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tool-1", "tool-1.lock"]
