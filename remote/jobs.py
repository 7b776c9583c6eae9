"""Jobs over the API."""

import builtins
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import reduce
from typing import Any
from urllib.parse import quote
from uuid import UUID

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import FINISHED, JobState
from dataset_jobs.store.client_connection import When
from dataset_jobs.store.views import JobView, Progress, RunView
from remote.connection import Connection
from remote.lists import clock_at, selection_of, when
from remote.reading import read, read_each
from services.filters import JOB_SORTS, JobFilter
from services.glance import Found
from services.jobs import Cancel, Retried
from services.listing import Selection, in_parts
from services.waiting import Waiting

AT_ONCE = 50
"""So many ids may be asked for in an address."""

SEVERAL = 1_000
"""So many in a body."""

JOBS = "/v1/jobs"


class Jobs:
    """The jobs of an installation; see `services.jobs.Jobs`."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection

    def find(self, given: str) -> UUID:  # noqa: D102
        return UUID(self._api.get(f"{JOBS}/{quote(given, safe='')}").data["id"])

    def latest(self) -> UUID:  # noqa: D102
        return self.find("latest")

    def list(  # noqa: D102
        self,
        *,
        state: JobState | None = None,
        dataset_id: UUID | None = None,
        ids: Iterable[UUID] | None = None,
        limit: int | None = None,
    ) -> builtins.list[JobView]:
        if ids is not None:
            return [read(JobView, one) for one in self._these(ids)]
        states = () if state is None else (state,)
        return self.select(JobFilter(states, dataset_id=dataset_id)).first(limit)[0]

    def _these(self, ids: Iterable[UUID]) -> builtins.list[Any]:
        some = in_parts(dict.fromkeys(map(str, ids)), AT_ONCE)
        return [one for part in some for one in self._api.get(JOBS, ids=",".join(part), limit=AT_ONCE).data]

    def select(self, which: JobFilter) -> Selection[JobView]:  # noqa: D102
        query = {**self.query(which), "sort": "newest"}
        return selection_of(self._api, JOBS, query, JobView, lambda ids: self.list(ids=ids), (JOB_SORTS, "jobs"))

    def query(self, which: JobFilter) -> dict[str, Any]:
        """A filter as the API takes it."""
        return {
            "state": which.states, "cause": which.causes, "country": which.country, "filename": which.file,
            "pool": which.pool, "since": when(which.since, lambda: clock_at(self._api)),
            "ended_since": when(which.ended_since, lambda: clock_at(self._api)), "dataset_id": which.dataset_id,
            "reason": which.reason, "batch": which.batch,
        }  # fmt: skip

    def page(self, query: Mapping[str, Any], limit: int) -> Found:
        """The first jobs of a query, and why each of them waits that does."""
        said = {name: ",".join(one) if isinstance(one, tuple | list) else one for name, one in query.items()}
        answers = self._api.get(JOBS, **{name: one for name, one in said.items() if one}, limit=limit).data
        waiting = {UUID(one["id"]): read(Waiting, one["waiting"]) for one in answers if one.get("waiting") is not None}
        return Found(read_each(JobView, answers), waiting)

    def get(self, job_id: UUID) -> tuple[JobView, Sequence[RunView]]:  # noqa: D102
        job = read(JobView, self._api.get(f"{JOBS}/{job_id}").data)
        return job, [run for page in self._api.pages(f"{JOBS}/{job_id}/runs") for run in read_each(RunView, page)]

    def waiting(self, jobs: Sequence[JobView]) -> dict[UUID, Waiting]:
        """Why each of these jobs waits; those that do not are left out."""
        return {
            UUID(one["id"]): read(Waiting, one["waiting"])
            for one in self._these(job.id for job in jobs)
            if one.get("waiting") is not None
        }

    def progress(self, job_ids: Iterable[UUID]) -> Progress:  # noqa: D102
        parts = in_parts(map(str, job_ids), SEVERAL)
        found = [read(Progress, self._api.post(f"{JOBS}/progress", {"ids": part}).data) for part in parts]
        return reduce(_together, found, Progress(0, 0, 0, 0, 0, 0, 0, []))

    def cancel(self, job_id: UUID) -> Cancel:  # noqa: D102
        answer = self._api.post(f"{JOBS}/{job_id}/cancel")
        return Cancel.REQUESTED if answer.status == 202 else Cancel.CANCELLED

    def retry_all(  # noqa: D102
        self, job_ids: Iterable[UUID], *, dry_run: bool = False, priority: int | None = None
    ) -> Sequence[Retried]:
        return [self._retry(one, dry_run, priority) for one in dict.fromkeys(job_ids)]

    def _retry(self, job_id: UUID, dry_run: bool, priority: int | None) -> Retried:
        body = {"priority": priority, "dry_run": dry_run or None}
        try:
            data = self._api.post(f"{JOBS}/{job_id}/retry", body).data
        except InvalidRequest as refusal:
            for job in self.list(ids=[job_id]):
                return Retried(job_id, job.dataset_id, job.filename, refusal)
            raise
        return Retried(job_id, UUID(data["dataset_id"]), data["filename"])

    def reschedule(self, job_id: UUID, *, priority: int | None = None, run_at: When = None) -> JobView:  # noqa: D102
        body = {"priority": priority, "run_at": when(run_at)}
        return read(JobView, self._api.send("PATCH", f"{JOBS}/{job_id}", json_body=body).data)

    def failed(self, cause: Cause | None = None) -> Sequence[UUID]:  # noqa: D102
        return [UUID(one) for one in self._api.get("/v1/failures/jobs", cause=cause).data]

    def purgeable(  # noqa: D102
        self, older_than: timedelta, states: Sequence[JobState] = FINISHED
    ) -> dict[JobState, int]:
        found = {}
        for state in states:
            found[state] = int(self._purge(older_than, [state], dry_run=True).data["can"])
        return found

    def purge(self, older_than: timedelta, states: Sequence[JobState] = FINISHED) -> Iterator[int]:  # noqa: D102
        operation = self._purge(older_than, states, dry_run=False).data
        done = 0
        for now in self._api.until_over(operation):
            yield now - done
            done = now

    def _purge(self, older_than: timedelta, states: Sequence[JobState], *, dry_run: bool) -> Any:
        query = {"older_than": when(older_than), "state": ",".join(states), "dry_run": "true" if dry_run else None}
        return self._api.send("DELETE", JOBS, query)


def _together(one: Progress, other: Progress) -> Progress:
    """The progress of the jobs of both: numbers are added, files stand one after the other."""
    names = [field.name for field in dataclasses.fields(Progress)]
    return Progress(**{name: getattr(one, name) + getattr(other, name) for name in names})
