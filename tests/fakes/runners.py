"""Runners of the fake cluster: the real runner's code against a real Postgres, on a thread of each pod's own."""

import contextlib
import threading
from dataclasses import dataclass

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import RunError, Unavailable
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.storage import Storage, StorageConfig
from dataset_jobs.store.for_runner import Runner, RunnerStore
from parser_runner.run import Job, run
from tests.fakes.cluster import FakePod
from tests.faults.actor import Actor, Crashed, Interrupted
from tests.faults.connections import sync_connection
from tests.faults.ports import exposed


@dataclass(frozen=True, slots=True)
class PodJob(Job):
    """A runner's job whose store and storage are at risk."""

    actor: Actor | None = None
    thread: int | None = None

    def connect(self) -> RunnerStore:
        assert self.actor is not None
        if threading.get_ident() != self.thread:
            raise Unavailable("no heartbeats: this pod's time is not the real one")
        store = RunnerStore(self.conninfo, self.key, self.runner, connection_class=sync_connection(self.actor))
        return exposed(store, "runner's store", self.actor)

    def open_storage(self) -> Storage:
        assert self.actor is not None
        return exposed(Job.open_storage(self), "storage", self.actor)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a runner's process ended."""

    exit_code: int
    message: str
    unforeseen: str = ""


def run_pod(pod: FakePod, conninfo: str, storage: StorageConfig, actor: Actor) -> Ended | None:
    """Runs a pod's runner to its end in this thread, as `parser_runner.process` does; None where it was killed."""
    runner = Runner(pod.uid, pod.name, pod.node)
    job = PodJob(pod.key, runner, conninfo, storage, (0.0, 0.0), actor=actor, thread=threading.get_ident())
    unforeseen = ""
    try:
        outcome = run(job)
    except Crashed:
        return None
    except Interrupted:
        outcome = Outcome(Cause.SHUT_DOWN, error="the runner was told to stop (SIGTERM)")
    except RunError as error:
        outcome = Outcome.of_error(error)
    except Exception as error:
        unforeseen = repr(error)
        outcome = Outcome(Cause.CRASHED, error=f"unforeseen {type(error).__name__}")
    try:
        if outcome.cause not in (Cause.COMPLETED, Cause.LOST_LEASE):
            _record(job, outcome)
    except Crashed:
        return None
    return Ended(int(outcome.exit_code), outcome.to_message(), unforeseen)


def _record(job: PodJob, outcome: Outcome) -> None:
    with contextlib.suppress(RunError, Interrupted), job.connect() as store:
        store.record_outcome(outcome)
