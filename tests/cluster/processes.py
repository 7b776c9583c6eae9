"""Processes that outlive the program that starts them, and are stopped by another one: by id, never by name.

A process id alone may be somebody else's by then, so its start time is kept with it. Every process also carries
the state folder in its environment and hands it down; so children that survive their parent are found as well.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.layout import Files
from tests.cluster.packages import SYSTEM_PATH

_MARK = "AFFIRM_CLUSTER_OWNER"


def start(files: Files, name: str, command: Sequence[str | Path]) -> None:
    """Start a process in the background, with its output in a log of its name."""
    files.logs.mkdir(parents=True, exist_ok=True)
    files.processes.mkdir(parents=True, exist_ok=True)
    log = files.logs / f"{name}.log"
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    # Not subprocess: it means to wait for its children, and these are to outlive us.
    pid = os.posix_spawn(
        command[0],
        [os.fspath(word) for word in command],
        # No proxy: none of them has business beyond this machine.
        {**os.environ, "PATH": SYSTEM_PATH, "NO_PROXY": "*", "no_proxy": "*", _MARK: str(files.root)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.fspath(log), append, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
            *((os.POSIX_SPAWN_CLOSE, number) for number in _handed_down()),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGINT],
    )
    words = [os.fspath(word) for word in command]
    record = {"pid": pid, "started": _start_time(pid), "command": words}
    (files.processes / f"{name}.json").write_text(json.dumps(record))


def _handed_down() -> list[int]:
    """What we would hand down without meaning to, such as the lock of a `flock` that we were started under."""
    numbers = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # that of the folder itself
            if int(entry.name) > 2 and os.get_inheritable(int(entry.name)):
                numbers.append(int(entry.name))
    return numbers


def pid(files: Files, name: str) -> int:
    """The id of a process that was started under this name; raises ClusterError if it is not running."""
    found = dict(_recorded(files)).get(name)
    if found is None:
        raise ClusterError(f"{name} is not running")
    return found


def remove(files: Files, name: str) -> list[str]:
    """Kill a process, if it still runs, and forget it; returns the command that it was started with."""
    kill([number for known, number in _recorded(files) if known == name and number], signal.SIGKILL, seconds=10)
    record = files.processes / f"{name}.json"
    command: list[str] = json.loads(record.read_text())["command"]
    record.unlink()
    return command


def dead(files: Files) -> list[str]:
    """The names of the started processes that are not running any more."""
    return [name for name, pid in _recorded(files) if pid is None]


def check(files: Files) -> None:
    """Raise ClusterError, with the end of its log, if a process has ended by itself."""
    for name in dead(files):
        lines = (files.logs / f"{name}.log").read_text(errors="replace").splitlines()
        end = "\n".join(lines[-15:])
        raise ClusterError(f"{name} ended at once; the end of {files.logs / name}.log:\n{end}")


def stop(files: Files) -> None:
    """Kill all that were started, and what they left behind; returns when they are gone.

    Nothing of theirs is kept, so nobody is asked to end in good order: an API server would wait for etcd until it
    gives up.
    """
    kill([pid for _, pid in _recorded(files) if pid is not None], signal.SIGKILL, seconds=10)
    # More than once: a process cannot be seen for the moment in which it becomes another program.
    for _ in range(3):
        kill(marked(files), signal.SIGKILL, seconds=10)
    for record in files.processes.glob("*.json"):
        record.unlink()


def marked(files: Files) -> list[int]:
    """All processes that carry this state folder's mark, such as containerd's shims."""
    wanted = f"{_MARK}={files.root}".encode()
    return [pid for pid in _all_pids() if wanted in _read(pid, "environ").split(b"\0")]


def kill(pids: Iterable[int], how: signal.Signals, seconds: float) -> None:
    """Send a signal to processes and wait for their end, for a number of seconds at most."""
    waiting = {pid: _start_time(pid) for pid in pids}
    for pid in waiting:
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + seconds
    while any(_runs(pid, started) for pid, started in waiting.items()) and time.monotonic() < deadline:
        time.sleep(0.02)


def _recorded(files: Files) -> list[tuple[str, int | None]]:
    found: list[tuple[str, int | None]] = []
    for path in sorted(files.processes.glob("*.json")):
        record = json.loads(path.read_text() or "{}")
        pid = record.get("pid")
        alive = isinstance(pid, int) and _runs(pid, record["started"])
        found.append((path.stem, pid if alive else None))
    return found


def _runs(pid: int, started: str) -> bool:
    if not started:
        return False
    # A child of this very process stays a zombie until it is waited for.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return _start_time(pid) == started


def _start_time(pid: int) -> str:
    """Field 22 of /proc/PID/stat, in ticks since boot; empty if it has ended."""
    stat = _read(pid, "stat").decode(errors="replace")
    # The name may hold spaces and parentheses, so count from the last one: the state is field 3.
    fields = stat[stat.rfind(")") + 1 :].split()
    if len(fields) < 20 or fields[0] == "Z":
        return ""
    return fields[19]


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _read(pid: int, file: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes()
    except OSError:
        return b""
