"""What is known of one request and its answer, from the outermost middleware to the route."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from api.access import Caller
from api.declared import Declared

if TYPE_CHECKING:
    from api.problems import Problem
    from services.web_sessions import Over

_KEY = "affirm_worker"

ProblemPage = Callable[[Any, "Problem"], Response]
"""Makes a page of a request's scope and of the problem that is the answer to it."""


@dataclass(slots=True)
class Exchange:
    """One request.

    Args:
        request_id: the client's if it is sane, or a new one.
        began: by the monotonic clock, in seconds.
        declared: what its route declares; None before it is found.
        caller: who calls; None before that is known.
        headers: to add to the answer.
        status: of the answer, once it has begun.
        sent: bytes of the answer's body so far.
        head: only the headers are wanted; routes are called as for GET.
        over: why the session of the request lets nobody in; None if it does, or if there is none.
        problem_page: how problems look to people with a browser; None if there are no pages.
    """

    request_id: str
    began: float = field(default_factory=time.monotonic)
    declared: Declared | None = None
    caller: Caller | None = None
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    sent: int = 0
    head: bool = False
    over: "Over | None" = None
    problem_page: ProblemPage | None = None


def begin(scope: Any, request_id: str) -> Exchange:
    """Makes the exchange of a request."""
    made = scope[_KEY] = Exchange(request_id)
    return made


def exchange_of(scope: Any) -> Exchange:
    """The exchange of a request."""
    found: Exchange = scope[_KEY]
    return found
