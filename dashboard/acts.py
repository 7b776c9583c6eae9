"""What the buttons of pages do: one table, by the words of the offers that services make.

Each act calls the same service as the API's route for it, so it is audited, refused and checked alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from api.access import Caller
from api.acts import Priority, When, check_own, refused_as
from api.context import Context
from api.ids import dataset_of, job_of
from api.problems import Problem
from api.routes.schedule_acts import begin_look
from dashboard import paths
from dataset_jobs.model.requests import NotFound
from dataset_jobs.model.sentences import Sentence, sentence
from services.actions import Target, Verb
from services.client import Client
from services.deletions import question
from services.keys import Role
from services.schedule_words import place_of
from services.steering import STEERS

Given = TypeVar("Given")


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

    def given(self, name: str, kind: Any, otherwise: Given) -> Given:
        """A field that may be left out, as the API reads it.

        Args:
            kind: a type of the API's, such as `When`.
        """
        if not (text := self.said.get(name, "").strip()):
            return otherwise
        try:
            read: Given = TypeAdapter(kind).validate_python(text)
        except ValidationError as error:
            why = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise Problem("field-invalid", f"{name}: {why}", [{"field": name, "message": why}]) from None
        return read

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
        question: asked before it is done, perhaps with what would come of it; None if nothing is lost by pressing it.
    """

    role: Role
    do: Callable[[Asked], str | None]
    outcome: str
    own: bool = False
    question: Callable[[Asked], Sentence | Sequence[Sentence]] | None = None


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
    priority, pool = asked.given("priority", Priority, 0), asked.given("pool", str, asked.using.settings.pool)
    run_at: datetime | timedelta | None = asked.given("run_at", When, None)
    with refused_as("job-unfinished"):
        job_id, _ = asked.client.datasets.reprocess(dataset_id, priority=priority, pool=pool, run_at=run_at)
    return paths.job(job_id)


def _what_goes(asked: Asked) -> Sequence[Sentence]:
    dataset = asked.client.datasets.get(dataset_of(asked.client, asked.id))
    with refused_as("job-unfinished"):
        return question(dataset, asked.client.datasets.deletion(dataset.id))


def _delete(asked: Asked) -> str:
    with refused_as("job-unfinished"):
        asked.client.datasets.forget(dataset_of(asked.client, asked.id), asked.using.storage)
    return paths.datasets()


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
    asked.using.lately.forget(asked.id)
    return paths.KEYS


def _cancel_operation(asked: Asked) -> str:
    try:
        found = UUID(asked.id)
    except ValueError:
        raise NotFound(f"there is no operation {asked.id}") from None
    with refused_as("over"):
        asked.client.operations.cancel(found)
    return paths.operation(found)


def _steers(verb: Verb, target: Target, do: Callable[[Asked], str | None]) -> PageAct:
    """What the terminal can do too: whom it is for, and what is said, stands in services."""
    steer = STEERS[verb, target]
    return PageAct(steer.role, do, steer.outcome, steer.own)


ACTS: Mapping[tuple[Verb, Target], PageAct] = {
    (Verb.CANCEL, Target.JOB): _steers(Verb.CANCEL, Target.JOB, _cancel_job),
    (Verb.RETRY, Target.JOB): _steers(Verb.RETRY, Target.JOB, _retry_job),
    (Verb.RUN_NOW, Target.JOB): _steers(Verb.RUN_NOW, Target.JOB, _run_job_now),
    (Verb.SET, Target.JOB): PageAct(Role.ADMIN, _set_job, "The priority is changed."),
    (Verb.REPROCESS, Target.DATASET): PageAct(
        Role.UPLOADER, _reprocess, "The dataset is loaded again, by this job.", own=True
    ),
    (Verb.DELETE, Target.DATASET): PageAct(Role.ADMIN, _delete, "The dataset is deleted.", question=_what_goes),
    (Verb.PAUSE, Target.POOL): _steers(Verb.PAUSE, Target.POOL, _pause_pool),
    (Verb.RESUME, Target.POOL): _steers(Verb.RESUME, Target.POOL, _resume_pool),
    (Verb.PROBE, Target.POOL): _steers(Verb.PROBE, Target.POOL, _probe_pool),
    (Verb.CANCEL, Target.OPERATION): PageAct(
        Role.ADMIN, _cancel_operation, "The operation is cancelled. What it has done stays done."
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
}
"""An act without a line here has no button."""


def name_of(verb: Verb, target: Target) -> str:
    """An act in one word, for addresses."""
    return f"{verb}-{target}"
