"""Submitting files: each is fetched, read and checked, stored, and becomes a dataset with a job.

`services/submission.py` reads and checks a file, and `services/dataset_maker.py` does the rest.
"""

from collections.abc import Callable, Iterable, Sequence, Sized
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import ClientDatabase, When
from services.dataset_maker import DatasetMaker, SubmitResult, find_country
from services.sources.source import FileOnDisk, LocalFile, NoSource, Source, Tell
from services.submission import Submission, checked_batch, open_file, read_file


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """The outcome for one file: a result or a refusal.

    Args:
        path: where it came from, as the user gave it; a text if that is no path of this machine.
        done: the result.
        refusal: why there is none: the request is at fault, or the file could not be fetched.
    """

    path: Path | str
    done: SubmitResult | None = None
    refusal: RunError | None = None

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
        country: ISO 3166-1 alpha-2 code, in any letter case, or the id of a country.
        hints: what the uploader says of them.
        replaces: the datasets whose place the file takes; for one file at a time.
        priority, pool, run_at: of the new jobs.
        dry_run: write nothing, only return the results.
        batch: the name of what is submitted together, by which lists find it.
    """

    country: str
    hints: FileHints = NO_HINTS
    replaces: Sequence[UUID] = ()
    priority: int = 0
    pool: str = "default"
    run_at: When = None
    dry_run: bool = False
    batch: str | None = None


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
        return SubmittedFile(path, submit_checked(database, storage, submission, partial(open_file, path), options))
    except InvalidRequest as refusal:
        return SubmittedFile(path, refusal=refusal)


def submit_checked(
    database: ClientDatabase,
    storage: Storage,
    submission: Submission,
    source: Callable[[], BinaryIO],
    options: FileOptions,
) -> SubmitResult:
    """Submits a file that is read and checked already. Bytes that are known and kept are not stored again.

    Args:
        submission: the file, with its hints and what it replaces; those of `options` are not asked.
        source: opens the file's bytes, from their beginning; called only if they have to be stored.

    Raises:
        InvalidRequest: country or pool is unknown, or the file cannot replace a dataset that it names.
        Conflict: the same bytes are loaded, or being loaded, under another name or with other hints.
        RunError: as database, storage or the machine have it.
    """
    country_id, country = find_country(database, options.country)
    maker = DatasetMaker(
        database, storage, submission, source, country_id, country, options.priority, options.pool, options.run_at,
        checked_batch(options.batch),
    )  # fmt: skip
    return maker.preview() if options.dry_run else maker.create_or_continue()


def submit_sources(
    sources: Sequence[Source], submit: Callable[[LocalFile, str], Sequence[SubmittedFile]], tell: Tell
) -> list[SubmittedFile]:
    """Fetches and submits files one after the other: one that cannot be fetched or is refused does not stop the others.

    Args:
        sources: where they are.
        submit: submits a file that is here; gets also where it came from.
        tell: gets the step that is being taken.

    Raises:
        RunError: what `submit` raises.
    """
    submitted: list[SubmittedFile] = []
    for number, source in enumerate(sources, 1):
        if not isinstance(source, NoSource):
            doing = "storing" if isinstance(source, FileOnDisk) else "fetching"
            tell(f"{doing} {source.shown} ({number} of {len(sources)})")
        with ExitStack() as kept:
            try:
                file = kept.enter_context(source.fetch(tell))
            except RunError as refusal:
                submitted.append(SubmittedFile(source.shown, refusal=refusal))
            else:
                submitted += submit(file, source.shown)
    return submitted
