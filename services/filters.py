"""Which jobs and datasets a list has: filters, and the statements' parameters for them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.coverage import years_in_words
from dataset_jobs.model.states import DatasetStatus, JobState, JobType
from dataset_jobs.model.times import LAST
from dataset_jobs.store.client_connection import ClientDatabase, Row
from dataset_jobs.store.views import DatasetView, JobView
from services.dataset_maker import find_country
from services.listing import Order, Selection, like_pattern, unknown_word

Since = datetime | timedelta | None
"""Not older than that time, or than so long ago by the database's clock; None is any age."""

_OF_DATASETS = (
    *("before", "status", "statuses", "country_id", "at", "ago", "until", "sha256", "year", "measure", "region"),
    *("batch", "superseded", "from_dataset", "file", "limit"),
)

FEW = 1_000
"""If at most so many datasets match a file's name or a country, their jobs are found by an index."""


FEWER = 200
"""The jobs of so few datasets are all read, before the newest are taken."""

FEW_RUNS = 300
"""If at most so many runs ended by a reason, a list begins with their jobs; else it comes upon them soon enough."""


NO_REASON = "none"
"""Stands for runs that ended without a reason; `jobs.match` has it too."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs; each condition must hold, and an empty one always does.

    Args:
        states, causes: one of these; the cause is that of the last run that ended badly.
        country: ISO 3166-1 code of the dataset.
        file: a part of its file's name, or the whole name with * and ?; letter case does not count.
        pool: by name.
        since, until: submitted since then, and not after.
        dataset_id: of this dataset.
        reason: of its latest run; says more than the cause. `NO_REASON`: its run has none.
        kind: the first load of a dataset, or a later one.
        batch: the name of what was submitted together.
        newest_files: look for the file's name in the newest so many datasets alone.
        ended_since: completed, failed or cancelled since then.
    """

    states: Sequence[JobState] = ()
    causes: Sequence[Cause] = ()
    country: str | None = None
    file: str | None = None
    pool: str | None = None
    since: Since = None
    dataset_id: UUID | None = None
    until: datetime | None = None
    reason: str | None = None
    kind: JobType | None = None
    batch: str | None = None
    newest_files: int | None = None
    ended_since: Since = None


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    """Which datasets, as `JobFilter` has it.

    Args:
        sha256: of its file, in hexadecimal digits.
        year: it has rows of that.
        measure, region: of its rows.
        superseded: whether others count in its place, for all of it.
    """

    statuses: Sequence[DatasetStatus] = ()
    country: str | None = None
    file: str | None = None
    since: Since = None
    until: datetime | None = None
    sha256: str | None = None
    year: int | None = None
    measure: str | None = None
    region: str | None = None
    batch: str | None = None
    superseded: bool | None = None
    newest_files: int | None = None


JOB_SORTS: Mapping[str, Callable[[JobView], Any]] = {
    "submitted": lambda job: job.created_at,
    "country": lambda job: job.country,
    "file": lambda job: job.filename.casefold(),
    "type": lambda job: job.type,
    "state": lambda job: job.state,
    "pool": lambda job: job.pool,
    "priority": lambda job: job.priority,
    "attempts": lambda job: job.attempts,
    "rows": lambda job: job.rows_done,
    "runs at": lambda job: job.run_at if job.state == JobState.SCHEDULED else None,
    "finished": lambda job: job.finished_at,
    "cause": lambda job: job.last_cause,
}
"""By what jobs can be sorted."""

DATASET_SORTS: Mapping[str, Callable[[DatasetView], Any]] = {
    "submitted": lambda dataset: dataset.created_at,
    "country": lambda dataset: dataset.country,
    "file": lambda dataset: dataset.filename.casefold(),
    "status": lambda dataset: dataset.status,
    "rows": lambda dataset: dataset.row_count,
    "years": lambda dataset: years_in_words(dataset.years) if dataset.years else None,
    "region": lambda dataset: dataset.region,
    "measure": lambda dataset: dataset.measure,
    "top": lambda dataset: dataset.top,
    "size": lambda dataset: dataset.size,
    "loaded": lambda dataset: dataset.loaded_at,
}
"""By what datasets can be sorted."""


def select_jobs(
    database: ClientDatabase, which: JobFilter, read: Callable[[Iterable[UUID]], list[JobView]]
) -> Selection[JobView]:
    """The jobs of a filter; raises InvalidRequest for a country or a pool that is not there."""
    country_id = _country_id(database, which.country)
    _check_pool(database, which.pool)
    file = None if which.file is None else like_pattern(which.file)
    from_key = _since(database, which.since)
    from_dataset = None if file is None else _first_of(database, which.newest_files)
    newest = _until(database, which.until)
    words = {**_one_or_several("state", which.states), **_one_or_several("cause", which.causes)}
    over = bool(which.states) and all(state.finished for state in which.states)
    held = tuple(which.states) == (JobState.RUNNING,)
    ago = isinstance(which.ended_since, timedelta)
    ended = {"ended_at": None if ago else which.ended_since, "ended_ago": which.ended_since if ago else None}

    def match(before: int | None, limit: int | None, statement: str = "jobs.match") -> Sequence[Row]:
        of = None if which.dataset_id is None else [which.dataset_id]
        of_dataset = {"country_id": country_id, "file": file, "batch": which.batch, "from_dataset": from_dataset}
        if of is None and any(value is not None for value in of_dataset.values()):
            found = _match_datasets(database, limit=FEW + 1, **of_dataset)
            if len(found) <= FEW:
                of, of_dataset = [row["id"] for row in found], dict.fromkeys(of_dataset)
        first = newest if before is None else before if newest is None else min(before, newest)
        if of is not None and len(of) <= FEWER and statement == "jobs.match" and which == _of_datasets_alone(which):
            return database.all("jobs.match_of_datasets", dataset_ids=of, before=first, limit=limit)
        ids = None
        if which.reason not in (None, NO_REASON):
            some = database.all("jobs.of_reason", reason=which.reason, limit=FEW_RUNS + 1)
            ids = [row["id"] for row in some] if len(some) <= FEW_RUNS else None
        return database.all(
            statement, before=first, over=over, held=held, pool=which.pool, ids=ids, dataset_ids=of, until=which.until,
            reason=which.reason, type=which.kind, limit=limit, **of_dataset, **words, **from_key, **ended,
        )  # fmt: skip

    by_end = {Order("finished", descending=True): lambda limit: match(None, limit, "jobs.match_finished")}
    return Selection(match, read, JOB_SORTS, "jobs", by_end)


def select_datasets(
    database: ClientDatabase, which: DatasetFilter, read: Callable[[Iterable[UUID]], list[DatasetView]]
) -> Selection[DatasetView]:
    """The datasets of a filter; raises InvalidRequest for a country that is not there."""
    country_id = _country_id(database, which.country)
    ago = isinstance(which.since, timedelta)
    from_dataset = None if which.file is None else _first_of(database, which.newest_files)

    def match(before: int | None, limit: int | None) -> Sequence[Row]:
        return _match_datasets(
            database, before=before, country_id=country_id, limit=limit,
            file=None if which.file is None else like_pattern(which.file),
            at=None if ago else which.since, ago=which.since if ago else None, until=which.until,
            sha256=which.sha256, year=which.year, measure=which.measure, region=which.region, batch=which.batch,
            superseded=which.superseded, from_dataset=from_dataset,
            **_one_or_several("status", which.statuses, "statuses"),
        )  # fmt: skip

    return Selection(match, read, DATASET_SORTS, "datasets")


def _of_datasets_alone(which: JobFilter) -> JobFilter:
    """What a filter says of datasets; nothing else."""
    return JobFilter(
        country=which.country, file=which.file, dataset_id=which.dataset_id, batch=which.batch,
        newest_files=which.newest_files,
    )  # fmt: skip


def _match_datasets(database: ClientDatabase, **parameters: Any) -> list[Row]:
    everything = dict.fromkeys(_OF_DATASETS)
    return database.all("datasets.match", **{**everything, **parameters})


def _country_id(database: ClientDatabase, country: str | None) -> UUID | None:
    return None if country is None else find_country(database, country)[0]


def _check_pool(database: ClientDatabase, pool: str | None) -> None:
    if pool is not None:
        pools = [row["name"] for row in database.all("pools.names")]
        if pool not in pools:
            raise unknown_word("pool", pool, pools)


def _since(database: ClientDatabase, since: Since) -> dict[str, Any]:
    if since is None:
        return {"first": None, "since": None}
    ago = isinstance(since, timedelta)
    found = database.only("jobs.first_key_since", at=None if ago else since, ago=since if ago else None)
    return {"first": found["key"], "since": found["since"]}


def _until(database: ClientDatabase, until: datetime | None) -> int | None:
    """A key from which on all jobs are newer than that; None if there is no such key."""
    if until is None or until >= LAST:
        return None
    # The statement allows for an hour among transactions at one time; so does this.
    return int(database.only("jobs.first_key_since", at=until + timedelta(hours=2), ago=None)["key"])


def _first_of(database: ClientDatabase, newest: int | None) -> int | None:
    key = None if newest is None else database.only("datasets.first_of_newest", newest=newest)["key"]
    return None if key is None else int(key)


def _one_or_several(name: str, words: Sequence[str], plural: str = "") -> dict[str, Any]:
    """One word as such, since an index is in the order of the keys then."""
    several = [str(word) for word in dict.fromkeys(words)]
    one = several[0] if len(several) == 1 else None
    return {name: one, plural or f"{name}s": several if len(several) > 1 else None}
