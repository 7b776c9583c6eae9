"""What is done to pools: pause, resume, probe."""

from datetime import datetime

from fastapi import Request, Response

from api.access import Access
from api.acts import Reason, acted, said
from api.context import Requesting, Using
from api.links import linked
from api.problems import Problem
from api.routes.pools import ONE_POOL, show_pool, topic
from api.shapes import model
from dataset_jobs.model.hints import Action
from dataset_jobs.model.kubectl import patch_parser_pool
from dataset_jobs.model.requests import Conflict
from services.actions import offer

__all__ = ["topic"]

_POOL = model("OnePool", "A pool.", data=ONE_POOL, as_of=datetime)
_PROBLEMS = ("not-found", "pool-is-described", "field-invalid", "not-json")


@topic.route(
    "POST", "/v1/pools/{name}/pause", Access.ADMIN, response_model=_POOL, problems=_PROBLEMS, summary="Pause a pool",
    example="/v1/pools/default/pause",
)  # fmt: skip
def pause(request: Request, using: Using, client: Requesting, name: str, body: Reason | None = None) -> Response:
    """Nothing is claimed from the pool any more; runs at work go on. One that is paused already gets the new reason."""
    try:
        client.pools.pause(name, said(body, Reason()).reason)
    except Conflict as error:
        raise _described(error) from None
    return acted(show_pool(request, using, name))


@topic.route(
    "POST", "/v1/pools/{name}/resume", Access.ADMIN, response_model=_POOL, problems=_PROBLEMS, summary="Resume a pool",
    example="/v1/pools/default/resume",
)  # fmt: skip
def resume(request: Request, using: Using, client: Requesting, name: str, body: Reason | None = None) -> Response:
    """Ends a pause. If no run of the pool could start, one is tried at once."""
    try:
        client.pools.resume(name, said(body, Reason()).reason)
    except Conflict as error:
        raise _described(error) from None
    return acted(show_pool(request, using, name))


@topic.route(
    "POST", "/v1/pools/{name}/probe", Access.ADMIN, response_model=_POOL, problems=["not-found"],
    summary="Probe a blocked pool", example="/v1/pools/default/probe",
)  # fmt: skip
def probe(request: Request, using: Using, client: Requesting, name: str) -> Response:
    """Has a run of a blocked pool tried at once, also of one that a ParserPool describes. One that is not blocked stays
    as it is."""
    client.pools.probe(name)
    return acted(show_pool(request, using, name))


def _described(error: Conflict) -> Problem:
    lines = [patch_parser_pool(hint) for hint in error.hints if hint.action is Action.PATCH_PARSER_POOL]
    offers = linked({"actions": [offer(hint) for hint in error.hints]})
    return Problem("pool-is-described", ": ".join([str(error), *lines]), **offers)
