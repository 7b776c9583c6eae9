"""Who holds a credential: the process that talks to the database, and none that reads a file."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from psycopg.conninfo import conninfo_to_dict

from dataset_jobs.model.keys import RUN_SECRET
from parser_runner.child import run_child
from tests.fakes import hostile
from tests.fakes.plugin import install
from tests.faults.conditions import AS_NOBODY, ROOT, descendants
from tests.integration.command_line import ROOT as CHECKOUT
from tests.integration.loads import claim_one, pid_of
from tests.integration.world import World
from tests.kit.runners import secret_of
from tests.kit.warm_command import affirm_worker

reads_memory = pytest.mark.skipif(not ROOT, reason="reads other processes' memory: run it as root")


def holds(pid: int, secret: bytes) -> bool:
    """Whether it stands anywhere in a process' memory, which has its environment too."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(one, 16) for one in span.split("-"))
            memory.seek(start)
            try:
                if secret in memory.read(end - start):
                    return True
            except OSError:
                continue
    return False


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@reads_memory
async def test_only_the_runner_has_ever_seen_a_credential(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = f"secret-{uuid.uuid4().hex}"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    install(tmp_path, monkeypatch, "tests.fakes.hostile")
    world.submit(world.file("names.csv", hostile.file("wait").decode()), "JP")
    entry = partial(run_child, {**world.environment, "ANOTHER": secret})
    async with world.controller(entry=entry) as reconciler:
        await reconciler.tick()
        child = pid_of(world.one("select launch_name from runs")["launch_name"])
        async with asyncio.timeout(60):
            while not world.query("select 1 from runs where bytes_done > 0"):
                await asyncio.sleep(0.05)
        assert holds(child, secret.encode())
        found = [parent_of(child), *descendants(child)]
        assert [pid for pid in found if holds(pid, secret.encode())] == []
        # Standard streams, the connection of each, and what wakes the parent: nothing of the runner's.
        assert all(len([*Path(f"/proc/{pid}/fd").iterdir()]) <= 6 for pid in descendants(child))


_HIDES = """
import os, sys
from dataset_jobs.host import hide_memory
if sys.argv[1] == "hidden":
    hide_memory()
if os.fork() == 0:
    try:
        open(f"/proc/{os.getppid()}/environ").read()
        os._exit(1)
    except PermissionError:
        os._exit(0)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.parametrize(("how", "read"), [("hidden", "0"), ("open", "1")])
def test_a_runner_hides_its_memory_from_its_own_user(how: str, read: str) -> None:
    before = [one for one in AS_NOBODY if "caps" not in one] if ROOT else []
    command = [*before, sys.executable, "-c", _HIDES, how]
    done = subprocess.run(command, cwd=CHECKOUT, env=dict(os.environ), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == read


WITHOUT_TRACE = (
    ("setpriv", "--bounding-set=-sys_ptrace,-perfmon,-sys_admin", "--inh-caps=-sys_ptrace,-perfmon,-sys_admin")
    if ROOT
    else ()
)
"""Before a command: root may look into no other process either, as nobody else may."""


def is_open(pid: int) -> bool:
    """Whether another process of this user reads the environment."""
    return subprocess.run([*WITHOUT_TRACE, "cat", f"/proc/{pid}/environ"], capture_output=True).returncode == 0


def started(world: World, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [*WITHOUT_TRACE, sys.executable, "-m", *arguments]
    environment = {**os.environ, **world.environment, "PYTHONPATH": os.pathsep.join([*sys.path, str(CHECKOUT)])}
    return subprocess.Popen(command, cwd=CHECKOUT, env=environment, stderr=subprocess.DEVNULL)


@contextmanager
def waiting_parser(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UUID]:
    """A job whose parser waits, and so its runner; the job."""
    install(folder, monkeypatch, "tests.fakes.hostile")
    yield world.submit(world.file("names.csv", hostile.file("wait").decode()), "JP").job_id


async def test_controller_and_children_hide_their_memory(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with waiting_parser(world, tmp_path, monkeypatch):
        controller = started(world, "cli", "run")
        try:
            await world.until("select from runs where bytes_done > 0")
            child = pid_of(world.one("select launch_name from runs")["launch_name"])
            assert (is_open(controller.pid), is_open(child)) == (False, False)
        finally:
            controller.kill()
            controller.wait()


async def test_a_pods_runner_hides_its_memory(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with waiting_parser(world, tmp_path, monkeypatch):
        run = await claim_one(world, "a")
        monkeypatch.setenv(RUN_SECRET, secret_of(world.conninfo, run.key))
        runner = started(world, "parser_runner", "--job-id", str(run.key.job_id), "--epoch", "1")
        try:
            await world.until("select from runs where bytes_done > 0")
            assert not is_open(runner.pid)
        finally:
            runner.kill()
            runner.wait()


def test_a_program_that_hides_nothing_is_read() -> None:
    """The control."""
    with subprocess.Popen([*WITHOUT_TRACE, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin is not None and program.stdout is not None
        program.stdin.write(b"it has begun\n")
        program.stdin.flush()
        program.stdout.readline()
        assert is_open(program.pid)


def test_psql_has_the_password_not_on_its_command_line(world: World, tmp_path: Path) -> None:
    """Every user of the machine sees that."""
    shown = tmp_path / "shown"
    (tmp_path / "psql").write_text(f'#!/bin/sh\necho "$@" > {shown}\necho "$PGPASSWORD" > {shown}.password\n')
    (tmp_path / "psql").chmod(0o755)
    parts = conninfo_to_dict(world.conninfo)
    settings = {**world.environment, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = affirm_worker("psql", env={**os.environ, **settings})
    assert done.returncode == 0, done.stderr
    assert f"dbname={parts['dbname']}" in shown.read_text()
    assert str(parts["password"]) not in shown.read_text()
    assert Path(f"{shown}.password").read_text().strip() == parts["password"]
