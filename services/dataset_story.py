"""A dataset for people: where it stands, what is loaded of it, whom it replaces, what was left out, what one can do."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataset_jobs.model.description import Description
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.report import Report
from dataset_jobs.model.requests import Conflict, InvalidRequest
from dataset_jobs.model.sentences import Sentence, counted, sentence
from dataset_jobs.model.states import DatasetStatus, state_of
from dataset_jobs.store.client_connection import ClientDatabase
from dataset_jobs.store.views import DatasetView, JobView
from services.actions import Offer, offer
from services.client import Client
from services.dataset_words import sex_in_words, superseded
from services.datasets import CoveredYear
from services.filters import JobFilter
from services.refusals import refuse_to_delete, refuse_to_reprocess
from services.report_words import about_the_file, left_out
from services.story import Story

MOST_JOBS = 10
MOST_OTHERS = 50
"""Datasets that one has replaced, or that have replaced it: those that are named."""

_IN_THE_GRID = ("rows", "total")
"""The years say it."""

_LABELS = {"smallest": "smallest count"}


@dataclass(frozen=True, slots=True)
class YearLine:
    """A year of a dataset.

    Args:
        cells: of each sex, in the order of the dataset's; None if it has none of that year.
        instead: the datasets that count in its place.
    """

    year: int
    cells: Sequence[CoveredYear | None]
    instead: Sequence[DatasetView]

    @property
    def rows(self) -> int:
        """Of all sexes."""
        return sum(cell.rows for cell in self.cells if cell is not None)

    @property
    def total(self) -> int:
        """Of all sexes: the sum of the counts."""
        return sum(cell.total for cell in self.cells if cell is not None)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What of a file is no rows of their own.

    Args:
        records: how many, and why: no rows, or added to others.
        added: the same of records that were added to another one of the same name.
        known: false of loads by a version that kept no reports.
    """

    records: Sequence[tuple[int, str]]
    added: Sequence[tuple[int, str]]
    known: bool


@dataclass(frozen=True, slots=True)
class DatasetStory:
    """A dataset for people.

    Args:
        sentence: where it stands.
        about: a word and its value each.
        description: of its columns, as TOML; None if a parser knows them.
        sexes: the headings of its years' cells.
        counts: what the sums of its counts are, such as births.
        years: the first one first.
        totals: rows and sum of all years, for each sex.
        supersedes, superseded_by: at most `MOST_OTHERS`.
        more_superseded, more_superseding: how many of each are not named.
        left_out: None if nothing is loaded.
        jobs: the newest first, at most `MOST_JOBS`; `more_jobs` if there are others.
        job: the story of the job that counts: the one that is not finished, else the newest; None if all are removed.
        actions: all that is possible on it and on that job now, the most useful one first.
        now: by the database's clock.
    """

    dataset: DatasetView
    sentence: Sentence
    about: Sequence[tuple[str, Sentence]]
    description: str | None
    sexes: Sequence[str]
    counts: str
    years: Sequence[YearLine]
    totals: Sequence[tuple[int, int]]
    supersedes: Sequence[DatasetView]
    superseded_by: Sequence[DatasetView]
    more_superseded: int
    more_superseding: int
    left_out: LeftOut | None
    jobs: Sequence[JobView]
    more_jobs: bool
    job: Story | None
    actions: Sequence[Offer]
    now: datetime


def dataset_story(client: Client, dataset_id: UUID) -> DatasetStory:
    """A dataset for people; raises NotFound."""
    dataset = client.datasets.get(dataset_id)
    report = client.datasets.reports([dataset.id]).get(dataset.id)
    covered = client.datasets.coverage(dataset.id)
    found = client.jobs.select(JobFilter(dataset_id=dataset.id)).page(MOST_JOBS)
    of_job = _job_that_counts(found.items)
    job = None if of_job is None else client.story(of_job.id)
    by = {one.id: one for one in client.datasets.list(ids=dataset.superseded_by[:MOST_OTHERS])}
    offers = _offers(client.database, dataset.id) if job is None else job.actions
    return DatasetStory(
        dataset,
        stands(dataset),
        [*_about(dataset, report, client.audit.uploaders([dataset.id]).get(dataset.id))],
        _description(dataset),
        [sex_in_words(sex, dataset.measure) for sex in dataset.sexes],
        "births" if dataset.measure == "births" else "people",
        [*_years(covered, dataset.sexes, by)],
        [_sums(covered, sex) for sex in dataset.sexes],
        client.datasets.list(ids=dataset.supersedes[:MOST_OTHERS]),
        [*by.values()],
        max(0, len(dataset.supersedes) - MOST_OTHERS),
        max(0, len(dataset.superseded_by) - MOST_OTHERS),
        None if report is None else LeftOut([*left_out(report)], _added(report), report.is_whole),
        found.items,
        found.next is not None,
        job,
        offers,
        client.now(),
    )


def stands(dataset: DatasetView) -> Sentence:
    """Where a dataset stands."""
    rows = counted(dataset.row_count or 0, "row")
    if dataset.status == DatasetStatus.PROCESSING:
        return sentence("it is being loaded")
    if dataset.loaded_at is None:
        if dataset.error is None:
            return sentence("nothing is loaded of it yet")
        return sentence("nothing is loaded of it: {}", dataset.error)
    if dataset.status == DatasetStatus.REPROCESSING:
        return sentence("it is being loaded again; until then {} stay that were loaded at {}", rows, dataset.loaded_at)
    text = sentence("loaded: {}, since {}", rows, dataset.loaded_at)
    if dataset.error is not None:
        text = sentence("{}; it could not be loaded again: {}", text, dataset.error)
    return text if (place := superseded(dataset)) is None else sentence("{}; it {}", text, place)


def _job_that_counts(jobs: Sequence[JobView]) -> JobView | None:
    unfinished = (job for job in jobs if (state := state_of(job.state)) is None or not state.finished)
    return next(unfinished, jobs[0] if jobs else None)


def _offers(database: ClientDatabase, dataset_id: UUID) -> Sequence[Offer]:
    """What is possible on a dataset whose jobs are removed."""
    found: list[Offer] = []
    for facts in database.all("datasets.facts", dataset_id=dataset_id):
        for action, refuse in (
            (Action.REPROCESS_DATASET, refuse_to_reprocess),
            (Action.DELETE_DATASET, refuse_to_delete),
        ):
            with suppress(Conflict):
                refuse(database, facts)
                found.append(offer(Hint(action, dataset_id=dataset_id)))
    return found


def _about(dataset: DatasetView, report: Report | None, by: str | None) -> Iterator[tuple[str, Sentence]]:
    yield "file", sentence("{}, {}", dataset.filename, f"{dataset.size:,} bytes")
    yield "content", sentence("SHA-256 {}", dataset.sha256)
    yield "submitted", sentence("{} by {}", dataset.created_at, by) if by else sentence("{}", dataset.created_at)
    if dataset.batch is not None:
        yield "batch", sentence("{}", dataset.batch)
    given = ("year", dataset.year_hint), ("sex", dataset.sex_hint), ("format", dataset.format_hint)
    said = [f"{name} {value}" for name, value in (*given, ("region", dataset.region_hint)) if value is not None]
    if said:
        yield "said of it", sentence("{}", ", ".join(said))
    for name, value in () if report is None else about_the_file(report):
        if name not in _IN_THE_GRID:
            yield _LABELS.get(name, name), sentence("{}", value)
    if dataset.warning is not None:
        yield "warning", sentence("{}", dataset.warning)


def _description(dataset: DatasetView) -> str | None:
    """As TOML; as it is stored, if this version does not understand it."""
    if dataset.description is None:
        return None
    try:
        return Description.from_json(dataset.description).as_toml().rstrip("\n")
    except InvalidRequest:
        return dataset.description


def _years(covered: Iterable[CoveredYear], sexes: Sequence[str], others: dict[UUID, DatasetView]) -> Iterator[YearLine]:
    years: dict[int, dict[str, CoveredYear]] = {}
    for one in covered:
        years.setdefault(one.year, {})[one.gender] = one
    for year, cells in sorted(years.items()):
        instead = dict.fromkeys(one.superseded_by for one in cells.values() if one.superseded_by in others)
        yield YearLine(year, [cells.get(sex) for sex in sexes], [others[one] for one in instead if one is not None])


def _sums(covered: Iterable[CoveredYear], sex: str) -> tuple[int, int]:
    of = [one for one in covered if one.gender == sex]
    return sum(one.rows for one in of), sum(one.total for one in of)


def _added(report: Report) -> Sequence[tuple[int, str]]:
    return [(count, reason) for reason, count in report.added.items()]
