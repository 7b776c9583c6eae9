"""The servers that bench_api asks, each in a process of its own: ours, and a bare route that takes the same form."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import FastAPI, File, UploadFile

from api.server import listen


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens.

    Args:
        port: of this machine.
        pid: of its process.
    """

    port: int
    pid: int

    def memory(self) -> int:
        """Bytes that are resident now."""
        return self._status("VmRSS")

    def forget_peak(self) -> None:
        """Begins to measure the peak anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak(self) -> int:
        """Bytes that were resident at most."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024


@contextmanager
def our_api(conninfo: str, folder: Path, **settings: object) -> Iterator[Served]:
    """`affirm-worker serve`, without a controller.

    Args:
        conninfo: of a migrated database.
        folder: for what it stores and receives.
        settings: further ones, by their names in lower case.
    """
    (folder / "storage").mkdir(exist_ok=True)
    environment = {
        "DATABASE_URL": conninfo, "STORAGE_TYPE": "local", "STORAGE_PATH": str(folder / "storage"),
        "AFFIRM_WORKER_HOME": str(folder), "LOG_LEVEL": "ERROR", "API_REQUESTS_PER_MINUTE": "1000000",
        **{name.upper(): str(value) for name, value in settings.items()},
    }  # fmt: skip
    with _running([sys.executable, "-m", "cli", "serve", "--listen", "127.0.0.1:0"], environment) as served:
        yield served


@contextmanager
def bare_route() -> Iterator[Served]:
    """The least that takes an upload: FastAPI's own form, and nothing is done with the file."""
    with _running([sys.executable, "-m", "benchmarks.api_servers"], {}) as served:
        yield served


@contextmanager
def _running(command: list[str], environment: Mapping[str, str]) -> Iterator[Served]:
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("listening at "):
                yield Served(int(line.rpartition(":")[2]), process.pid)
                return
        raise RuntimeError(f"{' '.join(command)} does not listen")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _serve_bare_route() -> None:
    app = FastAPI()

    @app.post("/upload", status_code=201)
    async def upload(file: Annotated[UploadFile, File()]) -> dict[str, int]:
        return {"size": len(await file.read())}

    listening = listen("127.0.0.1:0")
    sys.stdout.write(f"listening at {listening.address}\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, http="h11", loop="asyncio", log_config=None, access_log=False)
    uvicorn.Server(config).run([listening.socket])


if __name__ == "__main__":
    _serve_bare_route()
