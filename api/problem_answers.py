"""Problems as responses."""

import logging

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from api.exchange import Exchange, exchange_of
from api.problems import MEDIA_TYPE, Problem

_log = logging.getLogger(__name__)


def problem_response(scope: Scope, problem: Problem) -> Response:
    """The answer that a problem is. A code that the route has not declared is a fault, which tests look for."""
    exchange = exchange_of(scope)
    if exchange.declared is not None and problem.code not in exchange.declared.all_problems:
        _log.error("undeclared problem %s", problem.code, extra={"path": scope["path"]})
    if exchange.problem_page is not None and _is_for_people(scope, exchange):
        return exchange.problem_page(scope, problem)
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(problem.body(scope["path"], exchange.request_id), problem.status, headers, MEDIA_TYPE)


def _is_for_people(scope: Scope, exchange: Exchange) -> bool:
    """Whether a browser has asked for a page, or for an address that is not there."""
    asked_for_page = scope["method"] == "GET" if exchange.declared is None else exchange.declared.is_page
    return asked_for_page and "text/html" in Headers(scope=scope).get("accept", "")


def fault() -> Problem:
    """The answer to a fault of this program."""
    return Problem("internal", "a fault of this program; its log has more under this request_id")
