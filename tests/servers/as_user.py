"""Commands of the product as other users of the machine, and with parts of the machine taken away."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

NO_ENTRY = 1234567
"""A user id without an entry in /etc/passwd."""


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A temporary folder that every user may write to: those of pytest are private."""
    with tempfile.TemporaryDirectory(prefix="affirm-hosts-", dir="/tmp") as name:
        Path(name).chmod(0o777)
        yield Path(name)


def affirm(
    *arguments: str,
    uid: int | None = None,
    environment: Mapping[str, str] | None = None,
    before: str = "",
    streams: str = "",
    namespaces: Sequence[str] = (),
    module: str = "cli",
    cwd: str = "/",
) -> subprocess.CompletedProcess[str]:
    """Runs a command with no environment but the one that is given.

    Args:
        arguments: of the command.
        uid: whom it runs as, in the group 0 alone.
        environment: all that it gets beside PATH.
        before: a piece of shell that changes the surroundings first, as the test's own user.
        streams: redirections of the shell.
        namespaces: options of `unshare`, so that what `before` does is for this command alone.
        module: what to run.
        cwd: where.
    """
    given = {name: os.environ[name] for name in ("PATH", "AFFIRM_WORKER_CONFIG")}
    variables = {**given, "PYTHONPATH": str(ROOT), **(environment or {})}
    user = f"setpriv --reuid={uid} --regid=0 --clear-groups" if uid is not None else ""
    script = f'{before or ":"} && exec {user} "$@" {streams}'
    command = ["sh", "-c", script, "sh", sys.executable, "-m", module, *arguments]
    if namespaces:
        if not _unshares(*namespaces):
            pytest.skip(f"unshare {' '.join(namespaces)} is refused here: no CAP_SYS_ADMIN, or a seccomp filter")
        command = ["unshare", *namespaces, *command]
    return subprocess.run(command, env=variables, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@cache
def _unshares(*namespaces: str) -> bool:
    return subprocess.run(["unshare", *namespaces, "true"], capture_output=True, check=False).returncode == 0


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The error that a command ended with: one line and no traceback; its progress and its database are left out."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("affirm-worker: ")]
    lines = [line for line in lines if not line.startswith("affirm-worker: database: embedded, ")]
    assert len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    return lines[0]
