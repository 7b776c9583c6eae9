"""Datasets: lists, one with what it covers, and its file."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote
from uuid import UUID

from anyio.to_thread import run_sync
from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, Field

from api.access import Access
from api.conditional import PRIVATE, answer, not_modified
from api.context import Context, Exchanging, Using
from api.countries import country_code
from api.declared import Topic
from api.ids import dataset_of
from api.links import dataset_links
from api.lists import OldPaging, Several, asked, check_alone, key_place, list_of, one_of, page
from api.problems import Problem
from api.routes.jobs import JOB, NEWEST_FILES, jobs_as_json
from api.shapes import shape
from dataset_jobs.model.errors import FileMissing
from dataset_jobs.model.report import Report
from dataset_jobs.model.states import DatasetStatus, JobState
from dataset_jobs.store.views import DatasetView, JobView
from services.client import Client
from services.datasets import CoveredYear
from services.filters import DatasetFilter, JobFilter
from services.to_json import to_json

topic = Topic("datasets", "Datasets: a file with its country, and what is loaded of it.")

MOST_JOBS = 5
BLOCK = 1 << 18

_OLD: dict[str, Any] = {
    "country_id": UUID | None,
    "country_code": str,
    "country_name": str | None,
    "file_size": int,
    "uploaded_at": datetime,
    "uploaded_by": str | None,
    "processed_at": datetime | None,
    "error_message": str | None,
    "links": dict[str, str],
}
DATASET = shape("Dataset", "A dataset. `number` is for people; `storage_uri` is empty.", DatasetView, **_OLD)
ONE_DATASET = shape(
    "WholeDataset", "A dataset with what it covers, its latest jobs, and the report of its load.", DatasetView,
    coverage=list[shape("CoveredYear", "A year and a sex.", CoveredYear)],  # type: ignore[misc]
    jobs=list[JOB],  # type: ignore[valid-type]
    report=dict[str, Any] | None, processing_time_seconds=float | None, **_OLD,
)  # fmt: skip


class DatasetQuery(OldPaging):
    """Which datasets."""

    country: str | None = Field(None, description="ISO code, or the country's id.")
    status: Annotated[list[DatasetStatus], Several] = Field([], description="In one of these.")
    filename: str | None = Field(None, description="A part of it, or the whole name with * and ?.")
    sha256: str | None = Field(None, pattern="^[0-9a-fA-F]{64}$")
    year: int | None = Field(None, ge=-9999, le=9999, description="It has rows of that year.")
    measure: str | None = None
    region: str | None = None
    since: AwareDatetime | None = Field(None, description="Submitted at that time or later.")
    until: AwareDatetime | None = Field(None, description="Submitted at that time or earlier.")
    batch: str | None = Field(None, description="The name of what was uploaded together.")
    superseded: bool | None = Field(None, description="Whether others count in its place, for all of it.")
    ids: Annotated[list[UUID], Several] = Field([], max_length=50, description="These alone; without other filters.")
    sort: Annotated[str | None, Field(pattern="^newest$", description="There is this order alone.")] = None


@topic.route(
    "GET", "/v1/datasets", Access.VIEWER, response_model=list_of("DatasetList", "Datasets.", DATASET),
    problems=["field-invalid", "cursor-mismatch", "country-not-found"], summary="List datasets",
    example="/v1/datasets?country=US",
)  # fmt: skip
def list_datasets(request: Request, using: Using, query: Annotated[DatasetQuery, Query()]) -> Response:
    """Datasets, the newest first."""
    client = using.client
    if query.ids:
        check_alone(query, "ids")
        return page(request, query, datasets_as_json(client, client.datasets.list(ids=query.ids)), None, client.now())
    with asked():
        selection = client.datasets.select(_filter(client, query))
        found = selection.page(query.limit, key_place(query), query.offset)
        count = selection.count() if query.count else None
    return page(request, query, datasets_as_json(client, found.items), found.next, client.now(), count=count)


@topic.route(
    "GET", "/v1/datasets/{dataset_id}", Access.VIEWER, response_model=one_of("OneDataset", "A dataset.", ONE_DATASET),
    problems=["not-found"], summary="Show a dataset", example="/v1/datasets/DATASET_ID",
)  # fmt: skip
def show_dataset(request: Request, using: Using, dataset_id: str) -> Response:
    """A dataset with what it covers, its latest jobs, and the report of the load whose rows are there. The id may be
    given by its first digits."""
    client = using.client
    dataset = client.datasets.get(dataset_of(client, dataset_id))
    return answer(request, {"data": whole_dataset(client, dataset)})


@topic.route(
    "GET", "/v1/datasets/{dataset_id}/file", Access.VIEWER, problems=["not-found", "file-gone"], gives=(),
    response_class=Response, summary="Download the file of a dataset", example="/v1/datasets/DATASET_ID/file",
    responses={200: {"description": "The bytes as they were submitted.", "content": {"application/octet-stream": {}}}},
)  # fmt: skip
def download(request: Request, using: Using, exchange: Exchanging, dataset_id: str) -> Response:
    """The bytes of the file as they were submitted."""
    dataset = using.client.datasets.get(dataset_of(using.client, dataset_id))
    headers = {"ETag": f'"{dataset.sha256}"', "Cache-Control": PRIVATE}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    content = _opened(using, dataset)
    headers |= {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(dataset.filename, safe='')}",
        "Content-Length": str(dataset.size),
    }
    if exchange.head:
        content.close()
        return Response(None, 200, headers, "application/octet-stream")
    return StreamingResponse(_blocks(content), 200, headers, "application/octet-stream")


def datasets_as_json(client: Client, datasets: Sequence[DatasetView]) -> list[dict[str, Any]]:
    """Datasets as lists have them."""
    countries = client.countries.by_code({one.country for one in datasets})
    by = client.audit.uploaders(one.id for one in datasets)
    found = []
    for one in datasets:
        country = countries.get(one.country)
        found.append(
            {
                # Where storage keeps it is nobody's business out here.
                **to_json(replace(one, storage_uri="")),
                "country_id": None if country is None else str(country.id),
                "country_code": one.country,
                "country_name": None if country is None else country.name,
                "file_size": one.size,
                "uploaded_at": to_json(one.created_at),
                "uploaded_by": by.get(one.id),
                "processed_at": to_json(one.loaded_at),
                "error_message": one.error,
                "links": dataset_links(one.id),
            }
        )
    return found


def whole_dataset(client: Client, dataset: DatasetView) -> dict[str, Any]:
    """A dataset as its own address gives it."""
    jobs = client.jobs.select(JobFilter(dataset_id=dataset.id)).page(MOST_JOBS).items
    [values] = datasets_as_json(client, [dataset])
    return {
        **values,
        "coverage": to_json(client.datasets.coverage(dataset.id)),
        "jobs": jobs_as_json(client, jobs),
        "report": _report(client.datasets.reports([dataset.id]).get(dataset.id)),
        "processing_time_seconds": _took(client, jobs),
    }


def _report(report: Report | None) -> dict[str, Any] | None:
    return None if report is None else {**to_json(report), "is_whole": report.is_whole}


def _took(client: Client, jobs: Sequence[JobView]) -> float | None:
    """How long the latest load took that went through."""
    loaded = next((job for job in jobs if job.state == JobState.COMPLETED), None)
    if loaded is None:
        return None
    for run in reversed(client.jobs.get(loaded.id)[1]):
        if run.committed_at is not None and run.started_at is not None:
            return (run.committed_at - run.started_at).total_seconds()
    return None


def _opened(using: Context, dataset: DatasetView) -> BinaryIO:
    try:
        return using.storage.open(dataset.storage_uri)
    except FileMissing:
        raise Problem(
            "file-gone", f"the file of dataset {dataset.id} is not in storage any more; its rows stay as they are"
        ) from None


async def _blocks(content: BinaryIO) -> AsyncIterator[bytes]:
    """The file block by block. It is closed also if the client goes away."""
    try:
        while block := await run_sync(content.read, BLOCK):
            yield block
    finally:
        content.close()


def _filter(client: Client, query: DatasetQuery) -> DatasetFilter:
    return DatasetFilter(
        statuses=tuple(dict.fromkeys(query.status)),
        country=country_code(client, query.country),
        file=query.filename or None,
        since=query.since,
        until=query.until,
        sha256=query.sha256.lower() if query.sha256 else None,
        year=query.year,
        measure=query.measure,
        region=query.region,
        batch=query.batch,
        superseded=query.superseded,
        newest_files=NEWEST_FILES if query.filename else None,
    )
