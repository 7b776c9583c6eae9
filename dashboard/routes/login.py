"""Login and logout: a key is typed once, and a cookie stands for it from then on."""

import logging
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Form, Request, Response
from starlette.responses import RedirectResponse

from api.access import Access
from api.context import Context, Using
from api.cookies import cookie, names_this_machine, no_cookie, token_of
from api.declared import Topic
from api.exchange import exchange_of
from api.middleware.callers import Callers
from api.middleware.gate import check_site
from api.problems import Problem
from dashboard import paths
from dashboard.declaring import shows, takes
from dashboard.frame import Frame, theme_of
from dashboard.rendering import HEADERS, rendered
from dashboard.shared import shared_of
from dataset_jobs.model.actor import Actor
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.sentences import duration
from services.keys import Key
from services.web_sessions import LASTS, Over, WebSessions

topic = Topic("login", "Login and logout.")

_LETS_NOBODY_IN = ("bad-key", "key-expired")
"""Of these the audit tells."""

_log = logging.getLogger(__name__)

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
    back, callers = paths.own_path(next), Callers(using)
    if _is_plain(request):
        return _form(request, back, PLAIN_HTTP, 400)
    if not key.strip():
        return _form(request, back, "Type a key.", 422)
    try:
        found = callers.checked(request.scope, request.headers, key.strip())
    except Problem as problem:
        if problem.code in _LETS_NOBODY_IN:
            _note(request, using, key.strip(), problem.detail, callers.address(request.scope, request.headers))
        return _form(request, back, problem.detail, problem.status)
    token = _sessions_as(request, using, found.name, found.id).begin(found)
    return RedirectResponse(back, 303, {**HEADERS, "Set-Cookie": cookie(request.headers, token, LASTS)})


@takes(topic, "/logout", Access.PUBLIC, changes=False, problems=["database-away", "storage-away"])
def log_out(request: Request, using: Using) -> Response:
    """Ends the session of this browser, at once and for all its tabs."""
    check_site(request.headers, by_browser=True)
    if (token := token_of(request.headers)) is not None:
        using.lately.note(token, None)
        key = using.client.web_sessions.key(token)
        if isinstance(key, Key):
            _sessions_as(request, using, key.name, key.id).end(token)
    return RedirectResponse(paths.LOGIN, 303, {**HEADERS, "Set-Cookie": no_cookie(request.headers)})


def _sessions_as(request: Request, using: Context, name: str, key_id: str | None) -> WebSessions:
    """The sessions, with who acts in the audit."""
    actor = Actor(name, "web", exchange_of(request.scope).request_id, key_id)
    return using.client.acting_as(actor).web_sessions


def _note(request: Request, using: Context, text: str, why: str, address: str) -> None:
    """A login that was refused; the answer is the same if the audit cannot be written."""
    unnoted = shared_of(request).refused_logins.take()
    if unnoted is None:
        return
    try:
        _sessions_as(request, using, "nobody", None).refuse(text, why, address, unnoted)
    except RunError as error:
        _log.warning("a refused login is not in the audit: %s", error)


def _form(
    request: Request, back: str, wrong: str | None = None, status: int = 200, over: str | None = None
) -> Response:
    frame = Frame(paths.LOGIN, theme=theme_of(request.headers))
    return rendered(frame, "login", {"back": back, "wrong": wrong, "over": over}, status)


def _is_plain(request: Request) -> bool:
    """Whether the page came over HTTP from another machine: the browser would throw the cookie away."""
    scheme = urlsplit(request.headers.get("origin", "")).scheme
    return scheme == "http" and not names_this_machine(request.headers.get("host", ""))
