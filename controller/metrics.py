"""What a controller counts and measures, for Prometheus.

There are two kinds. *Shared* metrics come from the database and are the same from every controller: gauges; take their
max(). *Own* metrics are this controller's work: counters and histograms; add them up with sum().

Values of labels are words of ours or names of pools, so that there are never many series.
"""

import time
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial

from app.metrics import LATENCY_BUCKETS, MetricSet
from dataset_jobs.model.causes import Cause, CountsAs, Reason
from dataset_jobs.model.pools import PoolQueue
from dataset_jobs.model.settlement import Settlement
from dataset_jobs.model.states import JobState

MOST_POOLS = 100
"""The most pools with series of their own; further ones are counted as `other`."""

OTHER = "other"

WAIT_BUCKETS = (0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
"""Histogram buckets in seconds for waits that grow with the backlog."""

CUT_OFF_FROM = (Reason.DATABASE, Reason.STORAGE)
"""What a run cannot do without."""


class HeldUpBy(StrEnum):
    """What keeps a controller from its work."""

    DATABASE = "database"
    CLUSTER = "cluster"
    """The API server of Kubernetes: no answer, or a refusal."""
    MACHINE = "machine"
    """The controller's own: out of processes, files or memory."""
    SETUP = "setup"
    """A right, a setting, or the database's schema: a person has to do something."""


class Metrics(MetricSet):
    """The metrics of one controller, in a registry of their own.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._pools: set[str] = set()
        self._begun: set[str] = set()
        """The pools whose counters were begun."""
        self._went_through = self._read = clock()
        self._make_shared()
        self._make_own()

    def _make_shared(self) -> None:
        gauge = self._gauge
        self._jobs = gauge("jobs", "Unfinished jobs that do not run: queued, due (their time has come) or scheduled "
            "for later.", "pool", "state")  # fmt: skip
        self._oldest_wait = gauge("queue_oldest_wait_seconds", "For how long the oldest job that could be claimed "
            "has been waiting; 0 if there is none.", "pool")  # fmt: skip
        self._runs = gauge("runs", "Runs that hold a slot: pending (not started), running, or ending (over, and not "
            "settled yet).", "pool", "state")  # fmt: skip
        self._desired = gauge("pool_desired_runs", "Runs that the pool should have, by the last decision.", "pool")
        self._maximum = gauge("pool_maximum_runs", "The most runs that the pool may have.", "pool")
        self._paused = gauge("pool_paused", "1 if nothing is claimed from the pool because it is paused.", "pool")
        self._blocked = gauge("pool_blocked", "1 if the pool's runs cannot start, and it is only probed.", "pool")
        self._blocked_by = gauge("pool_blocked_by", "1 with the cause and reason for which the pool is blocked, while "
            "it is.", "pool", "cause", "reason")  # fmt: skip
        self._of_pools = (
            self._jobs, self._oldest_wait, self._runs, self._desired, self._maximum, self._paused, self._blocked,
            self._blocked_by,
        )  # fmt: skip

    def _make_own(self) -> None:
        age = self._gauge("queue_figures_age_seconds", "Since the shared metrics were read from the database; "
            "they keep their values while it is away.", shared=False)  # fmt: skip
        age.set_function(lambda: self._clock() - self._read)
        lag = self._gauge("tick_lag_seconds", "Since the last tick that went through.", shared=False)
        lag.set_function(lambda: self._clock() - self._went_through)
        self._held_up = self._gauge("held_up", "1 while this keeps the controller from its work: database, cluster "
            "(the API server of Kubernetes), machine (its own), or setup (a right, a setting, or the database's "
            "schema).", "by", shared=False)  # fmt: skip
        self.follow(lambda: None)
        self._ticks = self._histogram(
            "tick_duration_seconds", "How long ticks took, broken off or not.", LATENCY_BUCKETS
        )
        self._broken_off = self._counter("ticks_broken_off_total", "Ticks that ended with an error, to be repeated.")
        self._watch_restarts = self._counter("watch_restarts_total", "Watches over the cluster that ended by "
            "themselves and were started again.")  # fmt: skip
        self._claim = self._histogram("claim_duration_seconds", "How long the claim's transaction took, whether "
            "there was anything to claim or not.", LATENCY_BUCKETS, "pool")  # fmt: skip
        self._queue_wait = self._histogram("queue_wait_seconds", "From when a job was submitted, or due, to its "
            "claim.", WAIT_BUCKETS, "pool")  # fmt: skip
        self._launch = self._histogram("launch_latency_seconds", "From a claim until the launcher had the run: the "
            "Kubernetes Job was created.", LATENCY_BUCKETS, "pool")  # fmt: skip
        self._launches = self._counter("launches_total", "Launch attempts: launched, refused, or unanswered "
            "and to be repeated.", "pool", "result")  # fmt: skip
        self._settle = self._histogram("settle_latency_seconds", "From the end of a run's pod, or its commit if the "
            "end is not reported, until it was settled. A pod's running time is by its node's clock, to the second.",
            LATENCY_BUCKETS, "pool")  # fmt: skip
        self._settled = self._counter("runs_settled_total", "Runs by cause, and by the result for their jobs: "
            "completed, retried, requeued, given_back, failed, cancelled, or superseded by another run.",
            "pool", "cause", "result")  # fmt: skip
        self._cut_off = self._counter("runs_cut_off_total", "Runs that ended because they could not reach, or might "
            "not use, the database or the storage.", "pool", "what")  # fmt: skip
        self._rows = self._counter("loaded_rows_total", "Rows of completed runs.", "pool")
        self._bytes = self._counter("loaded_bytes_total", "Bytes of the files of completed runs.", "pool")
        self._held = self._counter("slot_held_seconds_total", "For how long settled runs had held their slots.",
            "pool")  # fmt: skip
        self._busy = self._counter("runner_busy_seconds_total", "For how long runners of settled runs had been at "
            "work; divided by the time of slots held it is the utilization of slots.", "pool")  # fmt: skip

    # --- what has happened -----------------------------------------------------------------------------------------

    def follow(self, held_up_by: Callable[[], HeldUpBy | None]) -> None:
        """What keeps the controller from its work is asked of this, at each scrape; in any thread."""

        def is_it(what: HeldUpBy) -> float:
            return float(held_up_by() is what)

        for what in HeldUpBy:
            self._held_up.labels(what).set_function(partial(is_it, what))

    def read(self, pools: Iterable[PoolQueue]) -> None:
        """Takes the figures of all pools, just read from the database."""
        for gauge in self._of_pools:
            gauge.clear()
        for pool in pools:
            name = self._pool(pool.name)
            if name == OTHER and pool.name != OTHER:
                continue  # a gauge of several pools would be of none
            if name not in self._begun:
                self._begin(name)
            for state, jobs in (("queued", pool.queued), ("due", pool.due), ("scheduled", pool.scheduled)):
                self._jobs.labels(name, state).set(jobs)
            for state, runs in (("pending", pool.pending), ("running", pool.running), ("ending", pool.ending)):
                self._runs.labels(name, state).set(runs)
            if pool.desired is not None:
                self._desired.labels(name).set(pool.desired)
            self._oldest_wait.labels(name).set(pool.oldest_wait_seconds)
            self._maximum.labels(name).set(pool.maximum)
            self._paused.labels(name).set(pool.paused)
            self._blocked.labels(name).set(pool.blocked)
            if pool.blocked_cause is not None:
                self._blocked_by.labels(name, pool.blocked_cause, pool.blocked_reason or "").set(1)
        self._read = self._clock()

    def _begin(self, pool: str) -> None:
        """Begins counters of a pool at 0: of one that begins at 1, Prometheus would not see the increase."""
        self._begun.add(pool)
        for histogram in (self._claim, self._queue_wait, self._launch, self._settle):
            histogram.labels(pool)
        for counter in (self._rows, self._bytes, self._held, self._busy):
            counter.labels(pool)
        self._launches.labels(pool, "launched")
        for what in CUT_OFF_FROM:
            self._cut_off.labels(pool, what)
        self._settled.labels(pool, Cause.COMPLETED, "completed")
        for cause in Cause:
            if cause.counts_as is not CountsAs.NEITHER:
                self._settled.labels(pool, cause, "failed")
            if cause.counts_as is CountsAs.INTERRUPTION:
                self._settled.labels(pool, cause, "requeued")

    def tick(self, seconds: float, went_through: bool) -> None:
        """A tick has ended."""
        self._ticks.observe(seconds)
        if went_through:
            self._went_through = self._clock()
        else:
            self._broken_off.inc()

    def watch_restarted(self) -> None:
        """A watch had ended by itself; may be called from any thread."""
        self._watch_restarts.inc()

    def claimed(self, pool: str, seconds: float, waited_seconds: Iterable[float]) -> None:
        """A claim was made, in so many seconds; its jobs had waited `waited_seconds`."""
        name = self._pool(pool)
        self._claim.labels(name).observe(seconds)
        for waited in waited_seconds:
            self._queue_wait.labels(name).observe(max(0.0, waited))

    def launched(self, pool: str, seconds: float | None) -> None:
        """A run was launched, `seconds` after its claim if known."""
        self._launches.labels(self._pool(pool), "launched").inc()
        if seconds is not None:
            self._launch.labels(self._pool(pool)).observe(max(0.0, seconds))

    def not_launched(self, pool: str, answered: bool) -> None:
        """A launch was refused, or not answered."""
        self._launches.labels(self._pool(pool), "refused" if answered else "unanswered").inc()

    def settled(self, pool: str, settlement: Settlement, held_seconds: float, busy_seconds: float) -> None:
        """A run was settled; it had held its slot for `held_seconds` and been at work for `busy_seconds`."""
        name = self._pool(pool)
        self._settled.labels(name, str(settlement.diagnosis.cause), _result(settlement)).inc()
        if settlement.diagnosis.reason in CUT_OFF_FROM:
            self._cut_off.labels(name, settlement.diagnosis.reason).inc()
        self._held.labels(name).inc(max(0.0, held_seconds))
        self._busy.labels(name).inc(max(0.0, busy_seconds))

    def settled_after(self, pool: str, seconds: float) -> None:
        """A run was settled `seconds` after the end of its pod."""
        self._settle.labels(self._pool(pool)).observe(max(0.0, seconds))

    def loaded(self, pool: str, rows: int, size: int) -> None:
        """A completed run had loaded `rows` rows from `size` bytes."""
        self._rows.labels(self._pool(pool)).inc(rows)
        self._bytes.labels(self._pool(pool)).inc(size)

    def _pool(self, name: str) -> str:
        if name not in self._pools:
            if len(self._pools) >= MOST_POOLS:
                return OTHER
            self._pools.add(name)
        return name


def _result(settlement: Settlement) -> str:
    if settlement.diagnosis.cause is Cause.COMPLETED:
        return "completed"
    match settlement.state:
        case None:
            return "superseded"
        case JobState.SCHEDULED | JobState.QUEUED if settlement.give_backs:
            return "given_back"
        case JobState.SCHEDULED | JobState.QUEUED if settlement.attempts:
            return "retried"
        case JobState.SCHEDULED | JobState.QUEUED:
            return "requeued"
        case over:
            return str(over)
