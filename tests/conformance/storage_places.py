"""The kinds of storage that the common suite runs against, and how each can be made to fail."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dataset_jobs.storage import Storage, StorageConfig, open_storage
from tests.servers.versitygw import VersityGateway

NOBODY = 65534


@dataclass
class Place:
    """One kind of storage.

    Args:
        env: its settings, credentials included.
        refusing: a context in which it lets nobody in.
        away: a context in which it cannot be reached.
    """

    env: dict[str, str]
    refusing: Callable[[], AbstractContextManager[None]]
    away: Callable[[], AbstractContextManager[None]]

    @property
    def storage(self) -> Storage:
        """Opened anew, with the credentials of this moment."""
        return open_storage(StorageConfig.from_env(self.env))


def in_bucket(server: VersityGateway, bucket: str, prefix: str) -> Place:
    """Storage in a bucket of a running server, whose credentials are in the environment."""

    @contextmanager
    def wrong_keys() -> Iterator[None]:
        right = os.environ["AWS_SECRET_ACCESS_KEY"]
        os.environ["AWS_SECRET_ACCESS_KEY"] = "hunter2-hunter2"
        try:
            yield
        finally:
            os.environ["AWS_SECRET_ACCESS_KEY"] = right

    @contextmanager
    def stopped() -> Iterator[None]:
        server.stop()
        try:
            yield
        finally:
            server.start()

    return Place(server.storage_env(bucket, prefix) | server.credentials(), wrong_keys, stopped)


@contextmanager
def in_folder() -> Iterator[Place]:
    """Storage in a new folder. Not below pytest's own, which lets only its owner in: see `closed`."""
    with tempfile.TemporaryDirectory(prefix="storage-") as folder:
        Path(folder).chmod(0o755)
        root = Path(folder) / "files"
        root.mkdir()

        @contextmanager
        def closed() -> Iterator[None]:
            for path in root.rglob("*"):
                path.chmod(0o000)
            euid = os.geteuid()
            if euid == 0:  # the superuser is refused nothing
                os.seteuid(NOBODY)
            try:
                yield
            finally:
                os.seteuid(euid)
                for path in [root, *root.iterdir()]:
                    path.chmod(0o755)
                for path in root.rglob("*"):
                    path.chmod(0o755)

        @contextmanager
        def unmounted() -> Iterator[None]:
            root.rename(root.with_name("elsewhere"))
            try:
                yield
            finally:
                root.with_name("elsewhere").rename(root)

        yield Place({"STORAGE_TYPE": "local", "STORAGE_PATH": str(root)}, closed, unmounted)
