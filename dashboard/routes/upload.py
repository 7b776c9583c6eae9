"""The upload page, what its form is sent to, and the page of what was uploaded together.

A form sends all its files at once, the script of the page one after the other: it asks for the rows of the table alone.
"""

import secrets
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from anyio.to_thread import run_sync
from fastapi import Form, Request, Response
from pydantic import Json
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse

from api.access import Access, Caller
from api.context import Calling, Context, Requesting, Using
from api.declared import Topic
from api.problems import Problem, problem_of
from api.routes.streams import MOST_IDS
from api.upload.digests import check_sha256
from api.upload.fields import Asked, read_fields
from api.upload.receiving import Received
from api.upload.several import Refused, receiving_each
from api.upload.taking import CLIENT_GONE, SUBMITTING, in_address, submission, submit, would_do
from dashboard import paths
from dashboard.declaring import ALSO, shows, takes
from dashboard.outcomes import word_of
from dashboard.rendering import FRAGMENT, HEADERS, page
from dashboard.views.uploads import ChosenFile, FileRow, checked_row, chosen_rows, refused_row, row_of, tally
from dataset_jobs.model.errors import RunError
from services.batches import Batch, read_batch, read_files
from services.client import Client
from services.datasets import MOST_KNOWN
from services.keys import Role
from services.operation_acts import Doing
from services.several import act_on_several
from services.submission import LONGEST_BATCH

topic = Topic("upload page", "Files on their way into the database.")

SHOWN = 200
"""Files of a batch that its page has."""

_WAITS = ("busy", "took-too-long")
"""Problems of one file alone that no other status of its kind is about."""


@shows(topic, paths.UPLOAD, Access.UPLOADER)
def show_upload(request: Request, using: Using, country: str = "") -> Response:
    """A form, with a new batch for what is sent by it."""
    return _page(request, using, _new_batch(), [], country=country)


@takes(
    topic, paths.UPLOAD, Access.UPLOADER, problems=SUBMITTING, body_limit=None, also=(*ALSO, "validate_only"),
)  # fmt: skip
async def take_files(request: Request, using: Using, client: Requesting) -> Response:
    """Takes the files of a form, each for itself: one that is refused does not stop the others."""
    rows: list[FileRow] = []
    asked: Asked | None = None
    batch = _new_batch()
    try:
        async with aclosing(receiving_each(request, using.uploads)) as files:
            async for one in files:
                if isinstance(one, Refused):
                    rows.append(refused_row(one.filename, one.problem))
                    continue
                if asked is None:
                    asked = read_fields({**one.fields, **in_address(request)})
                    batch = asked.batch or batch
                rows.append(await _taken(request, using, client, one, replace(asked, batch=batch)))
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)
    if FRAGMENT in request.headers:
        return await run_sync(page, request, "file_rows", {"rows": rows})
    if not any(row.is_wrong or row.state == "checked" for row in rows):
        return RedirectResponse(paths.batch(batch), 303, HEADERS)
    status = 422 if any(row.is_wrong for row in rows) and (asked is None or not asked.validate_only) else 200
    country = "" if asked is None else asked.country
    return await run_sync(lambda: _page(request, using, batch, rows, status=status, country=country))


@takes(
    topic, f"{paths.UPLOAD}/chosen", Access.UPLOADER, changes=False, problems=["country-not-found"]
)  # fmt: skip
def show_chosen(
    request: Request,
    using: Using,
    files: Annotated[Json[list[ChosenFile]], Form()],
    country: Annotated[str, Form()] = "",
) -> Response:
    """The rows of files that somebody has chosen, in their order: those that are there already need not be sent."""
    client, most = using.client, using.uploads.limits.file_bytes
    hashes = [one.sha256 for one in files if one.sha256][:MOST_KNOWN]
    found = client.datasets.known(country, hashes) if country and hashes else []
    known = read_files(client.database, [one.dataset_id for one in found if one.dataset_id is not None])
    return page(request, "file_rows", {"rows": chosen_rows(files, known, most)})


@shows(topic, "/uploads/{batch:path}", Access.VIEWER)
def show_batch(request: Request, using: Using, caller: Calling, batch: str) -> Response:
    """What was uploaded together: where each file stands."""
    found = read_batch(using.client.database, batch[:LONGEST_BATCH], SHOWN)
    rows = [row_of(one) for one in found.files]
    country = found.files[0].dataset.country if found.files else ""
    return _page(request, using, batch, rows, found, country=country, retryable=len(_retryable(found, using, caller)))


@takes(topic, f"{paths.UPLOAD}/retry", Access.UPLOADER)
def retry_batch(client: Requesting, using: Using, caller: Calling, batch: Annotated[str, Form()]) -> Response:
    """Retries the jobs of a batch that failed of something that may pass."""
    found = read_batch(client.database, batch, SHOWN)
    done = act_on_several(client, Doing.RETRY, _retryable(found, using, caller), lambda _: True)
    return RedirectResponse(paths.with_outcome(paths.batch(batch), word_of(done)), 303, HEADERS)


def _retryable(found: Batch, using: Context, caller: Caller) -> list[UUID]:
    """The jobs that the caller may retry: uploaders those of their own files."""
    if not caller.may(Role.UPLOADER):
        return []
    everything, audit = caller.may(Role.ADMIN), using.client.audit
    return [
        one.job.id
        for one in found.files
        if one.retryable
        and one.job is not None
        and (everything or audit.is_upload_of(one.dataset.id, caller.key_id, caller.name))
    ]


async def _taken(request: Request, using: Context, client: Client, received: Received, asked: Asked) -> FileRow:
    """Submits or checks one file.

    Raises:
        Problem, RunError: it is no fault of this file.
    """
    try:
        check_sha256(asked.sha256, received.content.sha256)
        if asked.validate_only:
            async with using.uploads.checking.taken():
                found = await run_sync(would_do, using, client, received, asked, abandon_on_cancel=True)
            return checked_row(submission(received, asked), found)
        # What has begun is done to its end, also if the server stops meanwhile.
        return await run_sync(_submitted, request, using, client, received, asked)
    except (Problem, RunError) as error:
        problem = problem_of(error)
        if problem is None or problem.code not in (*SUBMITTING, *_WAITS) or problem.status in (401, 507):
            raise
        return refused_row(received.filename, problem, received.content.sha256, received.content.size)


def _submitted(request: Request, using: Context, client: Client, received: Received, asked: Asked) -> FileRow:
    result = submit(request, using, client, received, asked)
    assert result.dataset_id is not None
    [file] = read_files(client.database, [result.dataset_id])
    return row_of(file)


def _page(
    request: Request,
    using: Context,
    batch: str,
    rows: Sequence[FileRow],
    found: Batch | None = None,
    *,
    status: int = 200,
    country: str = "",
    retryable: int = 0,
) -> Response:
    """The page of a batch, also of one that is still to come.

    Args:
        found: the batch as the database has it; None if the rows are what has become of a form.
        country: chosen already.
        retryable: jobs that the viewer may retry.
    """
    countries, _ = using.countries.get()
    values = {
        "batch": batch,
        "is_batch": found is not None,
        "is_whole": found is None or found.is_whole,
        "rows": rows,
        "tally": tally(rows),
        "watched": _watched(found),
        "country": country.upper(),
        "countries": sorted(countries, key=lambda one: one.name),
        "retryable": retryable,
    }
    return page(request, "upload", values, status)


def _watched(found: Batch | None) -> list[UUID]:
    """The newest datasets of a batch whose files are all over: one of them may be loaded again."""
    if found is None or not all(one.is_over for one in found.files):
        return []
    return [one.dataset.id for one in found.files[-MOST_IDS:]]


def _new_batch() -> str:
    """A name that nobody else has chosen."""
    return secrets.token_hex(6)
