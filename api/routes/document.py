"""What the API says about itself: the OpenAPI document, the page of operations, a page for each problem."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from api.access import Access
from api.declared import Topic
from api.pages import operations_page, problem_page
from api.problem_codes import PROBLEMS
from api.problems import Problem

topic = Topic("document", "What the API says about itself.")


@topic.route(
    "GET",
    "/v1/openapi.json",
    Access.PUBLIC,
    summary="The OpenAPI document",
    response_class=JSONResponse,
    example="/v1/openapi.json",
)
def openapi(request: Request) -> Response:
    """This document, as OpenAPI 3.1."""
    return JSONResponse(request.app.openapi())


@topic.route(
    "GET",
    "/docs",
    Access.PUBLIC,
    summary="The operations",
    response_class=HTMLResponse,
    gives=["text/html"],
    example="/docs",
)
def docs(request: Request) -> Response:
    """A page with every operation and a curl line for it."""
    return HTMLResponse(operations_page(request.app, str(request.base_url).rstrip("/")))


@topic.route(
    "GET",
    "/problems/{code}",
    Access.PUBLIC,
    summary="A kind of problem",
    response_class=HTMLResponse,
    gives=["text/html"],
    problems=["not-found"],
    example="/problems/bad-key",
)
def problem(code: str) -> Response:
    """A page about a kind of problem: what happened, what to do, an example."""
    kind = PROBLEMS.get(code)
    if kind is None:
        raise Problem("not-found", f"there is no such problem; known are {', '.join(PROBLEMS)}")
    return HTMLResponse(problem_page(code, kind))
