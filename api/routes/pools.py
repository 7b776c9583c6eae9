"""Pools: their queues, their runs, and what limits them."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request, Response

from api.access import Access
from api.conditional import answer
from api.context import Using
from api.declared import Topic
from api.lists import Paging, list_of, page, sliced
from api.shapes import model, shape
from dataset_jobs.store.views import ControllerStatus, PoolStatus
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
    "blocked": BLOCKED | None,
    "links": dict[str, str],
}
POOL = shape("Pool", "A pool: `depth` jobs are queued, `pending` runs have not started.", PoolStatus,
    **_MORE)  # fmt: skip
CONTROLLER = shape("Controller", "A controller.", ControllerStatus, is_alive=bool)
ONE_POOL = shape(
    "WholePool", "A pool with the controllers that claim from it, and its runs of the last 24 hours by their end.",
    PoolStatus, controllers=list[CONTROLLER], recent=list[shape("RecentRuns", "Runs.", RecentRuns)],  # type: ignore[valid-type,misc]
    success_ratio=float | None, **_MORE,
)  # fmt: skip


@topic.route(
    "GET", "/v1/pools", Access.VIEWER, response_model=list_of("PoolList", "Pools.", POOL), summary="List pools",
    problems=["field-invalid", "cursor-mismatch"], example="/v1/pools",
)  # fmt: skip
def list_pools(request: Request, using: Using, query: Annotated[Paging, Query()]) -> Response:
    """Pools by name."""
    sample = using.sampler.latest()
    shown, follows = sliced(query, sample.status.pools, lambda one: one.name)
    return page(request, query, [pool_values(one) for one in shown], follows, sample.as_of, "name")


@topic.route(
    "GET", "/v1/pools/{name}", Access.VIEWER, problems=["not-found"], summary="Show a pool",
    response_model=model("OnePool", "A pool.", data=ONE_POOL, as_of=datetime), example="/v1/pools/default",
)  # fmt: skip
def show_pool(request: Request, using: Using, name: str) -> Response:
    """A pool with the controllers that claim from it, and its runs of the last 24 hours."""
    details = using.client.pools.details(name)
    ended = {one.cause: one.runs for one in details.recent if one.cause not in (None, "cancelled")}
    data = {
        **pool_values(details.pool),
        "controllers": [controller_values(one) for one in details.controllers],
        "recent": to_json(details.recent),
        "success_ratio": round(ended.get("completed", 0) / sum(ended.values()), 4) if ended else None,
    }
    return answer(request, {"data": data, "as_of": using.client.now()})


def pool_values(pool: PoolStatus) -> dict[str, Any]:
    """A pool as the API gives it."""
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
        "blocked": blocked,
        "links": {"self": at, "history": f"{at}/history", "jobs": f"/v1/jobs?pool={quote(pool.name, safe='')}"},
    }


def controller_values(controller: ControllerStatus) -> dict[str, Any]:
    """A controller as the API gives it."""
    return {**to_json(controller), "is_alive": controller.is_alive}
