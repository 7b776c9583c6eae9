"""What buttons are sent to: does it, and leads back to the page where the button is."""

from collections.abc import Mapping

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from api.access import Access
from api.context import Calling, Requesting, Using
from api.declared import Topic
from api.problems import Problem
from dashboard import paths
from dashboard.acts import ACTS, Asked, PageAct, name_of
from dashboard.declaring import takes
from dashboard.forms import Fields
from dashboard.rendering import HEADERS, page
from dataset_jobs.model.sentences import Sentence
from services.actions import Target, Verb

topic = Topic("acts", "What the buttons of pages do.")

_PROBLEMS = (
    "not-found", "completed-already", "cannot-be-put-back", "not-waiting", "job-unfinished", "pool-is-described",
    "conflict", "not-allowed", "over", "at-work", "last-admin",
)  # fmt: skip


@takes(topic, "/act", Access.UPLOADER, problems=_PROBLEMS)
def act(request: Request, using: Using, client: Requesting, caller: Calling, form: Fields) -> Response:
    """Does what a button says. What cannot be taken back is asked first, on a page of its own."""
    verb, target, what = _what(form)
    if not caller.may(what.role):
        raise Problem(
            "not-allowed", f"this needs the role {what.role}; {caller.name} is {caller.role}", role=str(what.role)
        )
    asked, back = Asked(using, client, caller, form.get("id", ""), form), paths.own_path(form.get("back", ""))
    if what.question is not None and form.get("sure") != "yes":
        said = what.question(asked)
        question, *comes_of_it = [said] if isinstance(said, Sentence) else said
        values = {
            "question": question, "comes_of_it": comes_of_it, "fields": {**form, "back": back}, "back": back
        }  # fmt: skip
        return page(request, "question", values)
    to = what.do(asked) or back
    return RedirectResponse(paths.with_outcome(to, name_of(verb, target)), 303, HEADERS)


def _what(form: Mapping[str, str]) -> tuple[Verb, Target, PageAct]:
    given = form.get("action", ""), form.get("target", "")
    found = next(((*what, act) for what, act in ACTS.items() if what == given), None)
    if found is None:
        why = "there is no such act: go back, and load the page again"
        raise Problem("field-invalid", f"action: {why}", [{"field": "action", "message": why}])
    return found
