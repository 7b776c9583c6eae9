"""Faults of an installation, and which jobs each may cost a run."""

import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import psycopg

from dataset_jobs.model.causes import CountsAs
from tests.e2e.installation import Installation, Servers, evict
from tests.servers.processes import environment_of, pids_of, send_signal

MOST_ATTEMPTS = 3
"""A job is hit at most this often: one failed attempt more and it would rightly fail."""

MOST_INTERRUPTIONS = 8

RUNNING = """
select job_id::text, launch_name, pod_name, started_at is not null as started from runs
where released_at is null and ended_at is null and committed_at is null and launched_at is not null
"""


class Faults:
    """Hits an installation, and counts its hits.

    Args:
        installation, servers: the targets.
        random: chooses what and whom.
    """

    def __init__(self, installation: Installation, servers: Servers, random: random.Random) -> None:
        self.done: Counter[str] = Counter()
        self.cost: defaultdict[str, Counter[CountsAs]] = defaultdict(Counter)
        """By job: how many runs the faults may have cost it, of either budget."""
        self._installation = installation
        self._servers = servers
        self._random = random
        self._kinds: dict[str, tuple[int, Callable[[], bool]]] = {
            "runner killed (SIGKILL)": (6, self._kill_runner),
            "runner stopped for a while (SIGSTOP)": (3, self._stop_runner),
            "pod evicted": (4, self._evict),
            "pod deleted": (4, self._delete_pod),
            "Job deleted": (4, self._delete_job),
            "controller killed (SIGKILL)": (4, self._kill_controller),
            "runner's connections cut": (4, self._cut_runner),
            "controllers' connections cut": (3, self._cut_controllers),
            "loads held up": (6, self._hold_up),
            "database crashed and restarted": (1, self._restart_database),
        }

    def one(self) -> None:
        """One fault of any kind; none where nobody is there to be hit."""
        weights = [weight for weight, _ in self._kinds.values()]
        [name] = self._random.choices([*self._kinds], weights)
        if self._kinds[name][1]():
            self.done[name] += 1

    def _victim(self, counts_as: CountsAs, started: bool) -> dict[str, Any] | None:
        most = {CountsAs.ATTEMPT: MOST_ATTEMPTS, CountsAs.INTERRUPTION: MOST_INTERRUPTIONS}
        victims = [
            run
            for run in self._running()
            if (run["started"] or not started)
            and (counts_as is CountsAs.NEITHER or self.cost[run["job_id"]][counts_as] < most[counts_as])
        ]
        if not victims:
            return None
        victim = self._random.choice(victims)
        self.cost[victim["job_id"]][counts_as] += 1
        return victim

    def _running(self) -> list[dict[str, Any]]:
        try:
            return self._installation.query(RUNNING)
        except psycopg.OperationalError:
            return []

    def _kill_runner(self) -> bool:
        return self._signal_runner(signal.SIGKILL, CountsAs.ATTEMPT) is not None

    def _stop_runner(self) -> bool:
        pid = self._signal_runner(signal.SIGSTOP, CountsAs.NEITHER)
        if pid is None:
            return False
        time.sleep(self._random.uniform(0.5, 4))
        send_signal(pid, signal.SIGCONT)
        return True

    def _signal_runner(self, number: signal.Signals, counts_as: CountsAs) -> int | None:
        victim = self._victim(counts_as, started=True)
        if victim is None:
            return None
        pids = pids_of("parser-runner", "--job-id", victim["job_id"])
        return pids[0] if pids and send_signal(pids[0], number) else None

    def _evict(self) -> bool:
        victim = self._victim(CountsAs.INTERRUPTION, started=True)
        if victim is None:
            return False
        evict(self._installation, victim["pod_name"])
        return True

    def _delete_pod(self) -> bool:
        victim = self._victim(CountsAs.INTERRUPTION, started=False)
        if victim is None:
            return False
        selector = f"affirm.dev/job-id={victim['job_id']}"
        grace = self._random.choice(["--grace-period=1", "--grace-period=30"])
        self._installation.kubectl("delete", "pods", "-l", selector, "--wait=false", grace, check=False)
        return True

    def _delete_job(self) -> bool:
        victim = self._victim(CountsAs.INTERRUPTION, started=False)
        if victim is None:
            return False
        cascade = self._random.choice(["--cascade=background", "--cascade=foreground"])
        self._installation.kubectl("delete", "job", victim["launch_name"], "--wait=false", cascade, check=False)
        return True

    def _kill_controller(self) -> bool:
        names = {
            pid: environment["WORKER_ID"]
            for pid in pids_of("affirm-worker", "run", "--launcher", "kubernetes")
            if (environment := environment_of(pid)).get("NAMESPACE") == self._installation.namespace
        }
        if not names:
            return False
        victim, pod = self._random.choice([*names.items()])
        if not send_signal(victim, signal.SIGKILL):
            return False
        # Another pod is made at once; of this one the kubelet would put off the restart, ever longer.
        self._installation.kubectl("delete", "pod", pod, "--wait=false", "--grace-period=1", check=False)
        return True

    def _cut_runner(self) -> bool:
        victim = self._victim(CountsAs.ATTEMPT, started=True)
        return victim is not None and self._cut(f"parser-runner {victim['job_id']}%")

    def _cut_controllers(self) -> bool:
        return self._cut("affirm-worker%")

    def _cut(self, application: str) -> bool:
        sql = "select count(pg_terminate_backend(pid)) as cut from pg_stat_activity where application_name like %s"
        return bool(self._installation.query(sql, application)[0]["cut"])

    def _hold_up(self) -> bool:
        """Rows can be read and not written: loads stand still in the middle of their COPY."""
        with psycopg.connect(self._installation.conninfo) as blocker:
            blocker.execute("set local lock_timeout = '1s'")
            try:
                blocker.execute("lock table names in share row exclusive mode")
            except psycopg.errors.LockNotAvailable:
                return False
            time.sleep(self._random.uniform(0.5, 2))
            blocker.rollback()
        return True

    def _restart_database(self) -> bool:
        running = self._running()
        if any(self.cost[run["job_id"]][CountsAs.ATTEMPT] >= MOST_ATTEMPTS for run in running):
            return False
        for run in running:
            # An interruption if the run says that the database was away; an attempt if it dies of that in another way.
            self.cost[run["job_id"]].update([CountsAs.ATTEMPT, CountsAs.INTERRUPTION])
        self._servers.postgres.stop("immediate")
        time.sleep(self._random.uniform(0, 1))
        self._servers.postgres.start()
        return True
