"""Makes every connection to Postgres: of runners, clients, controllers, the listener and migrations.

Each is in autocommit mode and uses no prepared statements (it may be a pooler's). `session` sets up its session, so
environment, URL, role and database cannot change it. A database that cannot hold all names is refused.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, LiteralString, Self

import psycopg
from psycopg import AsyncClientCursor, AsyncTransaction, ClientCursor, IsolationLevel, Transaction
from psycopg.abc import Params
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import Row, dict_row

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden, Misconfigured
from dataset_jobs.postgres import adapters, session, tls
from dataset_jobs.postgres.connect_errors import connect_error
from dataset_jobs.postgres.postgres_errors import database_errors
from dataset_jobs.postgres.session import Target

adapters.register()

CONNECT_SECONDS = 10
"""How long making a connection may take."""


class _Settings:
    """Sends the session's settings along with each transaction, if a pooler is in between."""

    _target = Target("")
    pooled = False
    """Whether a pooler stands between: then a session lasts for one transaction."""
    _begun = False
    """A transaction has begun and nothing was sent in it."""

    @property
    def schema(self) -> str:
        """Where our tables are."""
        return self._target.schema

    def _keep(self: Any, row: Mapping[str, Any]) -> None:
        """Takes the answer to `at_connect`; raises Misconfigured or Forbidden."""
        encoding = self.info.parameter_status("server_encoding") or row["encoding"]
        if encoding != "UTF8":
            raise Misconfigured(
                f"database {self.info.dbname}: its encoding is {encoding}, which cannot hold all names: "
                "it needs a database in UTF8 (create database … encoding 'UTF8' template template0)",
                Reason.DATABASE,
            )
        if row["read_only"]:
            # Somebody has a reason for it, such as a disk that is nearly full. A standby is waited for.
            raise Forbidden(
                f"database {self.info.dbname}: default_transaction_read_only is on, for it or for the role: nothing is"
                " written until that is off",
                Reason.DATABASE,
            )
        self.pooled = row["pooled"]

    def before(self: Any) -> LiteralString:
        """What the text of the next statement must begin with; mostly nothing."""
        if not self.pooled:
            return ""
        alone = self.info.transaction_status == TransactionStatus.IDLE
        if not (alone or self._begun):
            return ""
        self._begun = False
        settings = session.in_transaction(self._target.schema, self.info.server_version)
        return session.ALONE + settings if alone else settings


# For libpq. In the startup message an encoding wins over PGCLIENTENCODING, role and database.
_LIBPQ = {"connect_timeout": CONNECT_SECONDS, "client_encoding": "utf8", "application_name": "affirm-worker"}
_PSYCOPG: dict[str, Any] = {"autocommit": True, "prepare_threshold": None}


def _for_libpq(target: Target, options: dict[str, Any]) -> str:
    """The connection string with our parameters and those of `options`, which are taken out of there."""
    given = {name: options.pop(name) for name in [*options] if name not in _OF_PSYCOPG}
    return make_conninfo(target.conninfo, **{**_LIBPQ, **given, **_tls(target)})


def _tls(target: Target) -> dict[str, str]:
    mode = tls.default_mode(target.conninfo)
    return {} if mode is None else {"sslmode": mode}


_OF_PSYCOPG = {"autocommit", "prepare_threshold", "context", "row_factory", "cursor_factory"}


class SessionConnection(_Settings, psycopg.Connection[Row]):
    """A connection of a client, a runner or a migration."""

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """Connects and sets up the session.

        Args:
            conninfo: libpq connection string or URI, perhaps by `session.in_schema`; may be a pooler's.
            options: of `psycopg.Connection.connect`; `application_name` among them.

        Raises:
            Forbidden, Misconfigured, Unavailable: as `connect_error` has it.
        """
        return cls._connected(conninfo, options)

    @classmethod
    def _connected(cls, conninfo: str, options: dict[str, Any], **attributes: object) -> Self:
        """Connects, gives the connection these attributes, and sets up its session."""
        with database_errors():
            target = Target.of(conninfo)
            whole = _for_libpq(target, options)
            try:
                connection = super().connect(whole, **{**_PSYCOPG, **options})
            except psycopg.OperationalError as error:
                raise connect_error(error, whole) from None
            for name, value in attributes.items():
                setattr(connection, name, value)
            try:
                connection._set_up(target)
            except BaseException:
                connection.close()
                raise
        return connection

    def _set_up(self, target: Target) -> None:
        self._target = target
        self.isolation_level = IsolationLevel.READ_COMMITTED
        text = session.at_connect(target.schema, self.info.server_version, self.info.backend_pid)
        row = self.cursor(row_factory=dict_row).execute(text).fetchone()
        assert row is not None
        self._keep(row)

    @contextmanager
    def transaction(self, savepoint_name: str | None = None, force_rollback: bool = False) -> Iterator[Transaction]:
        """As psycopg's; its first statement carries the session's settings, if they do not last."""
        with super().transaction(savepoint_name, force_rollback) as transaction:
            self._begun = self.pooled
            yield transaction

    def execute(
        self, query: Any, params: Params | None = None, *, prepare: bool | None = None, binary: bool = False
    ) -> psycopg.Cursor[Row]:
        """As psycopg's; carries the session's settings, if they do not last."""
        before = self.before()
        if not before:
            return super().execute(query, params, prepare=prepare, binary=binary)
        # Parameters within the text: with others Postgres takes one statement at a time.
        cursor: ClientCursor[Row] = ClientCursor(self, row_factory=self.row_factory)
        cursor.execute(before + _text(query, self), params)
        while cursor.nextset():
            pass
        return cursor

    def call(self, query: Any, params: Params, begins: bool = False, commits: bool = False) -> psycopg.Cursor[Row]:
        """Executes a statement with its parameters beside its text, and all that goes with it in the same exchange.

        Other sessions of the same login see a statement's text in pg_stat_activity, and no parameters: so a secret is
        sent in this way, also by a pooler.

        Args:
            query, params: of one statement.
            begins: begins a transaction first, which stays open.
            commits: commits it if there is no error. After one the caller rolls back.
        """
        alone = self.pooled and self.info.transaction_status == TransactionStatus.IDLE and not begins
        before = [session.BEGIN] if begins or alone else []
        if self.pooled and before:
            before.append(session.for_transaction(self._target.schema, self.info.server_version))
        after = ["commit"] if commits or alone else []
        if not before and not after:
            return super().execute(query, params)
        cursor = self.cursor()
        try:
            with self.pipeline():
                for text in before:
                    super().execute(text)
                cursor.execute(query, params)
                for text in after:
                    super().execute(text)
        except BaseException as error:
            stopped = error.__context__
            if isinstance(error, psycopg.Error) and stopped is not None and not isinstance(stopped, Exception):
                # Whoever ends this process did so while the pipeline ended: psycopg says that it is busy instead. The
                # statement must not go on: what this process still reports would wait for it.
                with suppress(psycopg.Error):
                    self.cancel_safe(timeout=CONNECT_SECONDS)
                self.close()
                raise stopped from None
            if alone:
                self.give_up()
            raise
        return cursor

    def give_up(self) -> None:
        """Rolls back after an error, which is what counts; another one here only closes the connection."""
        try:
            self.rollback()
        except psycopg.Error:
            self.close()


class AsyncSessionConnection(_Settings, psycopg.AsyncConnection[Row]):
    """A connection of a controller."""

    @classmethod
    async def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """As `SessionConnection.connect`."""
        with database_errors():
            target = Target.of(conninfo)
            whole = _for_libpq(target, options)
            try:
                connection = await super().connect(whole, **{**_PSYCOPG, **options})
            except psycopg.OperationalError as error:
                raise await asyncio.to_thread(connect_error, error, whole) from None
            try:
                await connection._set_up(target)
            except BaseException:
                await connection.close()
                raise
        return connection

    async def _set_up(self, target: Target) -> None:
        self._target = target
        await self.set_isolation_level(IsolationLevel.READ_COMMITTED)
        text = session.at_connect(target.schema, self.info.server_version, self.info.backend_pid)
        row = await (await self.cursor(row_factory=dict_row).execute(text)).fetchone()
        assert row is not None
        self._keep(row)

    @asynccontextmanager
    async def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> AsyncIterator[AsyncTransaction]:
        """As psycopg's; its first statement carries the session's settings, if they do not last."""
        async with super().transaction(savepoint_name, force_rollback) as transaction:
            self._begun = self.pooled
            yield transaction

    async def execute(
        self, query: Any, params: Params | None = None, *, prepare: bool | None = None, binary: bool = False
    ) -> psycopg.AsyncCursor[Row]:
        """As psycopg's; carries the session's settings, if they do not last."""
        before = self.before()
        if not before:
            return await super().execute(query, params, prepare=prepare, binary=binary)
        cursor: AsyncClientCursor[Row] = AsyncClientCursor(self, row_factory=self.row_factory)
        await cursor.execute(before + _text(query, self), params)
        while cursor.nextset():
            pass
        return cursor


def _text(query: Any, connection: Any) -> LiteralString:
    if isinstance(query, bytes):
        return query.decode()
    return query if isinstance(query, str) else str(query.as_string(connection))
