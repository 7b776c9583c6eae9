"""What the buttons of pages do: one table, by the words of the offers that services make.

Each act calls the same service as the API's route for it, so it is audited, refused and checked alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from api.access import Caller
from api.acts import check_own, refused_as
from api.context import Context
from api.ids import dataset_of, job_of
from api.problems import Problem
from dashboard import paths
from dataset_jobs.model.requests import NotFound
from dataset_jobs.model.sentences import Sentence, counted, sentence
from services.actions import Target, Verb
from services.client import Client
from services.keys import Role


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody has pressed.

    Args:
        using, client: what acts work with; the client acts as the caller.
        id: of what it is done to; empty if the act needs none.
        said: the fields of the form.
    """

    using: Context
    client: Client
    caller: Caller
    id: str
    said: Mapping[str, str]

    def number(self, name: str) -> int:
        """A field that must be a whole number."""
        try:
            return int(self.said.get(name, ""))
        except ValueError:
            why = "expected a whole number"
            raise Problem("field-invalid", f"{name}: {why}", [{"field": name, "message": why}]) from None


@dataclass(frozen=True, slots=True)
class PageAct:
    """What a button does.

    Args:
        role: the least that may press it.
        do: does it; returns the page to go to then, or None for the one where the button is.
        outcome: what the page says then.
        own: uploaders may do it with what they have uploaded alone.
        question: asked before it is done; None if nothing is lost by pressing it.
    """

    role: Role
    do: Callable[[Asked], str | None]
    outcome: str
    own: bool = False
    question: Callable[[Asked], Sentence] | None = None


def _own_job(asked: Asked) -> UUID:
    found = job_of(asked.client, asked.id)
    check_own(asked.client, asked.caller, asked.client.jobs.get(found)[0].dataset_id)
    return found


def _cancel_job(asked: Asked) -> None:
    job_id = _own_job(asked)
    with refused_as("completed-already"):
        asked.client.jobs.cancel(job_id, asked.said.get("reason") or None)


def _retry_job(asked: Asked) -> None:
    job_id = _own_job(asked)
    with refused_as("cannot-be-put-back"):
        asked.client.jobs.retry(job_id)


def _run_job_now(asked: Asked) -> None:
    job_id = job_of(asked.client, asked.id)
    with refused_as("not-waiting"):
        asked.client.jobs.reschedule(job_id, run_at=timedelta(0))


def _set_job(asked: Asked) -> None:
    job_id = job_of(asked.client, asked.id)
    with refused_as("not-waiting"):
        asked.client.jobs.reschedule(job_id, priority=asked.number("priority"))


def _reprocess(asked: Asked) -> str:
    dataset_id = dataset_of(asked.client, asked.id)
    check_own(asked.client, asked.caller, dataset_id)
    with refused_as("job-unfinished"):
        job_id, _ = asked.client.datasets.reprocess(dataset_id, pool=asked.using.settings.pool)
    return paths.job(job_id)


def _what_goes(asked: Asked) -> Sentence:
    dataset_id = dataset_of(asked.client, asked.id)
    with refused_as("job-unfinished"):
        found = asked.client.datasets.deletion(dataset_id)
    text = sentence("delete dataset {} with {}, its jobs and its file?", dataset_id, counted(found.rows, "row"))
    if not found.would_count_instead:
        return text
    return sentence("{} {} would count again.", text, counted(len(found.would_count_instead), "superseded dataset"))


def _delete(asked: Asked) -> str:
    with refused_as("job-unfinished"):
        asked.client.datasets.forget(dataset_of(asked.client, asked.id), asked.using.storage)
    return paths.jobs()


def _pause_pool(asked: Asked) -> None:
    with refused_as("pool-is-described"):
        asked.client.pools.pause(asked.id, asked.said.get("reason") or None)


def _resume_pool(asked: Asked) -> None:
    with refused_as("pool-is-described"):
        asked.client.pools.resume(asked.id)


def _set_pool(asked: Asked) -> None:
    with refused_as("pool-is-described"):
        asked.client.pools.set(asked.id, max_running=asked.number("max_running"))


def _remove_schedule(asked: Asked) -> None:
    asked.client.schedules.remove(asked.id)


def _cancel_operation(asked: Asked) -> str:
    try:
        found = UUID(asked.id)
    except ValueError:
        raise NotFound(f"there is no operation {asked.id}") from None
    with refused_as("over"):
        asked.client.operations.cancel(found)
    return paths.operation(found)


_GONE = sentence("remove this schedule? What it has submitted stays")

ACTS: Mapping[tuple[Verb, Target], PageAct] = {
    (Verb.CANCEL, Target.JOB): PageAct(
        Role.UPLOADER, _cancel_job, "The job is cancelled, or its run is being stopped.", own=True
    ),
    (Verb.RETRY, Target.JOB): PageAct(Role.UPLOADER, _retry_job, "The job is queued again.", own=True),
    (Verb.RUN_NOW, Target.JOB): PageAct(Role.ADMIN, _run_job_now, "The job runs as soon as there is a slot for it."),
    (Verb.SET, Target.JOB): PageAct(Role.ADMIN, _set_job, "The priority is changed."),
    (Verb.REPROCESS, Target.DATASET): PageAct(
        Role.UPLOADER, _reprocess, "The dataset is loaded again, by this job.", own=True
    ),
    (Verb.DELETE, Target.DATASET): PageAct(Role.ADMIN, _delete, "The dataset is deleted.", question=_what_goes),
    (Verb.PAUSE, Target.POOL): PageAct(
        Role.ADMIN, _pause_pool, "The pool is paused: runs at work go on, and nothing else starts."
    ),
    (Verb.RESUME, Target.POOL): PageAct(Role.ADMIN, _resume_pool, "The pool goes on."),
    (Verb.SET, Target.POOL): PageAct(Role.ADMIN, _set_pool, "The maximum is changed."),
    (Verb.REMOVE, Target.SCHEDULE): PageAct(
        Role.ADMIN, _remove_schedule, "The schedule is removed.", question=lambda _: _GONE
    ),
    (Verb.CANCEL, Target.OPERATION): PageAct(
        Role.ADMIN, _cancel_operation, "The operation is cancelled. What it has done stays done."
    ),
}
"""An act without a line here has no button."""


def name_of(verb: Verb, target: Target) -> str:
    """An act in one word, for addresses."""
    return f"{verb}-{target}"
