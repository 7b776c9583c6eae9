"""Uploads: send a file, check one, ask which are known."""

from typing import Any
from uuid import UUID

from anyio.to_thread import run_sync
from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from api.access import Access
from api.context import Context, Requesting, Using
from api.declared import Topic
from api.parameters import Body
from api.problems import Problem
from api.routes.datasets import DATASET, datasets_as_json
from api.routes.jobs import JOB, jobs_as_json
from api.upload.answers import (
    Validated,
    form_document,
    raw_document,
    validated,
)
from api.upload.digests import check_sha256
from api.upload.fields import FIELDS, IN_THE_ADDRESS, Asked, read_fields
from api.upload.limits import USUAL
from api.upload.receiving import Received, receiving
from api.upload.taking import CLIENT_GONE, RECEIVING, SUBMITTING, in_address, submit, would_do
from dataset_jobs.model.limits import MIB
from dataset_jobs.store.views import DatasetView
from services.client import Client
from services.dataset_maker import SubmitResult
from services.datasets import MOST_KNOWN
from services.submission import Verdict
from services.to_json import to_json

topic = Topic("uploads", "Files: send them, check them, ask which are known.")

_MESSAGES = {
    Verdict.CREATED: "The file is stored, and a job waits to load it.",
    Verdict.CORRECTED: "The file is known and has no rows yet; its name and hints are now those of this upload.",
    Verdict.RETRIED: "The file is known and has no rows yet; a new job waits to load it.",
    Verdict.UNCHANGED: "The file is known already; nothing was changed.",
    Verdict.RESTORED: "The file is loaded already; its stored bytes were lost and are there again.",
}


class SubmittedShape(BaseModel):
    """An upload that was taken.

    The first four members are those of the old API. `verdict` is created, corrected, retried, unchanged or restored.
    """

    dataset_id: UUID
    job_id: UUID | None
    status: str
    message: str
    verdict: str
    dataset: DATASET  # type: ignore[valid-type]
    job: JOB | None  # type: ignore[valid-type]
    links: dict[str, str]


class Submitted(BaseModel):
    """An upload that was taken."""

    data: SubmittedShape


class KnownShape(BaseModel):
    """Whether these bytes are a dataset already; the rest is of that dataset."""

    sha256: str
    known: bool
    dataset_id: UUID | None
    status: str | None
    job_id: UUID | None


class KnownList(BaseModel):
    """One for each hash, in their order."""

    data: list[KnownShape]


class KnownQuestion(Body):
    """The hashes of files of one country."""

    country: str
    sha256: list[str] = Field(max_length=MOST_KNOWN)


class LimitsShape(BaseModel):
    """What an upload may be. Files are known by their content: other endings and types are taken too."""

    max_file_size: int
    max_file_size_mb: float
    allowed_extensions: list[str]
    allowed_mime_types: list[str]
    concurrency: int


class LimitsAnswer(BaseModel):
    """What an upload may be."""

    data: LimitsShape


@topic.route(
    "POST", "/v1/datasets/upload", Access.UPLOADER, problems=SUBMITTING, body_limit=None, also=IN_THE_ADDRESS,
    summary="Upload a file", response_model=Submitted, status_code=201, openapi_extra=form_document(),
    responses={200: {"model": Submitted | Validated, "description": "Known already, or only checked."}},
    example="-F file=@yob2023.txt -F country=US /v1/datasets/upload",
)  # fmt: skip
async def upload(request: Request, using: Using, client: Requesting) -> Response:
    """Stores a file and makes the job that loads it. The same bytes again change nothing."""
    return await _receive(request, using, client)


@topic.route(
    "PUT", "/v1/datasets/upload/{filename}", Access.UPLOADER, problems=SUBMITTING, body_limit=None, also=tuple(FIELDS),
    summary="Upload a file as it is", response_model=Submitted, status_code=201, openapi_extra=raw_document(),
    responses={200: {"model": Submitted | Validated, "description": "Known already, or only checked."}},
    example="-T yob2023.txt '/v1/datasets/upload/yob2023.txt?country=US'",
)  # fmt: skip
async def upload_raw(request: Request, using: Using, client: Requesting, filename: str) -> Response:
    """The same with the file itself as the body, and what is said of it in the address."""
    return await _receive(request, using, client, filename)


@topic.route(
    "POST", "/v1/datasets/validate", Access.UPLOADER, problems=RECEIVING, body_limit=None, changes=False,
    summary="Check a file", response_model=Validated, openapi_extra=form_document(), also=IN_THE_ADDRESS,
    example="-F file=@yob2023.txt -F country=US /v1/datasets/validate",
)  # fmt: skip
async def check(request: Request, using: Using, client: Requesting) -> Response:
    """Says what is in a file, and what a load of it would do. Nothing is kept. A bad file is a 200 with ok: false."""
    return await _receive(request, using, client, only_check=True)


@topic.route(
    "POST", "/v1/datasets/known", Access.UPLOADER, problems=["field-invalid", "country-not-found", "not-json"],
    changes=False, summary="Ask which files are known",
    example="""--json '{"country": "US", "sha256": ["…"]}' /v1/datasets/known""",
)  # fmt: skip
def known(client: Requesting, asked: KnownQuestion) -> KnownList:
    """Says for up to 1,000 hashes which files are datasets already, so that nobody sends them again."""
    found = client.datasets.known(asked.country, asked.sha256)
    return KnownList(data=[KnownShape(**to_json(one), known=one.dataset_id is not None) for one in found])


@topic.route(
    "GET", "/v1/datasets/upload/limits", Access.VIEWER, summary="Show what an upload may be",
    example="/v1/datasets/upload/limits",
)  # fmt: skip
async def limits(using: Using) -> LimitsAnswer:
    """How large a file may be, and how many are received at a time."""
    most = using.uploads.limits
    return LimitsAnswer(
        data=LimitsShape(
            max_file_size=most.file_bytes,
            max_file_size_mb=most.file_bytes / MIB,
            allowed_extensions=[*USUAL],
            allowed_mime_types=[*dict.fromkeys([*USUAL.values(), "application/octet-stream"])],
            concurrency=most.at_once,
        )
    )


async def _receive(
    request: Request, using: Context, client: Client, filename: str | None = None, *, only_check: bool = False
) -> Response:
    """Receives a file, and submits or checks it.

    Args:
        filename: of a body that is the file itself; what is said of it is in the address.
        only_check: whatever the fields say.
    """
    said = in_address(request)
    early = None if filename is None else read_fields(said)
    uploads = using.uploads
    if only_check:
        uploads.checking.check()
    try:
        async with receiving(request, uploads, _raw_name(request, filename)) as received:
            asked = early or read_fields({**received.fields, **said})
            check_sha256(asked.sha256, received.content.sha256)
            if only_check or asked.validate_only:
                async with uploads.checking.taken():
                    return await run_sync(_check, using, client, received, asked, abandon_on_cancel=True)
            # What has begun is done to its end, also if the server stops meanwhile.
            return await run_sync(_submit, request, using, client, received, asked)
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)


def _raw_name(request: Request, filename: str | None) -> str | None:
    """The name in the address; a form's Content-Type there is a mistake."""
    if filename is not None and request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise Problem(
            "unsupported-type", "PUT takes the file as it is: send a form with POST /v1/datasets/upload, or no form"
        )
    return filename


def _submit(request: Request, using: Context, client: Client, received: Received, asked: Asked) -> Response:
    result = submit(request, using, client, received, asked)
    assert result.dataset_id is not None
    body = _submitted(client, result, client.datasets.get(result.dataset_id))
    headers = {"Location": f"/v1/datasets/{result.dataset_id}"}
    if result.job_id is not None:
        headers["Link"] = f'</v1/jobs/{result.job_id}>; rel="monitor"'
    return JSONResponse(body, 201 if result.verdict is Verdict.CREATED else 200, headers)


def _submitted(client: Client, result: SubmitResult, dataset: DatasetView) -> dict[str, Any]:
    """An upload that was taken, with dataset and job as the lists have them."""
    [shown] = datasets_as_json(client, [dataset])
    jobs = [] if result.job_id is None else jobs_as_json(client, client.jobs.list(ids=[result.job_id]))
    links = {"dataset": f"/v1/datasets/{dataset.id}"}
    if result.job_id is not None:
        links |= {"job": f"/v1/jobs/{result.job_id}", "story": f"/v1/jobs/{result.job_id}/story"}
    data = {
        "dataset_id": dataset.id,
        "job_id": result.job_id,
        "status": dataset.status,
        "message": _MESSAGES[result.verdict],
        "verdict": result.verdict,
        "dataset": shown,
        "job": jobs[0] if jobs else None,
        "links": links,
    }
    found: dict[str, Any] = to_json({"data": data})
    return found


def _check(using: Context, client: Client, received: Received, asked: Asked) -> Response:
    return JSONResponse(validated(would_do(using, client, received, asked)))
