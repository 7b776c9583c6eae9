"""`affirm-worker` as a process of its own that starts ten times as fast: a server has imported it and forks.

A command's processor time is mostly its imports, and tests call some hundred. What a command inherits (environment,
folder, streams) is what the caller gives it. The interpreter has started earlier, so there is a server for each
combination of the settings that it reads then.
"""

import atexit
import fcntl
import gc
import io
import json
import os
import pty
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]

_READ_AT_START = ("PYTHON", "LC_", "LD_", "LANG", "MALLOC_", "GLIBC_")
_CODE = "import sys; from tests.kit.warm_command import serve; serve(int(sys.argv[1]))"
_MAX_REQUEST = 1 << 20


def affirm_worker(
    *arguments: str | Path, env: Mapping[str, str], cwd: Path = ROOT, timeout: float = 100
) -> "subprocess.CompletedProcess[str]":
    """Runs a command to its end, without input, and returns its exit code and what it said.

    Args:
        env: its whole environment.
        cwd: its working folder.
        timeout: in seconds.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    return affirm_worker_each([arguments], env, cwd, timeout)


def affirm_worker_each(
    lines: Sequence[Sequence[str | Path]], env: Mapping[str, str], cwd: Path = ROOT, timeout: float = 100
) -> "subprocess.CompletedProcess[str]":
    """Runs several commands in one process, up to the first that fails. A line with == is before each, if not alone.

    Args:
        lines: the arguments of each.
        env, cwd, timeout: as of `affirm_worker`, of all together.

    Raises:
        subprocess.TimeoutExpired: they took longer, and were killed.
    """
    (out, to_out), (err, to_err) = os.pipe(), os.pipe()
    said, code = _run(lines, env, cwd, [to_out, to_err], [out, err], timeout)
    return subprocess.CompletedProcess(_words(lines), code, *map(_text, said))


def affirm_worker_on_terminal(
    *arguments: str | Path, env: Mapping[str, str], cwd: Path = ROOT, columns: int = 80, timeout: float = 100
) -> tuple[int, str]:
    """Runs a command to its end on a terminal of its own; its exit code, and all that the terminal got.

    Args:
        env: its whole environment, besides TERM.
        cwd, timeout: as of `affirm_worker`.
        columns: the terminal's width.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    [said], code = _run([arguments], {"TERM": "xterm", **env}, cwd, [theirs], [ours], timeout)
    return code, said.decode(errors="replace").replace("\r\n", "\n")


def _words(lines: Sequence[Sequence[str | Path]]) -> list[str]:
    return [sys.executable, "-m", "cli", *(str(word) for line in lines for word in line)]


def _run(
    lines: Sequence[Sequence[str | Path]],
    env: Mapping[str, str],
    cwd: Path,
    theirs: Sequence[int],
    ours: Sequence[int],
    timeout: float,
) -> tuple[list[bytes], int]:
    """What came out of our ends, and the exit code. One stream for the command is its terminal, two are its output."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(_server(_read_at_start(env)))
        request = json.dumps([[[str(word) for word in line] for line in lines], dict(env), str(cwd)]).encode()
        socket.send_fds(server, [request], theirs)
        for stream in theirs:
            os.close(stream)
        pid = int(server.recv(64))
        try:
            said = _read(ours, time.monotonic() + timeout)
            server.settimeout(timeout)
            return said, int(server.recv(64))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(_words(lines), timeout) from None
        finally:
            for stream in ours:
                os.close(stream)


def _read_at_start(env: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(one for one in env.items() if one[0].startswith(_READ_AT_START) and one[0] != "PYTHONPATH")


def _read(pipes: Sequence[int], until: float) -> list[bytes]:
    """All that comes out of these pipes, until nobody writes into them; raises TimeoutError."""
    said = {pipe: bytearray() for pipe in pipes}
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                try:
                    more = os.read(key.fd, 1 << 16)
                except OSError:  # a terminal that nobody has open any more
                    more = b""
                said[key.fd] += more
                if not more:
                    selector.unregister(key.fd)
    return [bytes(text) for text in said.values()]


def _text(said: bytes) -> str:
    return io.TextIOWrapper(io.BytesIO(said)).read()


@cache
def _server(settings: frozenset[tuple[str, str]]) -> str:
    """The address of a server that has started with these settings. It ends with this process."""
    folder = tempfile.TemporaryDirectory(prefix="affirm-command-", dir="/tmp")  # a short path: sockets need one
    address = f"{folder.name}/socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-c", _CODE, str(listener.fileno())],
            env={**dict(settings), "PYTHONPATH": str(ROOT)}, cwd="/", stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
        )  # fmt: skip

    def end() -> None:
        process.communicate()
        folder.cleanup()

    atexit.register(end)
    return address


def serve(listener: int) -> None:
    """The server: forks a command for each request, until its input ends."""
    from cli.lazy import SHORT_HELPS

    for name in SHORT_HELPS:
        import_module(f"cli.commands.{name}")
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the tests end first, and then the input
    with socket.socket(fileno=listener) as listening, selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        selector.register(0, selectors.EVENT_READ)
        while all(key.fd != 0 for key, _ in selector.select()):
            connection, _ = listening.accept()
            if os.fork() == 0:
                break
            connection.close()
        else:
            return
    _answer(connection)


def _answer(connection: socket.socket) -> None:
    """In a process of its own for each request: starts the command, and reports its process id and exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    request, streams, _, _ = socket.recv_fds(connection, _MAX_REQUEST, 2)
    pid = os.fork()
    if pid == 0:
        connection.close()
        lines, env, cwd = json.loads(request)
        _become(lines, env, cwd, streams)
    for stream in streams:
        os.close(stream)
    connection.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(lines: list[list[str]], env: dict[str, str], cwd: str, streams: list[int]) -> None:
    """Is the command from here on, or one after the other."""
    if len(streams) == 1:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.setsid()
        fcntl.ioctl(streams[0], termios.TIOCSCTTY, 0)
        streams = streams * 3
    else:
        streams = [os.open(os.devnull, os.O_RDONLY), *streams]
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    for name, number, buffering in (("stdout", 1, -1), ("stderr", 2, 1)):
        old = getattr(sys, name)
        new = open(number, "w", buffering, encoding=old.encoding, errors=old.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, new)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    main = import_module("cli.main").main
    for arguments in lines:
        sys.argv = [str(ROOT / "cli" / "__main__.py"), *arguments]
        if len(lines) == 1:
            main()
            return
        sys.stdout.write(f"== {' '.join(arguments)}\n")
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise
        sys.stdout.flush()
    raise SystemExit(0)
