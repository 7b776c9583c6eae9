"""Folders in memory: nothing stays behind, not even after a kill."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.servers.memory_folder import MemoryFolder

PREFIX = "affirm-test-"


def made_by_another(memory: Path) -> Path:
    """A folder whose process has ended without removing it."""
    program = f"""
import os
from pathlib import Path
from tests.servers.memory_folder import MemoryFolder
folder = MemoryFolder({PREFIX!r}, Path({str(memory)!r}), 0)
print(folder.path, flush=True)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def test_without_enough_memory_it_is_on_disk(tmp_path: Path) -> None:
    folder = MemoryFolder(PREFIX, tmp_path, sys.maxsize)
    assert not folder.path.is_relative_to(tmp_path)
    folder.remove()
    assert not folder.path.exists()


def test_one_in_use_stays(tmp_path: Path) -> None:
    used, other = MemoryFolder(PREFIX, tmp_path, 0), MemoryFolder(PREFIX, tmp_path, 0)
    assert {used.path.parent, other.path.parent} == {tmp_path}
    other.remove()
    assert used.path.exists()
    used.remove()
    assert list(tmp_path.iterdir()) == []


def test_one_of_a_killed_process_is_removed_with_its_server(tmp_path: Path) -> None:
    left = made_by_another(tmp_path)
    assert left.is_dir()
    with subprocess.Popen(["env", "--default-signal=QUIT", "sleep", "60"]) as server:
        (left / "data").mkdir()
        (left / "data" / "postmaster.pid").write_text(f"{server.pid}\n{left}/data\n")
        MemoryFolder(PREFIX, tmp_path, 0).remove()
        assert server.wait(10) == -signal.SIGQUIT
    assert list(tmp_path.iterdir()) == []
