"""A parser that a file has taken over: what it reaches, and what becomes of its run. The last test is the control."""

import ctypes
import os
import pickle
import platform
import resource
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Faulty, LostLease, OutOfMemory, Rejected
from dataset_jobs.model.limits import MIB, Limits
from parser_runner.apart.parser import ParserParent
from parser_runner.file_parser import FileParser, FileToParse, Parsing
from tests.fakes import hostile
from tests.fakes.plugin import install
from tests.faults.conditions import ROOT, descendants

SMALL = Limits(file_mib=1, unpacked_mib=1, rows=1000, cpu_seconds=1)


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ParserParent]:
    """Of a runner that knows a password."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://runner:secret@db/names")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    installed = tmp_path / "installed"
    installed.mkdir()
    install(installed, monkeypatch, "tests.fakes.hostile")
    with closing(ParserParent.started()) as parent:
        yield parent


def got_by(parser: Parsing, attempt: str, given: str = "") -> str:
    with closing(parser):
        parser.write(hostile.file(attempt, given))
        parser.parse(lambda rows_done: None)
        [line] = b"".join(parser.blocks()).decode().splitlines()
    return line.split("\t")[1]


def tried(parent: ParserParent, attempt: str, given: str = "", limits: Limits = SMALL) -> str:
    return got_by(parent.parser(FileToParse("names.csv", "JP", limits=limits)), attempt, given)


MACHINE_HAS = {
    "Landlock": ctypes.CDLL(None).syscall(444, None, 0, 1) > 0,
    "seccomp": "Seccomp_filters" in Path("/proc/self/status").read_text(),
    "namespaces": subprocess.run(["unshare", "-U", "-n", "-p", "-i", "true"], capture_output=True).returncode == 0,
}


def protects(parent: ParserParent, what: str) -> None:
    """Skips the test where the kernel or the container does not give this."""
    if not MACHINE_HAS[what]:
        pytest.skip(f"this machine does not give a process {what}")
    assert what in parent.in_force()


def test_its_environment_has_no_credential(parent: ParserParent) -> None:
    found = tried(parent, "variables").split()
    assert "PATH" in found
    assert not {"DATABASE_URL", "AWS_SECRET_ACCESS_KEY"} & set(found)


def test_it_has_no_open_file_but_the_connection(parent: ParserParent) -> None:
    assert tried(parent, "open files") == "0 1 2 3"


@pytest.mark.parametrize("name", ["environ", "mem", "maps"])
@pytest.mark.parametrize("whose", ["self", "runner"])
def test_it_reads_no_process(parent: ParserParent, whose: str, name: str) -> None:
    protects(parent, "Landlock")
    pid = whose if whose == "self" else str(os.getpid())
    assert tried(parent, "read", f"/proc/{pid}/{name}") == "refused: PermissionError"


def test_it_sees_no_open_files_of_the_runner(parent: ParserParent) -> None:
    protects(parent, "Landlock")
    assert tried(parent, "list", f"/proc/{os.getpid()}/fd") == "refused: PermissionError"


def test_it_signals_no_process_outside(parent: ParserParent) -> None:
    protects(parent, "namespaces")
    assert tried(parent, "kill", str(os.getpid())) == "refused: ProcessLookupError"


def test_it_traces_no_process(parent: ParserParent) -> None:
    protects(parent, "seccomp")
    assert tried(parent, "trace", str(os.getpid())) == "refused: PermissionError"


def test_it_has_no_network(parent: ParserParent, tmp_path: Path) -> None:
    protects(parent, "seccomp")
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "socket"))
        local.listen()
        port = str(listener.getsockname()[1])
        for attempt, given in (("connect", port), ("send", port), ("connect locally", str(tmp_path / "socket"))):
            assert tried(parent, attempt, given) == "refused: PermissionError", attempt


def test_it_reads_no_other_file(parent: ParserParent, tmp_path: Path) -> None:
    protects(parent, "Landlock")
    (tmp_path / "another").write_text("of another run")
    for path in (str(tmp_path / "another"), "/etc/passwd"):
        assert tried(parent, "read", path) == "refused: PermissionError", path


def test_it_writes_no_other_file(parent: ParserParent, tmp_path: Path) -> None:
    protects(parent, "Landlock")
    assert tried(parent, "write", str(Path(__file__).with_name("written"))) == "refused: PermissionError"
    assert tried(parent, "temporary") == "written"


CALLS = {
    "x86_64": {
        "socket": 41, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "pidfd_getfd": 438,
        "io_uring_setup": 425, "unshare": 272, "setns": 308, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323,
        "keyctl": 250, "socket by its other number": 0x40000000 | 41,
    },
    "aarch64": {
        "socket": 198, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "pidfd_getfd": 438,
        "io_uring_setup": 425, "unshare": 97, "setns": 268, "bpf": 280, "perf_event_open": 241, "userfaultfd": 282,
        "keyctl": 219,
    },
}  # fmt: skip


def test_it_makes_no_dangerous_system_call(parent: ParserParent) -> None:
    protects(parent, "seccomp")
    for name, number in CALLS[platform.machine()].items():
        assert tried(parent, "call", str(number)) == "refused: EPERM", name
    assert tried(parent, "call", "39" if platform.machine() == "x86_64" else "172") == "called"  # getpid


def test_it_has_no_privileges_and_gets_none(parent: ParserParent) -> None:
    assert tried(parent, "privileges") == f"1 {bytes(24).hex()}"


@pytest.fixture
def core_dumps() -> Iterator[None]:
    """As far as this machine lets processes have them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def test_its_limits_follow_from_those_of_files(core_dumps: None, parent: ParserParent) -> None:
    memory, size, processor, files, core, processes = map(int, tried(parent, "limits").split())
    assert (memory, size) == (1025 * MIB + 1000 * 256, MIB)
    assert (processor, files, core) == (1, 256, 0)
    assert processes == 32 or "namespaces" not in parent.in_force()


def test_what_it_prints_is_not_printed(parent: ParserParent) -> None:
    """Another parent, whose standard error is read here; it has ended if nobody has it any more."""
    readable, writable = os.pipe()
    ours = os.dup(2)
    os.dup2(writable, 2)
    try:
        another = ParserParent.started()
    finally:
        os.dup2(ours, 2)
        os.close(ours)
        os.close(writable)
    with closing(another):
        assert tried(another, "print") == "printed"
        assert os.read(readable, 100) == b""
    os.close(readable)


def test_what_it_logs_is_bounded(parent: ParserParent) -> None:
    with pytest.raises(Faulty, match="something else"):
        tried(parent, "say often", b'l[10, "x"]'.hex())


def test_its_rows_drive_no_terminal(parent: ParserParent) -> None:
    with closing(parent.parser(FileToParse("names.csv", "JP", limits=SMALL))) as parser:
        parser.write(hostile.file("escape"))
        with pytest.raises(Faulty, match="something else"):
            list(parser.csv())


def test_what_it_forks_ends_with_it(parent: ParserParent) -> None:
    protects(parent, "namespaces")
    before = len(descendants(os.getpid()))
    forked = int(tried(parent, "fork", "100").split()[0])
    assert forked < 40 or ROOT  # root's processes are not counted, unless it may be another user
    assert tried(parent, "temporary") == "written"  # so the last process has ended
    assert len(descendants(os.getpid())) <= before + 1


def test_memory_is_bounded(parent: ParserParent) -> None:
    with pytest.raises(OutOfMemory):
        tried(parent, "eat", limits=replace(SMALL, cpu_seconds=30))  # to get memory takes time, too


def test_processor_time_is_bounded(parent: ParserParent) -> None:
    with pytest.raises(Rejected, match="LIMIT_CPU_SECONDS") as raised:
        tried(parent, "loop")
    assert raised.value.reason is Reason.TOO_LARGE


def test_one_that_waits_ends_with_its_lease(parent: ParserParent) -> None:
    def lost() -> None:
        raise LostLease("the lease was lost")

    with pytest.raises(LostLease):
        got_by(parent.parser(FileToParse("names.csv", "JP"), lost), "wait")


@pytest.mark.parametrize(("attempt", "error"), [("end", Faulty), ("break down", Faulty), ("killed", OutOfMemory)])
def test_one_that_ends_loads_nothing(parent: ParserParent, attempt: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        tried(parent, attempt)
    assert tried(parent, "temporary") == "written"  # the next file is read


def test_one_that_stays_keeps_no_other_file_back(parent: ParserParent) -> None:
    assert tried(parent, "stay") == "stays"
    assert tried(parent, "temporary") == "written"


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("bomb",)


@pytest.mark.parametrize(
    "said",
    [
        b"", b"?", b"pickle", pickle.dumps(_Bomb()), b"d{}", b"d" + b"[" * 20_000, b"f{}", b"l[40]", b"pmany",
        b'f{"kind": "Permanent", "reason": null, "message": "", "hints": []}',
        b'f{"kind": "Rejected", "reason": "invented", "message": "", "hints": [], "problems": [], "more": 0}',
        b'd{"parser": "x", "measure": "births", "region": null, "top": null, "coverage": [[2020, "X", 1, 1]],'
        b' "beside": {}, "sex": null, "frequent": []}',
    ],
    ids=range(12),
)  # fmt: skip
def test_what_no_parser_says_loads_nothing(parent: ParserParent, said: bytes) -> None:
    with pytest.raises(Faulty, match="something else"):
        tried(parent, "say", said.hex())


def test_a_message_is_bounded(parent: ParserParent) -> None:
    with pytest.raises(Faulty):
        tried(parent, "say too much")


def test_without_a_process_of_its_own_each_attempt_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempts work where nothing refuses them."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://runner:secret@db/names")
    install(tmp_path, monkeypatch, "tests.fakes.hostile")

    def done(attempt: str, given: str = "") -> str:
        return got_by(FileParser(FileToParse("names.csv", "JP")), attempt, given)

    assert "DATABASE_URL" in done("variables")
    assert "refused" not in done("read", f"/proc/{os.getpid()}/environ")
    assert done("write", str(tmp_path / "written")) == "written"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert done("connect", str(listener.getsockname()[1])) == "connected"
