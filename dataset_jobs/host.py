"""The machine that the product runs on: its name, a folder for temporary files, a user's name."""

import os
import pwd
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dataset_jobs.model.actor import Actor
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured

_KEPT = {"PATH", "HOME", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "VIRTUAL_ENV"}
_KEPT_BEGINNINGS = ("LC_", "PYTHON")


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a program without credentials gets: those that Python and its libraries start with."""
    return {name: value for name, value in environment.items() if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)}


def host_name() -> str:
    """The machine's name, as Postgres can store it; `unnamed` if it has none."""
    # The kernel takes any bytes.
    return socket.gethostname().encode(errors="replace").decode().strip() or "unnamed"


def os_actor() -> Actor:
    """Whoever runs this process, as the audit names people at a command line."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return Actor(f"{user}@{host_name()}", "cli")


def open_standard_streams() -> None:
    """Opens the null device in place of each standard stream that is closed, for this process and its children.

    Otherwise a connection gets the stream's number, and printed text goes there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            os.dup2(opened, number)
            if opened != number:
                os.close(opened)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def hide_memory() -> None:
    """Lets no other process of this user read this one: its memory, environment and open files.

    It costs core dumps, and debuggers (gdb, py-spy) need root.
    """
    import ctypes

    # https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)


def temporary_folder() -> Path:
    """The folder for temporary files: TMPDIR, else /tmp or another one that can be written.

    Raises:
        Misconfigured: no such folder can be written.
    """
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise Misconfigured(
            "no temporary folder can be written: set TMPDIR to a folder that can, or mount one at /tmp", Reason.CONFIG
        ) from None


def check_user(variable: str, conninfo: str) -> None:
    """Refuses a connection string without a user if the process has no user's name to take instead.

    Args:
        variable: the setting that it comes from.
        conninfo: libpq connection string or URI; a malformed one passes, since connecting refuses it.

    Raises:
        Misconfigured: it names the variable and the user id.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = conninfo_to_dict(conninfo).keys() & {"user", "service"} or {"PGUSER", "PGSERVICE"} & os.environ.keys()
    except psycopg.ProgrammingError:
        return
    if given:
        return
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise Misconfigured(
            f"{variable} names no user, and user id {os.geteuid()} has no entry in /etc/passwd: write the database's"
            " user into it, as in postgresql://user:password@host:5432/database",
            Reason.DATABASE,
        ) from None
