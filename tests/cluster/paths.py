"""Where caches and state live, and the two ways in which files are shared between processes: lock and rename."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import building

# A unix socket's path has room for 107 bytes, and containerd appends its own names to ours.
_LONGEST_STATE_DIR = 70


def cache_dir() -> Path:
    """The folder of built tools and images: AFFIRM_WORKER_CACHE, by default ~/.cache/affirm-worker."""
    given = os.environ.get("AFFIRM_WORKER_CACHE")
    folder = Path(given).absolute() if given else Path.home() / ".cache" / "affirm-worker"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def state_dir() -> Path:
    """The folder of the running cluster: AFFIRM_CLUSTER_STATE, by default cluster-state in the cache folder.

    Raises:
        ValueError: the path is too long for the unix sockets within.
    """
    given = os.environ.get("AFFIRM_CLUSTER_STATE")
    folder = Path(given).absolute() if given else cache_dir() / "cluster-state"
    if len(os.fsencode(folder)) > _LONGEST_STATE_DIR:
        raise ValueError(f"{folder} is too long for unix sockets: set AFFIRM_CLUSTER_STATE to a shorter path")
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file beside the guarded one; waits while another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """A folder of the cache, made at most once even by processes that ask at the same time.

    Args:
        name: the folder's name, with the version of its contents.
        make: fills an empty folder; the folder gets its name only after make has returned.

    Raises:
        NotPrepared: it is not there, and this process may not build.
    """
    folder = cache_dir() / name
    if folder.is_dir():
        return folder
    building.require(name)
    with locked(cache_dir() / f"{name}.lock"):
        if not folder.is_dir():
            unfinished = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=cache_dir()))
            try:
                make(unfinished)
                unfinished.chmod(0o755)
                unfinished.rename(folder)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return folder
