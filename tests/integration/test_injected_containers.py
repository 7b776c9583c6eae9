"""What injected containers do to a run: they live on when it has ended, and the network is theirs to open."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.keys import RUN_LEASE, RunKey
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.settlement import Evidence
from dataset_jobs.storage import StorageConfig
from parser_runner.run import FETCH_WAITS, TAKE_WAITS, RunnerContext, run
from tests.fakes.launcher import FakeLauncher
from tests.integration.loads import launched, take
from tests.integration.world import World
from tests.kit.runners import proven
from tests.servers.ports import free_port
from tests.servers.versitygw import VersityGateway

AT_WORK = Evidence(container_started=True)
PROXY_LIVES_ON = Evidence(exit_code=1, container_started=True, left_running=("istio-proxy",), pod_uid="pod-1")


class StaysListed(FakeLauncher):
    """A Job stays listed although it was asked to go, until it is removed by `lose`."""

    async def release(self, key: RunKey, keep: timedelta = timedelta(0)) -> None:
        raise AssertionError("a Job that never ends is not left to its time to live")


async def test_settle_stops_what_is_left_of_a_run(world: World) -> None:
    result = world.submit_small()
    launcher = StaysListed()
    async with world.controller(launcher) as reconciler:
        key = await launched(world, reconciler, result)
        take(world, key)
        launcher.end(key, PROXY_LIVES_ON)
        await reconciler.tick()
    assert launcher.stops == [key]
    run = world.one("select * from runs where epoch = %s", key.epoch)
    assert (run["cause"], run["released_at"] is None) == ("crashed", False)
    assert run["evidence"]["left_running"] == ["istio-proxy"]


async def test_any_controller_stops_what_a_dead_one_left(world: World) -> None:
    """The controller died after its transaction, and before it could stop anything."""
    result = world.submit_small()
    launcher = StaysListed()

    class Dies(Exception):
        pass

    class DiesAtTheStop(StaysListed):
        async def stop(self, key: RunKey, now: bool = False) -> None:
            raise Dies

    dying = DiesAtTheStop()
    async with world.controller(dying) as reconciler:
        key = await launched(world, reconciler, result)
        take(world, key)
        dying.end(key, PROXY_LIVES_ON)
        with pytest.raises(ExceptionGroup):
            await reconciler.tick()
    world.query("update pools set max_running = 0")
    launcher.end(key, PROXY_LIVES_ON)
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        assert launcher.stops == [key]
        launcher.end(key, replace(PROXY_LIVES_ON, left_running=()))
        launcher.lose(key)
        await reconciler.tick()
    assert launcher.stops == [key]
    run = world.one("select * from runs where epoch = %s", key.epoch)
    assert (run["cause"], world.job(result.job_id)["attempts"]) == ("crashed", 1)


async def test_never_reaching_the_database_uses_no_attempt(world: World) -> None:
    result = world.submit_small()
    launcher = FakeLauncher()
    said = Outcome(Cause.UNAVAILABLE, None, "database: connection refused").to_message()
    async with world.controller(launcher) as reconciler:
        key = await launched(world, reconciler, result)
        launcher.end(key, Evidence(exit_code=75, message=said, container_started=True))
        await reconciler.tick()
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"], job["give_backs"]) == ("scheduled", 0, 1)
    assert job["last_cause"] == "unavailable"
    assert world.one("select blocked_cause from pools")["blocked_cause"] == "unavailable"


async def test_a_runner_that_lost_the_database_uses_an_attempt(world: World) -> None:
    result = world.submit_small()
    launcher = FakeLauncher()
    said = Outcome(Cause.UNAVAILABLE, None, "database: terminated").to_message()
    async with world.controller(launcher) as reconciler:
        key = await launched(world, reconciler, result)
        take(world, key)
        launcher.end(key, Evidence(exit_code=75, message=said, container_started=True, pod_uid="pod-1"))
        await reconciler.tick()
    job = world.job(result.job_id)
    assert (job["attempts"], job["give_backs"]) == (1, 0)
    assert world.one("select blocked_cause from pools")["blocked_cause"] is None


async def _claimed(world: World) -> RunKey:
    world.submit_small()
    async with world.store() as store:
        [one] = await store.claim("default", 1, "kubernetes", "test", timedelta(minutes=1))
    return one.key


@contextmanager
def opened_after(seconds: float, host: str, port: int) -> Iterator[int]:
    """A port that refuses connections first, and then passes them on."""
    free = free_port("127.0.0.1")
    over = threading.Event()

    def pump(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def carry(near: socket.socket) -> None:
        with near, socket.create_connection((host, port)) as far:
            back = threading.Thread(target=pump, args=(far, near))
            back.start()
            pump(near, far)
            back.join()

    def serve() -> None:
        if over.wait(seconds):
            return
        with socket.create_server(("127.0.0.1", free)) as listening:
            listening.settimeout(0.1)
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    carry(listening.accept()[0])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield free
    finally:
        over.set()
        thread.join()


async def test_a_database_after_six_seconds_is_reached(world: World) -> None:
    key = await _claimed(world)
    database = conninfo_to_dict(world.conninfo)
    with opened_after(6, str(database["host"]), int(str(database["port"]))) as port:
        through = make_conninfo(world.conninfo, host="127.0.0.1", hostaddr="", port=port)
        outcome = run(RunnerContext(key, proven(world.conninfo, key, "pod-1"), through, world.storage_config))
    assert (outcome.cause, outcome.rows) == (Cause.COMPLETED, 1)


async def test_a_database_that_never_comes_is_given_up(world: World) -> None:
    key = await _claimed(world)
    with opened_after(600, "127.0.0.1", 1) as port:
        nowhere = make_conninfo(world.conninfo, host="127.0.0.1", hostaddr="", port=port)
        with pytest.raises(Unavailable):
            run(
                RunnerContext(
                    key, proven(world.conninfo, key, "pod-1"), nowhere, world.storage_config, take_waits=(0.1, 0.2)
                )
            )
    assert world.one("select started_at from runs")["started_at"] is None


def test_the_waits_together_are_shorter_than_a_lease() -> None:
    assert sum(TAKE_WAITS) < RUN_LEASE.total_seconds()
    assert sum(FETCH_WAITS) < RUN_LEASE.total_seconds()


async def test_an_s3_server_after_five_seconds_is_reached(world: World, tmp_path: Path) -> None:
    key = await _claimed(world)
    server = VersityGateway(tmp_path / "s3")
    with server:
        bucket = server.make_bucket("late")
    content = (world.folder / "yob2020.txt").read_bytes()
    (tmp_path / "s3" / "buckets" / bucket / "late.txt").write_bytes(content)
    world.query("update datasets set storage_uri = 's3://late/late.txt'")
    starting = threading.Timer(5, server.start)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in server.credentials().items():
            environment.setenv(name, value)
        storage = StorageConfig.from_env(server.storage_env(bucket))
        starting.start()
        began = time.monotonic()
        try:
            outcome = run(RunnerContext(key, proven(world.conninfo, key, "pod-1"), world.conninfo, storage))
        finally:
            starting.join()
            server.stop()
    assert outcome.cause is Cause.COMPLETED
    assert time.monotonic() - began > 5
