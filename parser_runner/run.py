"""One dataset, from lease to commit."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import BinaryIO, TypeVar

from dataset_jobs.logs import DETAIL, say_with_every_line
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import DuplicateRows, FileMissing, Problem, Rejected, Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.postgres.timeouts import ANSWER_TIMEOUT
from dataset_jobs.storage import Storage, StorageConfig, open_storage
from dataset_jobs.store.runner import Assignment, Loaded, Runner, RunnerConnection, RunnerStore
from parser_runner.heartbeat import Heartbeat
from parser_runner.load import SortedRows, Unloadable, sort_rows
from parser_runner.log_tail import LogTail
from parser_runner.machine import Machine, temporary_file
from parser_runner.other_sex import most_frequent, warning_of
from parser_runner.parsers import parse, rows_again
from parser_runner.parsers.duplicates import without_duplicates
from parser_runner.parsers.report import report_of
from parser_runner.parsers.source import Source

READ_BYTES = 1024 * 1024
TAKE_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0)
"""Seconds before each further try to take the run, if the database cannot be reached.

In a mesh the network starts only when the proxy beside the runner is ready. The sum is shorter than the lease, because
a run of the process launcher must report within its lease."""

FETCH_WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try to open the file in S3, which may be reached on another way than the database."""

LEAST_TRIES = 3
ENOUGH_SECONDS = 50.0
"""After this time there are no tries beyond LEAST_TRIES: a silent server takes longer to fail than one that refuses."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reusable:
    """The connection and storage that a process keeps for its next run."""

    connection: RunnerConnection | None = None
    storage: Storage | None = None


@dataclass(frozen=True, slots=True)
class RunnerContext:
    """The run, and everything that the runner needs for it.

    Args:
        key: the run to take.
        runner: this runner's identity.
        conninfo: of the database.
        storage: of the submitted files.
        take_waits: seconds before each further try to take the run, if the database does not answer.
        patience: the longest time for one answer of the database.
        fetch_waits: seconds before each further try to open the file, if S3 does not answer.
        limits: on the file.
        reusable: what a process that runs several runs keeps between them; None if it runs only this one.
        lines: the last lines of the log, which are kept with the run.
    """

    key: RunKey
    runner: Runner
    conninfo: str
    storage: StorageConfig
    take_waits: Sequence[float] = TAKE_WAITS
    patience: timedelta = ANSWER_TIMEOUT
    fetch_waits: Sequence[float] = FETCH_WAITS
    limits: Limits = field(default_factory=Limits)
    reusable: Reusable | None = None
    lines: LogTail = field(default_factory=LogTail)

    def connect(self, kept: RunnerConnection | None = None) -> RunnerStore:
        """A connection of this run to the database."""
        return RunnerStore(self.conninfo, self.key, self.runner, self.patience, kept=kept)

    def open_storage(self) -> Storage:
        """The storage of this run's file."""
        return open_storage(self.storage)

    def machine(self) -> Machine:
        """The machine of this run."""
        return Machine()


def run(context: RunnerContext) -> Outcome:
    """Takes the run, reads and parses its file, and loads the rows; all or nothing, once.

    Returns:
        The outcome of a run that committed; every other run raises.

    Raises:
        RunError: nothing was committed; the error says why.
    """
    with _taken(context) as (store, assignment):
        about = {
            "job_type": assignment.job_type,
            "dataset_id": str(assignment.dataset_id),
            "attempt": assignment.attempt,
        }
        say_with_every_line(file=assignment.filename)
        _log.info("started on %s", assignment.filename, extra={**about, **DETAIL})
        machine = context.machine()
        with Heartbeat(context.connect, context.lines.log) as heartbeat, temporary_file(machine) as file:
            _fetch(context, assignment, file, heartbeat)
            source = Source(assignment.filename, file, assignment.hints, context.limits, machine=machine)
            loaded = _load(context, store, assignment, source, heartbeat)
    _log.info("committed %d rows", loaded.rows, extra={**about, "rows": loaded.rows, **DETAIL})
    return Outcome(Cause.COMPLETED, rows=loaded.rows)


@contextmanager
def _taken(context: RunnerContext) -> Iterator[tuple[RunnerStore, Assignment]]:
    """Connects and takes the run. Without an answer it asks again, since the run may be taken already."""
    store, assignment = patiently(lambda: _take(context), context.take_waits)
    with store:
        yield store, assignment
        if context.reusable is not None:
            context.reusable.connection = store.detach()


def patiently(do: Callable[[], T], waits: Sequence[float]) -> T:
    """Retries for a while until there is an answer.

    Args:
        do: raises `Unavailable` if there is none; its last error is raised.
        waits: seconds before each further try.
    """
    began = time.monotonic()
    for tries, wait in enumerate(waits, start=1):
        try:
            return do()
        except Unavailable as error:
            if tries >= LEAST_TRIES and time.monotonic() - began >= ENOUGH_SECONDS:
                raise
            _log.warning("retrying in %g s: %s", wait, error)
            time.sleep(wait)
    return do()


def _take(context: RunnerContext) -> tuple[RunnerStore, Assignment]:
    if context.reusable is not None and (kept := context.reusable.connection):
        context.reusable.connection = None
        try:
            return _take_by(context.connect(kept))
        except Unavailable as error:
            _log.info("reconnecting: %s", error)
    return _take_by(context.connect())


def _take_by(store: RunnerStore) -> tuple[RunnerStore, Assignment]:
    try:
        return store, store.take()
    except BaseException:
        store.close()
        raise


def _storage(context: RunnerContext) -> Storage:
    if context.reusable is None:
        return context.open_storage()
    # A new S3 client takes longer than most loads, and 12 MB that only garbage collection frees.
    context.reusable.storage = context.reusable.storage or context.open_storage()
    return context.reusable.storage


def _fetch(context: RunnerContext, assignment: Assignment, file: BinaryIO, heartbeat: Heartbeat) -> None:
    """Copies the file from storage, and refuses it if it is not the one that was submitted."""
    digest = hashlib.sha256()
    storage = _storage(context)
    try:
        waits = context.fetch_waits if context.storage.type == "s3" else ()
        with patiently(lambda: storage.open(assignment.storage_uri), waits) as stored:
            while block := stored.read(READ_BYTES):
                digest.update(block)
                file.write(block)
                heartbeat.bytes_done += len(block)
                if heartbeat.bytes_done > assignment.size:
                    break
    except FileMissing:
        message = f"there is no such file in storage any more ({assignment.storage_uri}); submit it again"
        raise Rejected(Reason.FILE_NOT_FOUND, assignment.filename, message) from None
    if digest.hexdigest() != assignment.sha256:
        message = (
            f"the file in storage ({assignment.storage_uri}) is not the one that was submitted: expected "
            f"{assignment.size} bytes with sha256 {assignment.sha256[:12]}…, found {heartbeat.bytes_done} "
            f"{'or more ' if heartbeat.bytes_done > assignment.size else ''}with {digest.hexdigest()[:12]}…"
        )
        raise Rejected(Reason.FILE_CHANGED, assignment.filename, message)
    file.seek(0)


def _load(
    context: RunnerContext, store: RunnerStore, assignment: Assignment, source: Source, heartbeat: Heartbeat
) -> Loaded:
    with closing(source):
        parsed = parse(source, assignment.country)

        def progress(rows_done: int) -> None:
            heartbeat.rows(rows_done)
            source.check_rows(rows_done)

        try:
            rows = sort_rows(assignment.dataset_key, parsed.rows, progress)
        except Unloadable as error:
            problem = Problem(str(error), error.place)
            raise Rejected(Reason.INVALID_FORMAT, assignment.filename, problem) from None
        if not rows.lines:
            raise source.rejected(Reason.INVALID_FORMAT, "the file has no rows")
        warning = _warning(store, source, rows)
        report = report_of(source, assignment.country, parsed, rows.coverage, rows.smallest)
        loaded = Loaded(parsed.parser, parsed.measure, parsed.region, parsed.top, rows.coverage, warning, report)
        try:
            store.load(assignment, rows.blocks(), loaded, source.submitted_size, context.lines.log)
        except DuplicateRows:
            _find_duplicates(source, assignment.country)
            raise
        except Unavailable:
            # The connection broke. If the commit was sent before, only the database knows whether it happened.
            with context.connect() as again:
                if not again.has_committed():
                    raise
    return loaded


def _warning(store: RunnerStore, source: Source, rows: SortedRows) -> str | None:
    """What other lists of the country say of the sex, if nothing in this one says it."""
    sex = source.findings.sex_by_name
    if sex is None:
        return None
    known = store.sexes_of(rows.coverage[-1].year, most_frequent(rows.lines))
    warning = warning_of(sex, known)
    if warning is not None:
        _log.warning("%s", warning)
    return warning


def _find_duplicates(source: Source, country: str) -> None:
    """Reads the file once more, so that the refusal names the lines."""
    source.rewind()
    for _ in without_duplicates(source, parse(source, country).rows, lambda: rows_again(source, country)):
        pass
