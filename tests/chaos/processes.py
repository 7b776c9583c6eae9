"""Real processes on one machine: controllers and runners are killed, told to stop and made to stand still."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dataset_jobs.model.causes import CountsAs
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.keys import RunKey
from dataset_jobs.storage import StorageConfig, open_storage
from services.client import Client
from services.submission import read_file
from tests.chaos.audit import Audit
from tests.chaos.controllers import RETRY
from tests.chaos.files import File, kind_of, make_file
from tests.chaos.ledger import Ledger
from tests.kit.figures import Figures
from tests.kit.submit import submit
from tests.servers.processes import send_signal

CONTROLLERS = 2
MAXIMUM = 5
STUCK_SECONDS = 240
LEASE = timedelta(seconds=70)
"""A little more than one: a jump by so much ends the lease of whoever stands still, and of everybody else."""

ACTIONS = {
    "nothing": 20,
    "kill_runner": 6,
    "stop_runner": 4,
    "stand_still": 10,
    "cut_connection": 3,
    "kill_controller": 2,
    "leases_expire": 1,
}
ATTEMPT, INTERRUPTION = CountsAs.ATTEMPT, CountsAs.INTERRUPTION

_RUNS = "select job_id, epoch, launch_name, owner, claimed_at from runs where released_at is null order by claimed_at"
_COPYING = """
select application_name from pg_stat_activity join pg_stat_progress_copy using (pid)
where application_name like 'parser-runner%' and tuples_processed > 0
"""


class Processes:
    """One installation with the process launcher.

    Args:
        conninfo: of a database that `clock.prepare` has made.
        runs: the faults end after this number of runs.
    """

    def __init__(self, conninfo: str, password: str, folder: Path, runs: int, seed: int) -> None:
        self.ledger = Ledger()
        self._conninfo = conninfo
        self._password = password
        self._runs = runs
        self._random = Random(seed)
        self._files: dict[str, File] = {}
        (folder / "files").mkdir()
        (folder / "storage").mkdir()
        self._folder = folder / "files"
        self._storage = StorageConfig.from_env({"STORAGE_PATH": str(folder / "storage")})
        self._database = psycopg.connect(conninfo, autocommit=True, row_factory=dict_row)
        self._client = Client.connect(conninfo)
        self._controllers: dict[str, subprocess.Popen[bytes]] = {}
        self._born = 0
        self._stopped: dict[int, float] = {}
        """Runners that stand still, and until when."""
        self._cap_violations = 0

    def run(self) -> Figures:
        """Runs until enough runs have been claimed and everything has ended."""
        self._database.execute("update virtual_clock set stands_at = null, ahead = '0'")
        self._database.execute("update pools set max_running = %s", [MAXIMUM])
        try:
            while self._one("select count(*) from runs")["count"] < self._runs:
                self._keep_controllers()
                if self._one("select count(*) from jobs where state = 'queued'")["count"] < MAXIMUM:
                    self._submit()
                self._round(self._random.choices(list(ACTIONS), list(ACTIONS.values()))[0])
                if self._one("select count(*) from jobs where state = 'scheduled'")["count"] > 10:
                    self._leases_expire([])
            self._until_over()
        finally:
            for pid in self._stopped:
                send_signal(pid, signal.SIGCONT)
            for controller in self._controllers.values():
                controller.kill()
                controller.wait()
            self._client.close()
            self._database.close()
        figures = Audit(self._conninfo, self._files, self.ledger, RETRY, self._password).figures()
        figures.cap_violations = self._cap_violations
        return figures

    def _until_over(self) -> None:
        deadline = time.monotonic() + STUCK_SECONDS
        quiet_since = time.monotonic()
        working: list[Any] = []
        while time.monotonic() < deadline:
            self._keep_controllers()
            self._round("nothing")
            now_working = self._all(_RUNS)
            if not now_working and not self._all("select from jobs where finished_at is null"):
                return
            if now_working != working:
                working, quiet_since = now_working, time.monotonic()
            if not working or time.monotonic() - quiet_since > 5:
                self._leases_expire(working)
                quiet_since = time.monotonic()

    def _round(self, action: str) -> None:
        time.sleep(self._random.uniform(0.02, 0.1))
        for pid in [pid for pid, until in self._stopped.items() if until < time.monotonic()]:
            del self._stopped[pid]
            send_signal(pid, signal.SIGCONT)
        runs = self._all(_RUNS)
        if len(runs) > MAXIMUM:
            self._cap_violations += 1
            self.ledger.find(f"cap_violations: {len(runs)} runs hold a slot, {MAXIMUM} are allowed")
        if action != "nothing" and any(run["launch_name"] for run in runs):
            getattr(self, f"_{action}")(runs)

    def _kill_runner(self, runs: list[dict[str, Any]]) -> None:
        self._to_a_runner(runs, signal.SIGKILL, "runner killed", ATTEMPT)

    def _stop_runner(self, runs: list[dict[str, Any]]) -> None:
        self._to_a_runner(runs, signal.SIGTERM, "runner told to stop", INTERRUPTION)

    def _stand_still(self, runs: list[dict[str, Any]]) -> None:
        """A runner stands still, in the middle of its COPY if there is one soon; then its lease expires."""
        copying: list[dict[str, Any]] = []
        patience = time.monotonic() + 1
        while not copying and time.monotonic() < patience:
            at_it = {row["application_name"] for row in self._all(_COPYING)}
            runs = self._all(_RUNS)
            copying = [run for run in runs if f"parser-runner {run['job_id']} {run['epoch']}" in at_it]
        kind = "runner stands still in its COPY" if copying else "runner stands still"
        pid = self._to_a_runner(copying or runs, signal.SIGSTOP, kind, INTERRUPTION)
        if pid is not None:
            self._stopped[pid] = time.monotonic() + self._random.uniform(1, 10)
            if copying:
                self._leases_expire(runs)

    def _cut_connection(self, runs: list[dict[str, Any]]) -> None:
        if runs:
            run = self._random.choice(runs)
            self.ledger.hit(_key(run), "runner's connection cut by the server", ATTEMPT)
            self._database.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s",
                [f"parser-runner {run['job_id']} {run['epoch']}"[:63]],
            )

    def _kill_controller(self, runs: list[dict[str, Any]]) -> None:
        owner = self._random.choice(runs)["owner"]
        if owner not in self._controllers:
            return
        controller = self._controllers.pop(owner)
        controller.kill()
        controller.wait()
        self.ledger.fault("controller killed")
        for run in self._committed():
            if run["owner"] == owner:
                self.ledger.excuse(_key(run), INTERRUPTION)

    def _leases_expire(self, runs: list[dict[str, Any]]) -> None:
        self.ledger.fault("clock jumps ahead")
        for run in self._all(_RUNS):
            self.ledger.excuse(_key(run), INTERRUPTION)
        self._database.execute("update virtual_clock set ahead = ahead + %s", [LEASE])
        now = self._one("select clock_timestamp() as now")["now"]
        for run in self._committed():
            if run["claimed_at"] <= now - LEASE:  # by a claim that was at work; those since have a lease that lasts
                self.ledger.excuse(_key(run), INTERRUPTION)

    def _committed(self) -> list[dict[str, Any]]:
        """The runs, with those of claims that are at work just now, unless somebody stands still amid a change.

        Without it a claim that has begun before a fault, and commits after it, makes a run that the fault has hit and
        that nobody excuses.
        """
        with contextlib.suppress(psycopg.errors.LockNotAvailable), self._database.transaction():
            self._database.execute("set local lock_timeout = '3s'")
            self._database.execute("lock table runs in share mode")
        return self._all(_RUNS)

    def _to_a_runner(
        self, runs: list[dict[str, Any]], number: signal.Signals, kind: str, excuse: CountsAs
    ) -> int | None:
        launched = [run for run in runs if run["launch_name"]]
        if not launched:
            return None
        run = self._random.choice(launched)
        pid = int(run["launch_name"].removeprefix("pid-"))
        self.ledger.hit(_key(run), kind, excuse)
        sent = send_signal(pid, number)
        # A child runs file after file: the signal may have hit its next run, whose launch is perhaps not recorded yet.
        for other in self._all(_RUNS):
            if other["launch_name"] in (None, run["launch_name"]):
                self.ledger.excuse(_key(other), excuse)
        return pid if sent else None

    def _keep_controllers(self) -> None:
        for owner, controller in self._controllers.items():
            if controller.poll() is not None:
                raise RuntimeError(f"controller {owner} has ended by itself with exit code {controller.returncode}")
        while len(self._controllers) < CONTROLLERS:
            self._born += 1
            owner = f"process-{self._born}"
            environment = {**os.environ, **self._storage.to_env(), "DATABASE_URL": self._conninfo, "LOG_LEVEL": "ERROR"}
            self._controllers[owner] = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.process_controller", owner],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def _submit(self) -> None:
        number = len(self._files) + 1
        rows = self._random.choice([30, 30, 60_000])
        kind = kind_of(number) if rows == 30 else "text"
        file = make_file(self._folder, number, self._random, False, rows, kind)
        with contextlib.suppress(RunError):
            submit(self._client, open_storage(self._storage), file.path, file.country)
            self._files[read_file(file.path).sha256] = file

    def _all(self, query: str) -> list[dict[str, Any]]:
        return self._database.execute(query.encode()).fetchall()

    def _one(self, query: str) -> dict[str, Any]:
        [row] = self._all(query)
        return row


def _key(run: dict[str, Any]) -> RunKey:
    return RunKey(run["job_id"], run["epoch"])
