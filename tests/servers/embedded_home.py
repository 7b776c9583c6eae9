"""Homes of the embedded Postgres, for tests: in memory, with the schema in them already."""

import atexit
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from app import kept_postgres
from app.database import open_database
from app.settings import Settings
from tests.servers.memory_folder import MemoryFolder

_NEEDED = 1 << 30


def settings(home: Path) -> Settings:
    """Those of a command with this home."""
    return Settings(affirm_worker_home=home, database_url=None)


@contextmanager
def embedded_home() -> Iterator[Path]:
    """A home in a folder that every user may write to. A server that runs there in the end is stopped."""
    folder = MemoryFolder("affirm-home-", needed=_NEEDED)
    try:
        folder.path.chmod(0o777)
        subprocess.run(["cp", "-a", _template() / "postgres", folder.path], check=True)
        yield folder.path
        kept_postgres.stop_keeping(folder.path)
    finally:
        folder.remove()


@cache
def _template() -> Path:
    folder = MemoryFolder("affirm-home-", needed=_NEEDED)
    atexit.register(folder.remove)
    folder.path.chmod(0o755)
    with open_database(settings(folder.path)):
        pass
    return folder.path
