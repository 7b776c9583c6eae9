"""What becomes of a job after one of its runs."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.outcomes.backoff import JITTER
from controller.outcomes.retry import RetryPolicy, settlement_of
from controller.pools.runner_pod import Memory
from dataset_jobs.model.causes import Cause, CountsAs, Reason
from dataset_jobs.model.settlement import Diagnosis, RunFacts, Settlement
from dataset_jobs.model.states import JOB_MOVES, JobState

POLICY = RetryPolicy()
MIB = 2**20
FRESH = RunFacts(
    dataset_id=UUID(int=1),
    job_type="parse_dataset",
    current=True,
    committed=False,
    started=True,
    outcome=None,
    ended=None,
    cancel_requested=False,
    attempts=0,
    interruptions=0,
    give_backs=0,
    blocked_for=timedelta(0),
)
# The others are for settle to conclude: from a commit, and from a request to cancel.
DIAGNOSED = [cause for cause in Cause if cause not in (Cause.COMPLETED, Cause.CANCELLED)]
RETRIED = [cause for cause in DIAGNOSED if cause.counts_as is CountsAs.ATTEMPT and cause is not Cause.REJECTED] + [
    Cause.LOST_LEASE
]
INTERRUPTED = [cause for cause in DIAGNOSED if cause.counts_as is CountsAs.INTERRUPTION]
GIVEN_BACK = [Cause.FORBIDDEN, Cause.CANNOT_START]

budgets = st.integers(0, 30)
every_facts = st.builds(
    RunFacts,
    dataset_id=st.just(UUID(int=1)),
    job_type=st.sampled_from(["parse_dataset", "reprocess_dataset"]),
    current=st.booleans(),
    committed=st.booleans(),
    started=st.booleans(),
    outcome=st.none(),
    cancel_requested=st.booleans(),
    attempts=budgets,
    interruptions=budgets,
    give_backs=budgets,
    blocked_for=st.timedeltas(timedelta(0), timedelta(days=3)),
)
every_diagnosis = st.builds(Diagnosis, st.sampled_from(DIAGNOSED), st.none() | st.sampled_from(Reason), st.text())
every_policy = st.builds(
    RetryPolicy,
    max_retries=budgets,
    waits=st.lists(st.timedeltas(timedelta(0), timedelta(days=1)), min_size=1),
    max_interruptions=budgets,
)


def decide(cause: Cause, facts: RunFacts = FRESH, policy: RetryPolicy = POLICY, random: float = 0) -> Settlement:
    return settlement_of(Diagnosis(cause, None, "it went wrong"), facts, policy, random)


def used(settled: Settlement) -> tuple[int, int, int]:
    return settled.attempts, settled.interruptions, settled.give_backs


def test_every_cause_is_in_exactly_one_of_the_tables_below() -> None:
    assert sorted([*RETRIED, *INTERRUPTED, *GIVEN_BACK, Cause.REJECTED]) == sorted(DIAGNOSED)


@pytest.mark.parametrize("cause", DIAGNOSED)
@pytest.mark.parametrize("current", [True, False])
def test_a_commit_wins_over_whatever_became_of_the_runner_afterwards(cause: Cause, current: bool) -> None:
    facts = replace(FRESH, committed=True, current=current, cancel_requested=True, attempts=99, interruptions=99)
    settled = decide(cause, facts)
    assert (settled.diagnosis, settled.state, used(settled)) == (Diagnosis(Cause.COMPLETED), None, (0, 0, 0))


@pytest.mark.parametrize("cause", DIAGNOSED)
def test_a_run_that_the_job_has_left_behind_leaves_the_job_alone(cause: Cause) -> None:
    settled = decide(cause, replace(FRESH, current=False, cancel_requested=True))
    assert (settled.diagnosis.cause, settled.state, used(settled)) == (cause, None, (0, 0, 0))


@pytest.mark.parametrize("cause", DIAGNOSED)
def test_a_job_that_was_asked_to_cancel_is_cancelled_however_its_run_ended(cause: Cause) -> None:
    settled = decide(cause, replace(FRESH, cancel_requested=True))
    assert (settled.diagnosis.cause, settled.state, used(settled)) == (Cause.CANCELLED, JobState.CANCELLED, (0, 0, 0))


MEMORY = Memory(request=128 * MIB, limit=128 * MIB, ceiling=300 * MIB)


@pytest.mark.parametrize(
    ("memory", "doublings", "more", "why"),
    [
        (MEMORY, 0, 1, "the next one has 256Mi of memory"),
        (MEMORY, 1, 1, "the next one has 300Mi of memory"),
        (MEMORY, 2, 0, "the next one has no more memory: 300Mi is the most that the pool allows"),
        (None, 0, 0, "the next one has no more memory, since the pool's template sets no limit of it"),
    ],
)
def test_a_retry_has_more_memory_as_far_as_the_pool_allows(
    memory: Memory | None, doublings: int, more: int, why: str
) -> None:
    facts = replace(FRESH, memory_doublings=doublings)
    settled = settlement_of(Diagnosis(Cause.OUT_OF_MEMORY), facts, POLICY, 0, memory)
    assert (settled.state, settled.attempts, settled.memory_doublings) == (JobState.SCHEDULED, 1, more)
    assert settled.why == f"attempt 1 of 4 failed; {why}"


@pytest.mark.parametrize(
    ("reason", "doublings", "give_backs", "less"),
    [
        (Reason.REFUSED, 1, 0, 0),
        (Reason.REFUSED, 1, 1, 0),
        (Reason.REFUSED, 1, 2, -1),
        (Reason.REFUSED, 0, 9, 0),
        (Reason.IMAGE, 1, 9, 0),
        (Reason.QUOTA, 1, 9, 0),
    ],
)
def test_more_memory_that_is_refused_again_and_again_is_given_up(
    reason: Reason, doublings: int, give_backs: int, less: int
) -> None:
    facts = replace(FRESH, memory_doublings=doublings, give_backs=give_backs)
    settled = settlement_of(Diagnosis(Cause.CANNOT_START, reason, "no"), facts, POLICY, 0, MEMORY)
    assert (settled.state, settled.attempts, settled.memory_doublings) == (JobState.SCHEDULED, 0, less)
    assert ("half the memory" in settled.why) == (less < 0)


@given(st.integers(1, 2**40), st.integers(1, 2**40), st.integers(0, 60))
def test_a_job_always_out_of_memory_or_refused_is_over(limit: int, ceiling: int, refused_above: int) -> None:
    """With a limit of the namespace that is below what retries ask for."""
    memory, facts = Memory(limit, limit, ceiling), FRESH
    for _ in range(100):
        refused = memory.doubled(facts.memory_doublings).limit > limit * 2**refused_above
        why = Diagnosis(Cause.CANNOT_START, Reason.REFUSED) if refused else Diagnosis(Cause.OUT_OF_MEMORY)
        settled = settlement_of(why, facts, POLICY, 0, memory)
        if settled.state is JobState.FAILED:
            break
        facts = replace(
            facts,
            attempts=facts.attempts + settled.attempts,
            give_backs=facts.give_backs + 1 if settled.give_backs else 0,
            memory_doublings=facts.memory_doublings + settled.memory_doublings,
        )
    assert (settled.state, settled.diagnosis.cause) == (JobState.FAILED, Cause.OUT_OF_MEMORY)


def test_rejected_input_fails_at_once() -> None:
    settled = decide(Cause.REJECTED)
    assert (settled.state, used(settled)) == (JobState.FAILED, (1, 0, 0))


@pytest.mark.parametrize("cause", RETRIED)
@pytest.mark.parametrize(("failed_before", "minutes"), [(0, 1), (1, 5), (2, 15)])
def test_the_runs_own_fault_is_retried_after_one_five_and_fifteen_minutes(
    cause: Cause, failed_before: int, minutes: int
) -> None:
    settled = decide(cause, replace(FRESH, attempts=failed_before))
    assert (settled.state, used(settled)) == (JobState.SCHEDULED, (1, 0, 0))
    assert settled.wait == timedelta(minutes=minutes)


@pytest.mark.parametrize("cause", RETRIED)
@pytest.mark.parametrize("max_retries", [0, 1, 3])
def test_there_are_exactly_as_many_retries_as_the_policy_says(cause: Cause, max_retries: int) -> None:
    facts, runs = FRESH, 0
    while True:
        settled = decide(cause, facts, RetryPolicy(max_retries=max_retries))
        runs += 1
        if settled.state is JobState.FAILED:
            break
        facts = replace(facts, attempts=facts.attempts + settled.attempts)
    assert runs == 1 + max_retries


def test_a_lost_lease_of_the_run_that_owns_the_job_is_a_crash() -> None:
    settled = decide(Cause.LOST_LEASE)
    assert settled.diagnosis.cause is Cause.CRASHED
    assert settled.diagnosis.error


@pytest.mark.parametrize("cause", INTERRUPTED)
def test_the_infrastructures_fault_is_queued_at_once_and_uses_no_attempt(cause: Cause) -> None:
    settled = decide(cause, replace(FRESH, attempts=POLICY.max_retries))
    assert (settled.state, settled.wait, used(settled)) == (JobState.QUEUED, timedelta(0), (0, 1, 0))


@pytest.mark.parametrize("cause", INTERRUPTED)
@pytest.mark.parametrize(("interrupted_before", "state"), [(9, JobState.QUEUED), (10, JobState.FAILED)])
def test_ten_interruptions_are_borne_and_the_next_one_fails_the_job(
    cause: Cause, interrupted_before: int, state: JobState
) -> None:
    settled = decide(cause, replace(FRESH, interruptions=interrupted_before))
    assert (settled.state, used(settled)) == (state, (0, 1, 0))


@pytest.mark.parametrize("cause", GIVEN_BACK)
@pytest.mark.parametrize(("given_back_before", "seconds"), [(0, 10), (1, 20), (5, 60), (400, 60)])
def test_a_run_that_cannot_start_is_given_back_and_uses_no_budget(
    cause: Cause, given_back_before: int, seconds: int
) -> None:
    facts = replace(FRESH, give_backs=given_back_before, attempts=99, interruptions=99)
    settled = decide(cause, facts)
    assert (settled.state, used(settled)) == (JobState.SCHEDULED, (0, 0, 1))
    assert settled.wait == timedelta(seconds=seconds)


@pytest.mark.parametrize("reason", [None, Reason.DATABASE])
def test_never_reaching_the_database_uses_no_budget(reason: Reason | None) -> None:
    why = Diagnosis(Cause.UNAVAILABLE, reason, "database: connection refused")
    settled = settlement_of(why, replace(FRESH, started=False), POLICY, 0)
    assert (settled.state, used(settled), settled.wait) == (JobState.SCHEDULED, (0, 0, 1), timedelta(seconds=10))


@pytest.mark.parametrize(
    ("reason", "restarted", "budgets"),
    [
        (Reason.DATABASE, True, (0, 1, 0)),
        (Reason.DATABASE, False, (1, 0, 0)),
        (Reason.STORAGE, True, (1, 0, 0)),
        (None, True, (1, 0, 0)),
    ],
)
def test_a_restart_of_postgres_is_an_interruption(
    reason: Reason | None, restarted: bool, budgets: tuple[int, int, int]
) -> None:
    """Of a run that had begun. A network or a storage that is away is not known from a load that breaks it."""
    why = Diagnosis(Cause.UNAVAILABLE, reason, "server closed the connection unexpectedly")
    settled = settlement_of(why, replace(FRESH, started=True, restarted=restarted), POLICY, 0)
    assert used(settled) == budgets
    assert settled.state is (JobState.QUEUED if budgets[1] else JobState.SCHEDULED)


@pytest.mark.parametrize("cause", GIVEN_BACK)
def test_a_job_of_which_no_run_could_start_for_a_day_fails(cause: Cause) -> None:
    day = timedelta(hours=24)
    assert decide(cause, replace(FRESH, give_backs=300, blocked_for=day)).state is JobState.SCHEDULED
    settled = decide(cause, replace(FRESH, give_backs=300, blocked_for=day + timedelta(seconds=1)))
    assert (settled.state, used(settled)) == (JobState.FAILED, (0, 0, 0))
    assert "24 hours" in settled.why


@given(every_diagnosis, every_facts, every_policy, st.floats(0, 1))
def test_whatever_the_settlement_it_is_a_legal_move_from_running(
    diagnosis: Diagnosis, facts: RunFacts, policy: RetryPolicy, random: float
) -> None:
    settled = settlement_of(diagnosis, facts, policy, random)
    moves = {to for came_from, to, _ in JOB_MOVES if came_from is JobState.RUNNING}
    if facts.current and not facts.committed:
        # Completed only by the runner's own commit.
        assert settled.state in moves - {JobState.COMPLETED}
    else:
        assert settled.state is None


@given(every_diagnosis, every_facts, every_policy, st.floats(0, 1))
def test_a_run_uses_up_at_most_one_try(
    diagnosis: Diagnosis, facts: RunFacts, policy: RetryPolicy, random: float
) -> None:
    """And of one budget only; the job waits no longer than the policy says."""
    settled = settlement_of(diagnosis, facts, policy, random)
    assert sum(used(settled)) <= 1
    assert settled.why
    longest = max(*policy.waits, timedelta(minutes=5)) * (1 + JITTER)
    assert timedelta(0) <= settled.wait <= longest
    if settled.state is not JobState.SCHEDULED:
        assert settled.wait == timedelta(0)


@given(every_diagnosis, every_facts, every_policy, st.floats(0, 1))
def test_a_run_is_completed_exactly_where_it_has_committed(
    diagnosis: Diagnosis, facts: RunFacts, policy: RetryPolicy, random: float
) -> None:
    settled = settlement_of(diagnosis, facts, policy, random)
    assert (settled.diagnosis.cause is Cause.COMPLETED) == facts.committed


@given(st.lists(st.sampled_from(DIAGNOSED), min_size=60, max_size=60), every_policy)
def test_every_job_is_over_after_finitely_many_runs(causes: list[Cause], policy: RetryPolicy) -> None:
    """Only runs that used a budget count."""
    facts, spent = FRESH, 0
    for cause in causes:
        settled = decide(cause, facts, policy)
        spent += settled.attempts + settled.interruptions
        facts = replace(
            facts,
            attempts=facts.attempts + settled.attempts,
            interruptions=facts.interruptions + settled.interruptions,
        )
        if settled.state is JobState.FAILED:
            break
    assert spent <= policy.max_retries + 1 + policy.max_interruptions
