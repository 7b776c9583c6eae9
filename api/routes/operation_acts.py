"""Operations: one act over all jobs or datasets that match; what it would do, and its end."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from api.access import Access
from api.acts import Priority, When, acted, refused_as
from api.context import Requesting, Using
from api.countries import country_code
from api.lists import one_of
from api.parameters import Body
from api.routes.jobs import NEWEST_FILES
from api.routes.operations import OPERATION, show_operation, topic
from api.shapes import model
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.states import DatasetStatus, JobState, JobType
from services.client import Client
from services.filters import DatasetFilter, JobFilter
from services.operation_acts import Doing, Options
from services.operations import MOST, Operation, Preview, TooMany

__all__ = ["begun", "preview_values", "topic"]

CANNOT = model("Cannot", "Why it is not possible, and for how many.", why=str, count=int)
PREVIEW = one_of(
    "OnePreview", "What an operation would do now.",
    model(
        "Preview", "What an operation would do now: `first` and `last` are the oldest and the newest that match.",
        matching=int, can=int, cannot=list[CANNOT], first=UUID | None, last=UUID | None,  # type: ignore[valid-type]
    ),
)  # fmt: skip
_OPERATION = one_of("OneOperation", "An operation.", OPERATION)


def _words(given: Any) -> Any:
    """A text is a list of one, or of several with commas."""
    return given.split(",") if isinstance(given, str) else given


_Words = BeforeValidator(_words)


class OperationFilter(Body):
    """Which jobs, or which datasets: all that it says must hold, and it must say something."""

    state: Annotated[list[JobState], _Words] = Field([], description="Jobs in one of these.")
    pool: str | None = Field(None, description="Jobs of this pool.")
    cause: Annotated[list[Cause], _Words] = Field([], description="Jobs whose last run that ended badly did so of it.")
    reason: str | None = Field(None, description="Jobs whose latest run has it. `none`: whose latest run has none.")
    ended_since: AwareDatetime | None = Field(None, description="Jobs that ended at that time or later.")
    type: JobType | None = Field(None, description="Jobs of this type.")
    dataset_id: UUID | None = Field(None, description="Jobs of this dataset.")
    status: Annotated[list[DatasetStatus], _Words] = Field([], description="Datasets in one of these.")
    sha256: str | None = Field(None, pattern="^[0-9a-fA-F]{64}$", description="Datasets of these bytes.")
    year: int | None = Field(None, ge=-9999, le=9999, description="Datasets with rows of that year.")
    measure: str | None = Field(None, description="Datasets of it.")
    region: str | None = Field(None, description="Datasets of it.")
    superseded: bool | None = Field(None, description="Datasets in whose place others count, or not.")
    country: str | None = Field(None, description="ISO code, or the country's id.")
    filename: str | None = Field(None, description="A part of it, or the whole name with * and ?.")
    since: AwareDatetime | None = Field(None, description="Submitted at that time or later.")
    until: AwareDatetime | None = Field(None, description="Submitted at that time or earlier.")
    batch: str | None = Field(None, description="The name of what was uploaded together.")


_OF_JOBS = ("state", "pool", "cause", "reason", "type", "dataset_id", "ended_since")
_OF_DATASETS = ("status", "sha256", "year", "measure", "region", "superseded")


class NewOperation(Body):
    """One act over all that match."""

    action: Literal["retry", "cancel", "set", "reprocess", "delete"]
    filter: OperationFilter
    dry_run: bool = Field(False, description="Only say what it would do.")
    limit: int = Field(MOST, ge=1, le=MOST, description="If more match, nothing is done.")
    priority: Priority | None = Field(None, description="For retry, set and reprocess.")
    run_at: When | None = None
    pool: str | None = Field(None, max_length=200, description="For set and reprocess.")

    @property
    def doing(self) -> Doing:
        """The act."""
        return Doing(self.action)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = {name for name, value in self.filter if value not in (None, [])}
        if not given:
            raise ValueError("filter: say which; all there are match since 1970-01-01T00:00:00Z")
        ours, theirs = ("datasets", _OF_JOBS) if self.doing.is_of_datasets else ("jobs", _OF_DATASETS)
        if wrong := sorted(given & {*theirs}):
            raise ValueError(f"filter: {self.action} is an act on {ours}, and {', '.join(wrong)} is not of those")
        return self


@topic.route(
    "POST", "/v1/operations", Access.ADMIN, status_code=202, response_model=_OPERATION, summary="Start an operation",
    responses={200: {"model": PREVIEW, "description": "With dry_run: what it would do."}},
    problems=["field-invalid", "not-json", "country-not-found", "too-many"], example="/v1/operations",
)  # fmt: skip
def start(request: Request, using: Using, client: Requesting, body: NewOperation) -> Response:
    """Does one act with all that match now, 50 in a transaction, and each once whoever dies meanwhile. What comes later
    does not belong to it. `dry_run` says for how many it is possible, and why not for the others."""
    which = _filter(client, body)
    options = Options(body.priority, _time(client, body.run_at), body.pool)
    with refused_as("conflict", {TooMany: "too-many"}):
        if body.dry_run:
            return preview_values(client.operations.preview(body.doing, which, options, body.limit))
        made = client.operations.start(body.doing, which, options, body.limit)
    return begun(request, using, made)


@topic.route(
    "POST", "/v1/operations/{operation_id}/cancel", Access.ADMIN, response_model=_OPERATION,
    problems=["not-found", "over"], summary="Cancel an operation", example="/v1/operations/OPERATION_ID/cancel",
)  # fmt: skip
def cancel(request: Request, using: Using, client: Requesting, operation_id: UUID) -> Response:
    """Ends an operation. What is done stays done."""
    with refused_as("over"):
        client.operations.cancel(operation_id)
    return acted(show_operation(request, using, operation_id))


def begun(request: Request, using: Using, operation: Operation) -> Response:
    """The answer to a request that has started an operation; this process carries it on."""
    using.background.wake()
    return acted(show_operation(request, using, operation.id), 202, f"/v1/operations/{operation.id}")


def preview_values(preview: Preview) -> Response:
    """The answer to a request for what an operation would do."""
    data = {
        "matching": preview.matching,
        "can": preview.can,
        "cannot": [{"why": why, "count": count} for why, count in preview.cannot],
        "first": preview.first and str(preview.first),
        "last": preview.last and str(preview.last),
    }
    return JSONResponse({"data": data}, headers={"Cache-Control": "no-store"})


def _time(client: Client, given: Any) -> datetime | None:
    """A time that stays the same for all batches."""
    return given if given is None or isinstance(given, datetime) else client.now() + given


def _filter(client: Client, body: NewOperation) -> JobFilter | DatasetFilter:
    said = body.filter
    both: dict[str, Any] = {
        "country": country_code(client, said.country),
        "file": said.filename or None,
        "since": said.since,
        "until": said.until,
        "batch": said.batch,
        "newest_files": NEWEST_FILES if said.filename else None,
    }
    if body.doing.is_of_datasets:
        return DatasetFilter(
            statuses=tuple(dict.fromkeys(said.status)),
            sha256=said.sha256.lower() if said.sha256 else None,
            year=said.year,
            measure=said.measure,
            region=said.region,
            superseded=said.superseded,
            **both,
        )
    return JobFilter(
        states=tuple(dict.fromkeys(said.state)),
        causes=tuple(dict.fromkeys(said.cause)),
        pool=said.pool,
        reason=said.reason,
        kind=said.type,
        dataset_id=said.dataset_id,
        ended_since=said.ended_since,
        **both,
    )
