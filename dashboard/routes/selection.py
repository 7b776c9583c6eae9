"""Jobs that somebody has chosen in a list: what is to be done with them is asked, and then done, each for itself."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from starlette.responses import RedirectResponse

from api.access import Access, Caller
from api.context import Calling, Requesting, Using
from api.declared import Topic
from api.problems import Problem
from dashboard import paths
from dashboard.declaring import shows, takes
from dashboard.forms import Lists
from dashboard.outcomes import NOTHING_CHOSEN, word_of
from dashboard.rendering import HEADERS, page
from dataset_jobs.store.views import JobView
from services.client import Client
from services.keys import Role
from services.operation_acts import Doing, judge
from services.operation_story import title_of
from services.several import CHOSEN, MOST, act_on_several

topic = Topic("chosen jobs", "One act on jobs that somebody has chosen.")


@shows(topic, paths.SELECTION, Access.UPLOADER, problems=["field-invalid"])
def ask(
    request: Request,
    using: Using,
    act: str = "",
    job: Annotated[list[UUID], Query(max_length=MOST)] = [],  # noqa: B006
    back: str = paths.JOBS,
) -> Response:
    """Whether it is to be done, and with how many of them it is possible. Nothing is written."""
    doing, to = _doing(act), paths.own_path(back)
    if not job:
        return RedirectResponse(paths.with_outcome(to, NOTHING_CHOSEN), 303, HEADERS)
    can, cannot = judge(using.client.database, doing, job)
    values = {"title": title_of(doing, can), "can": can, "cannot": cannot, "act": act, "jobs": job, "back": to}
    return page(request, "selection", values)


@takes(topic, paths.SELECTION, Access.UPLOADER)
def do(client: Requesting, caller: Calling, form: Lists) -> Response:
    """Does it with each, and says with how many it could not be done, and why. Uploaders act on what is theirs."""
    doing, back = _doing(form.get("act", [""])[-1]), paths.own_path(form.get("back", [""])[-1])
    try:
        chosen = [UUID(one) for one in form.get("job", [])[:MOST]]
    except ValueError:
        raise _wrong("job", "go back, and load the page again") from None
    if not chosen:
        return RedirectResponse(paths.with_outcome(back, NOTHING_CHOSEN), 303, HEADERS)
    done = act_on_several(client, doing, chosen, lambda job: _is_own(client, caller, job))
    return RedirectResponse(paths.with_outcome(back, word_of(done)), 303, HEADERS)


def _is_own(client: Client, caller: Caller, job: JobView) -> bool:
    return caller.may(Role.ADMIN) or client.audit.is_upload_of(job.dataset_id, caller.key_id, caller.name)


def _doing(act: str) -> Doing:
    if act not in CHOSEN:
        raise _wrong("act", f"there are {' and '.join(CHOSEN)}")
    return Doing(act)


def _wrong(field: str, why: str) -> Problem:
    return Problem("field-invalid", f"{field}: {why}", [{"field": field, "message": why}])
