"""Datasets: list, show, reprocess, delete."""

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from dataset_jobs.model.actor import Act, target_of
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.report import Report, stored_report
from dataset_jobs.model.requests import InvalidRequest, NotFound
from dataset_jobs.model.states import DatasetStatus, JobType
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import Acting, ClientDatabase, Row, When
from dataset_jobs.store.views import DatasetView, NameCount
from services.dataset_maker import find_country
from services.deletions import Deletion, deletion_of
from services.filters import DatasetFilter, select_datasets
from services.ids import find
from services.listing import Selection
from services.refusals import refuse_to_delete, refuse_to_reprocess
from services.submission import checked_sha256

MOST_KNOWN = 1000
"""Hashes that can be asked for at a time."""


DELETION_PATIENCE = timedelta(minutes=10)
"""How long the deletion of a dataset with all its rows may take, which may be many millions; else it could never go."""


@dataclass(frozen=True, slots=True)
class KnownContent:
    """Whether the bytes of a hash are a dataset of a country.

    Args:
        sha256: in lower-case hexadecimal.
        dataset_id, status: of the dataset; None if there is none.
        job_id: its unfinished job, if it has one.
    """

    sha256: str
    dataset_id: UUID | None = None
    status: str | None = None
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CoveredYear:
    """What a dataset has of a year and a sex.

    Args:
        rows, total: how many names, and the sum of their counts.
        superseded_by: the dataset that counts in its place; None if this one counts.
    """

    year: int
    gender: str
    rows: int
    total: int
    superseded_by: UUID | None


class Datasets:
    """The datasets of an installation.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as database or storage have it.
    """

    def __init__(self, database: ClientDatabase) -> None:
        self._database = database

    def find(self, given: str) -> UUID:
        """The dataset whose id is `given` or begins with it; raises NotFound, InvalidRequest if there are several."""
        return find(self._database, given, "dataset")

    def list(
        self,
        *,
        status: DatasetStatus | None = None,
        country: str | None = None,
        ids: Iterable[UUID] | None = None,
        limit: int | None = None,
    ) -> list[DatasetView]:
        """Datasets, the newest first.

        Args:
            status, country: only those of it.
            ids: only these; the other conditions are not asked then.
            limit: at most so many, all if None.

        Raises:
            InvalidRequest: there is no such country.
        """
        if ids is not None:
            return self._read(ids)
        statuses = () if status is None else (status,)
        return self.select(DatasetFilter(statuses, country)).first(limit)[0]

    def select(self, which: DatasetFilter) -> Selection[DatasetView]:
        """The datasets of a filter, in pages; raises InvalidRequest for a country that is not there."""
        return select_datasets(self._database, which, self._read)

    def _read(self, ids: Iterable[UUID]) -> builtins.list[DatasetView]:
        return [DatasetView(**row) for row in self._database.all("datasets.list", ids=[*ids])]

    def get(self, dataset_id: UUID) -> DatasetView:
        """A dataset; raises NotFound."""
        for dataset in self.list(ids=[dataset_id]):
            return dataset
        raise NotFound(f"there is no dataset {dataset_id}")

    def reports(self, ids: Iterable[UUID]) -> dict[UUID, Report]:
        """The reports of the loads whose rows are there; those of older versions are not whole."""
        found = {}
        for row in self._database.all("datasets.reports", ids=[*ids]):
            totals = [Covered(*one) for one in row["totals"] or ()]
            about = Report(
                row["filename"], row["country"], row["parser"], row["measure"], row["region"], row["top"], totals
            )
            found[row["id"]] = stored_report(about, row["report"])
        return found

    def known(self, country: str, hashes: Sequence[str]) -> builtins.list[KnownContent]:
        """For each hash, in their order, whether these bytes are a dataset already.

        Args:
            country: ISO 3166-1 alpha-2 code, in any letter case.
            hashes: SHA-256 in hexadecimal, at most `MOST_KNOWN`.

        Raises:
            InvalidRequest: the country is unknown, a hash is malformed, or there are too many.
        """
        if len(hashes) > MOST_KNOWN:
            raise InvalidRequest(f"{len(hashes):,} hashes: at most {MOST_KNOWN:,} can be asked for at a time")
        checked = [checked_sha256(one) for one in hashes]
        country_id, _ = find_country(self._database, country)
        rows = self._database.all("datasets.known", country_id=country_id, hashes=checked)
        found = {row["sha256"]: KnownContent(**row) for row in rows}
        return [found.get(one) or KnownContent(one) for one in checked]

    def coverage(self, dataset_id: UUID) -> Sequence[CoveredYear]:
        """The years and sexes that a dataset has rows of, ascending; none if there is no such dataset."""
        return [CoveredYear(**row) for row in self._database.all("coverage.of_dataset", dataset_id=dataset_id)]

    def most_frequent(self, dataset: DatasetView, limit: int) -> Sequence[NameCount]:
        """The most frequent names of a loaded dataset in its last year; none if it has no rows."""
        if not dataset.years:
            return []
        year = max(dataset.years)
        rows = self._database.all("datasets.most_frequent", dataset_id=dataset.id, year=year, limit=limit)
        return [NameCount(year, **row) for row in rows]

    def reprocess(
        self, dataset_id: UUID, *, priority: int = 0, pool: str = "default", run_at: When = None
    ) -> tuple[UUID, JobType]:
        """Enqueues a job that loads a dataset again; its rows stay readable until the new ones are committed.

        Returns:
            The job, and its type: a dataset without rows is parsed as if for the first time.

        Raises:
            NotFound: there is no such dataset.
            Conflict: it has an unfinished job, or is superseded.
        """
        work = partial(reprocess_dataset, dataset_id=dataset_id, priority=priority, pool=pool, run_at=run_at)
        return self._database.act(Act.DATASET_REPROCESS, target_of("dataset", dataset_id), work)

    def deletion(self, dataset_id: UUID) -> Deletion:
        """What `delete` would do now. Raises as that does, and writes nothing."""
        dataset = self.get(dataset_id)
        rows: list[Row] = []
        for facts in self._database.all("datasets.facts", dataset_id=dataset_id):
            refuse_to_delete(self._database, facts)
            rows = self._database.all("coverage.counting_without", dataset_key=facts["key"])
        jobs = self._database.all("datasets.jobs", dataset_id=dataset_id)
        return deletion_of(dataset, rows, len(jobs))

    def delete(self, dataset_id: UUID, storage: Storage) -> None:
        """Deletes a dataset, its rows, its jobs and their runs, in one transaction; then its stored file.

        Datasets that it superseded count again, unless another dataset supersedes it: that one takes its place.

        Args:
            storage: where the file is kept.

        Raises:
            NotFound: there is no such dataset.
            Conflict: a run holds it, or without it two datasets that it supersedes would count for the same.
            RunError: the dataset is deleted, but its file is not.
        """
        left = self.forget(dataset_id, storage)
        if left is not None:
            message = f"dataset {dataset_id} is deleted, but its stored file is not: {left}"
            raise type(left)(message, left.reason, hints=left.hints) from None

    def forget(self, dataset_id: UUID, storage: Storage) -> RunError | None:
        """As `delete`; returns why the file stays, if it does. Nothing refers to it any more."""
        uri = self._database.act(
            Act.DATASET_DELETE, target_of("dataset", dataset_id), partial(delete_dataset, dataset_id=dataset_id)
        )
        try:
            storage.delete(uri)
        except RunError as error:
            return error
        return None


def reprocess_dataset(
    transaction: Acting, dataset_id: UUID, priority: int = 0, pool: str = "default", run_at: When = None
) -> tuple[UUID, JobType]:
    """Enqueues a job that loads a dataset again, within an act; see `Datasets.reprocess`."""
    dataset = transaction.lock_dataset(dataset_id)
    if dataset is None:
        raise NotFound(f"there is no dataset {dataset_id}")
    refuse_to_reprocess(transaction, dataset)
    kind = JobType.REPROCESS if dataset["loaded"] else JobType.PARSE
    transaction.execute("datasets.revive", dataset_id=dataset_id)
    job_id = transaction.enqueue(dataset_id, kind, priority, pool, run_at)
    transaction.detail = {"job": str(job_id), "filename": dataset["filename"]}
    return job_id, kind


def delete_dataset(transaction: Acting, dataset_id: UUID) -> str:
    """Deletes a dataset within an act; where its file is stored. See `Datasets.delete`."""
    dataset = transaction.lock_dataset(dataset_id)
    if dataset is None:
        raise NotFound(f"there is no dataset {dataset_id}")
    refuse_to_delete(transaction, dataset)
    with transaction.patiently(DELETION_PATIENCE):
        transaction.execute("datasets.delete", dataset_id=dataset_id)
    transaction.detail = {"filename": dataset["filename"], "sha256": dataset["sha256"]}
    return str(dataset["storage_uri"])
