"""Debian's Prometheus: it scrapes what tests serve, and evaluates rules."""

import contextlib
import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.servers.ports import free_port

EVERY = "250ms"

_START_SECONDS = 100


class Prometheus:
    """A server; a context manager that starts and stops it.

    Args:
        folder: for its files.
        targets: the port on 127.0.0.1 of each job.
        groups: of rules.
        every: between two scrapes, and two evaluations of the rules.
    """

    def __init__(
        self, folder: Path, targets: Mapping[str, int], groups: list[dict[str, Any]], every: str = EVERY
    ) -> None:
        self._folder = folder
        self._port = free_port("127.0.0.1")
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
        scraped = [
            {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": "names"}}]}
            for name, port in targets.items()
        ]
        config = {
            "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
            "rule_files": ["rules.yaml"],
            "scrape_configs": scraped,
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))

    def __enter__(self) -> Self:
        log = (self._folder / "prometheus.log").open("wb")
        self._process = subprocess.Popen(
            [
                "prometheus", f"--config.file={self._folder}/prometheus.yaml",
                f"--storage.tsdb.path={self._folder}/data", f"--web.listen-address=127.0.0.1:{self._port}",
                "--log.level=warn",
            ],
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        log.close()
        until = time.monotonic() + _START_SECONDS
        while True:
            with contextlib.suppress(URLError, ConnectionError), urlopen(f"{self.address}/-/ready", timeout=5):
                return self
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "prometheus.log").read_text())
            time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query; raises AssertionError with Prometheus' words if it is wrong."""
        found: list[dict[str, Any]] = self._get("query", query=expression)["result"]
        return found

    def alerts(self) -> list[dict[str, Any]]:
        """Those that fire."""
        return [one for one in self._get("alerts")["alerts"] if one["state"] == "firing"]

    @property
    def address(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._port}"

    def _get(self, what: str, **query: str) -> Any:
        try:
            with urlopen(f"{self.address}/api/v1/{what}?{urlencode(query)}", timeout=100) as answer:
                said = json.load(answer)
        except URLError as error:
            body = getattr(error, "read", lambda: b"")().decode()
            raise AssertionError(f"{query or what}: {error} {body}") from error
        return said["data"]
