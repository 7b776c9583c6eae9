"""Puts the API together: routes, middleware, errors, and the OpenAPI document."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Lifespan

from api import routes
from api.context import Context
from api.declared import Topic
from api.exchange import ProblemPage
from api.middleware.body import BodyLimit
from api.middleware.envelope import Envelope
from api.middleware.gate import Gate
from api.openapi import document
from api.parameters import validation_problem
from api.problem_answers import fault, problem_response
from api.problems import Problem, problem_of
from dataset_jobs.model.errors import RunError
from dataset_jobs.version import own_version

TITLE = "affirm-worker"
ABOUT = "Loads official first-name statistics: upload lists, watch them load, read what came of it."


def bare_app(topics: Iterable[Topic] = routes.ALL, lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """The routes alone, as the OpenAPI document describes them.

    Args:
        topics: all of them, except in tests.
        lifespan: what runs beside the server, if anything.
    """
    app = FastAPI(
        title=TITLE, description=ABOUT, version=own_version(), openapi_url=None, docs_url=None, redoc_url=None,
        redirect_slashes=False, lifespan=lifespan,
    )  # fmt: skip
    for topic in topics:
        topic.add_to(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    return app


def create_app(
    context: Context, topics: Iterable[Topic] = routes.ALL, problem_page: ProblemPage | None = None
) -> ASGIApp:
    """The whole API, with the pages that are among its topics.

    Args:
        context: what the routes work with; whoever made it closes it.
        topics: those of the API and of the pages.
        problem_page: what problems are to those who asked for a page; None if there are no pages.
    """
    app = bare_app(topics)
    app.state.context = context
    for kind in (Problem, RunError, Exception):
        app.add_exception_handler(kind, _answered)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    return Envelope(Gate(BodyLimit(app), context, app.routes), context.metrics, problem_page)


async def _answered(request: Request, error: Exception) -> Response:
    """One of the errors that are answers; a fault goes on to the envelope, which logs it."""
    return problem_response(request.scope, problem_of(error) or fault())


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(request.scope, validation_problem(error))


async def _http(request: Request, error: Exception) -> Response:
    """FastAPI's own errors; what a middleware raised while the body was read is the cause of one."""
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, Problem):
        return problem_response(request.scope, error.__cause__)
    code = _CODES.get(error.status_code, "internal")
    return problem_response(request.scope, Problem(code, str(error.detail), headers=error.headers))


_CODES: dict[int, Any] = {400: "not-json", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}
