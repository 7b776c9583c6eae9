"""What `load` says at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from cli.exit_codes import of_waiting, waits_for_a_fix
from cli.screen import output
from cli.screen.table import Column
from cli.screen.words import SHORT_ID, cell
from cli.wording.hints import error_in_words, lines_that_help
from cli.wording.report import lines_of_loads
from cli.wording.typed import same_database, typed
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.hints import Hint
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.report import Report
from dataset_jobs.model.sentences import counted
from dataset_jobs.model.states import JobState
from dataset_jobs.store.views import DatasetView, JobView, NameCount
from services.jobs import Others
from services.submission import Verdict
from services.submit import SubmittedFile
from services.use_cases import UseCases

SHOWN_ROWS = 5
_NAMES = [Column("year"), Column("sex"), Column("name"), Column("count", right=True)]


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """A file whose rows are not in the table, and the reason."""

    file: Path | str
    state: str
    error: str | None
    dataset_id: UUID | None = None
    job_id: UUID | None = None
    cause: str | None = None
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a load.

    Args:
        files: how many were given.
        loaded: how many were loaded now; their `rows`.
        already_loaded: how many had been loaded before.
        not_loaded: all others.
        sample: the dataset that was loaded last, or before, and its most frequent names; None if there is none.
        seconds: from the first file submitted to the last job settled.
        others: the jobs of other files that ran too.
        reports: of the datasets that were loaded now.
        stored_again: of those that had been loaded before, how many files were lost in storage.
        others_wait: jobs of other files are not over; known only if it was interrupted.
    """

    files: int
    loaded: int
    already_loaded: int
    not_loaded: tuple[NotLoaded, ...]
    rows: int
    seconds: float
    interrupted: bool
    others: Others
    sample: tuple[DatasetView, Sequence[NameCount]] | None = None
    reports: Mapping[UUID, Report] = field(default_factory=dict)
    stored_again: int = 0
    others_wait: bool = False

    @property
    def exit_code(self) -> int:
        """0 only if every file is loaded; 77 or 78 if all others wait for somebody to fix the same."""
        return 130 if self.interrupted else of_waiting(one.cause for one in self.not_loaded)

    @property
    def rows_per_second(self) -> int:
        """Of the files loaded now."""
        return round(self.rows / self.seconds) if self.seconds else 0


def sum_up(
    client: UseCases, submitted: list[SubmittedFile], seconds: float, *, interrupted: bool, others: Others
) -> Summary:
    """Reads from the database what became of the files."""
    jobs = {job.id: job for job in client.jobs.list(ids=[one.job_id for one in submitted if one.job_id])}
    already = []
    loaded: dict[UUID, int] = {}
    not_loaded: list[tuple[SubmittedFile, JobView | None]] = []
    for one in submitted:
        job = jobs.get(one.job_id) if one.job_id else None
        if job is not None and job.state == JobState.COMPLETED:
            loaded[job.id] = job.rows_done or 0
        elif job is None and one.loaded:
            already.append(one)
        else:
            not_loaded.append((one, job))
    # A file that was given twice is one job.
    count = len(submitted) - len(already) - len(not_loaded)
    now = [jobs[job].dataset_id for job in loaded]
    failed = [job.dataset_id for _, job in not_loaded if job is not None and job.last_cause == Cause.REJECTED]
    datasets = {dataset.id: dataset for dataset in (client.datasets.list(ids=failed) if failed else ())}
    reports = client.datasets.reports(now) if now else {}
    return Summary(
        len(submitted),
        count,
        len(already),
        tuple(_not_loaded(client, one, job, datasets) for one, job in not_loaded),
        sum(loaded.values()),
        seconds,
        interrupted,
        others,
        _sample(client, (now or [one.dataset_id for one in already if one.dataset_id])[-1:]),
        {dataset: reports[dataset] for dataset in now if dataset in reports},
        sum(one.done is not None and one.done.verdict is Verdict.RESTORED for one in already),
        interrupted and any(pool.queued or pool.scheduled or pool.running for pool in client.pools.list()),
    )


def _sample(client: UseCases, dataset: list[UUID]) -> tuple[DatasetView, Sequence[NameCount]] | None:
    for found in client.datasets.list(ids=dataset) if dataset else ():
        names = client.datasets.most_frequent(found, SHOWN_ROWS)
        return None if names is None else (found, names)
    return None


def print_summary(summary: Summary, place: str, as_json: bool) -> None:
    """Prints it on stdout."""
    if as_json:
        output.print_json(_as_json(summary, place))
        return
    _say_counts(summary)
    same = same_database()
    if lines := lines_of_loads(summary.reports, summary.files, typed("affirm-worker datasets show")):
        output.say(*lines)
    unfinished = [one for one in summary.not_loaded if one.error is None]
    at_fault = [one for one in summary.not_loaded if one.error is not None]
    if unfinished:
        output.say("", f"not done yet: {counted(len(unfinished), 'file')}")
    if at_fault:
        output.say("", f"not loaded: {counted(len(at_fault), 'file')}", *(f"  {_failure(one)}" for one in at_fault))
        for line in lines_that_help(((hint, one.file) for one in at_fault for hint in one.hints), "load"):
            output.say(line)
        if jobs := [one.job_id for one in at_fault if one.job_id is not None]:
            of_one = "the whole story" if len(jobs) == 1 else "the whole story of one, by its job"
            output.say("", f"{of_one}{same}: {typed(f'affirm-worker jobs explain {str(jobs[0])[:SHORT_ID]}')}")
    go_on = typed("affirm-worker run --launcher process --until-idle")
    if summary.interrupted and (unfinished or summary.others_wait):
        output.say("", f"interrupted; to go on{same}: {go_on}")
    elif any(waits_for_a_fix(one.cause) for one in summary.not_loaded):
        output.say("", f"when it is fixed{same}: {go_on}")
    if summary.sample is not None:
        dataset, rows = summary.sample
        output.say("", f"of {dataset.filename}, {dataset.country}:")
        output.print_table(_NAMES, [[str(one.year), one.sex, one.name, one.count] for one in rows], "it has no rows")
        output.say("", f"the rows are in the table names of {place}")
        look = typed(f'affirm-worker psql -c "{query(dataset)}"')
        output.say(f"to look at them{same}: {look}")


def _failure(one: NotLoaded) -> str:
    """The file, which the error may begin with as well, and the error."""
    job = f" (job {str(one.job_id)[:SHORT_ID]})" if one.job_id else ""
    error = one.error or ""
    for name in (str(one.file), PurePath(one.file).name):
        if error.startswith((f"{name}: ", f"{name}, ")):
            error = error.removeprefix(name)
            break
    else:
        error = f": {error}"
    state = "" if one.state in ("failed", "refused") else f": {one.state}"
    return f"{one.file}{job}{state}{error}"


def _say_counts(summary: Summary) -> None:
    output.say(_in_a_line(summary))
    if summary.loaded:
        output.say(f"{counted(summary.rows, 'row')} in {summary.seconds:.1f} s ({summary.rows_per_second:,} rows/s)")
    if summary.stored_again:
        output.say(f"stored again, since the stored file was lost: {counted(summary.stored_again, 'file')}")
    if summary.others.count:
        output.say(_others_in_words(summary.others))


def _in_a_line(summary: Summary) -> str:
    files, already = counted(summary.files, "file"), summary.already_loaded
    if already == summary.files:
        return f"{files}: all loaded already"
    if not already:
        return f"loaded {summary.loaded} of {files}"
    if not summary.loaded:
        return f"{already} of {files} {'was' if already == 1 else 'were'} loaded already"
    others = "" if summary.not_loaded else "the other "
    return f"loaded {summary.loaded} of {files}; {others}{already} {'was' if already == 1 else 'were'} loaded already"


def query(dataset: DatasetView) -> str:
    """The SQL that shows the most frequent names of a dataset's country, region and last year."""
    region = "is null" if dataset.region is None else f"= '{dataset.region}'"
    # For a person to type; the values are words of the model.
    return (
        "select country, year, gender, name, count from counted_names"  # noqa: S608
        f" where country = '{dataset.country}' and region {region} and measure = '{dataset.measure}'"
        f" and year = {max(dataset.years)} order by count desc limit 10"
    )


def _not_loaded(
    client: UseCases, one: SubmittedFile, job: JobView | None, datasets: Mapping[UUID, DatasetView]
) -> NotLoaded:
    if job is None:
        return NotLoaded(one.path, "refused", error_in_words(one.refusal) if one.refusal else None, one.dataset_id)
    state = job.state
    if job.state == JobState.SCHEDULED:
        waits = "waits until this is fixed, next try" if waits_for_a_fix(job.last_cause) else "waits for a retry"
        state = f"{waits} at {cell(job.run_at)}"
    hints: tuple[Hint, ...] = ()
    error = job.last_error
    dataset = datasets.get(job.dataset_id)
    refusal = _refusal(client, job.id) if job.last_cause == Cause.REJECTED else None
    if refusal is not None and dataset is not None:
        hints = tuple(
            hint.saying(dataset.country, dataset.filename, dataset.hints, dataset.supersedes) for hint in refusal.hints
        )
        # Of several files with the same bytes the run has read one, perhaps by another name than this.
        if error and refusal.filename and error.startswith(refusal.filename):
            error = f"{PurePath(one.path).name}{error.removeprefix(refusal.filename)}"
    return NotLoaded(one.path, state, error, job.dataset_id, job.id, job.last_cause, hints)


def _refusal(client: UseCases, job_id: UUID) -> Outcome | None:
    """What the last run of a job said."""
    _, runs = client.jobs.get(job_id)
    return Outcome.from_dict(runs[-1].outcome) if runs else None


def _others_in_words(others: Others) -> str:
    more = others.count - len(others.first)
    files = ", ".join(f"{name} ({state})" for name, state in others.first)
    return f"{counted(others.count, 'other queued job')} ran too: {files}{f' and {more:,} more' if more else ''}"


def _as_json(summary: Summary, place: str) -> dict[str, Any]:
    return {
        "files": summary.files,
        "loaded": summary.loaded,
        "already_loaded": summary.already_loaded,
        "not_loaded": summary.not_loaded,
        "rows": summary.rows,
        "seconds": round(summary.seconds, 3),
        "rows_per_second": summary.rows_per_second,
        "interrupted": summary.interrupted,
        "other_jobs": summary.others.count,
        "database": place,
        "reports": [{"dataset_id": dataset, **report.as_dict()} for dataset, report in summary.reports.items()],
    }
