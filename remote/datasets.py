"""Datasets over the API."""

import builtins
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote
from uuid import UUID

from dataset_jobs.model.report import Report, report_of
from dataset_jobs.model.states import DatasetStatus, JobType
from dataset_jobs.store.client_connection import When
from dataset_jobs.store.views import DatasetView
from remote.connection import Connection
from remote.jobs import AT_ONCE
from remote.lists import clock_at, selection_of, when
from remote.reading import Unreadable, read
from services.filters import DATASET_SORTS, DatasetFilter
from services.listing import Selection, in_parts

DATASETS = "/v1/datasets"


class Datasets:
    """The datasets of an installation; see `services.datasets.Datasets`."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection

    def find(self, given: str) -> UUID:  # noqa: D102
        return UUID(self._api.get(f"{DATASETS}/{quote(given, safe='')}").data["id"])

    def list(  # noqa: D102
        self,
        *,
        status: DatasetStatus | None = None,
        country: str | None = None,
        ids: Iterable[UUID] | None = None,
        limit: int | None = None,
    ) -> builtins.list[DatasetView]:
        if ids is not None:
            parts = in_parts(dict.fromkeys(map(str, ids)), AT_ONCE)
            pages = (self._api.get(DATASETS, ids=",".join(part), limit=AT_ONCE).data for part in parts)
            return [read(DatasetView, one) for page in pages for one in page]
        statuses = () if status is None else (status,)
        return self.select(DatasetFilter(statuses, country)).first(limit)[0]

    def select(self, which: DatasetFilter) -> Selection[DatasetView]:  # noqa: D102
        query = {
            "status": which.statuses, "country": which.country, "filename": which.file,
            "since": when(which.since, lambda: clock_at(self._api)),
        }  # fmt: skip
        sorts = (DATASET_SORTS, "datasets")
        return selection_of(self._api, DATASETS, query, DatasetView, lambda ids: self.list(ids=ids), sorts)

    def get(self, dataset_id: UUID) -> DatasetView:  # noqa: D102
        return read(DatasetView, self._one(dataset_id))

    def most_frequent(self, dataset: DatasetView, limit: int) -> None:
        """Nothing: the names themselves are not read here."""

    def reports(self, ids: Iterable[UUID]) -> dict[UUID, Report]:  # noqa: D102
        found = {one: self._one(one)["report"] for one in ids}
        try:
            return {one: report_of(report) for one, report in found.items() if report is not None}
        except (KeyError, TypeError):
            raise Unreadable("Report: something is missing") from None

    def reprocess(  # noqa: D102
        self, dataset_id: UUID, *, priority: int = 0, pool: str = "", run_at: When = None
    ) -> tuple[UUID, JobType]:
        body = {"priority": priority, "pool": pool or None, "run_at": when(run_at)}
        data = self._api.post(f"{DATASETS}/{dataset_id}/reprocess", body).data
        return UUID(data["job_id"]), JobType(data["job"]["type"])

    def delete(self, dataset_id: UUID) -> None:
        """Deletes a dataset; the API deletes its file."""
        self._api.send("DELETE", f"{DATASETS}/{dataset_id}")

    def _one(self, dataset_id: UUID) -> Any:
        return self._api.get(f"{DATASETS}/{dataset_id}").data
