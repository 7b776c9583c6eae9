"""Submitting several files: a refusal of one does not stop the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import ClientDatabase, When
from services.submission import read_file
from services.submit import SubmitResult, preview, submit


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


def submit_file(database: ClientDatabase, storage: Storage, path: Path, options: FileOptions) -> SubmittedFile:
    """Submits one file. An error of the request becomes a refusal; any other error is raised."""
    try:
        submission = read_file(path, options.hints, options.replaces)
        if options.dry_run:
            return SubmittedFile(path, preview(database, submission, options.country))
        done = submit(
            database,
            path,
            submission,
            options.country,
            storage,
            priority=options.priority,
            pool=options.pool,
            run_at=options.run_at,
        )
    except InvalidRequest as refusal:
        return SubmittedFile(path, refusal=refusal)
    return SubmittedFile(path, done)


def submit_files(
    database: ClientDatabase, storage: Storage, paths: Iterable[Path], options: FileOptions
) -> list[SubmittedFile]:
    """Submits files one after the other.

    Raises:
        InvalidRequest: several files are to take the place of the same datasets.
        RunError: as database, storage or the machine have it.
    """
    files = [*paths]
    if options.replaces and len(files) > 1:
        raise InvalidRequest("a dataset can be replaced by one file at a time")
    return [submit_file(database, storage, path, options) for path in files]
