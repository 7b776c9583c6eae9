"""The list of jobs: by state, by the words of a filter line, in the natural order, a page after the other."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from api.access import Access, Caller
from api.context import Calling, Context, Using
from api.cursors import cursor_after, key_of
from api.declared import Topic
from api.lists import Several
from dashboard import paths
from dashboard.declaring import shows
from dashboard.rendering import page
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import JobState
from services.client import Client
from services.filters import JobFilter
from services.job_pages import JobOrder, order_of
from services.job_words import EXAMPLE, JobWords, read_words
from services.keys import Role
from services.operation_acts import POSSIBLE
from services.several import CHOSEN

topic = Topic("list of jobs", "The jobs, and what they wait for.")

SHOWN = 50
"""Jobs of a page."""

_ORDERS = {
    JobOrder.CLAIM: "the next one to run first",
    JobOrder.DUE: "the next one whose time comes first",
    JobOrder.NEWEST: "the newest first",
}


@shows(topic, "/jobs", Access.VIEWER, problems=["cursor-mismatch", "field-invalid"])
def list_jobs(
    request: Request,
    using: Using,
    caller: Calling,
    q: str = "",
    cursor: str = "",
    ids: Annotated[list[UUID], Several, Query(max_length=SHOWN)] = [],  # noqa: B006
) -> Response:
    """A page of jobs, each that waits with the reason. A filter line that cannot be read is said beside it; `ids` are
    these jobs alone, whose rows a page that shows them renews."""
    client, figures = using.client, using.sampler.figures()
    try:
        words, wrong = read_words(q), None
        found = _these(client, ids) if ids else _found(client, words, cursor)
    except InvalidRequest as error:
        words, wrong, found = JobWords(" ".join(q.split()), JobFilter()), str(error), _NOTHING
    tabs: list[tuple[str, JobState | None, int]] = [("all", None, sum(figures.states.values()))]
    tabs += [(state.value, state, figures.states.get(state, 0)) for state in JobState]
    values = {
        "words": words, "wrong": wrong, "tabs": tabs, "figures": figures, "example": EXAMPLE, "q": words.text,
        "first": paths.jobs(words.text), "is_first": not cursor, **_may(using, caller, words), **found,
    }  # fmt: skip
    return page(request, "jobs", values, 200 if wrong is None else 400)


def _may(using: Context, caller: Caller, words: JobWords) -> dict[str, Any]:
    """What the caller may do with jobs of the list: with those that are chosen, and with all that match."""
    if using.settings.api_read_only:
        return {"chosen": (), "matching": ()}
    states = set(words.which.states) or set(JobState)
    able = [one for one in CHOSEN if words.text and caller.may(Role.ADMIN) and states & {*POSSIBLE[one]}]
    return {
        "chosen": CHOSEN if caller.may(Role.UPLOADER) else (),
        "matching": [(one, paths.new_operation(one, words.text)) for one in able],
    }


_NOTHING: dict[str, Any] = {"jobs": [], "waiting": {}, "next": None, "order": "", "now": None}


def _these(client: Client, ids: Sequence[UUID]) -> dict[str, Any]:
    """These jobs, as the template needs them."""
    jobs = client.jobs.list(ids=ids)
    order = _ORDERS[JobOrder.NEWEST]
    return {"jobs": jobs, "waiting": client.waiting(jobs), "next": None, "order": order, "now": client.now()}


def _found(client: Client, words: JobWords, cursor: str) -> dict[str, Any]:
    """The jobs of a page, as the template needs them.

    Raises:
        InvalidRequest: there is no such pool or country.
        Problem: the cursor is none of this list.
    """
    order = order_of(words.which)
    found = client.jobs.page(words.which, SHOWN, key_of(cursor or None, {"q": words.text}, order), 0, order)
    follows = None if found.next is None else cursor_after(found.next, {"q": words.text}, order)
    return {
        "jobs": found.items,
        "waiting": client.waiting(found.items),
        "next": follows,
        "order": _ORDERS[found.order],
        "now": client.now(),
    }
