"""Problems as pages: what happened, what to do, and where to go from here."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from api.exchange import exchange_of
from api.problems import Problem
from dashboard import paths
from dashboard.frame import Frame, here_of, theme_of
from dashboard.rendering import FRAGMENT, HEADERS, rendered
from services.web_sessions import Over

LOGIN_AT = "Login-At"
"""The header that tells the script of a page where to log in again."""

_PASSES = 503
"""The status of what passes by itself: the page tries again."""


def problem_page(scope: Scope, problem: Problem) -> Response:
    """The page of a problem; nobody is asked to log in, and comes back to the same page.

    Args:
        scope: of the request, which may not have come to its route.
        problem: the answer to it.
    """
    request = Request(scope)
    exchange = exchange_of(scope)
    if problem.code == "no-key" and scope["method"] == "GET":
        return _to_login(request, exchange.over)
    if FRAGMENT in request.headers:  # the page stays as it is, and its script says that it is not up to date
        return Response(status_code=problem.status, headers={**HEADERS, **problem.headers, "HX-Reswap": "none"})
    frame = Frame(here_of(request), exchange.caller, theme=theme_of(request.headers))
    again = problem.status == _PASSES and scope["method"] == "GET"
    values = {"problem": problem, "request_id": exchange.request_id, "back": _back(request), "again": again}
    return rendered(frame, "problem", values, problem.status, problem.headers)


def _to_login(request: Request, over: Over | None) -> Response:
    if FRAGMENT in request.headers:  # the page that asks is the one to leave, unless somebody types there
        at = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = paths.own_path(f"{at.path}?{at.query}" if at.query else at.path)
        return Response(status_code=401, headers={**HEADERS, "HX-Reswap": "none", LOGIN_AT: paths.login(back, over)})
    return RedirectResponse(paths.login(here_of(request), over), 303, HEADERS)


def _back(request: Request) -> str:
    """The page of ours that a request came from."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc != request.headers.get("host", ""):
        return paths.HOME
    return paths.own_path(f"{came.path}?{came.query}" if came.query else came.path)
