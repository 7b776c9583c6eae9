"""The database as clients have it: synchronous, and transactions that are tried again."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from random import uniform
from typing import Any, Self, TypeAlias, TypeVar
from uuid import UUID

from psycopg import errors
from psycopg.rows import DictRow, dict_row

from dataset_jobs.host import os_actor
from dataset_jobs.migrations import LATEST
from dataset_jobs.migrations.compatibility import Oldest, check_schema
from dataset_jobs.model.actor import Act, Actor
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.durations import LONGEST, format_duration, time_in_range
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.requests import InvalidRequest, unknown_pool
from dataset_jobs.model.states import JobType, state_of
from dataset_jobs.model.text import json_text
from dataset_jobs.postgres.postgres_errors import database_errors
from dataset_jobs.postgres.timeouts import ANSWER_TIMEOUT, TimeoutConnection, in_milliseconds
from dataset_jobs.store.statements import statement

Result = TypeVar("Result")

Row: TypeAlias = DictRow
"""A row of a statement, by the names of its columns."""

When: TypeAlias = datetime | timedelta | None
"""Not before that time, or not before so long from now by the database's clock; None is at once."""

TRIES = 15
"""How often a transaction is tried that others got in the way of."""


def time_parameters(when: When) -> dict[str, datetime | timedelta | None]:
    """How statements take a `When`: one of the two is not null, or neither."""
    after = isinstance(when, timedelta)
    return {"at": None if after else when, "after": when if after else None}


def run_at_parameters(run_at: When) -> dict[str, datetime | timedelta | None]:
    """As `time_parameters`, for when a job may run; raises InvalidRequest for a time that no job can have."""
    if isinstance(run_at, timedelta) and abs(run_at) > LONGEST:
        raise InvalidRequest(f"run_at: expected a duration of at most {format_duration(LONGEST)}")
    if isinstance(run_at, datetime):
        try:
            run_at = time_in_range(run_at)
        except ValueError as error:
            raise InvalidRequest(f"run_at: expected {error}") from None
    return time_parameters(run_at)


class JobsCame(Exception):
    """A dataset got a job while its lock was waited for."""


IN_THE_WAY = (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation, JobsCame)
"""What ends a transaction that is worth trying again at once."""


class Transaction:
    """Named statements within one transaction, and the two things that several requests have in common."""

    def __init__(self, connection: TimeoutConnection[DictRow]) -> None:
        self.connection = connection

    @contextmanager
    def patiently(self, least: timedelta) -> Iterator[None]:
        """An answer to a statement within may take so long, if that is longer than usual."""
        usual = self.connection.patience
        self.connection.patience = max(usual, least)
        try:
            yield
        finally:
            self.connection.patience = usual

    def one(self, name: str, /, **parameters: Any) -> DictRow | None:
        """The first row of a named statement."""
        return self.connection.execute(statement(name), parameters).fetchone()

    def one_of_pool(self, name: str, /, pool: str | None, **parameters: Any) -> DictRow | None:
        """As `one`, for a statement that may name a pool; raises InvalidRequest if there is no such pool."""
        try:
            return self.one(name, pool=pool, **parameters)
        except errors.ForeignKeyViolation:
            raise unknown_pool(str(pool)) from None

    def one_unless_used(self, refusal: Exception, name: str, /, **parameters: Any) -> DictRow | None:
        """As `one`; raises `refusal` if other rows refer to what is removed, or what a new row refers to is gone."""
        try:
            return self.one(name, **parameters)
        except errors.ForeignKeyViolation:
            raise refusal from None

    def execute(self, name: str, /, **parameters: Any) -> None:
        """Executes a named statement, without rows."""
        self.connection.execute(statement(name), parameters)

    def lock_dataset(self, dataset_id: UUID) -> DictRow | None:
        """The dataset and all its jobs under lock, with `unfinished_job`: an id or None.

        Jobs before datasets: the claim and settle lock them in this order. A job that came while the dataset's lock
        was waited for is not locked, and cannot be any more: then the transaction is begun again.
        """
        locked = {row["id"] for row in self.all("datasets.lock_jobs", dataset_id=dataset_id)}
        dataset = self.one("datasets.lock", dataset_id=dataset_id)
        if dataset is not None:
            jobs = self.all("datasets.jobs", dataset_id=dataset_id)
            if not locked.issuperset(job["id"] for job in jobs):
                raise JobsCame
            unfinished = [job["id"] for job in jobs if (state := state_of(job["state"])) is None or not state.finished]
            dataset["unfinished_job"] = unfinished[0] if unfinished else None
        return dataset

    def enqueue(self, dataset_id: UUID, kind: JobType, priority: int, pool: str, run_at: When = None) -> UUID:
        """A new job for a dataset that has no unfinished one.

        Raises:
            InvalidRequest: there is no such pool, or no job can be asked to run at that time.
        """
        row = self.one_of_pool(
            "jobs.insert", pool, dataset_id=dataset_id, type=kind, priority=priority, **run_at_parameters(run_at)
        )
        assert row is not None
        return UUID(str(row["id"]))

    def all(self, name: str, /, **parameters: Any) -> list[DictRow]:
        """All rows of a named statement."""
        return self.connection.execute(statement(name), parameters).fetchall()


class Acting(Transaction):
    """The transaction of an act; what it says of itself goes to the audit.

    Attributes:
        target: what the act is about, such as `job/ID`.
        result: what has become of it.
        detail: more of it, as plain JSON values.
    """

    def __init__(self, connection: TimeoutConnection[DictRow], target: str | None) -> None:
        super().__init__(connection)
        self.target = target
        self.result = "done"
        self.detail: dict[str, Any] = {}
        self.is_done = True

    def nothing_done(self) -> None:
        """Nothing was to be done, or it was only asked what would be: the audit says nothing of it."""
        self.is_done = False


class ClientDatabase(ABC):
    """What use cases ask: statements, transactions and acts, over one connection or a pool of them.

    All raise `Unavailable`, `Forbidden` or `Misconfigured` as the database has it.

    Args:
        patience: how long one answer may take.
        actor: who acts, for the audit; the user of this process if None.
    """

    def __init__(self, patience: timedelta = ANSWER_TIMEOUT, actor: Actor | None = None) -> None:
        self._patience = patience
        self._actor = actor

    @property
    def actor(self) -> Actor:
        """Who acts."""
        if self._actor is None:
            self._actor = os_actor()
        return self._actor

    def acting_as(self, actor: Actor) -> "ClientDatabase":
        """The same database for another actor, such as that of one request. Closing it closes nothing."""
        return _ActingAs(self, actor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Closes every connection."""

    @abstractmethod
    def _connection(self) -> AbstractContextManager[TimeoutConnection[DictRow]]:
        """A connection in autocommit mode, for as long as one statement or transaction takes."""

    def all(self, name: str, /, **parameters: Any) -> list[DictRow]:
        """All rows of a named statement, in a transaction of its own."""
        with database_errors(), self._connection() as connection:
            return connection.execute(statement(name), parameters).fetchall()

    def only(self, name: str, /, **parameters: Any) -> DictRow:
        """The one row of a named statement that has one always."""
        [row] = self.all(name, **parameters)
        return row

    def now(self) -> datetime:
        """The time by the database's clock, as all times of an installation are."""
        now: datetime = self.only("session.database_time")["now"]
        return now

    def act(self, action: Act, target: str | None, work: Callable[[Acting], Result]) -> Result:
        """As `transaction`, for what somebody does on purpose: the same transaction writes it to the audit.

        Args:
            action: what is done.
            target: to what, such as `job/ID`; `work` may set it later.
            work: does it.
        """
        return self.transaction(lambda transaction: self._audited(transaction, action, target, work))

    def act_within(
        self, transaction: Transaction, action: Act, target: str | None, work: Callable[[Acting], Result]
    ) -> Result:
        """As `act`, as a part of a transaction that is there: of it nothing stays if `work` raises an error."""
        with transaction.connection.transaction():
            return self._audited(transaction, action, target, work)

    def _audited(
        self, transaction: Transaction, action: Act, target: str | None, work: Callable[[Acting], Result]
    ) -> Result:
        actor, acting = self.actor, Acting(transaction.connection, target)
        result = work(acting)
        if acting.is_done:
            acting.execute(
                "audit.add", actor=actor.name, surface=actor.surface, request_id=actor.request_id,
                key_id=actor.key_id, action=action, target=acting.target, result=acting.result,
                detail=json_text(acting.detail),
            )  # fmt: skip
        return result

    def transaction(self, work: Callable[[Transaction], Result]) -> Result:
        """Does `work` in a transaction, again from its start if others got in its way.

        For reads, and for what keeps the books of the product itself; people's acts are an `act`.
        """
        with database_errors():
            for number in range(1, TRIES + 1):
                try:
                    with self._connection() as connection, connection.transaction():
                        connection.execute(statement("session.limits"), {"patience": in_milliseconds(self._patience)})
                        return work(Transaction(connection))
                except IN_THE_WAY:
                    time.sleep(uniform(0.01, 0.05) * number)
        raise Unavailable("database: too many others change the same dataset", Reason.DATABASE)


class _ActingAs(ClientDatabase):
    """Another database's connections, for another actor."""

    def __init__(self, database: ClientDatabase, actor: Actor) -> None:
        super().__init__(database._patience, actor)
        self._database = database

    def close(self) -> None:
        """Closes nothing: the connections are the other's."""

    def _connection(self) -> AbstractContextManager[TimeoutConnection[DictRow]]:
        return self._database._connection()


def refuse_too_new(connection: TimeoutConnection[DictRow]) -> None:
    """Raises `OtherSchema` if the database is newer than this program, and does not let it work."""
    transaction = Transaction(connection)
    [found] = transaction.all("session.schema_version")
    if found["version"] > LATEST:
        check_schema(found["version"], LATEST, lambda: oldest_program(transaction))


def oldest_program(database: Transaction | ClientDatabase) -> Oldest:
    """The oldest program that may work on the database, which has to be of a schema that says so."""
    [row] = database.all("session.oldest_program")
    return Oldest(*row.values())


@contextmanager
def closed_if_refused(connection: TimeoutConnection[DictRow]) -> Iterator[None]:
    """Closes a new connection if what it begins with fails; errors of the database are ours."""
    try:
        with database_errors():
            yield
    except BaseException:
        connection.close()
        raise


class ClientConnection(ClientDatabase):
    """One connection, for one thread at a time. Connects at the first use, and again after the connection broke.

    Args:
        conninfo: libpq connection string or URI; may be a transaction-mode pooler's.
        patience: how long one answer may take.
        connection_class: another one lets tests put a fault between any two exchanges with the server.
        actor: who acts; the user of this process if None.
        first: what each new connection begins with.
    """

    def __init__(
        self,
        conninfo: str,
        patience: timedelta = ANSWER_TIMEOUT,
        connection_class: type[TimeoutConnection[DictRow]] = TimeoutConnection[DictRow],
        actor: Actor | None = None,
        first: Callable[[TimeoutConnection[DictRow]], None] | None = None,
    ) -> None:
        super().__init__(patience, actor)
        self._first = first
        self._conninfo = conninfo
        self._connection_class = connection_class
        self._live: TimeoutConnection[DictRow] | None = None

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._live is not None:
            self._live.close()
            self._live = None

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler stands between, so that a session lasts for one transaction. Connects if needed."""
        with database_errors(), self._connection():
            assert self._live is not None
            return self._live.pooled

    @contextmanager
    def _connection(self) -> Iterator[TimeoutConnection[DictRow]]:
        if self._live is None or self._live.closed:
            self._live = self._connect()
        yield self._live

    def _connect(self) -> TimeoutConnection[DictRow]:
        made = self._connection_class.connect(
            self._conninfo, patience=self._patience, row_factory=dict_row, application_name="affirm-worker client"
        )
        if self._first is not None:
            with closed_if_refused(made):
                self._first(made)
        return made
