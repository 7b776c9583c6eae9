"""The use cases of an installation over its HTTP API; `services/client.py` has them over its database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from dataset_jobs.model.requests import NotFound, UnknownCountry
from dataset_jobs.store.views import ControllerStatus, JobView, Status
from remote.connection import Connection, Patience
from remote.datasets import Datasets
from remote.jobs import Jobs
from remote.keys import Keys
from remote.lists import clock_at
from remote.pools import Pools, Schedules
from remote.reading import read, read_each
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
        from urllib.parse import quote

        try:
            return str(self.connection.get(f"/v1/countries/{quote(given.strip(), safe='')}").data["code"])
        except NotFound as error:
            raise UnknownCountry(str(error)) from None

    def now(self) -> datetime:  # noqa: D102
        return clock_at(self.connection)

    def overview(self) -> Overview:  # noqa: D102
        data = self.connection.get("/v1/status").data
        return Overview(read(Status, data), read(datetime, data["as_of"]), read_each(Problem, data["problems"]))

    def unserved(self, pool: str | None = None) -> Obstacle | None:  # noqa: D102
        data: Mapping[str, Any] = self.connection.get("/v1/status").data
        return unserved(read_each(ControllerStatus, data["controllers"]), pool or None)

    def story(self, job_id: UUID) -> Story:  # noqa: D102
        return read(Story, self.connection.get(f"/v1/jobs/{job_id}/story").data)

    def waiting(self, jobs: Sequence[JobView]) -> Mapping[UUID, Waiting]:  # noqa: D102
        return self.jobs.waiting(jobs)
