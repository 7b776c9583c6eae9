"""The end of a run and its effect on the job: the values that `outcomes` decides on and the store writes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.states import JobState
from dataset_jobs.model.text import storable, storable_values


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a run ended.

    Args:
        cause, reason: in the words of the model.
        error: for people, one or two sentences; empty when completed. Others may have written it: made storable.
    """

    cause: Cause
    reason: Reason | None = None
    error: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "error", storable(self.error))


CANCELLED = Diagnosis(Cause.CANCELLED, None, "cancelled")
COMPLETED = Diagnosis(Cause.COMPLETED)


@dataclass(frozen=True, slots=True)
class RunFigures:
    """The figures of a run, for the metrics; no decision depends on them.

    Args:
        rows, bytes: how far it said it was last; of a run that has committed, all.
        held_for: since it was claimed.
        busy_for: from when a runner took it until it committed, or else was ended.
        committed_for: since it committed; None if it did not.
        at: when that was read, by the database's clock.
    """

    rows: int
    bytes: int
    held_for: timedelta
    busy_for: timedelta
    committed_for: timedelta | None
    at: datetime

    def over_for(self, began_at: str | None, finished_at: str | None) -> timedelta | None:
        """Since the pod's end, or else the commit; None if neither is known.

        How long the container ran is by its node's clock, since when it did so by the database's: so a node whose clock
        is wrong is no matter. The runner takes its run a moment after the container has begun.

        Args:
            began_at, finished_at: of the container, as the node has them (ISO 8601).
        """
        if not self.busy_for:
            return None  # no runner has taken the run
        began_for = self.busy_for + (self.committed_for or timedelta(0))
        try:
            ran_for = datetime.fromisoformat(finished_at or "") - datetime.fromisoformat(began_at or "")
        except (ValueError, TypeError):  # nothing, or only one of them has a zone
            return self.committed_for
        return max(began_for - ran_for, timedelta(0))


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the database knows of a run, read under lock when it is settled.

    Args:
        current: the job is running at this run's epoch, so that the decision is this run's to make.
        committed: the runner has committed; the job is completed already.
        started: a runner has taken the run.
        outcome: what the runner itself said of its end, if it could.
        ended: why the run was ended before its pod was removed; None if it was not.
        attempts, interruptions, give_backs: what the job has used up so far, this run not counted.
        blocked_for: since the first of the claims that were released in a row; zero if there was none.
        figures: for the metrics.
        memory_doublings: how often the run had twice the memory of its pool's template.
        restarted: Postgres was restarted since the run was claimed.
    """

    dataset_id: UUID
    job_type: str
    current: bool
    committed: bool
    started: bool
    outcome: Outcome | None
    ended: Diagnosis | None
    cancel_requested: bool
    attempts: int
    interruptions: int
    give_backs: int
    blocked_for: timedelta
    figures: RunFigures | None = None
    memory_doublings: int = 0
    restarted: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """The decision on a job after a run.

    Args:
        diagnosis: why the run ended.
        state: the job's next state; None leaves the job as it is (it is completed, or another run's by now).
        wait: until it should run again, if `state` is scheduled.
        attempts, interruptions, give_backs: what this run uses up.
        max_attempts: how many the job has in all, if this run has used up one; None if it has not.
        memory_doublings: 1 if the next run should have twice the memory, -1 if half of it.
        why: half a sentence, for the log and for `jobs explain`.
    """

    diagnosis: Diagnosis
    state: JobState | None = None
    wait: timedelta = timedelta(0)
    attempts: int = 0
    interruptions: int = 0
    give_backs: int = 0
    memory_doublings: int = 0
    why: str = ""
    max_attempts: int | None = None

    def as_decision(self, facts: RunFacts, run_at: datetime | None) -> dict[str, Any]:
        """The part that is stored on the run, as plain JSON values; the used budgets include this run.

        Args:
            facts: the basis of the decision.
            run_at: when the job should run again, if `state` is scheduled.
        """
        values: dict[str, Any] = {"state": str(self.state) if self.state else None, "why": self.why}
        if self.state is JobState.SCHEDULED:
            values |= {
                "wait_seconds": round(self.wait.total_seconds(), 3),
                "run_at": _utc(run_at),
            }
        if self.state is not None:
            values |= {
                "attempts": facts.attempts + self.attempts,
                "interruptions": facts.interruptions + self.interruptions,
                "give_backs": facts.give_backs + 1 if self.give_backs else 0,
            }
        if self.max_attempts is not None:
            values["max_attempts"] = self.max_attempts
        return values


class Settled(NamedTuple):
    """A settled run: the decision on its job, and the facts behind it."""

    settlement: Settlement
    facts: RunFacts


class SeenAs(StrEnum):
    """The words of `Evidence.seen_as` that the diagnosis knows. A kubelet may use others."""

    OOM_KILLED = "OOMKilled"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    EVICTED = "Evicted"
    PREEMPTING = "Preempting"
    NODE_SHUTDOWN = "NodeShutdown"
    TERMINATED = "Terminated"
    NODE_LOST = "NodeLost"
    # The launchers' own words: each stands for several of Kubernetes, or for what Kubernetes has no word for.
    IMAGE_PULL = "ImagePull"
    CONFIG = "Config"
    QUOTA = "Quota"
    REFUSED = "Refused"
    STOPPED = "Stopped"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Observations of a run's process or pod at its end; stored on the run. Texts of others are made storable.

    Args:
        exit_code: of the container or process; None if there was none.
        signal: that killed the process; None on Kubernetes, which reports an exit code over 128 instead.
        seen_as: a `SeenAs`, or another reason that the container or pod gave, such as OutOfcpu.
        message: the termination message, or what the kubelet said.
        conditions: pod conditions that are evidence, such as DisruptionTarget with its reason.
        gone: the Job or pod no longer exists.
        deleted: somebody has asked for the pod to be deleted.
        node_lost: the pod's node does not report; the pod may still work.
        left_running: other containers of the pod that live on although the runner is over, and that nobody has told
            to end.
        memory_limit: the container's, as a Kubernetes quantity.
        deadline_seconds: how long the pod may run, by its node's clock.
        created_at, scheduled_at, started_at, finished_at: when the pod was made and got its node, and its container
            began and ended; ISO 8601, by the cluster's clock.
    """

    exit_code: int | None = None
    signal: int | None = None
    seen_as: str | None = None
    message: str = ""
    conditions: dict[str, str] = field(default_factory=dict)
    container_started: bool = False
    gone: bool = False
    deleted: bool = False
    node_lost: bool = False
    left_running: tuple[str, ...] = ()
    pod_name: str | None = None
    pod_uid: str | None = None
    node: str | None = None
    memory_limit: str | None = None
    deadline_seconds: int | None = None
    created_at: str | None = None
    scheduled_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None

    def __post_init__(self) -> None:
        for name in ("message", "seen_as", "conditions", "pod_name", "node"):
            object.__setattr__(self, name, storable_values(getattr(self, name)))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, without empty ones."""
        values = {name: getattr(self, name) for name in self.__slots__}
        # By identity: an exit code of 0 is evidence, and equals False.
        return {name: value for name, value in values.items() if value is not False and value not in (None, "", {}, ())}


def _utc(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
