"""Decides what becomes of a job after one of its runs has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from controller.outcomes.backoff import DEFAULT_WAITS, JITTER, give_back_wait, retry_wait
from controller.pools.quantities import format_bytes
from controller.pools.runner_pod import Memory
from dataset_jobs.model.causes import Cause, CountsAs, Reason
from dataset_jobs.model.settlement import CANCELLED, COMPLETED, Diagnosis, RunFacts, Settlement
from dataset_jobs.model.states import JobState

REFUSED_TIMES = 3
"""After so many refusals in a row of a run with more memory than its pool's template, the next one has less."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon a job is retried.

    Args:
        max_retries: further attempts after the first one.
        waits: before the first retry, the second and so on.
        jitter: the largest share of a wait that is added at random.
        max_interruptions: how many runs the infrastructure may end before the job fails.
        give_up_starting: how long a job may fail to start any run before it fails.
    """

    max_retries: int = 3
    waits: Sequence[timedelta] = DEFAULT_WAITS
    jitter: float = JITTER
    max_interruptions: int = 10
    give_up_starting: timedelta = timedelta(hours=24)


def settlement_of(
    diagnosis: Diagnosis, facts: RunFacts, policy: RetryPolicy, random: float, memory: Memory | None = None
) -> Settlement:
    """Decides between done, retry, requeue, failed and cancelled.

    Args:
        diagnosis: why the run ended.
        facts: of job and run, from the database.
        policy: the pool's.
        random: from 0 to 1, for the jitter.
        memory: of a runner, by the pool's template; None if that sets no limit.
    """
    if facts.committed:
        return Settlement(COMPLETED, why="the runner committed")
    if not facts.current:
        return Settlement(diagnosis, why="the job is no longer this run's")
    if facts.cancel_requested:
        return Settlement(CANCELLED, JobState.CANCELLED, why="cancel was asked for")
    if diagnosis.cause is Cause.REJECTED:
        return Settlement(diagnosis, JobState.FAILED, attempts=1, why="the same input can only fail again")
    if diagnosis.cause is Cause.LOST_LEASE:
        # Another run's runner may well say so; the job's own current runner cannot be right.
        error = "the runner said that its lease is lost, but no other run owns the job"
        diagnosis = Diagnosis(Cause.CRASHED, None, error)
    if diagnosis.cause is Cause.UNAVAILABLE and not facts.started:
        # It never reached the database: the fault is its pod's network, not the job.
        return _after_give_back(diagnosis, facts, policy, random)
    if (diagnosis.cause, diagnosis.reason) == (Cause.UNAVAILABLE, Reason.DATABASE) and facts.restarted:
        return _after_interruption(diagnosis, facts, policy)
    match diagnosis.cause.counts_as:
        case CountsAs.ATTEMPT:
            return _after_attempt(diagnosis, facts, policy, random, memory)
        case CountsAs.INTERRUPTION:
            return _after_interruption(diagnosis, facts, policy)
        case CountsAs.NEITHER:
            return _after_give_back(diagnosis, facts, policy, random)


def _after_attempt(
    diagnosis: Diagnosis, facts: RunFacts, policy: RetryPolicy, random: float, memory: Memory | None
) -> Settlement:
    failed, most = facts.attempts + 1, policy.max_retries + 1
    why = f"attempt {failed} of {most} failed"
    if failed >= most:
        why += ": no retries are left"
        return Settlement(diagnosis, JobState.FAILED, attempts=1, why=why, max_attempts=most)
    wait, doublings = retry_wait(failed, policy.waits, random, policy.jitter), 0
    if diagnosis.cause is Cause.OUT_OF_MEMORY:
        doublings, what_follows = _more_memory(facts.memory_doublings, memory)
        why += f"; {what_follows}"
    return Settlement(
        diagnosis, JobState.SCHEDULED, wait, attempts=1, memory_doublings=doublings, why=why, max_attempts=most
    )


def _more_memory(doublings: int, memory: Memory | None) -> tuple[int, str]:
    """After a run that was out of memory: how many further doublings there are (0 or 1), and the effect in words."""
    if memory is None:
        return 0, "the next one has no more memory, since the pool's template sets no limit of it"
    now, then = memory.doubled(doublings).limit, memory.doubled(doublings + 1).limit
    if now == then:
        return 0, f"the next one has no more memory: {format_bytes(now)} is the most that the pool allows"
    return 1, f"the next one has {format_bytes(then)} of memory"


def _after_interruption(diagnosis: Diagnosis, facts: RunFacts, policy: RetryPolicy) -> Settlement:
    interrupted = facts.interruptions + 1
    if interrupted > policy.max_interruptions:
        why = f"interrupted {interrupted} times: no interruptions are left"
        return Settlement(diagnosis, JobState.FAILED, interruptions=1, why=why)
    why = f"interruption {interrupted} of at most {policy.max_interruptions}: no attempt is used"
    return Settlement(diagnosis, JobState.QUEUED, interruptions=1, why=why)


def _after_give_back(diagnosis: Diagnosis, facts: RunFacts, policy: RetryPolicy, random: float) -> Settlement:
    if facts.blocked_for > policy.give_up_starting:
        hours = policy.give_up_starting / timedelta(hours=1)
        why = f"no run could start in {hours:g} hours"
        return Settlement(diagnosis, JobState.FAILED, why=why)
    wait = give_back_wait(facts.give_backs + 1, random)
    why = "given back: no attempt is used"
    if facts.memory_doublings and diagnosis.reason is Reason.REFUSED and facts.give_backs + 1 >= REFUSED_TIMES:
        # The retry may ask for more than a limit of the namespace. Then it would be refused for ever.
        why += "; the next run has half the memory, as much as the cluster may still allow"
        return Settlement(diagnosis, JobState.SCHEDULED, wait, give_backs=1, memory_doublings=-1, why=why)
    return Settlement(diagnosis, JobState.SCHEDULED, wait, give_backs=1, why=why)
