"""The parser-runner's queries: one method for each statement. Synchronous, one connection.

Each statement is one exchange with the database, and so are the first and the last one of a load with the BEGIN and the
COMMIT. Each proves by the run's secret that the run is this runner's.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import Any, NoReturn, Self

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import DuplicateRows, LostLease, Unavailable
from dataset_jobs.model.keys import RUN_LEASE, RunKey
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.run_log import RunLog
from dataset_jobs.postgres.postgres_errors import database_errors
from dataset_jobs.postgres.timeouts import ANSWER_TIMEOUT, TimeoutConnection, in_milliseconds
from dataset_jobs.store.coverage import refused
from dataset_jobs.store.runner_values import Assignment, Loaded, Runner
from dataset_jobs.store.statements import statement

RunnerConnection = TimeoutConnection[DictRow]


class _State(StrEnum):
    """The SQLSTATEs by which `runner_commit_load` of the schema refuses."""

    LOST = "AW001"
    OVERLAPPING = "AW002"
    GONE = "AW003"


__all__ = ["Assignment", "Loaded", "Runner", "RunnerConnection", "RunnerStore"]


class RunnerStore:
    """One run's view of the database.

    Args:
        conninfo: libpq connection string or URI.
        key: the run.
        runner: who runs it.
        patience: how long one answer may take.
        connection_class: another one lets tests put a fault between any two exchanges with the server.
        kept: a connection that an earlier run of this process has left, to be used instead of a new one.
    """

    def __init__(
        self,
        conninfo: str,
        key: RunKey,
        runner: Runner,
        patience: timedelta = ANSWER_TIMEOUT,
        connection_class: type[TimeoutConnection[DictRow]] = TimeoutConnection[DictRow],
        kept: RunnerConnection | None = None,
    ) -> None:
        self._who: Mapping[str, Any] = {
            "job_id": key.job_id,
            "epoch": key.epoch,
            "runner_uid": runner.uid,
            "pod_name": runner.pod_name,
            "node": runner.node,
            "lease": RUN_LEASE,
            "secret": runner.secret,
        }
        self._detached = False
        name = f"parser-runner {key.job_id} {key.epoch}"
        with database_errors():
            if kept is not None:
                self._connection = kept
                kept.patience = patience
                kept.execute("select set_config('application_name', %s, false)", (name,))
                return
            self._connection = connection_class.connect(
                conninfo, patience=patience, row_factory=dict_row, application_name=name
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; an open transaction is rolled back."""
        if not self._detached:
            self._connection.close()

    def detach(self) -> RunnerConnection | None:
        """The connection, for the next run of this process, if it is as good as new; then `close` does nothing."""
        self._detached = self._connection.info.transaction_status == TransactionStatus.IDLE
        return self._connection if self._detached else None

    def take(self) -> Assignment:
        """Takes the run for this runner, and ends what earlier runs of its dataset may still be loading.

        Raises:
            LostLease: the run was ended, taken by another runner, or is not the job's current one.
        """
        with database_errors():
            answer = self._one("runner.take")["answer"]
            if "refused" in answer:
                self._lost(answer["refused"])
            if answer["still_loading"]:
                self._end_earlier_loads()
        return Assignment.of(answer["assignment"])

    def heartbeat(self, bytes_done: int, rows_done: int, log: RunLog | None = None) -> bool:
        """Renews the lease and records progress; False if the lease is lost or a cancel was asked for.

        Args:
            bytes_done, rows_done: read by now.
            log: as it is now; None if it has not changed.
        """
        with database_errors():
            held: bool = self._one("runner.heartbeat", bytes=bytes_done, rows=rows_done, log=_as_json(log))["held"]
        return held

    def record_outcome(self, outcome: Outcome, log: RunLog | None = None) -> None:
        """Stores the runner's report of a run that did not commit, with its log; a run that was ended keeps its own."""
        with database_errors():
            self._call("runner.record_outcome", outcome=Jsonb(outcome.as_dict()), log=_as_json(log))

    def sexes_of(self, year: int, names: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """How many girls and boys have these names in other datasets of the country.

        Args:
            year: the lists of the nearest years are looked at.
            names: as in the file, at most 200; those that are in no list are not in the answer.

        Raises:
            Unavailable: the connection broke.
        """
        with database_errors():
            found = self._call("runner.sexes_of", year=year, names=[*names]).fetchall()
        return {row["name"]: (row["female"], row["male"]) for row in found}

    def load(
        self,
        assignment: Assignment,
        blocks: Iterable[bytes],
        loaded: Loaded,
        bytes_done: int,
        log: Callable[[], RunLog] = RunLog,
    ) -> None:
        """Replaces the dataset's rows and completes dataset, job and run, in one fenced transaction.

        Args:
            assignment: as `take` gave it.
            blocks: text COPY data, whole lines, sorted for the primary key.
            loaded: what `blocks` hold.
            bytes_done: size of the file that was read.
            log: the run's log; asked just before the commit.

        Raises:
            LostLease: the run lost its lease; nothing was committed.
            Rejected: another dataset counts for the same; nothing was committed.
            DuplicateRows: two rows have the same key; nothing was committed.
            Unavailable: the connection broke; nothing was committed, or it is not known.
        """
        with database_errors(), self._in_load(assignment, loaded):
            patience = in_milliseconds(self._connection.patience)
            answer = self._call("load.begin", begins=True, patience=patience).fetchone()
            assert answer is not None
            if answer["answer"] is not None:
                self._lost(answer["answer"]["refused"])
            with self._connection.cursor() as cursor, cursor.copy(statement("load.copy_rows")) as copy:
                for block in blocks:
                    copy.write(block)
            whole = Jsonb(loaded.as_dict())
            self._call("load.commit", commits=True, loaded=whole, bytes=bytes_done, log=_as_json(log()))

    @contextmanager
    def _in_load(self, assignment: Assignment, loaded: Loaded) -> Iterator[None]:
        """Rolls back at an error, and says what the refusals of the schema mean."""
        try:
            try:
                yield
            except BaseException:
                self._connection.give_up()
                raise
        except errors.UniqueViolation:
            raise DuplicateRows("two rows have the same year, name and sex", Reason.INVALID_FORMAT) from None
        except psycopg.DatabaseError as error:
            match error.sqlstate:
                case _State.LOST:
                    self._lost(json.loads(error.diag.message_detail or "null"))
                case _State.OVERLAPPING:
                    raise refused(assignment, loaded, json.loads(error.diag.message_detail or "")) from None
                case _State.GONE:
                    raise Unavailable(f"database: {error.diag.message_primary}", Reason.DATABASE) from None
            raise

    def has_committed(self) -> bool:
        """Whether this run's load was committed: for a runner whose connection broke at the commit."""
        with database_errors():
            committed: bool = self._one("runner.has_committed")["committed"]
        return committed

    def _end_earlier_loads(self) -> None:
        for wait in (0.01, 0.05, 0.2, 1.0, 2.0, 4.0):
            time.sleep(wait)
            if self._one("runner.end_earlier_loads")["still_loading"] == 0:
                return
        raise Unavailable("database: an earlier run's load transaction could not be ended", Reason.DATABASE)

    def _lost(self, why: Mapping[str, Any] | None) -> NoReturn:
        raise LostLease(_in_words(why, self._who["epoch"])) from None

    def _call(
        self, name: str, begins: bool = False, commits: bool = False, **parameters: Any
    ) -> psycopg.Cursor[DictRow]:
        return self._connection.call(statement(name), {**self._who, **parameters}, begins, commits)

    def _one(self, name: str, **parameters: Any) -> DictRow:
        row = self._call(name, **parameters).fetchone()
        assert row is not None
        return row


def _in_words(why: Mapping[str, Any] | None, epoch: int) -> str:
    """Why the run is not this runner's, from what `why_not_held` of the schema says."""
    if why is None:
        return "the job no longer exists"
    if why["lease_epoch"] != epoch:
        return f"lease epoch {epoch} is stale: the job is at epoch {why['lease_epoch']}"
    if why["cancel_requested"]:
        return "the job is being cancelled"
    if why["ended"]:
        return f"the run at epoch {epoch} has ended ({why['cause']})"
    if why["state"] != "running":
        return f"the job is {why['state']}, not running"
    return f"the run at epoch {epoch} belongs to another runner ({why['runner_uid']})"


def _as_json(log: RunLog | None) -> Jsonb | None:
    """None leaves the log in the row as it is."""
    return None if log is None or not log.lines else Jsonb(log.as_dict())
