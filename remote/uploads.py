"""Uploads over the API: what is known already is not sent, the rest three files at a time.

Nothing is kept here between two calls: doing it again sends what is not there yet.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, cast
from urllib.parse import quote
from uuid import UUID

from dataset_jobs.model.errors import RunError, Unavailable
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import DatasetStatus
from dataset_jobs.store.views import DatasetView
from remote.client import RemoteClient
from remote.datasets import DATASETS
from remote.lists import when
from remote.reading import read, read_each
from services.dataset_maker import SubmitResult
from services.datasets import MOST_KNOWN, KnownContent
from services.listing import in_parts
from services.submission import Existing, Submission, Verdict, checked_hints, open_file, read_file, verdict_on
from services.submit import FileOptions, SubmittedFile, one_at_a_time

AT_ONCE = 3
"""Files that are sent at a time."""

_LOADED = (DatasetStatus.COMPLETED, DatasetStatus.REPROCESSING)


class Watcher(Protocol):
    """Looks on. Several threads call it."""

    def found(self, files: int, size: int) -> None:
        """So many files, with so many bytes, are to be sent; the others are known, or refused."""

    def sent(self, path: Path, done: int, size: int) -> None:
        """So many of its bytes are sent."""

    def over(self, path: Path) -> None:
        """The file is dealt with."""


class Nobody:
    """Looks at nothing."""

    def found(self, files: int, size: int) -> None:
        """See `Watcher`."""

    def sent(self, path: Path, done: int, size: int) -> None:
        """See `Watcher`."""

    def over(self, path: Path) -> None:
        """See `Watcher`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the API says of a file that was only checked; `report` is None if it was refused or could not be sent."""

    path: Path
    report: Mapping[str, Any] | None = None
    refusal: RunError | None = None


@dataclass(slots=True)
class Uploads:
    """Uploads to an installation.

    Args:
        client: the way to it.
        watcher: looks on.
    """

    client: RemoteClient
    watcher: Watcher = field(default_factory=Nobody)

    def send(self, paths: Sequence[Path], options: FileOptions) -> list[SubmittedFile]:
        """Submits files: an answer for each, in their order.

        Raises:
            InvalidRequest: several files are to take the place of the same datasets.
            Forbidden, Misconfigured: as the way to the API has it; the files before are submitted.
        """
        one_at_a_time(options.replaces, len(paths))
        answers: dict[int, SubmittedFile] = {}
        read_files: dict[int, Submission] = {}
        for number, path in enumerate(paths):
            try:
                read_files[number] = read_file(path, checked_hints(options.hints), options.replaces)
            except InvalidRequest as refusal:
                answers[number] = SubmittedFile(path, refusal=refusal)
        answers |= self._known(paths, read_files, options)
        left = {number: one for number, one in read_files.items() if number not in answers}
        self.watcher.found(len(left), sum(one.size for one in left.values()))
        # The same bytes twice are the same dataset: one after the other.
        same: dict[str, list[int]] = {}
        for number, one in left.items():
            same.setdefault(one.sha256, []).append(number)

        def send(numbers: list[int]) -> list[tuple[int, SubmittedFile]]:
            return [(number, self._send(paths[number], left[number], options)) for number in numbers]

        answers |= {number: one for some in _several(send, same.values()) for number, one in some}
        return [answers[number] for number in range(len(paths))]

    def check(self, paths: Sequence[Path], options: FileOptions) -> list[Checked]:
        """Has files checked: nothing is kept of them. Raises as `send`."""

        def check(path: Path) -> Checked:
            try:
                submission = read_file(path, checked_hints(options.hints), options.replaces)
                query = _said(submission, options) | {"validate_only": "true"}
                return Checked(path, self._put(path, submission, query))
            except (InvalidRequest, Unavailable) as refusal:
                return Checked(path, refusal=refusal)
            finally:
                self.watcher.over(path)

        return _several(check, paths)

    def _known(
        self, paths: Sequence[Path], files: Mapping[int, Submission], options: FileOptions
    ) -> dict[int, SubmittedFile]:
        """The answers for files that are there already, as services would give them."""
        known: dict[str, KnownContent] = {}
        for part in in_parts(dict.fromkeys(one.sha256 for one in files.values()), MOST_KNOWN):
            asked = {"country": options.country, "sha256": part}
            found = read_each(KnownContent, self.client.connection.post(f"{DATASETS}/known", asked).data)
            known |= {one.sha256: one for one in found if one.dataset_id is not None}
        ids = [one.dataset_id for one in known.values() if one.dataset_id is not None]
        views = {one.id: one for one in self.client.datasets.list(ids=ids)}
        answers = {}
        for number, submission in files.items():
            content = known.get(submission.sha256)
            view = None if content is None else views.get(cast(UUID, content.dataset_id))
            if content is not None and view is not None:
                answer = _answer(paths[number], submission, view, content.job_id)
                if answer is not None:
                    answers[number] = answer
        return answers

    def _send(self, path: Path, submission: Submission, options: FileOptions) -> SubmittedFile:
        try:
            data = self._put(path, submission, _said(submission, options))
            done = SubmitResult(
                read(Verdict, data["verdict"]), UUID(data["dataset_id"]), data["job_id"] and UUID(data["job_id"]),
                data["status"] in _LOADED,
            )  # fmt: skip
            return SubmittedFile(path, done)
        except (InvalidRequest, Unavailable) as refusal:
            return SubmittedFile(path, refusal=refusal)
        finally:
            self.watcher.over(path)

    def _put(self, path: Path, submission: Submission, query: Mapping[str, Any]) -> Any:
        address = f"{DATASETS}/upload/{quote(submission.filename, safe='')}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(submission.size)}
        return self.client.connection.send(
            "PUT", address, query, body=lambda: self._opened(path, submission.size), headers=headers
        ).data

    def _opened(self, path: Path, size: int) -> IO[bytes]:
        return cast(IO[bytes], _Seen(open_file(path), lambda done: self.watcher.sent(path, done, size)))


class _Seen:
    """A file whose reading is looked at."""

    def __init__(self, file: Any, told: Callable[[int], None]) -> None:
        self._file, self._told, self._done = file, told, 0

    def __enter__(self) -> "_Seen":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block: bytes = self._file.read(size)
        self._done += len(block)
        self._told(self._done)
        return block


def _answer(path: Path, submission: Submission, view: DatasetView, job_id: UUID | None) -> SubmittedFile | None:
    """What a submission of known bytes comes to; None if there is something to change, which the API does."""
    existing = Existing(
        view.id, view.filename, view.hints, tuple(sorted(view.supersedes)), DatasetStatus(view.status), job_id,
        tuple(view.years), tuple(view.sexes), view.region, view.parser,
    )  # fmt: skip
    try:
        verdict = verdict_on(existing, submission)
    except InvalidRequest as refusal:
        return SubmittedFile(path, refusal=refusal)
    if verdict is not Verdict.UNCHANGED:
        return None
    return SubmittedFile(path, SubmitResult(verdict, view.id, job_id, view.status in _LOADED))


def _said(submission: Submission, options: FileOptions) -> dict[str, Any]:
    """What is said of a file, as the API takes it."""
    hints = submission.hints
    said: dict[str, Any] = {
        "country": options.country, "year": hints.year, "sex": hints.sex, "format": hints.format,
        "region": hints.region, "replaces": [*map(str, submission.supersedes)] or None,
        "priority": options.priority or None, "run_at": when(options.run_at), "pool": options.pool or None,
        "batch": options.batch, "sha256": submission.sha256,
    }  # fmt: skip
    if hints.description is not None:
        from dataset_jobs.model.description import Description

        description = Description.from_json(hints.description)
        said |= {"columns": description.as_columns(), "measure": description.measure}
    return said


def _several(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Does several at a time, and gives their results in order. What one raises stops those that have not begun."""
    stopped = threading.Event()

    def unless_stopped(item: Any) -> Any:
        if stopped.is_set():
            return None
        try:
            return work(item)
        except BaseException:
            stopped.set()
            raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(unless_stopped, item) for item in items]
        try:
            errors = [error for one in futures if (error := one.exception()) is not None]
        except BaseException:  # Ctrl-C
            stopped.set()
            raise
    if errors:
        raise errors[0]
    return [one.result() for one in futures]
