"""PgBouncer in transaction mode before a test's Postgres."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.servers.ports import free_port
from tests.servers.postgres import OS_USER, PostgresServer

_START_SECONDS = 100


class PgBouncer:
    """A pooler of its own, a context manager. Few server connections, so that clients do share them.

    Args:
        program: its path.
        postgres: the server behind it.
        server_connections: to each database at most.
        users: whom it lets in besides the superuser, with their passwords.
    """

    def __init__(
        self,
        program: str,
        postgres: PostgresServer,
        server_connections: int = 4,
        users: Mapping[str, str] | None = None,
    ) -> None:
        self._program = program
        self._postgres = postgres
        self._folder = Path(tempfile.mkdtemp(prefix="affirm-pgbouncer-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port("127.0.0.1")
        known = {"postgres": postgres.password, **(users or {})}
        (self._folder / "users").write_text("".join(f'"{name}" "{word}"\n' for name, word in known.items()))
        (self._folder / "ini").write_text(f"""[databases]
* = host=127.0.0.1 port={postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {self._folder}/users
pool_mode = transaction
default_pool_size = {server_connections}
max_client_conn = 200
server_check_delay = 0
server_login_retry = 1
""")

    def __enter__(self) -> Self:
        command = [self._program, str(self._folder / "ini")]
        if os.geteuid() == 0:
            owner = pwd.getpwnam(OS_USER)
            for path in (self._folder, *self._folder.iterdir()):
                os.chown(path, owner.pw_uid, owner.pw_gid)
            command = ["setpriv", f"--reuid={OS_USER}", f"--regid={OS_USER}", "--clear-groups", *command]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + _START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > until:
                said = (self._folder / "log").read_text()
                self.__exit__()
                raise RuntimeError(f"pgbouncer did not start: {said}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, direct: str) -> str:
        """The same connection URI, by way of the pooler."""
        return direct.replace(f":{self._postgres.port}/", f":{self.port}/")

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False
