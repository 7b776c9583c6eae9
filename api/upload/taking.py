"""What becomes of a file that has come whole: it is submitted, or only checked. For routes of the API and for pages."""

from collections.abc import Mapping, Sequence

from fastapi import Request

from api.access import Via
from api.context import Context
from api.exchange import exchange_of
from api.middleware.callers import Callers
from api.problems import Problem
from api.upload.fields import Asked
from api.upload.receiving import Received
from api.upload.uploads import busy
from dataset_jobs.model.errors import OutOfMemory
from services.client import Client
from services.dataset_maker import SubmitResult
from services.submission import Submission, Verdict, checked_submission
from services.submit import FileOptions
from services.validation import TookTooLong, Validation, validate

RECEIVING = (
    "malformed-multipart", "digest-mismatch", "unsupported-type", "empty-file", "hostile-filename", "field-invalid",
    "country-not-found", "uploads-full", "no-space", "busy", "took-too-long",
)  # fmt: skip
"""The codes of what a route can say that receives a file."""

SUBMITTING = (*RECEIVING, "not-found", "conflict", "overlapping", "dataset-busy")
"""Those of one that also submits it."""

CLIENT_GONE = 499
"""nginx's status for the log; nobody receives it."""


def in_address(request: Request) -> Mapping[str, Sequence[str]]:
    """What the address says of a file."""
    found: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        found.setdefault(name, []).append(value)
    return found


def submit(request: Request, using: Context, client: Client, received: Received, asked: Asked) -> SubmitResult:
    """Submits a file. Runs in a thread.

    Raises:
        Problem: the caller's key was revoked while the file came.
        InvalidRequest, Conflict, RunError: as `Client.submit_checked`.
    """
    caller = exchange_of(request.scope).caller
    if caller is not None and caller.via in (Via.KEY, Via.SESSION):
        Callers(using).still_there(request.scope, request.headers)
    options = FileOptions(
        asked.country, priority=asked.priority, pool=asked.pool or using.settings.pool, run_at=asked.run_at,
        batch=asked.batch,
    )  # fmt: skip
    result = client.submit_checked(using.storage, submission(received, asked), received.content.reader, options)
    using.metrics.uploaded(result.verdict is Verdict.CREATED, received.content.size)
    return result


def would_do(using: Context, client: Client, received: Received, asked: Asked) -> Validation:
    """What a load of a file would do. Runs in a thread.

    Raises:
        Problem: the file was not read in time, or no file can be checked now.
        InvalidRequest, RunError: as `services.validation.validate`.
    """
    try:
        with received.content.reader() as content:
            return validate(client.database, submission(received, asked), asked.country, content, using.read_reports)
    except TookTooLong as error:
        raise Problem("took-too-long", f"{error}; a load may take longer") from None
    except OutOfMemory as error:
        raise busy(str(error)) from None


def submission(received: Received, asked: Asked) -> Submission:
    """A file that has come, checked; raises InvalidRequest for a name or a hint that is not allowed."""
    content = received.content
    return checked_submission(received.filename, content.sha256, content.size, asked.hints, asked.replaces)
