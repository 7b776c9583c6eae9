"""`affirm-worker` as a process of its own that starts ten times as fast: a server has imported it and forks.

A command's processor time is mostly its imports, and tests call some hundred. What a command inherits (environment,
folder, streams) is what the caller gives it. The interpreter has started earlier, so there is a server for each
combination of the settings that it reads then.
"""

import atexit
import gc
import io
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
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
    words = [sys.executable, "-m", "cli", *map(str, arguments)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(_server(_read_at_start(env)))
        (out, to_out), (err, to_err) = os.pipe(), os.pipe()
        request = json.dumps([words[3:], dict(env), str(cwd)]).encode()
        socket.send_fds(server, [request], [to_out, to_err])
        os.close(to_out)
        os.close(to_err)
        pid = int(server.recv(64))
        try:
            said = _read([out, err], time.monotonic() + timeout)
            server.settimeout(timeout)
            code = int(server.recv(64))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, timeout) from None
        finally:
            os.close(out)
            os.close(err)
    return subprocess.CompletedProcess(words, code, *map(_text, said))


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
                more = os.read(key.fd, 1 << 16)
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
        arguments, env, cwd = json.loads(request)
        _become(arguments, env, cwd, streams)
    for stream in streams:
        os.close(stream)
    connection.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(arguments: list[str], env: dict[str, str], cwd: str, streams: list[int]) -> None:
    """Is the command from here on."""
    for number, stream in enumerate([os.open(os.devnull, os.O_RDONLY), *streams]):
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
    sys.argv = [str(ROOT / "cli" / "__main__.py"), *arguments]
    import_module("cli.main").main()
