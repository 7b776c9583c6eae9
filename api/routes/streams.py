"""Streams of server-sent events: hints of what has changed, figures, and the progress of a job.

They are hints: a client reads what has changed by the other routes. A stream begins with all that it watches, so
nothing is lost between two of them.
"""

import random
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from anyio.to_thread import run_sync
from fastapi import Depends, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from api.access import Access
from api.conditional import body_of
from api.context import Context, Exchanging, Using
from api.declared import Topic
from api.exchange import Exchange
from api.ids import job_of
from api.lists import Several
from api.live import Bye, News, Viewer
from api.routes.jobs import whole_job
from api.routes.status import status_values
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.requests import NotFound
from dataset_jobs.model.states import state_of
from services.figures import Figures
from services.to_json import to_json

topic = Topic("streams", "What happens, as it happens: server-sent events.")

GIVES = ("text/event-stream",)
MOST_IDS = 50
RETRY_MS = (2000, 5000)
"""After so long clients come back, not all at one moment."""

_MOVES = ("progress", "bytes_done", "rows_done")
"""Members of a job that its progress is, not its state."""


class StreamQuery(BaseModel):
    """What a stream tells of."""

    ids: Annotated[list[UUID], Several] = Field([], max_length=MOST_IDS, description="Jobs and datasets to watch.")
    figures: bool = Field(False, description="Also the figures of GET /v1/status, whenever there are newer ones.")


async def _viewer(
    using: Using, exchange: Exchanging, query: Annotated[StreamQuery, Query()], response: Response
) -> AsyncIterator[Viewer]:
    with _joined(using, exchange, response, query.ids, figures=query.figures) as viewer:
        yield viewer


async def _job_id(using: Using, job_id: str) -> UUID:
    return await run_sync(job_of, using.client, job_id)


async def _job_viewer(
    using: Using, exchange: Exchanging, found: Annotated[UUID, Depends(_job_id)], response: Response
) -> AsyncIterator[Viewer]:
    with _joined(using, exchange, response, [found]) as viewer:
        yield viewer


@contextmanager
def _joined(
    using: Context, exchange: Exchange, response: Response, ids: Collection[UUID], *, figures: bool = False
) -> Iterator[Viewer]:
    assert exchange.caller is not None
    response.headers["Cache-Control"] = "no-store"
    viewer = Viewer(exchange.caller, ids, wants_figures=figures)
    if exchange.head:
        viewer.end(Bye.HEADERS)
        yield viewer
        return
    with using.hub.joined(viewer):
        yield viewer


@topic.route(
    "GET", "/v1/stream", Access.VIEWER, response_class=EventSourceResponse, problems=["too-many-streams"], gives=GIVES,
    summary="Follow what changes", example="/v1/stream?figures=1",
)  # fmt: skip
async def stream(using: Using, viewer: Annotated[Viewer, Depends(_viewer)]) -> AsyncIterator[ServerSentEvent]:
    """Events: `changed` names jobs and datasets that have changed, and how many are new; `figures` is as
    /v1/status; `bye` is the last one and says why."""
    yield ServerSentEvent(comment="hello", retry=_retry())
    while True:
        news = await viewer.news()
        if news.has_changes:
            yield ServerSentEvent(event="changed", data=_changes(news))
        if news.figures is not None:
            text = await viewer.read(using.hub.text_of, news.figures, _figures_text)
            if text is not None:
                yield ServerSentEvent(event="figures", raw_data=text)
        if news.bye is not None:
            yield _bye(news.bye)
            return


@topic.route(
    "GET", "/v1/jobs/{job_id}/events", Access.VIEWER, response_class=EventSourceResponse,
    problems=["not-found", "too-many-streams"], gives=GIVES, summary="Follow a job", example="/v1/jobs/JOB_ID/events",
)  # fmt: skip
async def job_events(
    using: Using, found: Annotated[UUID, Depends(_job_id)], viewer: Annotated[Viewer, Depends(_job_viewer)]
) -> AsyncIterator[ServerSentEvent]:
    """Events: `state` is the job as at its own address, at first and whenever more than its progress has changed;
    `progress` is how far it is; `bye` is the last one and says why."""
    yield ServerSentEvent(comment="hello", retry=_retry())
    before: dict[str, Any] = {}
    while True:
        news = await viewer.news()
        if news.bye is None:
            try:
                job = await viewer.read(_whole, using, found)
            except RunError:
                viewer.again(found)
                continue
            if job:
                if _without_progress(job) != _without_progress(before):
                    yield ServerSentEvent(event="state", data=job)
                if job["progress"] != before.get("progress"):
                    yield ServerSentEvent(event="progress", data={"id": str(found), **job["progress"]})
                before = job
            if (why := _end_of(job)) is not None:
                viewer.end(why)
        else:
            yield _bye(news.bye)
            return


def _changes(news: News) -> dict[str, Any]:
    values = {
        "jobs": sorted(map(str, news.jobs)),
        "datasets": sorted(map(str, news.datasets)),
        "gone": sorted(map(str, news.gone)),
        "new_jobs": news.new_jobs,
        "new_datasets": news.new_datasets,
        "as_of": news.as_of,
    }
    found: dict[str, Any] = to_json(values)
    return found


def _figures_text(figures: Figures) -> str:
    return body_of(status_values(figures)).decode()


def _whole(using: Context, job_id: UUID) -> dict[str, Any]:
    """The job as it is now; nothing if it is gone."""
    try:
        return whole_job(using, *using.client.jobs.get(job_id))
    except NotFound:
        return {}


def _end_of(job: dict[str, Any] | None) -> Bye | None:
    """Why a stream is over after this; None if it goes on, or ends already."""
    if job is None:
        return None
    if not job:
        return Bye.GONE
    state = state_of(job["state"])
    return Bye.FINISHED if state is not None and state.finished else None


def _without_progress(job: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in job.items() if name not in _MOVES}


def _bye(why: Bye) -> ServerSentEvent:
    return ServerSentEvent(event="bye", data={"why": why.value}, retry=_retry())


def _retry() -> int:
    return random.randint(*RETRY_MS)
