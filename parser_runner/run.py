"""One dataset, from lease to commit."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from dataset_jobs.logs import DETAIL, say_with_every_line
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import DuplicateRows, FileMissing, Rejected, Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.report import Report, stored_report
from dataset_jobs.postgres.timeouts import ANSWER_TIMEOUT
from dataset_jobs.storage import Storage, StorageConfig, open_storage
from dataset_jobs.store.runner import Assignment, Loaded, Runner, RunnerConnection, RunnerStore
from parser_runner.apart.parser import ParserParent
from parser_runner.file_parser import FileToParse, ParsedFile, Parsing
from parser_runner.heartbeat import Heartbeat
from parser_runner.load import of_dataset
from parser_runner.log_tail import LogTail
from parser_runner.other_sex import warning_of

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
    """What a process keeps for its next run: connection, storage, and the process that starts parsers."""

    connection: RunnerConnection | None = None
    storage: Storage | None = None
    parsers: ParserParent | None = None


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

    @contextmanager
    def parsing(self, asked: FileToParse, go_on: Callable[[], None]) -> Iterator[Parsing]:
        """A parser of this run's file, in a process that has none of this one's credentials."""
        kept = self.reusable.parsers if self.reusable is not None else None
        parsers = kept or ParserParent.started(for_one=True)
        try:
            with closing(parsers.parser(asked, go_on)) as parser:
                yield parser
        finally:
            if kept is None:
                parsers.close()


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
        asked = FileToParse(assignment.filename, assignment.country, assignment.hints, context.limits)
        with (
            Heartbeat(context.connect, context.lines.log) as heartbeat,
            context.parsing(asked, heartbeat.check) as parsing,
        ):
            _fetch(context, assignment, parsing, heartbeat)
            loaded = _load(context, store, assignment, parsing, heartbeat)
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


def _fetch(context: RunnerContext, assignment: Assignment, parsing: Parsing, heartbeat: Heartbeat) -> None:
    """Passes the file from storage to its parser, and refuses it if it is not the one that was submitted."""
    digest = hashlib.sha256()
    storage = _storage(context)
    try:
        waits = context.fetch_waits if context.storage.type == "s3" else ()
        with patiently(lambda: storage.open(assignment.storage_uri), waits) as stored:
            while block := stored.read(READ_BYTES):
                digest.update(block)
                parsing.write(block)
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


def _load(
    context: RunnerContext, store: RunnerStore, assignment: Assignment, parsing: Parsing, heartbeat: Heartbeat
) -> Loaded:
    parsed = parsing.parse(heartbeat.rows)
    report = stored_report(Report(assignment.filename, assignment.country), parsed.beside)
    warning = _warning(store, assignment, parsed)
    loaded = Loaded(parsed.parser, parsed.measure, parsed.region, parsed.top, parsed.coverage, warning, report)
    try:
        blocks = of_dataset(assignment.dataset_key, parsing.blocks(), loaded.rows)
        store.load(assignment, blocks, loaded, heartbeat.bytes_done, context.lines.log)
    except DuplicateRows:
        parsing.find_duplicates()
        raise
    except Unavailable:
        # The connection broke. If the commit was sent before, only the database knows whether it happened.
        with context.connect() as again:
            if not again.has_committed():
                raise
    return loaded


def _warning(store: RunnerStore, assignment: Assignment, parsed: ParsedFile) -> str | None:
    """What other lists of the country say of the sex, if nothing in this one says it."""
    if parsed.sex is None:
        return None
    known = store.sexes_of(parsed.coverage[-1].year, parsed.frequent)
    warning = warning_of(parsed.sex, known)
    if warning is not None:
        _log.warning("%s", warning)
    return warning
