"""The outermost middleware: the request's id, security headers, errors as answers, one log line for each request."""

import logging
import re
import time
import traceback
import uuid
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.exchange import Exchange, ProblemPage, begin, exchange_of
from api.metrics import ApiMetrics
from api.middleware.linger import Lingering, Reading
from api.problem_answers import fault, problem_response
from api.problems import problem_of

_access = logging.getLogger("api.access")
_log = logging.getLogger(__name__)

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)

SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
"""Each answer has them, unless its route sets another value."""


class Envelope:
    """Answers every request, whatever goes wrong below.

    Args:
        app: the next one.
        metrics: count every request.
        problem_page: see `Exchange`.
    """

    def __init__(self, app: ASGIApp, metrics: ApiMetrics, problem_page: ProblemPage | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._problem_page = problem_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        exchange = begin(scope, given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex)
        exchange.problem_page = self._problem_page
        method = scope["method"]
        head = exchange.head = method == "HEAD"
        self._metrics.began()
        if head:  # the same headers as GET
            scope["method"] = "GET"
        reading = Reading(scope, receive)
        sending = _Sending(Lingering(reading, send), exchange, head=head)
        try:
            await self._app(scope, reading, sending)
        except Exception as error:
            await _answer_error(scope, reading, sending, error)
        finally:
            route = exchange.declared.path if exchange.declared else None
            self._metrics.ended(method, route, exchange.status, time.monotonic() - exchange.began)
            _log_line(scope, exchange, head=head)


class _Sending:
    """Adds the headers, and notes what was sent."""

    def __init__(self, send: Send, exchange: Exchange, *, head: bool) -> None:
        self._send = send
        self._exchange = exchange
        self._head = head

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._exchange.status = message["status"]
            headers = message["headers"] = [*message.get("headers", [])]
            there = {name.lower() for name, _ in headers}
            ours = {**SECURITY_HEADERS, **self._exchange.headers, "X-Request-Id": self._exchange.request_id}
            headers += [
                (name.lower().encode(), value.encode("latin-1", "replace"))
                for name, value in ours.items()
                if name.lower().encode() not in there
            ]
        elif message["type"] == "http.response.body":
            self._exchange.sent += len(message.get("body", b""))
            if self._head:
                message = {**message, "body": b""}
        await self._send(message)


async def _answer_error(scope: Scope, receive: Receive, sending: _Sending, error: Exception) -> None:
    exchange = exchange_of(scope)
    problem = problem_of(error)
    if problem is None:
        _log.error(
            "%s: %s", type(error).__name__, error, extra={"request_id": exchange.request_id, "traceback": _trace(error)}
        )
        problem = fault()
    if exchange.status is None:
        await problem_response(scope, problem)(scope, receive, sending)


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


def _log_line(scope: Scope, exchange: Exchange, *, head: bool) -> None:
    """One line. The query is left out: people put secrets there."""
    caller = exchange.caller
    _access.info(
        "%s %s %s",
        "HEAD" if head else scope["method"],
        scope["path"],
        exchange.status or "gone",
        extra={
            "status": exchange.status,
            "ms": round((time.monotonic() - exchange.began) * 1000, 1),
            "bytes": exchange.sent,
            "peer": (scope.get("client") or ("",))[0],
            "caller": caller.name if caller else None,
            "key_id": caller.key_id if caller else None,
            "request_id": exchange.request_id,
        },
    )
