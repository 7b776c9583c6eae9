"""What keys do to what is chosen: the acts of services, by their key. Each may be asked about before."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from cli.screen.words import SHORT_ID
from cli.watch.rows import Row
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.states import JobState, state_of
from dataset_jobs.store.views import JobView
from services.actions import Offer, Target, Verb, offer
from services.keys import Role
from services.pool_lines import PoolLine
from services.problems import Problem
from services.steering import STEERS
from services.use_cases import UseCases

What = tuple[Verb, Target]


@dataclass(frozen=True, slots=True)
class Press:
    """A key that does something to what is chosen.

    Args:
        label: what it does, as on the buttons of pages.
        question: asked before it is done; None if nothing is lost by it.
    """

    key: str
    label: str
    offer: Offer
    question: str | None


KEYS: Mapping[What, str] = {
    (Verb.RETRY, Target.JOB): "r",
    (Verb.CANCEL, Target.JOB): "c",
    (Verb.RUN_NOW, Target.JOB): "n",
    (Verb.PROBE, Target.POOL): "b",
    (Verb.PAUSE, Target.POOL): "s",
    (Verb.RESUME, Target.POOL): "s",
}


def presses(row: Row | None, role: Role) -> list[Press]:
    """What keys do to a row: what somebody of this role may do, and no more."""
    if row is None:
        return []
    found: dict[str, Press] = {}
    for one in _offers(row):
        what = one.action, one.target
        if what in KEYS and role.may(STEERS[what].role):
            found.setdefault(KEYS[what], Press(KEYS[what], one.label, one, _question(one, row)))
    return [*found.values()]


def _offers(row: Row) -> Iterator[Offer]:
    match row.about:
        case JobView() as job:
            yield from (offer(Hint(action, job.id)) for action in _of_job(job))
        case PoolLine() as line:
            yield from line.offers
        case Problem() as problem:
            yield from map(offer, problem.hints)


def _of_job(job: JobView) -> Iterator[Action]:
    state = state_of(job.state)
    if state in (JobState.FAILED, JobState.CANCELLED):
        yield Action.RETRY_JOB
    if state is not None and not state.finished and job.cancel_requested_at is None:
        if state is JobState.SCHEDULED:
            yield Action.RUN_JOB_NOW
        yield Action.CANCEL_JOB


def _question(one: Offer, row: Row) -> str | None:
    match one.action:
        case Verb.CANCEL:
            named = f" ({row.about.filename})" if isinstance(row.about, JobView) else ""
            return f"cancel job {(one.id or '')[:SHORT_ID]}{named}?"
        case Verb.PAUSE:
            return f"pause pool {one.id}? Runs at work go on, and nothing else starts"
        case Verb.RESUME:
            return f"resume pool {one.id}?"
        case _:
            return None


def _retry(client: UseCases, job_id: str) -> None:
    for one in client.jobs.retry_all([UUID(job_id)]):
        if one.refusal is not None:
            raise one.refusal


_DO: Mapping[What, Callable[[UseCases, str], object]] = {
    (Verb.RETRY, Target.JOB): _retry,
    (Verb.CANCEL, Target.JOB): lambda client, job_id: client.jobs.cancel(UUID(job_id)),
    (Verb.RUN_NOW, Target.JOB): lambda client, job_id: client.jobs.reschedule(UUID(job_id), run_at=timedelta(0)),
    (Verb.PROBE, Target.POOL): lambda client, name: client.pools.probe(name),
    (Verb.PAUSE, Target.POOL): lambda client, name: client.pools.pause(name),
    (Verb.RESUME, Target.POOL): lambda client, name: client.pools.resume(name),
}


def do(client: UseCases, one: Offer) -> str:
    """Does it. Returns what is said then; raises as the services do."""
    what = one.action, one.target
    _DO[what](client, one.id or "")
    return STEERS[what].outcome
