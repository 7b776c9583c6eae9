"""Who holds a credential: the process that talks to the database, and none that reads a file."""

import asyncio
import os
import subprocess
import sys
import uuid
from functools import partial
from pathlib import Path

import pytest

from parser_runner.child import run_child
from tests.fakes import hostile
from tests.fakes.plugin import install
from tests.faults.conditions import AS_NOBODY, ROOT, descendants
from tests.integration.command_line import ROOT as CHECKOUT
from tests.integration.loads import pid_of
from tests.integration.world import World

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
