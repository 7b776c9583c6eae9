"""Jobs and their runs: lists, one with its progress and what it waits for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import AwareDatetime, Field

from api.access import Access
from api.conditional import answer
from api.context import Context, Using
from api.countries import country_code
from api.declared import Topic
from api.ids import job_of
from api.links import job_links, linked
from api.lists import (
    OldPaging,
    Paging,
    Several,
    asked,
    check_alone,
    check_unfiltered,
    key_place,
    list_of,
    one_of,
    page,
    place,
)
from api.parameters import Body
from api.shapes import model, open_words, shape, written
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.states import JobState, JobType
from dataset_jobs.store.views import JobView, Progress, RunView
from services.client import Client
from services.explain import ExplainedRun, outcome_of
from services.filters import JobFilter
from services.job_pages import JobOrder, order_of
from services.jobs import version_of
from services.progress import pace
from services.run_story import run_story
from services.to_json import to_json
from services.waiting import Waiting

topic = Topic("jobs", "Jobs and their runs: where they stand, and what they wait for.")

NEWEST_FILES = 100_000
"""What a file name contains is looked for in the newest so many datasets."""

PROGRESS = model(
    "JobProgress", "How far a job is; `at` is when its run was heard of last.",
    bytes_done=int, bytes=int, rows_done=int, share=float | None, at=datetime | None,
)  # fmt: skip

_STATE = open_words(*JobState)
_OLD: dict[str, Any] = {"status": _STATE, "completed_at": datetime | None}
_MORE: dict[str, Any] = {"waiting": written(Waiting | None), "links": dict[str, str]}
JOB = shape("Job", "A job. `number` is for people.", JobView, **_OLD, **_MORE)
ONE_JOB = shape(
    "WholeJob", "A job with how far it is.", JobView, progress=PROGRESS, started_at=datetime | None, max_attempts=int,
    processing_time_seconds=float | None, **_OLD, **_MORE,
)  # fmt: skip
TOGETHER = shape(
    "Progress", "How many jobs are in each state, and how far they are together; `waiting` ones wait for a retry.",
    Progress,
)  # fmt: skip
RUN = shape("Run", "A try at a job, in words too, with what was decided after it.", RunView, sentence=str, decided=str)


MOST_IDS = 1_000
"""Jobs whose progress can be asked for at a time."""


class JobQuery(OldPaging):
    """Which jobs."""

    state: Annotated[list[JobState], Several] = Field([], description="In one of these states.")
    status: Annotated[list[JobState], Several] = Field([], description="The same, as old clients spell it.")
    pool: str | None = None
    country: str | None = Field(None, description="ISO code, or the country's id.")
    cause: Annotated[list[Cause], Several] = Field([], description="Of the last run that ended badly.")
    reason: str | None = Field(None, description="Of the latest run; it says more than the cause. `none`: without one.")
    type: JobType | None = None
    dataset_id: UUID | None = None
    filename: str | None = Field(None, description="A part of it, or the whole name with * and ?.")
    since: AwareDatetime | None = Field(None, description="Submitted at that time or later.")
    until: AwareDatetime | None = Field(None, description="Submitted at that time or earlier.")
    ended_since: AwareDatetime | None = Field(None, description="Completed, failed or cancelled at that time or later.")
    batch: str | None = Field(None, description="The name of what was uploaded together.")
    ids: Annotated[list[UUID], Several] = Field([], max_length=50, description="These alone; without other filters.")
    sort: Annotated[
        str | None,
        Field(
            pattern="^(newest|finished)$",
            description="newest: the newest first, whatever the filter. finished: the one that ended last first; "
            "without a filter, of those that are over.",
        ),
    ] = None


@topic.route(
    "GET", "/v1/jobs", Access.VIEWER, response_model=list_of("JobList", "Jobs.", JOB), summary="List jobs",
    problems=["field-invalid", "cursor-mismatch", "country-not-found"], example="/v1/jobs?state=failed",
)  # fmt: skip
def list_jobs(request: Request, using: Using, query: Annotated[JobQuery, Query()]) -> Response:
    """Jobs in the natural order of the filter, which `meta.order` says: queued ones as they are claimed, scheduled ones
    as they are due, else the newest first. `sort` asks for another one."""
    client = using.client
    if query.ids:
        return _these(request, client, query)
    with asked():
        which = _filter(client, query)
        order = JobOrder(query.sort) if query.sort else order_of(which)
        if order is JobOrder.FINISHED:
            check_unfiltered(query)
        found = client.jobs.page(which, query.limit, place(query, order), query.offset, order)
        count = client.jobs.select(which).count() if query.count else None
    now = client.now()
    return page(request, query, jobs_as_json(client, found.items, now), found.next, now, order=found.order, count=count)


class JobIds(Body):
    """Some jobs."""

    ids: list[UUID] = Field(max_length=MOST_IDS)


@topic.route(
    "POST", "/v1/jobs/progress", Access.VIEWER, response_model=one_of("OneProgress", "How far jobs are.", TOGETHER),
    problems=["field-invalid", "not-json"], changes=False, summary="Show how far jobs are together",
    example="""--json '{"ids": ["JOB_ID"]}' /v1/jobs/progress""",
)  # fmt: skip
def show_progress(request: Request, using: Using, asked_for: JobIds) -> Response:
    """How far up to 1,000 jobs are together; those that are gone do not count."""
    return answer(request, {"data": to_json(using.client.jobs.progress(asked_for.ids))})


@topic.route(
    "GET", "/v1/jobs/{job_id}", Access.VIEWER, response_model=one_of("OneJob", "A job.", ONE_JOB), summary="Show a job",
    problems=["not-found"], example="/v1/jobs/JOB_ID",
)  # fmt: skip
def show_job(request: Request, using: Using, job_id: str) -> Response:
    """A job with its progress, and why it waits. The id may be given by its first digits."""
    job, runs = using.client.jobs.get(job_of(using.client, job_id))
    return answer(request, {"data": whole_job(using, job, runs)}, version=version_of(job))


@topic.route(
    "GET", "/v1/jobs/{job_id}/runs", Access.VIEWER, response_model=list_of("RunList", "Runs.", RUN),
    problems=["not-found", "field-invalid", "cursor-mismatch"], summary="List the runs of a job",
    example="/v1/jobs/JOB_ID/runs",
)  # fmt: skip
def list_runs(request: Request, using: Using, job_id: str, query: Annotated[Paging, Query()]) -> Response:
    """The runs of a job, the first one first: what was seen of each, and what was decided after it."""
    _, runs = using.client.jobs.get(job_of(using.client, job_id))
    after = key_place(query, "epoch")
    rest = [run for run in runs if after is None or run.epoch > after]
    shown, now = rest[: query.limit], using.client.now()
    data = [_run(run, now) for run in shown]
    return page(request, query, data, shown[-1].epoch if len(rest) > len(shown) else None, now, "epoch")


def jobs_as_json(client: Client, jobs: Sequence[JobView], now: datetime | None = None) -> list[Any]:
    """Jobs as lists have them.

    Args:
        now: by the database's clock, if it is read already.
    """
    waiting = client.waiting(jobs, now)
    return [_job(job, waiting.get(job.id)) for job in jobs]


def whole_job(context: Context, job: JobView, runs: Sequence[RunView]) -> dict[str, Any]:
    """A job as its own address gives it."""
    last = runs[-1] if runs else None
    started = None if last is None else last.started_at
    ended = None if last is None else last.committed_at or last.ended_at
    took = None if started is None or ended is None else (ended - started).total_seconds()
    return {
        **_job(job, context.client.waiting([job]).get(job.id)),
        "progress": progress_of(job, last),
        "started_at": to_json(started),
        "max_attempts": _max_attempts(context, runs),
        "processing_time_seconds": took,
    }


def progress_of(job: JobView, last: RunView | None) -> dict[str, Any]:
    """How far a job is by its latest run."""
    size, read = job.size, job.bytes_done or 0
    done = job.state == JobState.COMPLETED
    share = 1.0 if done else round(min(1.0, read / size), 4) if last is not None and size else None
    its_pace = pace(last)
    return {
        "bytes_done": read, "bytes": size, "rows_done": job.rows_done or 0, "share": share,
        "at": to_json(its_pace and its_pace.heard_at),
    }  # fmt: skip


def _job(job: JobView, waiting: Waiting | None) -> dict[str, Any]:
    return {
        **to_json(job),
        "status": job.state,
        "completed_at": to_json(job.finished_at),
        "waiting": linked(waiting),
        "links": job_links(job.id, job.dataset_id, job.pool),
    }


def _run(run: RunView, now: datetime) -> dict[str, Any]:
    told = run_story(ExplainedRun(run, outcome_of(run), ()), now)
    return {**to_json(run), "sentence": to_json(told.sentence), "decided": to_json(told.decided)}


def _max_attempts(context: Context, runs: Sequence[RunView]) -> int:
    """As the last decision has it; before there is one, by the settings."""
    for run in reversed(runs):
        most = (run.decision or {}).get("max_attempts")
        if isinstance(most, int):
            return most
    return context.settings.worker_max_retries + 1


def _these(request: Request, client: Client, query: JobQuery) -> Response:
    check_alone(query, "ids")
    jobs, now = client.jobs.list(ids=query.ids), client.now()
    return page(request, query, jobs_as_json(client, jobs, now), None, now, order=JobOrder.NEWEST)


def _filter(client: Client, query: JobQuery) -> JobFilter:
    return JobFilter(
        states=tuple(dict.fromkeys([*query.state, *query.status])),
        causes=tuple(dict.fromkeys(query.cause)),
        country=country_code(client, query.country),
        file=query.filename or None,
        pool=query.pool,
        since=query.since,
        dataset_id=query.dataset_id,
        until=query.until,
        reason=query.reason,
        kind=query.type,
        batch=query.batch,
        newest_files=NEWEST_FILES if query.filename else None,
        ended_since=query.ended_since,
    )
