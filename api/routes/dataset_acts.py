"""What is done to datasets: load again, delete."""

import logging
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from api.access import Access
from api.acts import Priority, When, check_own, refused_as, said
from api.context import Calling, Requesting, Using
from api.ids import dataset_of
from api.links import dataset_links
from api.lists import one_of
from api.parameters import Body
from api.routes.datasets import topic
from api.routes.jobs import ONE_JOB, whole_job
from api.shapes import model, shape
from dataset_jobs.model.states import JobType
from services.deletions import Deletion
from services.to_json import to_json

__all__ = ["topic"]

_log = logging.getLogger(__name__)

REPROCESSED = model(
    "Reprocessed", "The job that loads a dataset again; `status`, `job_id` and `message` as the old API had them.",
    dataset_id=UUID, job_id=UUID, status=str, message=str, job=ONE_JOB, links=dict[str, str],
)  # fmt: skip
DELETION = shape("Deletion", "What goes with a dataset, and which datasets would count again.", Deletion)


class Reprocess(Body):
    """How it is loaded again."""

    priority: Priority | None = None
    run_at: When | None = None
    pool: str | None = Field(default=None, max_length=200, description="The installation's if it is left out.")


@topic.route(
    "POST", "/v1/datasets/{dataset_id}/reprocess", Access.UPLOADER, status_code=202, summary="Load a dataset again",
    response_model=one_of("OneReprocessed", "A job that loads a dataset again.", REPROCESSED),
    problems=["not-found", "job-unfinished", "field-invalid", "not-json"], example="/v1/datasets/DATASET_ID/reprocess",
)  # fmt: skip
def reprocess(
    using: Using, client: Requesting, caller: Calling, dataset_id: str, body: Reprocess | None = None
) -> Response:
    """Queues a job that loads a dataset again; its rows stay readable until the new ones are there. Uploaders do that
    with what they have uploaded."""
    found, how = dataset_of(client, dataset_id), said(body, Reprocess())
    check_own(client, caller, found)
    with refused_as("job-unfinished"):
        job_id, kind = client.datasets.reprocess(
            found, priority=how.priority or 0, pool=how.pool or using.settings.pool, run_at=how.run_at
        )
    job, runs = client.jobs.get(job_id)
    data = {
        "dataset_id": str(found),
        "job_id": str(job_id),
        "status": "reprocessing" if kind is JobType.REPROCESS else "pending",
        "message": "Dataset queued for reprocessing",
        "job": whole_job(using, job, runs),
        "links": {**dataset_links(found), "job": f"/v1/jobs/{job_id}"},
    }
    headers = {"Location": f"/v1/jobs/{job_id}", "Link": f'</v1/jobs/{job_id}>; rel="monitor"'}
    return JSONResponse({"data": to_json(data)}, 202, {**headers, "Cache-Control": "no-store"})


@topic.route(
    "DELETE", "/v1/datasets/{dataset_id}", Access.ADMIN, status_code=204, summary="Delete a dataset",
    problems=["not-found", "job-unfinished", "field-invalid"], example="/v1/datasets/DATASET_ID?dry_run=true",
    response_class=Response,
    responses={
        204: {"description": "It is gone, with its rows and its jobs."},
        200: {"model": one_of("OneDeletion", "A deletion.", DELETION), "description": "With dry_run: what would go."},
    },
)  # fmt: skip
def delete(request: Request, using: Using, client: Requesting, dataset_id: str, dry_run: bool = False) -> Response:
    """Deletes a dataset with its rows, its jobs and its file. Those that it has superseded count again. `dry_run` says
    what would go."""
    found = dataset_of(client, dataset_id)
    with refused_as("job-unfinished"):
        if dry_run:
            return JSONResponse({"data": to_json(client.datasets.deletion(found))})
        left = client.datasets.forget(found, using.storage)
    if left is not None:  # nothing refers to the file any more, and another request would not find the dataset
        _log.warning("dataset %s is deleted, but its stored file is not: %s", found, left)
    return Response(status_code=204)
