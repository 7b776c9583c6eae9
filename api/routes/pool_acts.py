"""What is done to pools: pause, resume, probe."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Self

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator

from api.access import Access
from api.acts import Reason, acted, said
from api.context import Requesting, Using
from api.lists import one_of
from api.parameters import Body
from api.problems import Problem, actions_of
from api.routes.pools import ONE_POOL, show_pool, topic
from api.shapes import model, shape
from dataset_jobs.model.hints import Action
from dataset_jobs.model.kubectl import patch_parser_pool
from dataset_jobs.model.pools import MAX_RUNNING_LIMIT
from dataset_jobs.model.requests import Conflict
from services.pools import PoolChange
from services.to_json import to_json

__all__ = ["topic"]

_POOL = model("OnePool", "A pool.", data=ONE_POOL, as_of=datetime)
CHANGE = shape("PoolChange", "A pool before and after, or as it would be after.", PoolChange)
_PROBLEMS = ("not-found", "pool-is-described", "field-invalid", "not-json")


@topic.route(
    "POST", "/v1/pools/{name}/pause", Access.ADMIN, response_model=_POOL, problems=_PROBLEMS, summary="Pause a pool",
    example="/v1/pools/default/pause",
)  # fmt: skip
def pause(request: Request, using: Using, client: Requesting, name: str, body: Reason | None = None) -> Response:
    """Nothing is claimed from the pool any more; runs at work go on. One that is paused already gets the new reason."""
    with _described_elsewhere():
        client.pools.pause(name, said(body, Reason()).reason)
    return acted(show_pool(request, using, name))


@topic.route(
    "POST", "/v1/pools/{name}/resume", Access.ADMIN, response_model=_POOL, problems=_PROBLEMS, summary="Resume a pool",
    example="/v1/pools/default/resume",
)  # fmt: skip
def resume(request: Request, using: Using, client: Requesting, name: str, body: Reason | None = None) -> Response:
    """Ends a pause. If no run of the pool could start, one is tried at once."""
    with _described_elsewhere():
        client.pools.resume(name, said(body, Reason()).reason)
    return acted(show_pool(request, using, name))


class Maxima(Body):
    """The maxima of a pool; what is left out stays."""

    max_running: int | None = Field(None, ge=0, le=MAX_RUNNING_LIMIT, description="The most runs at once.")
    max_pending: int | None = Field(None, ge=1, le=MAX_RUNNING_LIMIT, description="The most that have not started.")
    dry_run: bool = Field(False, description="Only say what would change.")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.max_running is None and self.max_pending is None:
            raise ValueError("give max_running or max_pending")
        return self


@topic.route(
    "PATCH", "/v1/pools/{name}", Access.ADMIN, response_model=one_of("OnePoolChange", "A change of a pool.", CHANGE),
    problems=_PROBLEMS, summary="Change the maxima of a pool", example="/v1/pools/default",
)  # fmt: skip
def change(client: Requesting, name: str, body: Maxima) -> Response:
    """Changes the maxima of a pool. A lower one ends no run: nothing is claimed until fewer are at work."""
    with _described_elsewhere():
        made = client.pools.set(
            name, max_running=body.max_running, max_pending=body.max_pending, dry_run=body.dry_run
        )  # fmt: skip
    return JSONResponse({"data": to_json(made)}, headers={"Cache-Control": "no-store"})


@topic.route(
    "POST", "/v1/pools/{name}/probe", Access.ADMIN, response_model=_POOL, problems=["not-found"],
    summary="Probe a blocked pool", example="/v1/pools/default/probe",
)  # fmt: skip
def probe(request: Request, using: Using, client: Requesting, name: str) -> Response:
    """Has a run of a blocked pool tried at once, also of one that a ParserPool describes. One that is not blocked stays
    as it is."""
    client.pools.probe(name)
    return acted(show_pool(request, using, name))


@contextmanager
def _described_elsewhere() -> Iterator[None]:
    """A conflict is a problem that says how to change the ParserPool instead."""
    try:
        yield
    except Conflict as error:
        lines = [patch_parser_pool(hint) for hint in error.hints if hint.action is Action.PATCH_PARSER_POOL]
        raise Problem("pool-is-described", ": ".join([str(error), *lines]), **actions_of(error)) from None
