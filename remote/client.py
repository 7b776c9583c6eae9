"""The use cases of an installation over its HTTP API; `services/client.py` has them over its database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote
from uuid import UUID

from dataset_jobs.model.requests import NotFound, UnknownCountry
from dataset_jobs.model.states import JobState
from dataset_jobs.store.views import ControllerStatus, JobView, Status
from remote.connection import Connection, Patience
from remote.datasets import Datasets
from remote.jobs import Jobs
from remote.keys import Keys
from remote.lists import clock_at, when
from remote.pools import Pools, Schedules
from remote.reading import read, read_each
from services.figures import PoolHistory
from services.filters import JobFilter
from services.glance import Glance, Recent
from services.keys import Role
from services.problems import Overview, Problem
from services.status import Obstacle, unserved
from services.story import Story
from services.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Me:
    """Who the API takes the caller for."""

    name: str
    role: Role
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class PastHour:
    """What came of a pool within the last hour; see `services.figures.Lately`."""

    success_ratio: float | None
    busy: float | None


class RemoteClient:
    """The use cases over an API; see `services.client.Client`. Several threads can use it.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as the way to the API has it, and what the same
    method raises over a database.

    Args:
        address: of the API.
        key: None for what needs none.
        patience: how long it waits.
    """

    def __init__(self, address: str, key: str | None, patience: Patience | None = None) -> None:
        self.connection = Connection(address, key, patience)
        self.jobs = Jobs(self.connection)
        self.datasets = Datasets(self.connection)
        self.pools = Pools(self.connection)
        self.schedules = Schedules(self.connection)
        self.keys = Keys(self.connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self.connection.close()

    def me(self) -> Me:
        """Who the caller is."""
        return read(Me, self.connection.get("/v1/me").data)

    def country(self, given: str) -> str:  # noqa: D102
        try:
            return str(self.connection.get(f"/v1/countries/{quote(given.strip(), safe='')}").data["code"])
        except NotFound as error:
            raise UnknownCountry(str(error)) from None

    def now(self) -> datetime:  # noqa: D102
        return clock_at(self.connection)

    def overview(self) -> Overview:  # noqa: D102
        data = self.connection.get("/v1/status").data
        return Overview(read(Status, data), read(datetime, data["as_of"]), read_each(Problem, data["problems"]))

    def glance(self, limit: int, which: JobFilter | None = None) -> Glance:
        """As `services.client.Client.glance`; the figures are those that the API has read last."""
        data = self.connection.get("/v1/status").data
        past = {one["name"]: read(PastHour, one) for one in data["pools"]}
        as_of = read(datetime, data["as_of"])
        running = self.jobs.page({"state": JobState.RUNNING, "sort": "newest"}, limit)
        recent = Recent(running.jobs, self.jobs.page({"sort": "finished"}, limit).jobs, as_of)
        found = None if which is None else self.jobs.page(self.jobs.query(which), limit)
        return Glance(as_of, read(Status, data), read_each(Problem, data["problems"]), past, recent, found)

    def history(self, pool: str, since: datetime, until: datetime, step: str) -> PoolHistory:  # noqa: D102
        query = {"from": when(since), "to": when(until), "step": step}
        return read(PoolHistory, self.connection.get(f"/v1/pools/{quote(pool, safe='')}/history", **query).data)

    def role(self) -> Role:
        """What the caller may do, of what the API lets anybody do."""
        me = self.me()
        return Role.VIEWER if me.read_only else me.role

    def unserved(self, pool: str | None = None) -> Obstacle | None:  # noqa: D102
        data: Mapping[str, Any] = self.connection.get("/v1/status").data
        return unserved(read_each(ControllerStatus, data["controllers"]), pool or None)

    def story(self, job_id: UUID) -> Story:  # noqa: D102
        return read(Story, self.connection.get(f"/v1/jobs/{job_id}/story").data)

    def waiting(self, jobs: Sequence[JobView]) -> Mapping[UUID, Waiting]:  # noqa: D102
        return self.jobs.waiting(jobs)
