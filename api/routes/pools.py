"""Pools: their queues, their runs, and what limits them."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from api.access import Access
from api.conditional import answer
from api.context import Using
from api.declared import Topic
from api.lists import Paging, asked, list_of, page, sliced
from api.shapes import model, shape
from dataset_jobs.model.times import BEGINLESS
from dataset_jobs.store.views import ControllerStatus, PoolStatus
from services.figures import STEPS, Lately, PoolHistory, lately, pool_history, pool_now
from services.pools import RecentRuns
from services.to_json import to_json

topic = Topic("pools", "Pools: the queues, and how many of their jobs run at once.")

BLOCKED = model(
    "Blocked", "Why no run of a pool can start, since when, and when one is tried all the same.",
    since=datetime, cause=str | None, reason=str | None, error=str | None, probe_at=datetime | None,
)  # fmt: skip
_MORE: dict[str, Any] = {
    "depth": int,
    "pending": int,
    "ending": int,
    "maximum": int,
    "in_use": int,
    "success_ratio": float | None,
    "busy": float | None,
    "blocked": BLOCKED | None,
    "links": dict[str, str],
}
POOL = shape("Pool", "A pool: `depth` jobs are queued, `pending` runs have not started.", PoolStatus,
    **_MORE)  # fmt: skip
CONTROLLER = shape("Controller", "A controller.", ControllerStatus, is_alive=bool)
ONE_POOL = shape(
    "WholePool", "A pool with the controllers that claim from it, and its runs of the last 24 hours by their end.",
    PoolStatus, controllers=list[CONTROLLER], recent=list[shape("RecentRuns", "Runs.", RecentRuns)],  # type: ignore[valid-type,misc]
    **_MORE,
)  # fmt: skip

HISTORY = shape("PoolHistory", "Columns of the same length; times are in `t`.", PoolHistory, step=str)
DAY = timedelta(days=1)
MOST_BY_ITSELF = 300
"""So many steps are shown if nobody says which."""


@topic.route(
    "GET", "/v1/pools", Access.VIEWER, response_model=list_of("PoolList", "Pools.", POOL), summary="List pools",
    problems=["field-invalid", "cursor-mismatch"], example="/v1/pools",
)  # fmt: skip
def list_pools(request: Request, using: Using, query: Annotated[Paging, Query()]) -> Response:
    """Pools by name."""
    figures = using.sampler.figures()
    shown, follows = sliced(query, figures.status.pools, lambda one: one.name)
    data = [pool_values(one, figures.past.get(one.name)) for one in shown]
    return page(request, query, data, follows, figures.as_of, "name")


@topic.route(
    "GET", "/v1/pools/{name}", Access.VIEWER, problems=["not-found"], summary="Show a pool",
    response_model=model("OnePool", "A pool.", data=ONE_POOL, as_of=datetime), example="/v1/pools/default",
)  # fmt: skip
def show_pool(request: Request, using: Using, name: str) -> Response:
    """A pool with the controllers that claim from it, and its runs of the last 24 hours. The queue and the controllers
    may be two seconds old, as in the status; the rest is as it is now."""
    details = pool_now(using.client.database, using.sampler.figures(), name)
    data = {
        **pool_values(details.pool, lately(using.client.database).get(name)),
        "controllers": [controller_values(one) for one in details.controllers],
        "recent": to_json(details.recent),
    }
    return answer(request, {"data": data, "as_of": using.client.now()})


class HistoryQuery(BaseModel):
    """Which part of a pool's past."""

    since: AwareDatetime | None = Field(None, alias="from", description="24 hours ago if it is left out.")
    until: AwareDatetime | None = Field(None, alias="to", description="Now if it is left out.")
    step: str | None = Field(None, description=f"{', '.join(STEPS)}; by the length if it is left out.")


@topic.route(
    "GET", "/v1/pools/{name}/history", Access.VIEWER, problems=["not-found"], summary="Show the past of a pool",
    response_model=model("OneHistory", "A pool's past.", data=HISTORY), example="/v1/pools/default/history?step=5m",
)  # fmt: skip
def show_history(request: Request, using: Using, name: str, query: Annotated[HistoryQuery, Query()]) -> Response:
    """A pool's past in columns of the same length, a value for each step; null where nothing is known."""
    client = using.client
    if name not in client.pools.names():
        client.pools.get(name)
    until = query.until or client.now()
    since = query.since or (until - DAY if until > BEGINLESS + DAY else BEGINLESS)
    step = query.step or next((one for one in STEPS if (until - since) / STEPS[one] <= MOST_BY_ITSELF), [*STEPS][-1])
    with asked():
        found = pool_history(client.database, name, since, until, step)
    return answer(request, {"data": {**to_json(found), "step": step}})


def pool_values(pool: PoolStatus, past: Lately | None) -> dict[str, Any]:
    """A pool as the API gives it.

    Args:
        past: of the last hour.
    """
    at = f"/v1/pools/{quote(pool.name, safe='')}"
    blocked = None
    if pool.blocked_since is not None:
        blocked = {
            "since": to_json(pool.blocked_since),
            "cause": pool.blocked_cause,
            "reason": pool.blocked_reason,
            "error": pool.blocked_error,
            "probe_at": to_json(pool.probe_at),
        }
    return {
        **to_json(pool),
        "depth": pool.queued,
        "pending": pool.unstarted,
        "ending": pool.runs_ending,
        "maximum": pool.max_running,
        "in_use": pool.in_use,
        "success_ratio": None if past is None else past.success_ratio,
        "busy": None if past is None else past.busy,
        "blocked": blocked,
        "links": {"self": at, "history": f"{at}/history", "jobs": f"/v1/jobs?pool={quote(pool.name, safe='')}"},
    }


def controller_values(controller: ControllerStatus) -> dict[str, Any]:
    """A controller as the API gives it."""
    return {**to_json(controller), "is_alive": controller.is_alive}
