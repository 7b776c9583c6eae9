"""Login and logout: a key is typed once, and a cookie stands for it from then on."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Form, Request, Response
from starlette.responses import RedirectResponse

from api.access import Access
from api.context import Using
from api.cookies import cookie, names_this_machine, no_cookie, token_of
from api.declared import Topic
from api.middleware.callers import Callers
from api.middleware.gate import check_site
from api.problems import Problem
from dashboard import paths
from dashboard.declaring import shows, takes
from dashboard.frame import Frame, theme_of
from dashboard.rendering import HEADERS, rendered
from dataset_jobs.model.sentences import duration
from services.web_sessions import LASTS, Over

topic = Topic("login", "Login and logout.")

PLAIN_HTTP = (
    "A browser keeps a login only over HTTPS, or on this machine itself. Use the HTTPS address; or come by"
    " http://localhost, for example with kubectl port-forward or ssh -L. Somebody may have read the key on its way:"
    " revoke it, and make another."
)

ENDED: Mapping[str, str] = {
    Over.REVOKED: "Your login has ended: somebody has revoked its key. Ask for another one.",
    Over.EXPIRED: "Your login has ended: the time of its key is over. Ask for another one.",
    Over.OLD: f"Your login has ended: it lasts for {duration(LASTS)}. Log in again, with the same key.",
    Over.GONE: "Your login has ended. Log in again.",
}


@shows(topic, paths.LOGIN, Access.PUBLIC, problems=["field-invalid"])
def show_login(request: Request, next: str = paths.HOME, why: str = "") -> Response:
    """The page that asks for a key. Why the last login has ended is one of our own words: a link cannot make it say
    another."""
    return _form(request, paths.own_path(next), over=ENDED.get(why))


@takes(
    topic, paths.LOGIN, Access.PUBLIC, changes=False,
    problems=["bad-key", "key-expired", "too-many-requests", "database-away", "storage-away"],
)  # fmt: skip
def log_in(
    request: Request, using: Using, key: Annotated[str, Form()] = "", next: Annotated[str, Form()] = paths.HOME
) -> Response:
    """Checks a key, and begins a session. Wrong ones cost as much as they do in a header."""
    check_site(request.headers, by_browser=True)
    back = paths.own_path(next)
    if _is_plain(request):
        return _form(request, back, PLAIN_HTTP, 400)
    if not key.strip():
        return _form(request, back, "Type a key.", 422)
    try:
        found = Callers(using).checked(request.scope, request.headers, key.strip())
    except Problem as problem:
        return _form(request, back, problem.detail, problem.status)
    token = using.client.web_sessions.begin(found)
    return RedirectResponse(back, 303, {**HEADERS, "Set-Cookie": cookie(request.headers, token, LASTS)})


@takes(topic, "/logout", Access.PUBLIC, changes=False, problems=["database-away", "storage-away"])
def log_out(request: Request, using: Using) -> Response:
    """Ends the session of this browser, at once and for all its tabs."""
    check_site(request.headers, by_browser=True)
    if (token := token_of(request.headers)) is not None:
        using.client.web_sessions.end(token)
    return RedirectResponse(paths.LOGIN, 303, {**HEADERS, "Set-Cookie": no_cookie(request.headers)})


def _form(
    request: Request, back: str, wrong: str | None = None, status: int = 200, over: str | None = None
) -> Response:
    frame = Frame(paths.LOGIN, theme=theme_of(request.headers))
    return rendered(frame, "login", {"back": back, "wrong": wrong, "over": over}, status)


def _is_plain(request: Request) -> bool:
    """Whether the page came over HTTP from another machine: the browser would throw the cookie away."""
    scheme = urlsplit(request.headers.get("origin", "")).scheme
    return scheme == "http" and not names_this_machine(request.headers.get("host", ""))
