"""Submitting files: each is read and checked, stored, and becomes a dataset with a job.

`services/submission.py` reads and checks a file, and `services/dataset_maker.py` does the rest.
"""

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import ClientDatabase, When
from services.dataset_maker import DatasetMaker, SubmitResult, find_country
from services.submission import open_file, read_file


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """The outcome for one file: a result or a refusal."""

    path: Path
    done: SubmitResult | None = None
    refusal: InvalidRequest | None = None

    @property
    def dataset_id(self) -> UUID | None:
        """The dataset that the file is."""
        return self.done.dataset_id if self.done else None

    @property
    def job_id(self) -> UUID | None:
        """The job that will load it."""
        return self.done.job_id if self.done else None

    @property
    def loaded(self) -> bool:
        """Its rows are in the table already."""
        return bool(self.done and self.done.loaded)


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What holds for every file that is submitted together.

    Args:
        country: ISO 3166-1 alpha-2 code, in any letter case.
        hints: what the uploader says of them.
        replaces: the datasets whose place the file takes; for one file at a time.
        priority, pool, run_at: of the new jobs.
        dry_run: write nothing, only return the results.
    """

    country: str
    hints: FileHints = NO_HINTS
    replaces: Sequence[UUID] = ()
    priority: int = 0
    pool: str = "default"
    run_at: When = None
    dry_run: bool = False


def submit_files(
    database: ClientDatabase, storage: Storage, paths: Iterable[Path], options: FileOptions
) -> list[SubmittedFile]:
    """Submits files one after the other: a refusal of one does not stop the others.

    Raises:
        InvalidRequest: the country is unknown, or several files are to take the place of the same datasets.
        RunError: as database, storage or the machine have it.
    """
    files = [*paths]
    one_at_a_time(options.replaces, len(files))
    find_country(database, options.country)  # once, and not once for each file
    return [submit_file(database, storage, path, options) for path in files]


def one_at_a_time(replaces: Sized, files: int) -> None:
    """Raises InvalidRequest if several files are to take the place of datasets: each would take the same one."""
    if replaces and files > 1:
        raise InvalidRequest("a dataset can be replaced by one file at a time")


def submit_file(database: ClientDatabase, storage: Storage, path: Path, options: FileOptions) -> SubmittedFile:
    """Submits one file. An error of the request becomes a refusal; any other error is raised."""
    try:
        submission = read_file(path, options.hints, options.replaces)
        country_id, country = find_country(database, options.country)
        maker = DatasetMaker(
            database, storage, submission, partial(open_file, path), country_id, country, options.priority,
            options.pool, options.run_at,
        )  # fmt: skip
        return SubmittedFile(path, maker.preview() if options.dry_run else maker.create_or_continue())
    except InvalidRequest as refusal:
        return SubmittedFile(path, refusal=refusal)
