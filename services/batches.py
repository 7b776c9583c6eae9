"""Files that were submitted together, in words: where each stands, what is loaded, what is wrong and what to do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataset_jobs.model.advice import HINTED, Subject, advice_on_end, remedy_of
from dataset_jobs.model.causes import Cause, Reason, cause_of, reason_of
from dataset_jobs.model.coverage import years_in_words
from dataset_jobs.model.hints import Action, Advice, Hint
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.sentences import Sentence, counted, sentence
from dataset_jobs.model.states import JobState, state_of
from dataset_jobs.store.client_connection import ClientDatabase
from dataset_jobs.store.views import DatasetView, JobView
from services.datasets import Datasets
from services.filters import DatasetFilter
from services.jobs import Jobs
from services.waiting import Waiting
from services.waiting_jobs import why_waiting

_ASKS: Mapping[Action, str] = {
    Action.SUBMIT_WITH_YEAR: "year",
    Action.SUBMIT_WITH_SEX: "sex",
    Action.SUBMIT_AS_FORMAT: "format",
}
"""What a refused file may have lost, by the advice that asks for it."""


@dataclass(frozen=True, slots=True)
class Remedied:
    """What a person does about a file.

    Args:
        text: in whole sentences; empty if there is nothing.
        asks: what to say when it is sent again: year, sex, format.
        replaces: the datasets whose place it may take, by their ids.
    """

    text: str = ""
    asks: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()


NOTHING_TO_DO = Remedied()


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A file.

    Args:
        job: the latest one of its dataset; None if it is purged.
        text: where it stands.
        problems: what else is wrong with it: the place and the reason of each, without its contents.
        remedy: what to do about that.
        retryable: it failed, and the same file may pass another time.
    """

    dataset: DatasetView
    job: JobView | None
    text: Sentence
    problems: Sequence[str] = ()
    remedy: Remedied = NOTHING_TO_DO
    retryable: bool = False

    @property
    def state(self) -> str:
        """Of its job, or of its dataset if there is none."""
        return self.dataset.status if self.job is None else self.job.state

    @property
    def is_over(self) -> bool:
        """Nothing more happens to it by itself."""
        state = None if self.job is None else state_of(self.job.state)
        return state is None or state.finished

    @property
    def is_there(self) -> bool:
        """Its rows are loaded, or a job is about to load them: nobody has to send it."""
        return self.dataset.loaded_at is not None or not self.is_over


@dataclass(frozen=True, slots=True)
class Batch:
    """What was submitted together.

    Args:
        files: in the order of their datasets.
        is_whole: false if there are more, and these are the newest.
        now: when that was so, by the database's clock.
    """

    name: str
    files: Sequence[BatchFile]
    is_whole: bool
    now: datetime


def read_batch(database: ClientDatabase, name: str, most: int) -> Batch:
    """A batch; without files if there is none of that name.

    Args:
        most: files at most.
    """
    page = Datasets(database).select(DatasetFilter(batch=name)).page(most)
    now = database.now()
    return Batch(name, files_of(database, page.items, now), page.next is None, now)


def read_files(database: ClientDatabase, dataset_ids: Iterable[UUID]) -> Sequence[BatchFile]:
    """These datasets as files of a batch, in their order; those that are gone are left out."""
    return files_of(database, Datasets(database).list(ids=[*dataset_ids]), database.now())


def files_of(database: ClientDatabase, datasets: Iterable[DatasetView], now: datetime) -> Sequence[BatchFile]:
    """Datasets as files of a batch, in their order."""
    ordered = sorted(datasets, key=lambda one: one.number)
    jobs = _latest_jobs(database, ordered)
    waiting = why_waiting(database, [*jobs.values()], now=now)
    failed = [job.id for job in jobs.values() if job.state == JobState.FAILED]
    rows = database.all("jobs.outcomes", ids=failed) if failed else []
    outcomes = {row["job_id"]: Outcome.from_dict(row["outcome"]) for row in rows}
    found = []
    for dataset in ordered:
        job = jobs.get(dataset.id)
        if job is not None and job.state == JobState.FAILED:
            found.append(_failed(dataset, job, outcomes.get(job.id)))
        else:
            found.append(BatchFile(dataset, job, _stands(dataset, job, waiting)))
    return found


def loaded(dataset: DatasetView) -> Sentence:
    """What is loaded of a dataset."""
    names = counted(dataset.row_count or 0, "name")
    if not dataset.years:
        return sentence("{}", names)
    return sentence("{}, {}, {}", names, years_in_words(dataset.years), " and ".join(dataset.sexes))


def without_name(error: str, filename: str) -> str:
    """What is wrong with a file, where its name stands beside it."""
    return next((error.removeprefix(name) for mark in ":,;" if error.startswith(name := f"{filename}{mark} ")), error)


def remedied(advice: Iterable[Advice]) -> Remedied:
    """Advice on a refused file, for whoever has it: what to do, and what to say with it."""
    steps = [*advice]
    hints = [hint for step in steps for hint in step.hints]
    asks = dict.fromkeys(_ASKS[hint.action] for hint in hints if hint.action in _ASKS)
    others = dict.fromkeys(
        str(one)
        for hint in hints
        if hint.action is Action.SUBMIT_AS_REPLACEMENT
        for one in (hint.dataset_id, *(hint.replaces or "").split())
        if one is not None
    )
    return Remedied(" ".join(filter(None, map(_whole, steps))), tuple(asks), tuple(others))


def remedy_of_refusal(reason: Reason, hints: Sequence[Hint]) -> Remedied:
    """What to do about a file that was refused when it was checked."""
    remedy = remedy_of(Cause.REJECTED, reason)
    if not hints:
        return remedied([Advice(remedy.text, tuple(map(Hint, remedy.actions)))])
    return remedied(Advice(HINTED.get(hint.action, remedy.text), (hint,)) for hint in hints)


def _whole(step: Advice) -> str:
    """Advice without the end of it that would be followed by a command."""
    before, _, last = step.text.rpartition(". ")
    if not last.endswith(":"):
        return step.text
    if before or any(hint.action is Action.LIST_FORMATS for hint in step.hints):
        return f"{before}." if before else ""
    return f"{last[:-1]}."


def _latest_jobs(database: ClientDatabase, datasets: Sequence[DatasetView]) -> Mapping[UUID, JobView]:
    if not datasets:
        return {}
    ids = [one.id for one in datasets]
    found = database.all("jobs.match_of_datasets", dataset_ids=ids, before=None, limit=None)
    # The newest comes first, and stays.
    return {job.dataset_id: job for job in reversed(Jobs(database).list(ids=[row["id"] for row in found]))}


def _stands(dataset: DatasetView, job: JobView | None, waiting: Mapping[UUID, Waiting]) -> Sentence:
    if job is None or job.state == JobState.COMPLETED:
        text = loaded(dataset) if dataset.loaded_at is not None else sentence("{}", dataset.error)
        return text if dataset.warning is None else sentence("{}; {}", text, dataset.warning)
    if job.id in waiting:
        return waiting[job.id].text
    if job.state == JobState.RUNNING:
        rows = counted(job.rows_done or 0, "row")
        if not job.size:
            return sentence("{}", rows)
        return sentence("{} %, {}", min(99, round(100 * (job.bytes_done or 0) / job.size)), rows)
    return sentence("it was {} at {}", job.state, job.finished_at)


def _failed(dataset: DatasetView, job: JobView, outcome: Outcome | None) -> BatchFile:
    cause, reason = cause_of(job.last_cause), reason_of(job.last_reason)
    problems = () if outcome is None else outcome.problems[1:]
    text = sentence("{}", without_name(job.last_error or "", dataset.filename))
    if cause is None:
        return BatchFile(dataset, job, text, problems)
    about = Subject(
        job.id, dataset.id, dataset.country, dataset.filename, JobState.FAILED, dataset.loaded_at is not None,
        job.described, dataset.hints, tuple(dataset.supersedes),
    )  # fmt: skip
    hints = () if outcome is None else outcome.hints
    remedy = remedied(advice_on_end(about, cause, reason, hints, job.last_error or ""))
    return BatchFile(
        dataset, job, text, problems, remedy, cause is not Cause.REJECTED and remedy_of(cause, reason).retry
    )
