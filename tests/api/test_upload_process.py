"""`affirm-worker serve` as a process: its memory while files come, and what it leaves when it dies."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.keys import Keys, Role
from tests.integration.world import World
from tests.kit.warm_command import ROOT

MIB = 1 << 20
PATH = "/v1/datasets/upload/{}?country=US"


@dataclass(frozen=True, slots=True)
class Served:
    """The process, where it listens, a key, and its spool."""

    process: subprocess.Popen[str]
    port: int
    key: str
    spool: Path

    def put(self, name: str, content: bytes, further: str = "") -> int:
        """Uploads a file, with further parameters of the address; the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("PUT", PATH.format(name) + further, content, {"Authorization": f"Bearer {self.key}"})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def put_until_taken(self, name: str, content: bytes) -> int:
        """As `put`, again as long as there is no place."""
        while (status := self.put(name, content)) == 503:
            time.sleep(0.1)
        return status

    def begin(self, name: str) -> http.client.HTTPConnection:
        """Sends the half of a file."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.putrequest("PUT", PATH.format(name))
        connection.putheader("Authorization", f"Bearer {self.key}")
        connection.putheader("Content-Length", str(2 * MIB))
        connection.endheaders(b"x" * MIB)
        while not self._is_receiving():
            time.sleep(0.01)
        return connection

    def _is_receiving(self) -> bool:
        for one in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                if str(one.readlink()).startswith(str(self.spool)):
                    return True
            except OSError:
                continue
        return False

    def memory(self, what: str) -> int:
        """VmRSS or VmHWM, in bytes."""
        found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) * 1024


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    with serving(world) as made:
        yield made


@contextmanager
def serving(world: World, *options: str) -> Iterator[Served]:
    spool = world.folder / "spool"
    spool.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--listen", "127.0.0.1:0", *options],
        env={**os.environ, **world.environment, "API_SPOOL_DIR": str(spool)},
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        port = next(int(found[1]) for line in process.stdout if (found := re.search(r"listening at .*:(\d+)", line)))
        yield Served(process, port, Keys(world.client.database).make("u", Role.UPLOADER).text, spool)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.slow
def test_memory_stays_flat_while_many_large_files_come(world: World, served: Served) -> None:
    """Fifty of 20 MB at once: a thousand in all, and 160 of those that are received at a time."""
    large = [bytes([number]) * (20 * MIB) for number in range(1, 51)]
    with ThreadPoolExecutor(50) as threads:
        for size in (1, 100 * 1024):  # what every process needs once it has worked
            small = [content[:size] for content in large]
            assert set(threads.map(served.put_until_taken, [f"{size}.txt"] * 50, small)) == {201}
        before = served.memory("VmRSS")
        Path(f"/proc/{served.process.pid}/clear_refs").write_text("5")  # the peak begins anew
        start = threading.Barrier(50)

        def put(number: int) -> int:
            start.wait(100)
            return served.put_until_taken("large.txt", large[number])

        assert set(threads.map(put, range(50))) == {201}
    grown = served.memory("VmHWM") - before
    assert grown < 100 * MIB, f"{grown / MIB:.0f} MiB"
    assert world.one("select count(*) as n from datasets where size = %s", 20 * MIB)["n"] == 50


def test_a_killed_process_leaves_nothing_of_what_came(world: World, served: Served) -> None:
    connection = served.begin("yob2020.txt")
    served.process.kill()
    served.process.wait()
    connection.close()
    assert [*served.spool.iterdir()] == []
    assert world.query("select id from datasets") == []
    assert [*(world.folder / "storage").iterdir()] == []


def test_a_stopped_process_gives_up_what_does_not_come(world: World, served: Served) -> None:
    """It waits for the rest as long as it waits for any request, and takes none that it has not whole."""
    connection = served.begin("yob2020.txt")
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(100) in (0, -signal.SIGTERM)
    connection.close()
    assert [*served.spool.iterdir()] == []
    assert world.query("select id from datasets") == []
    assert [*(world.folder / "storage").iterdir()] == []


async def test_a_controller_beside_it_loads_what_comes(world: World) -> None:
    """One process receives, checks and loads; the children of each do not disturb the other."""
    with serving(world, "--with-controller") as served:
        for number in range(1, 6):
            content = b"Mary,F,%d\n" % number
            assert served.put(f"yob200{number}.txt", content, "&validate_only=true") == 200
            assert served.put(f"yob200{number}.txt", content) == 201
        await world.until("select from jobs having count(*) filter (where state = 'completed') = 5")
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(100) in (0, -signal.SIGTERM)
