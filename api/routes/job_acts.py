"""What is done to jobs: cancel, retry, run now, change, and purge."""

from datetime import timedelta
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field, model_validator

from api.access import Access
from api.acts import Duration, Priority, Reason, When, acted, check_own, refused_as, said
from api.conditional import versions_seen
from api.context import Calling, Requesting, Using
from api.ids import job_of
from api.lists import Several, asked, one_of
from api.parameters import Body
from api.routes.jobs import ONE_JOB, show_job, topic
from api.routes.operation_acts import PREVIEW, begun, preview_values
from api.routes.operations import OPERATION
from dataset_jobs.model.states import FINISHED, JobState
from services.filters import JobFilter
from services.jobs import Cancel, Changed
from services.operation_acts import Doing, Options

__all__ = ["topic"]

_JOB = one_of("OneJob", "A job.", ONE_JOB)


class Retry(Body):
    """How it is retried."""

    priority: Priority | None = None
    run_at: When | None = None
    dry_run: Annotated[bool, Field(description="Only find out whether it could be.")] = False


class JobChange(Body):
    """What changes of a job that waits; what is left out stays."""

    priority: Priority | None = None
    run_at: When | None = None
    pool: str | None = Field(None, max_length=200)

    @model_validator(mode="after")
    def _changes_something(self) -> "JobChange":
        if self.priority is None and self.run_at is None and self.pool is None:
            raise ValueError("give a priority, a time or a pool")
        return self


@topic.route(
    "POST", "/v1/jobs/{job_id}/cancel", Access.UPLOADER, response_model=_JOB, summary="Cancel a job",
    problems=["not-found", "completed-already", "field-invalid", "not-json"], example="/v1/jobs/JOB_ID/cancel",
    responses={202: {"model": _JOB, "description": "Its run is being stopped, and commits nothing any more."}},
)  # fmt: skip
def cancel_job(
    request: Request, using: Using, client: Requesting, caller: Calling, job_id: str, body: Reason | None = None
) -> Response:
    """Cancels a job that waits; has the run of one at work stopped, which commits nothing any more. Uploaders cancel
    what they have uploaded."""
    job = client.jobs.one(job_of(client, job_id))
    check_own(client, caller, job.dataset_id)
    with refused_as("completed-already"):
        result = client.jobs.cancel(job.id, said(body, Reason()).reason)
    return acted(show_job(request, using, str(job.id)), 202 if result is Cancel.REQUESTED else 200)


@topic.route(
    "POST", "/v1/jobs/{job_id}/retry", Access.UPLOADER, response_model=_JOB, summary="Retry a job",
    problems=["not-found", "cannot-be-put-back", "field-invalid", "not-json"], example="/v1/jobs/JOB_ID/retry",
)  # fmt: skip
def retry_job(
    request: Request, using: Using, client: Requesting, caller: Calling, job_id: str, body: Retry | None = None
) -> Response:
    """Queues a failed or cancelled job again, with fresh budgets; its runs stay. Uploaders retry what they have
    uploaded."""
    job = client.jobs.one(job_of(client, job_id))
    check_own(client, caller, job.dataset_id)
    how = said(body, Retry())
    with refused_as("cannot-be-put-back"):
        client.jobs.retry(job.id, priority=how.priority, run_at=how.run_at, dry_run=how.dry_run)
    return acted(show_job(request, using, str(job.id)))


@topic.route(
    "POST", "/v1/jobs/{job_id}/run-now", Access.ADMIN, response_model=_JOB, summary="Run a job now",
    problems=["not-found", "not-waiting"], example="/v1/jobs/JOB_ID/run-now",
)  # fmt: skip
def run_job_now(request: Request, using: Using, client: Requesting, job_id: str) -> Response:
    """Brings a job that waits for its time forward to now. It is claimed when its pool has room."""
    found = job_of(client, job_id)
    with refused_as("not-waiting"):
        client.jobs.reschedule(found, run_at=timedelta(0))
    return acted(show_job(request, using, str(found)))


@topic.route(
    "PATCH", "/v1/jobs/{job_id}", Access.ADMIN, response_model=_JOB, summary="Change a job that waits",
    problems=["not-found", "not-waiting", "changed", "field-invalid", "not-json"], example="/v1/jobs/JOB_ID",
)  # fmt: skip
def change_job(request: Request, using: Using, client: Requesting, job_id: str, body: JobChange) -> Response:
    """Changes priority, time or pool of a job that waits. With `If-Match` and the ETag of its GET only if nobody has
    moved or changed it since: its place in the queue and its progress may be others."""
    found = job_of(client, job_id)
    with refused_as("not-waiting", {Changed: "changed"}):
        client.jobs.reschedule(
            found, priority=body.priority, run_at=body.run_at, pool=body.pool, versions=versions_seen(request)
        )
    return acted(show_job(request, using, str(found)))


class PurgeQuery(BaseModel):
    """Which jobs are purged."""

    older_than: Duration
    state: Annotated[list[JobState], Several] = Field([], description="In one of these; all that are finished.")
    dry_run: bool = Field(False, description="Only say how many there are.")


@topic.route(
    "DELETE", "/v1/jobs", Access.ADMIN, status_code=202, summary="Purge jobs that finished long ago",
    response_model=one_of("OneOperation", "An operation.", OPERATION), problems=["field-invalid"],
    responses={200: {"model": PREVIEW, "description": "With dry_run: what it would do."}},
    example="/v1/jobs?older_than=90d&dry_run=true",
)  # fmt: skip
def purge_jobs(request: Request, using: Using, client: Requesting, query: Annotated[PurgeQuery, Query()]) -> Response:
    """Removes jobs that finished longer ago than `older_than`, with their runs, as an operation. Datasets and their
    rows stay."""
    which, options = JobFilter(tuple(query.state or FINISHED)), Options(older_than=query.older_than)
    with asked():
        if query.dry_run:
            return preview_values(client.operations.preview(Doing.PURGE, which, options))
        made = client.operations.start(Doing.PURGE, which, options)
    return begun(request, using, made)
