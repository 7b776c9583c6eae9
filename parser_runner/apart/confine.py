"""What the process that parses is left without: other processes, the network, files, and privileges.

All of it is best effort: a kernel or a container may refuse any of it, and the run goes on. The kernel's interfaces
are called by ctypes, because no library for them is kept up: three calls of Landlock, and one filter of seccomp.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from dataset_jobs.model.limits import MIB, Limits

# https://man7.org/linux/man-pages/man2/prctl.2.html
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38

_NEW_NAMESPACES = 0x10000000 | 0x40000000 | 0x20000000 | 0x08000000
"""Of users, the network, processes and IPC."""

# https://docs.kernel.org/userspace-api/landlock.html: the calls have these numbers on every architecture.
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_RULES_OF_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ALL_RULES_OF_FILES = (1 << 16) - 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER, _REMOVE_FILE, _MAKE_FILE, _TRUNCATE = (
    1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 8, 1 << 14,
)  # fmt: skip
_TCP, _SIGNALS_AND_SOCKETS = 0b11, 0b11

_REFUSED_CALLS = {
    # socket, ptrace, process_vm_readv, process_vm_writev, pidfd_getfd, io_uring_setup, unshare, setns, bpf,
    # perf_event_open, userfaultfd, keyctl
    "x86_64": (0xC000003E, (41, 101, 310, 311, 438, 425, 272, 308, 321, 298, 323, 250)),
    "aarch64": (0xC00000B7, (198, 117, 270, 271, 438, 425, 97, 268, 280, 241, 282, 219)),
}
"""By architecture: its number for seccomp, and the system calls that are refused."""

_OTHER_ABI = 0x40000000
"""Numbers from here on are the same calls again, on x86_64."""

_NOBODY = 65534
_PROCESSES = 32
_OPEN_FILES = 256
_BYTES_OF_A_ROW = 256

_libc = ctypes.CDLL(None, use_errno=True)


def confine(writable: str) -> list[str]:
    """Leaves this process and its children only what reading a file needs.

    It may go on in a child, which is the first process of its namespace: if it ends, the kernel ends all others there.

    Args:
        writable: the folder for temporary files.

    Returns:
        What is in force, in the words of docs/formats.md.
    """
    done = []
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        done.append("no new privileges")
    if _become_nobody(writable):
        done.append("another user")
    if _libc.unshare(_NEW_NAMESPACES) == 0:
        _go_on_in_a_child()
        done.append("namespaces")
    # All capabilities: also those that a new namespace of users has given.
    header, none = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    if _libc.capset(header, none) == 0:
        done.append("no capabilities")
    if _landlock(writable):
        done.append("Landlock")
    if _seccomp():
        done.append("seccomp")
    return done


def end_with_parent() -> None:
    """The kernel kills this process when its parent ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _go_on_in_a_child() -> None:
    process = os.fork()
    if process == 0:
        end_with_parent()
        return
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    with suppress(ChildProcessError):
        os.waitpid(process, 0)
    os._exit(0)


def limit(limits: Limits, in_force: list[str]) -> None:
    """Sets the limits of a process that parses one file.

    Args:
        limits: on the file.
        in_force: as `confine` gave it.
    """
    most = max(limits.file_mib, limits.unpacked_mib) * MIB
    # The rows are kept until they are sorted.
    _set_limit(resource.RLIMIT_AS, 1024 * MIB + most + limits.rows * _BYTES_OF_A_ROW)
    _set_limit(resource.RLIMIT_FSIZE, most)
    _set_limit(resource.RLIMIT_CPU, limits.cpu_seconds)
    _set_limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _set_limit(resource.RLIMIT_CORE, 0)
    if "namespaces" in in_force:
        # Elsewhere it counts the processes of this user in all containers of the machine.
        _set_limit(resource.RLIMIT_NPROC, _PROCESSES)


def _set_limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(what, (most, most))


def _become_nobody(writable: str) -> bool:
    """Root becomes another user, if that one can read the program."""
    if os.geteuid() != 0:
        return False
    folders = [folder for folder in _readable() if Path(folder).exists()]
    groups = os.getgroups()
    try:
        os.setgroups([])
        os.setegid(_NOBODY)
        os.seteuid(_NOBODY)
        allowed = os.access(writable, os.W_OK, effective_ids=True) and all(
            os.access(folder, os.R_OK, effective_ids=True) for folder in folders
        )
        os.seteuid(0)
        os.setegid(0)
        if allowed:
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
        else:
            os.setgroups(groups)
    except OSError:  # a container may refuse any of it, then all of it
        return False
    return allowed


def _readable() -> Iterator[str]:
    """Files and folders that the program is in."""
    yield from (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.executable)
    yield from _of_packages()
    yield from ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache")
    yield from ("/etc/localtime", "/dev/urandom")


def _of_packages() -> Iterator[str]:
    here = Path(__file__).absolute().parents[1]
    yield from (str(here), str(here.with_name("dataset_jobs")))
    library = find_spec("python_calamine")
    if any(file.is_symlink() for file in (Path(__file__), Path((library and library.origin) or os.devnull))):
        # An installer that links every file: nobody knows where all of them are.
        yield "/"
    for folder in map(Path, filter(None, sys.path)):
        if folder not in (Path.home(), Path("/")):
            yield str(folder)
            with suppress(OSError):
                yield from (os.path.realpath(entry) for entry in os.scandir(folder) if entry.is_symlink())


def _landlock(writable: str) -> bool:
    version = _libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    handled = _RULES_OF_FILES.get(version, _ALL_RULES_OF_FILES)
    asked = struct.pack("=QQQ", handled, _TCP, _SIGNALS_AND_SOCKETS)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = _libc.syscall(_LANDLOCK_CREATE, asked, len(asked), 0)
    if rules < 0:
        return False
    for path in _readable():
        _allow(rules, path, _EXECUTE | _READ_FILE | _READ_FOLDER)
    _allow(rules, "/dev/null", _READ_FILE | _WRITE_FILE)
    for_files = _READ_FILE | _WRITE_FILE | _MAKE_FILE | _REMOVE_FILE | _TRUNCATE
    _allow(rules, writable, for_files & handled)
    done: int = _libc.syscall(_LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)
    return done == 0


def _allow(rules: int, path: str, access: int) -> None:
    with suppress(OSError):
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not Path(path).is_dir():
            access &= _EXECUTE | _READ_FILE | _WRITE_FILE
        _libc.syscall(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", access, opened), 0)
        os.close(opened)


def _seccomp() -> bool:
    """Refuses system calls. Sockets above all: the embedded Postgres trusts every process of its user."""
    if platform.machine() not in _REFUSED_CALLS or sys.maxsize < 2**32:
        return False
    architecture, calls = _REFUSED_CALLS[platform.machine()]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    refuse = len(calls) + 1
    steps = [
        (load, 0, 0, 4),
        (equal, 0, refuse + 2, architecture),
        (load, 0, 0, 0),
        (at_least, refuse, 0, _OTHER_ABI),
        *((equal, refuse - 1 - number, 0, call) for number, call in enumerate(calls)),
        (give, 0, 0, 0x7FFF0000),
        (give, 0, 0, 0x00050000 | 1),
    ]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    pointer = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    done: int = _libc.prctl(_PR_SET_SECCOMP, 2, pointer, 0, 0)
    return done == 0
