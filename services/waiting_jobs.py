"""Reads what jobs wait for: their pools, the controllers, their places, their latest runs. Milliseconds for a page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from dataset_jobs.model.states import JobState, state_of
from dataset_jobs.store.client_connection import ClientDatabase
from dataset_jobs.store.views import ControllerStatus, JobView, LastRun, PoolState, Surroundings
from services.waiting import Place, Waiting, waiting_for

PLACES = 1_000
"""Places are counted up to this one."""


def pool_states(database: ClientDatabase, pools: Iterable[str]) -> list[PoolState]:
    """The pools of these names, without their queues."""
    return [PoolState(**row) for row in database.all("waiting.pools", pools=[*pools])]


def reporting_controllers(database: ClientDatabase) -> list[ControllerStatus]:
    """The controllers that have reported lately, without what their runs say of them."""
    return [ControllerStatus(**row) for row in database.all("waiting.controllers")]


def surroundings(database: ClientDatabase, pools: Iterable[str]) -> Surroundings:
    """The pools of these names, without their queues, and the controllers, without what their runs say of them."""
    return Surroundings(pool_states(database, pools), reporting_controllers(database))


def why_waiting(
    database: ClientDatabase, jobs: Sequence[JobView], around: Surroundings | None = None, now: datetime | None = None
) -> Mapping[UUID, Waiting]:
    """Why each of these jobs waits; those that do not are left out.

    Args:
        around: their pools and the controllers, if they are read already.
        now: by the database's clock, if it is read already.
    """
    waiting = [job for job in jobs if (state := state_of(job.state)) is not None and not state.finished]
    if not waiting:
        return {}
    if around is None:
        around = surroundings(database, {job.pool for job in waiting})
    if now is None:
        now = database.now()
    queued = [job.id for job in waiting if job.state == JobState.QUEUED]
    others = [job.id for job in waiting if job.state != JobState.QUEUED]
    runs = {row["job_id"]: LastRun(**row) for row in database.all("waiting.runs", ids=others)} if others else {}
    places = dict[UUID, Place]()
    if queued:
        for row in database.all("waiting.places", ids=queued, most=PLACES):
            ahead = row["ahead"]
            places[row["id"]] = Place(PLACES, exact=False) if ahead is None else Place(ahead)
    found = ((job.id, waiting_for(job, runs.get(job.id), around, places.get(job.id), now)) for job in waiting)
    return {job_id: why for job_id, why in found if why is not None}
