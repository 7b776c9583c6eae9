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
from api.routes.schedule_acts import begin_look
from dashboard import paths
from dataset_jobs.model.causes import Cause, cause_of
from dataset_jobs.model.sentences import Sentence, counted, sentence
from dataset_jobs.model.states import JobState
from services.actions import Target, Verb
from services.client import Client
from services.filters import JobFilter
from services.keys import Role
from services.operation_acts import Doing
from services.schedule_words import place_of


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


def _probe_pool(asked: Asked) -> None:
    asked.client.pools.probe(asked.id)


def _set_pool(asked: Asked) -> None:
    with refused_as("pool-is-described"):
        asked.client.pools.set(asked.id, max_running=asked.number("max_running"))


def _run_schedule(asked: Asked) -> None:
    begin_look(asked.using, asked.client, asked.id, lambda: None)


def _pause_schedule(asked: Asked) -> None:
    asked.client.schedules.pause(asked.id, True)


def _resume_schedule(asked: Asked) -> None:
    asked.client.schedules.pause(asked.id, False)


def _what_stays(asked: Asked) -> Sentence:
    found = asked.client.schedules.get(asked.id)
    return sentence("remove schedule {}, which looks at {}? What it has submitted stays.", found.name, place_of(found))


def _remove_schedule(asked: Asked) -> str:
    asked.client.schedules.remove(asked.id)
    return paths.SCHEDULES


def _what_ends(asked: Asked) -> Sentence:
    key = next((one for one in asked.client.keys.all() if one.id == asked.id), None)
    if key is None:
        raise Problem("not-found", f"there is no key {asked.id}")
    text = sentence(
        "revoke key {} of {}, with the role {}? Whoever has it is logged out at once.", key.id, key.name, key.role
    )
    return text if key.id != asked.caller.key_id else sentence("{} It is your own.", text)


def _revoke_key(asked: Asked) -> str:
    asked.client.keys.revoke(asked.id)
    return paths.KEYS


def _failed_of(asked: Asked) -> JobFilter:
    cause: Cause | None = cause_of(asked.id)
    if cause is None:
        raise Problem("field-invalid", f"id: there is no cause {asked.id!r}", [{"field": "id", "message": "no cause"}])
    return JobFilter((JobState.FAILED,), (cause,))


def _how_many_failed(asked: Asked) -> Sentence:
    found = asked.client.operations.preview(Doing.RETRY, _failed_of(asked))
    text = sentence("retry {} that failed of {}?", counted(found.can, "job"), asked.id)
    for why, count in found.cannot:
        text = sentence("{} {} cannot be: {}.", text, counted(count, "job"), why)
    return text


def _retry_failed(asked: Asked) -> str:
    asked.client.operations.start(Doing.RETRY, _failed_of(asked))
    asked.using.background.wake()
    return paths.jobs(f"state:failed cause:{asked.id}")


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
    (Verb.PROBE, Target.POOL): PageAct(
        Role.ADMIN, _probe_pool, "One run is tried now; the pool goes on when it starts."
    ),
    (Verb.SET, Target.POOL): PageAct(Role.ADMIN, _set_pool, "The maximum is changed."),
    (Verb.RUN_NOW, Target.SCHEDULE): PageAct(
        Role.ADMIN, _run_schedule, "It is being looked at now; its last result says what comes of it."
    ),
    (Verb.PAUSE, Target.SCHEDULE): PageAct(Role.ADMIN, _pause_schedule, "The schedule is paused."),
    (Verb.RESUME, Target.SCHEDULE): PageAct(
        Role.ADMIN, _resume_schedule, "The schedule goes on: one look makes up for those that it missed."
    ),
    (Verb.REMOVE, Target.SCHEDULE): PageAct(
        Role.ADMIN, _remove_schedule, "The schedule is removed.", question=_what_stays
    ),
    (Verb.REVOKE, Target.KEY): PageAct(Role.ADMIN, _revoke_key, "The key is revoked.", question=_what_ends),
    (Verb.RETRY, Target.FAILED_JOBS): PageAct(
        Role.ADMIN, _retry_failed, "The jobs are being retried.", question=_how_many_failed
    ),
}
"""An act without a line here has no button."""


def name_of(verb: Verb, target: Target) -> str:
    """An act in one word, for addresses."""
    return f"{verb}-{target}"


OUTCOMES: Mapping[str, str] = {
    **{name_of(*what): act.outcome for what, act in ACTS.items()},
    "schedule-added": "The schedule is added.",
    "logged-out-others": "The other logins with your key are ended.",
    "schedule-changed": "The schedule is changed.",
}
"""What a page may say has just been done."""
