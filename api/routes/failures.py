"""The failed jobs, in groups of those that failed alike."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from api.access import Access
from api.conditional import answer
from api.context import Using
from api.countries import country_code
from api.declared import Topic
from api.links import linked
from api.lists import asked
from api.shapes import model, shape
from dataset_jobs.model.causes import Cause
from services.failures import FailureGroup

topic = Topic("failures", "The failed jobs by what they failed of.")

MOST_IDS = 10_000

_FLAT = ("cause", "reason", "first_at", "last_at", "sample_job")
GROUP = shape(
    "FailureGroup", "Jobs that failed alike, with what to do. `jobs` has more about them.", FailureGroup,
    cause=str, reason=str | None, count=int, first_at=datetime, last_at=datetime, sample_job=str,
)  # fmt: skip
META = model("FailuresMeta", "`exact` is false if more than the newest 10,000 failed.", exact=bool, as_of=datetime)


class FailureQuery(BaseModel):
    """Which failures."""

    pool: str | None = None
    country: str | None = Field(None, description="ISO code, or the country's id.")
    since: AwareDatetime | None = Field(None, description="That failed at that time or later.")


@topic.route(
    "GET", "/v1/failures", Access.VIEWER, problems=["country-not-found"], summary="List failures by cause",
    response_model=model("FailureList", "Failures.", data=list[GROUP], meta=META),  # type: ignore[valid-type]
    example="/v1/failures",
)  # fmt: skip
def list_failures(request: Request, using: Using, query: Annotated[FailureQuery, Query()]) -> Response:
    """The failed jobs that can be retried, in groups by cause and reason, the largest first, with what to do."""
    client = using.client
    if (query.pool, query.country, query.since) == (None, None, None):
        figures = using.sampler.figures()
        found, as_of = figures.failures, figures.counted_at
    else:
        with asked():
            found = client.failures(pool=query.pool, country=country_code(client, query.country), since=query.since)
        as_of = client.now()
    data = [_group(one) for one in found.groups]
    return answer(request, {"data": data, "meta": {"exact": found.exact, "as_of": as_of}})


class RetryableQuery(BaseModel):
    """Which of them."""

    cause: Cause | None = Field(None, description="That failed of it.")


@topic.route(
    "GET", "/v1/failures/jobs", Access.VIEWER, response_model=model("FailedJobIds", "Failed jobs.", data=list[UUID]),
    summary="List the failed jobs that can be retried", example="/v1/failures/jobs",
)  # fmt: skip
def list_failed(request: Request, using: Using, query: Annotated[RetryableQuery, Query()]) -> Response:
    """The ids of the failed jobs that can be retried, the oldest failure first: at most the first 10,000."""
    return answer(request, {"data": using.client.jobs.failed(query.cause)[:MOST_IDS]})


def _group(group: FailureGroup) -> dict[str, Any]:
    values: dict[str, Any] = linked(group)
    return {**values, **{name: values["jobs"][name] for name in _FLAT}, "count": values["jobs"]["jobs"]}
