"""Operations: one act over all jobs that match. What it would do is asked first; then its page says how far it is."""

from uuid import UUID, uuid4

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from api.access import Access
from api.acts import refused_as
from api.context import Requesting, Using
from api.declared import Topic
from api.lists import asked
from api.problems import Problem
from dashboard import paths
from dashboard.declaring import shows, takes
from dashboard.forms import Fields
from dashboard.outcomes import STARTED
from dashboard.rendering import HEADERS, page
from services.job_words import JobWords, read_words
from services.operation_acts import Doing
from services.operation_story import operation_story, title_of
from services.operations import TooMany

topic = Topic("pages of operations", "One act over all jobs that match, and how far it is.")

SHOWN = 50
"""Operations of a page."""

OFFERED = (Doing.RETRY, Doing.CANCEL)
"""What pages do with all that match."""


@shows(topic, paths.OPERATIONS, Access.VIEWER, problems=["field-invalid"])
def list_operations(request: Request, using: Using, before: int | None = None) -> Response:
    """The newest ones, a page after the other."""
    found = using.client.operations.page(SHOWN + 1, before)
    values = {
        "stories": [operation_story(one) for one in found[:SHOWN]],
        "next": paths.operations_before(found[SHOWN - 1].key) if len(found) > SHOWN else None,
        "is_first": before is None,
        "running": any(one.state == "running" for one in found[:SHOWN]),
    }
    return page(request, "operations", values)


@shows(topic, f"{paths.OPERATIONS}/new", Access.ADMIN, problems=["field-invalid", "country-not-found", "too-many"])
def ask(request: Request, using: Using, action: str = "", q: str = "") -> Response:
    """What an operation would do now, and whether it is to begin. Nothing is written."""
    with asked():
        doing, words = _said(action, q)
        with refused_as("conflict", {TooMany: "too-many"}):
            preview = using.client.operations.preview(doing, words.which)
    values = {
        "preview": preview,
        "title": title_of(doing, preview.can),
        "fields": {"action": doing, "q": words.text, "operation": str(uuid4())},
        "jobs": paths.jobs(words.text),
        "words": words.text,
    }
    return page(request, "operation_question", values)


@shows(topic, f"{paths.OPERATIONS}/{{operation_id}}", Access.VIEWER, problems=["not-found"])
def show_operation(request: Request, using: Using, operation_id: UUID) -> Response:
    """What it does, by whom, how far it is, and what is still to do."""
    return page(request, "operation", {"story": operation_story(using.client.operations.get(operation_id))})


@takes(topic, paths.OPERATIONS, Access.ADMIN, problems=["country-not-found", "too-many", "conflict"])
def start(using: Using, client: Requesting, form: Fields) -> Response:
    """Starts the operation that was asked about. Its id is in the form: who presses twice starts one."""
    doing, words = _said(form.get("action", ""), form.get("q", ""))
    try:
        operation_id = UUID(form.get("operation", ""))
    except ValueError:
        raise _wrong("operation", "go back, and load the page again") from None
    with refused_as("conflict", {TooMany: "too-many"}):
        made = client.operations.start(doing, words.which, operation_id=operation_id)
    using.background.wake()
    return RedirectResponse(paths.with_outcome(paths.operation(made.id), STARTED), 303, HEADERS)


def _said(action: str, q: str) -> tuple[Doing, JobWords]:
    """The act and the filter line; raises a Problem or InvalidRequest for what is none."""
    if action not in OFFERED:
        raise _wrong("action", f"there are {' and '.join(OFFERED)}")
    words = read_words(q)
    if not words.text:
        raise _wrong("q", "say which jobs, such as state:failed")
    return Doing(action), words


def _wrong(field: str, why: str) -> Problem:
    return Problem("field-invalid", f"{field}: {why}", [{"field": field, "message": why}])
