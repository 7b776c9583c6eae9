"""versitygw: a real S3 server over a directory. Each directory below it is a bucket."""

import contextlib
import os
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster import binaries
from tests.servers.ports import free_port

_START_SECONDS = 100
"""On a busy machine; one that has ended is not waited for."""
_STOP_SECONDS = 60


@dataclass
class VersityGateway:
    """An S3 server; a context manager that starts and stops it. It may be started again, on the same port.

    Args:
        folder: keeps the buckets and, apart from them, what the server notes and logs.
        host: the address to listen on; 0.0.0.0 lets the pods of a test cluster in.
        port: 0 for a free one, known after the start.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    region: str = "us-east-1"
    access_key: str = field(default_factory=lambda: f"test-{secrets.token_hex(6)}")
    secret_key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _process: subprocess.Popen[bytes] | None = None

    def make_bucket(self, name: str) -> str:
        """Makes a bucket, or leaves it as it is; gives back its name."""
        (self.folder / "buckets" / name).mkdir(parents=True, exist_ok=True)
        return name

    def endpoint(self, host: str = "127.0.0.1") -> str:
        """The server's URL as seen from the place that calls it `host`."""
        return f"http://{host}:{self.port}"

    def credentials(self) -> dict[str, str]:
        """The keys, as the environment variables that botocore reads, and no other source of keys."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def storage_env(self, bucket: str, prefix: str = "", host: str = "127.0.0.1") -> dict[str, str]:
        """The STORAGE_* settings for one of its buckets."""
        return {
            "STORAGE_TYPE": "s3",
            "STORAGE_S3_BUCKET": bucket,
            "STORAGE_S3_REGION": self.region,
            "STORAGE_S3_ENDPOINT": self.endpoint(host),
            "STORAGE_S3_PREFIX": prefix,
        }

    def start(self) -> None:
        """Starts it and waits until it answers.

        Raises:
            RuntimeError: it ended at once, or did not answer in time; the message has the end of its log.
        """
        for name in ("buckets", "notes"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        log = self.folder / "versitygw.log"
        until = time.monotonic() + _START_SECONDS
        self.port = self.port or free_port(self.host)
        self._process = self._begun(log)
        while self._process.poll() is None and time.monotonic() < until:
            if self._listens():
                return
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"versitygw did not start: {log.read_text(errors='replace')[-2000:]}")

    def _begun(self, log: Path) -> "subprocess.Popen[bytes]":
        with log.open("ab") as output:
            return subprocess.Popen(
                [
                    *(binaries.versitygw(), "--region", self.region, "--port", f"{self.host}:{self.port}"),
                    # Notes beside the files, not in extended attributes, which tmpfs may lack.
                    *("posix", "--sidecar", self.folder / "notes", self.folder / "buckets"),
                ],
                env={"ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def stop(self) -> None:
        """Asks it to end, and waits for it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """Ends it in the middle of its work."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
            return True
        return False
