"""Submitting several files, where one that is refused does not keep the others back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from app.file_storage import storage_config
from app.settings import Settings
from cli.hints import error_in_words
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.storage import open_storage
from dataset_jobs.store.client_connection import When
from dataset_jobs.store.for_clients import ClientStore
from dataset_jobs.store.submission import read_file
from dataset_jobs.store.submitting import SubmitResult


@dataclass(frozen=True, slots=True)
class Submitted:
    """What came of one file: a result or a refusal."""

    path: Path
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
    def result(self) -> str:
        """What came of it, in a word or two."""
        if self.done is None:
            return "refused"
        return "already loaded" if self.done.loaded and self.done.job_id is None else str(self.done.verdict)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "file": self.path,
            "result": self.done.verdict if self.done else "refused",
            "dataset_id": self.dataset_id,
            "job_id": self.job_id,
            "loaded": bool(self.done and self.done.loaded),
            "error": None if self.refusal is None else error_in_words(self.refusal),
        }


class Submitter:
    """Submits files with the same options.

    Args:
        store: the database.
        settings: for storage and pool.
        country, year, sex, priority: as given by the user.
        dry_run: only say what would be done.
        replaces: the datasets whose place the file takes; only where there is one file.
        run_at: new jobs are not claimed before that.
    """

    def __init__(
        self,
        store: ClientStore,
        settings: Settings,
        country: str,
        year: int | None,
        sex: str | None,
        priority: int = 0,
        dry_run: bool = False,
        replaces: Sequence[UUID] = (),
        run_at: When = None,
    ) -> None:
        self._store = store
        self._storage = open_storage(storage_config(settings))
        self._pool = settings.pool
        self._country = country
        self._year = year
        self._sex = sex
        self._priority = priority
        self._dry_run = dry_run
        self._run_at = run_at
        self._replaces = tuple(sorted(set(replaces)))

    def submit(self, path: Path) -> Submitted:
        """Submits one file; only what is at fault with the file itself becomes a refusal."""
        try:
            submission = replace(read_file(path, self._year, self._sex), supersedes=self._replaces)
            if self._dry_run:
                return Submitted(path, self._store.preview(submission, self._country))
            done = self._store.submit(
                path,
                submission,
                self._country,
                self._storage,
                priority=self._priority,
                pool=self._pool,
                run_at=self._run_at,
            )
        except InvalidRequest as refusal:
            return Submitted(path, refusal=refusal)
        return Submitted(path, done)
