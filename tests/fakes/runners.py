"""Runners of the fake cluster: the real runner's code against a real Postgres, on a thread of each pod's own."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import RunError, Unavailable
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.storage import Storage, StorageConfig
from dataset_jobs.store.runner import Runner, RunnerConnection, RunnerStore
from parser_runner.file_parser import FileParser, FileToParse, Parsing
from parser_runner.process import outcome_of
from parser_runner.run import RunnerContext, run
from tests.fakes.cluster import FakePod
from tests.faults.actor import Actor, Boundary, Crashed, Interrupted
from tests.faults.connections import sync_connection
from tests.faults.machine import MachineAtRisk
from tests.faults.ports import exposed


@dataclass(frozen=True, slots=True)
class PodContext(RunnerContext):
    """A runner's context whose store, storage and machine are at risk."""

    actor: Actor | None = None
    thread: int | None = None

    def connect(self, kept: RunnerConnection | None = None) -> RunnerStore:
        assert kept is None
        assert self.actor is not None
        if threading.get_ident() != self.thread:
            raise Unavailable("no heartbeats: this pod's time is not the real one")
        store = RunnerStore(self.conninfo, self.key, self.runner, connection_class=sync_connection(self.actor))
        return exposed(store, "runner's store", self.actor)

    def open_storage(self) -> Storage:
        assert self.actor is not None
        return exposed(RunnerContext.open_storage(self), "storage", self.actor)

    @contextlib.contextmanager
    def parsing(self, asked: FileToParse, go_on: Callable[[], None]) -> Iterator[Parsing]:
        """In this thread, so that its machine is at risk."""
        assert self.actor is not None
        with contextlib.closing(FileParser(asked, MachineAtRisk(self.actor))) as parser:
            yield parser


@dataclass(frozen=True, slots=True)
class Ended:
    """How a runner's process ended."""

    exit_code: int
    message: str
    unforeseen: str = ""


def run_pod(pod: FakePod, conninfo: str, storage: StorageConfig, actor: Actor) -> Ended | None:
    """Runs a pod's runner to its end in this thread, as `parser_runner.process` does; None if it was killed."""
    runner = Runner(pod.uid, pod.name, pod.node, pod.job.secret)
    context = PodContext(pod.key, runner, conninfo, storage, (0.0, 0.0), actor=actor, thread=threading.get_ident())
    unforeseen = ""
    try:
        outcome = run(context)
    except Crashed:
        return None
    except Interrupted:
        outcome = Outcome(Cause.SHUT_DOWN, error="the runner was told to stop (SIGTERM)")
    except Exception as error:
        outcome = outcome_of(error)
        unforeseen = repr(error) if outcome.cause is Cause.CRASHED else ""
    try:
        if outcome.cause not in (Cause.COMPLETED, Cause.LOST_LEASE):
            _record(context, outcome)
    except Crashed:
        return None
    return Ended(int(outcome.exit_code), outcome.to_message(), unforeseen)


def _record(context: PodContext, outcome: Outcome) -> None:
    with contextlib.suppress(RunError, Interrupted), context.connect() as store:
        store.record_outcome(outcome)


class Stepped:
    """A runner that goes from boundary to boundary on demand, and stands still in between.

    It does not stand still while it holds the rows of its job, between the last check of its lease and its commit:
    anybody who met it there would have to wait for real time.

    Args:
        pod, conninfo, storage: see `run_pod`.
        actor: its own.
    """

    def __init__(self, pod: FakePod, conninfo: str, storage: StorageConfig, actor: Actor) -> None:
        self.pod = pod
        self.actor = actor
        self.ended: Ended | None = None
        self._may_go = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        actor.gate = self._gate
        self._thread = threading.Thread(target=self._run, args=(conninfo, storage), name=f"pod {pod.name}", daemon=True)
        self._thread.start()
        self._wait()

    @property
    def over(self) -> bool:
        """Its process has ended, or was killed."""
        return self._over

    def step(self, boundaries: int) -> None:
        """Passes a number of boundaries, or fewer if it ends before."""
        for _ in range(boundaries):
            if self.over:
                return
            self._may_go.release()
            self._wait()

    def kill(self) -> None:
        """SIGKILL."""
        self.actor.die()
        self._may_go.release(1000)
        self._thread.join(timeout=100)

    _over = False

    def _wait(self) -> None:
        if not self._stands.acquire(timeout=100):
            raise AssertionError(f"the runner of {self.pod.key} waits for something at {self.actor.met[-1]}")

    def _gate(self, at: Boundary) -> None:
        if at.what.startswith(_COMMITS) or self.actor.has_just.startswith(_COMMITS):
            return
        self._stands.release()
        self._may_go.acquire()

    def _run(self, conninfo: str, storage: StorageConfig) -> None:
        try:
            self.ended = run_pod(self.pod, conninfo, storage, self.actor)
        finally:
            self._over = True
            self._stands.release()


_COMMITS = ("load.commit", "commit")
"""The statement that holds the job's rows until the commit, and the commit."""
