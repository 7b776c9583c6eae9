"""The fake cluster in virtual time: many controllers, runners and clients in one process, and all that can happen."""

import asyncio
import contextlib
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row

from controller.launchers.kubernetes.api import ApiRefused
from dataset_jobs.model.causes import CountsAs
from dataset_jobs.model.keys import RunKey
from dataset_jobs.storage import StorageConfig
from tests.chaos.audit import Audit
from tests.chaos.clients import POOLS, Clients
from tests.chaos.controllers import RETRY, Controllers
from tests.chaos.ledger import Ledger
from tests.chaos.pod_fates import TWIN
from tests.chaos.pods import FATES, MORE, Pods
from tests.chaos.waits import Wait, stuck
from tests.fakes.cluster import FakeCluster, FakePod
from tests.faults.clock import VirtualClock
from tests.kit.figures import Figures
from tests.kit.triggers import NOTE_RESUMED

STEP_SECONDS = 0.01
CONTROLLERS = 3
STUCK_ROUNDS = 3000
"""Moves of the clock, by up to a minute each, within which everything must have ended once it is calm."""
LEFT_ROUNDS = 300
"""The same for pods of runs that are over, once no other work is left."""

WORKBOOKS, LIST_FAILS = "workbooks", "list fails"
OFTEN = (WORKBOOKS, LIST_FAILS, TWIN.kind, *(fate.kind for fate in FATES))
"""What can happen oftener."""

_SAMPLE = """
select (select jsonb_object_agg(name, max_running) from pools) as maxima,
    (select coalesce(jsonb_object_agg(job_id || ' ' || epoch, pool), '{}') from runs where released_at is null)
        as holding,
    (select count(*) from runs) as runs,
    (select count(*) from jobs where state in ('scheduled', 'queued', 'running')) as unfinished,
    (select count(*) from jobs where state = 'queued') as queued,
    array(select jsonb_build_object('waiting', waiting.application_name, 'holding', holding.application_name,
            'statement', left(waiting.query, 40), 'holders_statement', left(holding.query, 40),
            'seconds', (select coalesce(max(extract(epoch from real_clock_timestamp() - waitstart)), 0)
                from pg_locks where pid = waiting.pid and not granted))
        from pg_stat_activity waiting, unnest(pg_blocking_pids(waiting.pid)) blocker
            join pg_stat_activity holding on holding.pid = blocker
        where waiting.wait_event_type = 'Lock' and waiting.datname = current_database()
            and waiting.application_name like 'parser-runner%' and holding.application_name like 'parser-runner%'
        ) as held_up,
    array(select job_id || ' ' || epoch from resumed) as resumed
"""


@dataclass(slots=True)
class Sample:
    """What the database said of itself at one moment."""

    maxima: dict[str, int]
    holding: dict[RunKey, str]
    runs: int
    unfinished: int
    queued: int


class Chaos:
    """One installation under chaos.

    Args:
        conninfo: of a database that `clock.prepare` has made.
        folder: for storage and files.
        runs: the faults end after this number of runs.
        seed: of all that is random.
        say: told how it goes, now and then.
        first_finding_only: stop at the first thing that is wrong.
        often: what happens oftener than otherwise, of `OFTEN`.
    """

    def __init__(
        self,
        conninfo: str,
        password: str,
        folder: Path,
        runs: int,
        seed: int,
        say: Callable[[str], None],
        first_finding_only: bool = False,
        often: Collection[str] = (),
    ) -> None:
        self.ledger = Ledger()
        self._conninfo = conninfo
        self._password = password
        self._runs = runs
        self._say = say
        self._first_only = first_finding_only
        self._often = often
        self._list_failures = 0.015 * (MORE if LIST_FAILS in often else 1)
        self._random = Random(seed)
        self._calm = False
        self._clock = VirtualClock(conninfo)
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._elapsed = 0.0
        self._lists_fail_until = -1.0
        self._cap_violations = 0
        self._stuck = 0
        self._ceilings = dict.fromkeys(POOLS, 0)
        self._held_when_alive: set[FakePod] = set()
        self._cluster = FakeCluster(lambda: self._clock.now)
        storage = folder / "storage"
        storage.mkdir()
        self._storage = StorageConfig.from_env({"STORAGE_PATH": str(storage)})
        files = folder / "files"
        self._clients = Clients(conninfo, self._storage, files, self.ledger, self._random, WORKBOOKS in often)

    async def run(self) -> Figures:
        """Runs until enough runs have been claimed and everything has ended."""
        connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True, row_factory=dict_row)
        async with connection:
            row = await (await connection.execute("select id from installation")).fetchone()
            assert row is not None
            await connection.execute(NOTE_RESUMED)
            for pool in POOLS[1:]:
                await connection.execute("insert into pools (name, max_running) values (%s, 16)", [pool])
            try:
                await self._run(connection, row["id"])
            except Exception as error:
                trace = traceback.format_exception(error, limit=-3)
                self.ledger.find(f"something broke down that should not: {''.join(trace)}")
        self._clock.close()
        if self._first_only and self.ledger.findings:
            return Figures(faults=self.ledger.faults.total())
        figures = Audit(self._conninfo, self._clients.files, self.ledger, RETRY, self._password).figures()
        figures.cap_violations = self._cap_violations
        figures.stuck += self._stuck
        return figures

    async def _run(self, connection: psycopg.AsyncConnection[DictRow], installation: UUID) -> None:
        self._cluster.refusal = self._refusal
        self._cluster.lateness = self._lateness
        self._cluster.list_fails = self._list_fails
        pods = Pods(
            self._cluster, self._conninfo, self._storage, self.ledger, self._random, self._is_calm,
            self._virtual_sleep, self._often,
        )  # fmt: skip
        controllers = Controllers(
            self._cluster, self._conninfo, installation, self.ledger, self._random, self._is_calm, RETRY
        )
        clients = asyncio.create_task(self._clients.work())
        controllers.start(CONTROLLERS)
        try:
            await self._until_enough(connection, controllers, pods)
            self._calm = True
            self._clients.stop()
            await clients
            if self._first_only and self.ledger.findings:
                return
            await connection.execute("update pools set paused = false, max_running = 16")
            self._ceilings = {pool: max(16, ceiling) for pool, ceiling in self._ceilings.items()}
            await self._until_over(connection, controllers, pods)
        finally:
            clients.cancel()
            await controllers.close()
            await pods.close()
            await asyncio.gather(clients, return_exceptions=True)

    async def _until_enough(
        self, connection: psycopg.AsyncConnection[DictRow], controllers: Controllers, pods: Pods
    ) -> None:
        said = time.monotonic()
        while True:
            sample = await self._round(connection, controllers, pods)
            self._clients.queued = sample.queued
            if sample.runs >= self._runs or (self._first_only and await self._has_found(connection)):
                return
            await self._trouble(connection, sample)
            if time.monotonic() - said > 10:
                said = time.monotonic()
                self._say(f"{sample.runs} runs, {self.ledger.faults.total()} faults, {controllers.ticks} ticks")
            # Where few runners are at work, what the others wait for may come sooner.
            self._move_clock(self._random.uniform(0, 2 if pods.working > 4 else 8))

    async def _has_found(self, connection: psycopg.AsyncConnection[DictRow]) -> bool:
        twice = await connection.execute(
            "select job_id from runs where committed_at is not null group by job_id having count(*) > 1 limit 1"
        )
        if (row := await twice.fetchone()) is not None:
            self.ledger.find(f"duplicated: job {row['job_id']} was committed twice")
        return bool(self.ledger.findings)

    async def _until_over(
        self, connection: psycopg.AsyncConnection[DictRow], controllers: Controllers, pods: Pods
    ) -> None:
        alone = 0
        for _ in range(STUCK_ROUNDS):
            sample = await self._round(connection, controllers, pods)
            at_work = sample.unfinished or sample.holding or pods.busy
            if not at_work and not self._cluster.left_pods():
                return
            alone = 0 if at_work else alone + 1
            if alone > LEFT_ROUNDS:
                break
            # Pods take a moment of real time; retries wait for minutes of ours.
            self._move_clock(2 if pods.busy else 30)
        for pod in self._cluster.left_pods():
            listed = "its Job is listed" if pod.job.name in self._cluster.jobs else "its Job is gone"
            about = f"{listed}, deleting {pod.deleting}, phase {pod.phase}, {self.ledger.history(pod.key)}"
            self._find_stuck(f"pod {pod.name} of a run that is over is left to its sidecar ({about})")
        if pods.busy:
            self._find_stuck(f"{pods.busy} pods of the fake cluster have not ended")

    async def _round(
        self, connection: psycopg.AsyncConnection[DictRow], controllers: Controllers, pods: Pods
    ) -> Sample:
        await asyncio.sleep(STEP_SECONDS)
        for error in [*controllers.broken(), *pods.broken]:
            raise error
        live = self._cluster.live_pods()
        row = await (await connection.execute(_SAMPLE)).fetchone()
        assert row is not None
        holding = {_key(text): pool for text, pool in row["holding"].items()}
        sample = Sample(row["maxima"], holding, row["runs"], row["unfinished"], row["queued"])
        self._check(sample, live)
        for found in stuck((Wait(**one) for one in row["held_up"]), pods.standing()):
            self._find_stuck(found)
        for one in row["resumed"]:
            self.ledger.find(f"duplicated: run {one} was over, and was claimed again")
        return sample

    def _check(self, sample: Sample, live: list[FakePod]) -> None:
        held = Counter(sample.holding.values())
        for pool, maximum in sample.maxima.items():
            if held[pool] > max(self._ceilings[pool], maximum):
                self._cap(f"{held[pool]} runs of pool {pool} hold a slot, {maximum} are allowed")
            # A maximum that was lowered drains: from now on no more than there are, or than is allowed.
            self._ceilings[pool] = max(maximum, min(self._ceilings[pool], held[pool]))
        for pod in live:
            if pod.key in sample.holding:
                self._held_when_alive.add(pod)
            elif pod in self._held_when_alive:
                self._held_when_alive.discard(pod)
                if pod.live and not pod.was_lost:
                    history = self.ledger.history(pod.key)
                    self._cap(f"run {pod.key} was released, and its pod {pod.name} is {pod.phase}: {history}")
        self._held_when_alive = {pod for pod in self._held_when_alive if pod.live}

    def _find_stuck(self, what: str) -> None:
        self._stuck += 1
        self.ledger.find(f"stuck: {what}")

    def _cap(self, what: str) -> None:
        self._cap_violations += 1
        self.ledger.find(f"cap_violations: {what}")

    async def _trouble(self, connection: psycopg.AsyncConnection[DictRow], sample: Sample) -> None:
        chance = self._random.random()
        pool = self._random.choice(POOLS)
        if chance < 0.01:
            maximum = self._random.randint(4, 14)
            await connection.execute("update pools set max_running = %s where name = %s", [maximum, pool])
            self._ceilings[pool] = max(self._ceilings[pool], sample.maxima[pool], maximum)
            self.ledger.fault("maximum changed")
        elif chance < 0.013:
            await connection.execute("update pools set paused = true where name = %s", [pool])
            self.ledger.fault("pool paused")
        elif chance < 0.03:
            await connection.execute("update pools set paused = false where name = %s", [pool])
        elif chance < 0.036:
            await self._jump(sample)
        elif chance < 0.042:
            self.ledger.fault("controllers' connections cut by the server")
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s and random() < 0.5"
                " and datname = current_database()",
                ["affirm-worker controller"],
            )

    async def _jump(self, sample: Sample) -> None:
        seconds = self._random.choice([-600, -30, -1, 70, 400, 3600])
        self.ledger.fault(f"clock jumps {'back' if seconds < 0 else 'ahead'}")
        for key in set(sample.holding) | {pod.key for pod in self._cluster.live_pods()}:
            self.ledger.excuse(key, CountsAs.NEITHER)  # one that had not started may have run out of time
        self._clock.move(timedelta(seconds=seconds))

    def _move_clock(self, seconds: float) -> None:
        self._clock.move(timedelta(seconds=seconds))
        self._elapsed += seconds
        self._cluster.advance()
        due = [sleeper for moment, sleeper in self._sleepers if moment <= self._elapsed]
        self._sleepers = [(moment, sleeper) for moment, sleeper in self._sleepers if moment > self._elapsed]
        for sleeper in due:
            with contextlib.suppress(asyncio.InvalidStateError):
                sleeper.set_result(None)

    def _virtual_sleep(self, seconds: float) -> asyncio.Future[None]:
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed + seconds, sleeper))
        return sleeper

    def _is_calm(self) -> bool:
        return self._calm

    def _refusal(self, key: RunKey) -> ApiRefused | None:
        if self._calm or self._random.random() > 0.02:
            return None
        self.ledger.hit(key, "launch refused", CountsAs.NEITHER)
        return ApiRefused(403, "Kubernetes API: 403: exceeded quota (a fault of the test)")

    def _lateness(self, key: RunKey) -> timedelta | None:
        if self._calm or self._random.random() > 0.03:
            return None
        self.ledger.hit(key, "launch carried out late, not answered")
        return timedelta(seconds=self._random.uniform(0, 50))

    def _list_fails(self) -> bool:
        if self._calm:
            return False
        if self._elapsed > self._lists_fail_until and self._random.random() < self._list_failures:
            self._lists_fail_until = self._elapsed + self._random.uniform(0.5, 15)
        if self._elapsed > self._lists_fail_until:
            return False
        self.ledger.fault(LIST_FAILS)
        return True


def _key(text: str) -> RunKey:
    job_id, epoch = text.split()
    return RunKey(UUID(job_id), int(epoch))
