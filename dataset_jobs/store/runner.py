"""The parser-runner's queries: one method for each statement. Synchronous, one connection."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Self

from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Json

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import DuplicateRows, LostLease, Unavailable
from dataset_jobs.model.keys import RUN_LEASE, RunKey
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.run_log import RunLog
from dataset_jobs.postgres.postgres_errors import database_errors
from dataset_jobs.postgres.timeouts import ANSWER_TIMEOUT, TimeoutConnection, in_milliseconds
from dataset_jobs.store.coverage import cover
from dataset_jobs.store.runner_values import Assignment, Loaded, Runner
from dataset_jobs.store.statements import statement

RunnerConnection = TimeoutConnection[DictRow]

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
            row = self._one("runner.take")
            if row is None:
                raise LostLease(self._why_not_taken())
            assignment = Assignment(**row)
            self._end_earlier_loads()
        return assignment

    def heartbeat(self, bytes_done: int, rows_done: int, log: RunLog | None = None) -> bool:
        """Renews the lease and records progress; False if the lease is lost or a cancel was asked for.

        Args:
            bytes_done, rows_done: read by now.
            log: as it is now; None if it has not changed.
        """
        with database_errors():
            return self._one("runner.heartbeat", bytes=bytes_done, rows=rows_done, log=_as_json(log)) is not None

    def record_outcome(self, outcome: Outcome, log: RunLog | None = None) -> None:
        """Stores the runner's report of a run that did not commit, with its log; a run that was ended keeps its own."""
        with database_errors():
            self._execute("runner.record_outcome", outcome=Json(outcome.as_dict()), log=_as_json(log))

    def sexes_of(self, assignment: Assignment, year: int, names: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """How many girls and boys have these names in other datasets of the country.

        Args:
            assignment: as `take` gave it.
            year: the lists of the nearest years are looked at.
            names: as in the file; those that are in no list are not in the answer.

        Raises:
            Unavailable: the connection broke.
        """
        about = {"country_id": assignment.country_id, "dataset_key": assignment.dataset_key}
        with database_errors():
            found = self._connection.execute(
                statement("runner.sexes_of"), {**about, "year": year, "names": [*names]}
            ).fetchall()
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
        try:
            self._load(assignment, blocks, loaded, bytes_done, log)
        except errors.UniqueViolation:
            raise DuplicateRows("two rows have the same year, name and sex", Reason.INVALID_FORMAT) from None

    def _load(
        self,
        assignment: Assignment,
        blocks: Iterable[bytes],
        loaded: Loaded,
        bytes_done: int,
        log: Callable[[], RunLog],
    ) -> None:
        with database_errors(), self._connection.transaction():
            patience = in_milliseconds(self._connection.patience)
            self._execute("load.lock", patience=patience)
            self._hold("load.still_held")
            self._execute("load.delete_rows", dataset_key=assignment.dataset_key)
            with self._connection.cursor() as cursor, cursor.copy(statement("load.copy_rows")) as copy:
                for block in blocks:
                    copy.write(block)
            self._hold("load.fence")
            self._execute(
                "load.finish_dataset",
                dataset_id=assignment.dataset_id,
                rows=loaded.rows,
                total=loaded.total,
                parser=loaded.parser,
                region=loaded.region,
                measure=loaded.measure,
                top=loaded.top,
                warning=loaded.warning,
                report=None if loaded.report is None else Json(loaded.report.beside_the_rows()),
            )
            cover(self._connection, assignment, loaded)
            self._execute("load.finish_job")
            outcome = Json({"cause": "completed", "rows": loaded.rows})
            self._execute("load.finish_run", bytes=bytes_done, rows=loaded.rows, outcome=outcome, log=_as_json(log()))

    def has_committed(self) -> bool:
        """Whether this run's load was committed: for a runner whose connection broke at the commit."""
        with database_errors():
            row = self._one("runner.has_committed")
        return row is not None and row["committed"]

    def _hold(self, name: str) -> None:
        if self._connection.execute(statement(name), self._who).fetchone() is None:
            raise LostLease(self._why_not_taken())

    def _end_earlier_loads(self) -> None:
        for wait in (0.0, 0.01, 0.05, 0.2, 1.0, 2.0, 4.0):
            time.sleep(wait)
            row = self._one("runner.end_earlier_loads")
            if row is None or row["still_loading"] == 0:
                return
        raise Unavailable("database: an earlier run's load transaction could not be ended", Reason.DATABASE)

    def _why_not_taken(self) -> str:
        row = self._one("runner.why_not_taken")
        epoch = self._who["epoch"]
        if row is None:
            return "the job no longer exists"
        if row["lease_epoch"] != epoch:
            return f"lease epoch {epoch} is stale: the job is at epoch {row['lease_epoch']}"
        if row["cancel_requested"]:
            return "the job is being cancelled"
        if row["ended"]:
            return f"the run at epoch {epoch} has ended ({row['cause']})"
        if row["state"] != "running":
            return f"the job is {row['state']}, not running"
        return f"the run at epoch {epoch} belongs to another runner ({row['runner_uid']})"

    def _execute(self, name: str, **parameters: Any) -> None:
        self._connection.execute(statement(name), {**self._who, **parameters})

    def _one(self, name: str, **parameters: Any) -> DictRow | None:
        return self._connection.execute(statement(name), {**self._who, **parameters}).fetchone()


def _as_json(log: RunLog | None) -> Json | None:
    """None leaves the log in the row as it is."""
    return None if log is None or not log.lines else Json(log.as_dict())
