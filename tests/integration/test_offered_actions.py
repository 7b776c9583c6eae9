"""Whatever a job's story offers is allowed: every action is carried out in every situation, on the real database."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count, product
from uuid import UUID

import psycopg
import pytest

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.states import JobState
from services.explain import Explanation
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

ENDS: list[tuple[Cause, Reason | None]] = [
    *((cause, None) for cause in Cause if cause is not Cause.COMPLETED),
    *((Cause.REJECTED, reason) for reason in Reason),
]
NEXT = (JobState.SCHEDULED, JobState.QUEUED, JobState.FAILED, JobState.CANCELLED, JobState.RUNNING)


class Stage:
    """One dataset with a job, as a situation wants it; made anew for each action."""

    def __init__(self, world: World, connection: psycopg.Connection) -> None:
        self.world = world
        self.year = 1900
        self._connection = connection

    def execute(self, sql: str, *parameters: object) -> None:
        self._connection.execute(sql.encode(), parameters)

    def job(self) -> UUID:
        self.year += 1
        return self.world.submit_small(self.year).job_id

    def move(self, job_id: UUID, state: JobState, cause: Cause | None = None) -> None:
        self.execute(
            "update jobs set state = %s, lease_epoch = greatest(lease_epoch, 1), last_cause = %s, last_error = 'no',"
            " run_at = now() + %s::int * interval '1 hour', finished_at = case when %s then now() end where id = %s",
            state, cause or Cause.CRASHED, int(state is JobState.SCHEDULED), state.finished, job_id,
        )  # fmt: skip

    def run(self, job_id: UUID, epoch: int, cause: Cause | None, reason: Reason | None = None) -> None:
        ended = cause is not None
        self.execute(
            "insert into runs (job_id, epoch, pool, launcher, owner, lease_until, ended_at, cause, reason, released_at,"
            " started_at, runner_uid, committed_at)"
            " select %s, %s, 'default', 'process', 'c/1', now(), ended, %s, %s, ended, now(), 'x',"
            " case when %s then now() end from (select case when %s then now() end as ended) ends",
            job_id, epoch, cause, reason, cause is Cause.COMPLETED, ended,
        )  # fmt: skip

    def loaded(self, dataset_id: UUID) -> None:
        self.execute(
            "update datasets set status = 'completed', loaded_at = now(), row_count = 1, total_count = 1,"
            " parser = 'us-ssa', measure = 'births' where id = %s", dataset_id,
        )  # fmt: skip

    def dataset_of(self, job_id: UUID) -> UUID:
        return UUID(str(self.world.job(job_id)["dataset_id"]))

    def explain(self, job_id: UUID) -> Explanation:
        return self.world.client.explain(job_id)


@pytest.fixture
def stage(world: World) -> Iterator[Stage]:
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        yield Stage(world, connection)


Situation = Callable[[Stage], UUID]


def ended(state: JobState, cause: Cause, reason: Reason | None) -> Situation:
    def make(stage: Stage) -> UUID:
        job_id = stage.job()
        stage.move(job_id, state, cause)
        stage.run(job_id, 1, cause, reason)
        if state is JobState.RUNNING:
            stage.execute("update jobs set lease_epoch = 2 where id = %s", job_id)
            stage.run(job_id, 2, None)
        return job_id

    return make


def never_run(state: JobState) -> Situation:
    def make(stage: Stage) -> UUID:
        job_id = stage.job()
        stage.move(job_id, state)
        return job_id

    return make


def completed(stage: Stage) -> UUID:
    job_id = stage.job()
    stage.run(job_id, 1, Cause.COMPLETED)
    stage.move(job_id, JobState.COMPLETED, Cause.COMPLETED)
    stage.loaded(stage.dataset_of(job_id))
    return job_id


def completed_and_under_way_again(stage: Stage) -> UUID:
    job_id = completed(stage)
    stage.world.client.datasets.reprocess(stage.dataset_of(job_id))
    return job_id


def being_cancelled(stage: Stage) -> UUID:
    job_id = ended(JobState.RUNNING, Cause.CRASHED, None)(stage)
    stage.world.client.jobs.cancel(job_id)
    return job_id


def failed_and_submitted_again(stage: Stage) -> UUID:
    job_id = ended(JobState.FAILED, Cause.CRASHED, None)(stage)
    stage.world.client.datasets.reprocess(stage.dataset_of(job_id))
    return job_id


def cancelled_and_loaded_since(stage: Stage) -> UUID:
    job_id = ended(JobState.CANCELLED, Cause.CANCELLED, None)(stage)
    stage.loaded(stage.dataset_of(job_id))
    return job_id


def failed_while_another_run_holds_it(stage: Stage) -> UUID:
    job_id = failed_and_submitted_again(stage)
    other = stage.world.one("select id from jobs where dataset_id = %s and id <> %s", stage.dataset_of(job_id), job_id)
    stage.move(other["id"], JobState.RUNNING)
    stage.run(other["id"], 1, None)
    return job_id


def failed_and_superseded(stage: Stage) -> UUID:
    job_id = ended(JobState.FAILED, Cause.CRASHED, None)(stage)
    old, newer = (stage.dataset_of(one) for one in (job_id, completed(stage)))
    for dataset_id, superseded_by in ((newer, None), (old, newer)):
        stage.execute(
            "insert into coverage (dataset_key, country_id, measure, year, gender, row_count, total_count,"
            " superseded_by) select key, country_id, 'births', %s, 'F', 1, 1, (select key from datasets where id = %s)"
            " from datasets where id = %s",
            stage.year, superseded_by, dataset_id,
        )  # fmt: skip
    stage.execute("update jobs set type = 'reprocess_dataset' where id = %s", job_id)
    return job_id


SITUATIONS: dict[str, Situation] = {
    **{f"{state} after {cause} {reason or ''}".strip(): ended(state, cause, reason)
       for state, (cause, reason) in product(NEXT, ENDS)},
    **{f"{state} without a run": never_run(state)
       for state in (JobState.SCHEDULED, JobState.QUEUED, JobState.FAILED, JobState.CANCELLED)},
    **{make.__name__: make for make in (
        completed, completed_and_under_way_again, being_cancelled, failed_and_submitted_again,
        cancelled_and_loaded_since, failed_while_another_run_holds_it, failed_and_superseded)},
}  # fmt: skip


def offered(told: Explanation) -> list[Hint]:
    """All that it offers to do to a job, its dataset or its pool."""
    hints = [
        *told.possible,
        *(told.waiting.hints if told.waiting is not None else ()),
        *(hint for step in told.to_do for hint in step.hints),
    ]
    hints += [hint for run in told.runs for step in run.advice for hint in step.hints]
    return list(dict.fromkeys(hint for hint in hints if hint.action in CARRIED_OUT))


def _delete(world: World, hint: Hint) -> None:
    assert hint.dataset_id is not None
    world.client.datasets.delete(hint.dataset_id, world.storage)


CARRIED_OUT: dict[Action, Callable[[World, Hint], object]] = {
    Action.RETRY_JOB: lambda world, hint: world.client.jobs.retry(_id(hint.job_id)),
    Action.CANCEL_JOB: lambda world, hint: world.client.jobs.cancel(_id(hint.job_id)),
    Action.RUN_JOB_NOW: lambda world, hint: world.client.jobs.reschedule(_id(hint.job_id), run_at=timedelta(0)),
    Action.SET_JOB: lambda world, hint: world.client.jobs.reschedule(_id(hint.job_id), priority=5),
    Action.REPROCESS_DATASET: lambda world, hint: world.client.datasets.reprocess(_id(hint.dataset_id)),
    Action.DELETE_DATASET: _delete,
    Action.RESUME_POOL: lambda world, hint: world.client.pools.resume(_name(hint)),
    Action.PAUSE_POOL: lambda world, hint: world.client.pools.pause(_name(hint)),
    Action.PROBE_POOL: lambda world, hint: world.client.pools.probe(_name(hint)),
    Action.SET_POOL_MAXIMUM: lambda world, hint: world.client.pools.set(_name(hint), max_running=4),
    Action.EXPLAIN_JOB: lambda world, hint: world.client.explain(_id(hint.job_id)),
}


def _id(given: UUID | None) -> UUID:
    assert given is not None
    return given


def _name(hint: Hint) -> str:
    assert hint.name is not None
    return hint.name


def situations(*words: str) -> Iterator[str]:
    return (name for name in SITUATIONS if name.startswith(words))


@pytest.mark.one_postgres
@pytest.mark.parametrize("group", ["scheduled", "queued", "failed", "cancelled", "running", "completed", "being"])
def test_every_action_that_is_offered_is_allowed(stage: Stage, group: str) -> None:
    tried = set[Action]()
    for name in situations(group):
        for number in count():
            hints = offered(stage.explain(SITUATIONS[name](stage)))
            tried |= {hint.action for hint in hints}
            if number >= len(hints):
                break
            CARRIED_OUT[hints[number].action](stage.world, hints[number])  # raises if it is refused
    assert tried or group == "being"


@pytest.mark.parametrize(
    ("name", "words", "offers"),
    [
        ("failed_and_submitted_again", "another job that is not finished yet", {Action.EXPLAIN_JOB}),
        ("cancelled_and_loaded_since", "was loaded by another job since", {Action.REPROCESS_DATASET}),
        ("failed_and_superseded", "is superseded by dataset", {Action.DELETE_DATASET}),
    ],
)
def test_a_retry_that_would_be_refused_says_why(stage: Stage, name: str, words: str, offers: set[Action]) -> None:
    told = stage.explain(SITUATIONS[name](stage))
    [step] = [step for step in told.to_do if words in step.text]
    assert step.text.startswith("It cannot be retried: ")
    assert {hint.action for hint in step.hints} == offers
    assert not any(hint.action is Action.RETRY_JOB for one in told.to_do for hint in one.hints)


@pytest.mark.parametrize("described", [0, 1])
@pytest.mark.parametrize(
    ("pool", "action"),
    [
        ("paused = true, paused_since = now()", Action.RESUME_POOL),
        ("max_running = 0", Action.SET_POOL_MAXIMUM),
        ("blocked_since = now(), blocked_cause = 'cannot_start', blocked_error = 'no', probe_at = now()",
         Action.PAUSE_POOL),
    ],
)  # fmt: skip
def test_what_is_offered_of_a_pool_is_allowed(stage: Stage, pool: str, action: Action, described: int) -> None:
    """Of one that a ParserPool describes only the change of that is offered, and a probe, which changes nothing."""
    world, client = stage.world, stage.world.client
    job_id = stage.job()
    stage.execute(
        "insert into controllers (owner, launcher, pools, seen_at) values ('c', 'process', '{default}', now())"
    )
    stage.execute(f"update pools set {pool}, described = %s, described_in = 'ns'", described)
    [problem] = [one for one in client.problems(client.status(), client.now()) if one.pool == "default"]
    hints = {*problem.hints, *(hint for one in stage.explain(job_id).waits for hint in one.hints)}
    probed = {Action.PROBE_POOL} if "blocked" in pool else set()
    assert {hint.action for hint in hints} == {Action.PATCH_PARSER_POOL if described else action} | probed
    for hint in hints:
        if hint.action in CARRIED_OUT:
            CARRIED_OUT[hint.action](world, hint)
