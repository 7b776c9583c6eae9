"""Brings a database to the schema this code is for: the `NNNN_name.sql` files beside this one, in order."""

import logging
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.resources import files
from typing import LiteralString, NamedTuple

import psycopg
from psycopg import errors
from psycopg.rows import TupleRow

from dataset_jobs.migrations.compatibility import FIRST_TO_SAY, Oldest, check_schema, stops_older_programs
from dataset_jobs.migrations.schema import owner_of, prepare
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.postgres.connecting import SessionConnection
from dataset_jobs.postgres.postgres_errors import one_line

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 120.0
"""How long a migration waits for another one, or for a table that somebody uses, with all its tries together."""

LONGEST_WAIT_SECONDS = 16.0
"""In one try. Whoever needs the table meanwhile queues behind it; nobody gives up waiting for a lock before 30 s."""

_OTHERS_WERE_FASTER = (
    errors.DuplicateSchema,
    errors.DuplicateTable,
    errors.UndefinedTable,
    errors.UniqueViolation,
)
"""Several that begin an installation, or move one, collide: there is no table of ours to lock yet."""

_TRIES = 4


class Migration(NamedTuple):
    """One file of this folder."""

    version: int
    name: str


def _migrations() -> list[Migration]:
    found = (re.fullmatch(r"((\d{4})_\w+)\.sql", file.name) for file in files(__name__).iterdir())
    return sorted(Migration(int(match[2]), match[1]) for match in found if match)


MIGRATIONS = _migrations()
"""All migrations there are, in order."""

LATEST = MIGRATIONS[-1].version
"""The schema version that this code is for."""


def apply(conninfo: str, countries: Iterable[tuple[str, str]]) -> list[str]:
    """Applies pending migrations, fills `countries`, and grants the group roles; all or nothing.

    Harmless if nothing is pending, and if several callers do it at the same time. A role that does not own the tables
    writes nothing if they are as they should be. The tables go into the schema of the connection, which is made if it
    is not there. Those that an earlier version has made in `public` are moved there.

    A database that is newer than this code, and lets it work, is left alone.

    Args:
        conninfo: libpq connection string or URI, of a role that may create tables; perhaps by `session.in_schema`.
        countries: ISO 3166-1 alpha-2 codes and their names.

    Returns:
        The names of the migrations that were applied now.

    Raises:
        Misconfigured: the database is newer than this code and refuses it, or another program's tables are in the
            schema.
        Forbidden: there is something to do, and the role may not do it; the message says who may.
        psycopg.Error: what the database said; the caller puts `database_errors` around this.
    """
    known = list(countries)
    with SessionConnection[TupleRow].connect(conninfo, application_name="affirm-worker migration") as connection:
        # What grants.sql could not do is a notice.
        connection.add_notice_handler(lambda notice: log.warning("%s", notice.message_primary))
        try:
            if _is_anothers(connection) and _is_current(connection, known):
                return []
            return _apply_patiently(connection, known)
        except errors.InsufficientPrivilege as error:
            raise _forbidden(connection, error) from None


def _apply_patiently(connection: SessionConnection[TupleRow], countries: Sequence[tuple[str, str]]) -> list[str]:
    """Tries again and again where loads under way keep a table: between two tries those who queued behind it go on."""
    deadline, wait = time.monotonic() + PATIENCE_SECONDS, 1.0
    while True:
        try:
            return _apply_unless_outrun(connection, countries, wait)
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            if time.monotonic() + wait > deadline:
                raise
            log.info("waiting: a table is in use: %s", one_line(error))
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def _apply_unless_outrun(
    connection: SessionConnection[TupleRow], countries: Sequence[tuple[str, str]], wait: float
) -> list[str]:
    for _ in range(_TRIES - 1):
        with suppress(*_OTHERS_WERE_FASTER):
            return _apply_once(connection, countries, wait)
    return _apply_once(connection, countries, wait)


def _apply_once(
    connection: SessionConnection[TupleRow], countries: Sequence[tuple[str, str]], wait: float
) -> list[str]:
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [f"{wait}s"])
        prepare(connection, connection.schema)
        # One migration after the other. Not an advisory lock: any role could hold that, and stop every upgrade.
        connection.execute("lock table schema_migrations in share row exclusive mode")
        if _is_newer(connection):
            # The grants and names of an older program would take from newer ones what they need.
            return []
        applied = _apply_pending(connection)
        _fill_countries(connection, countries)
        connection.execute(_text("grants"))
    return applied


def _is_newer(connection: psycopg.Connection[TupleRow]) -> bool:
    """Whether the database is newer than this code, and lets it work; raises Misconfigured if it does not."""
    version = _version(connection)
    if version <= LATEST:
        return False
    check_schema(version, LATEST, lambda: _oldest(connection))
    return True


def _version(connection: psycopg.Connection[TupleRow]) -> int:
    row = connection.execute("select coalesce(max(version), 0) from schema_migrations").fetchone()
    assert row is not None
    return int(row[0])


def _oldest(connection: psycopg.Connection[TupleRow]) -> Oldest:
    row = connection.execute("select oldest_schema, oldest_program from installation").fetchone()
    assert row is not None
    return Oldest(*row)


def _is_anothers(connection: SessionConnection[TupleRow]) -> bool:
    """Whether our tables are there, and belong to a role that this one is no member of."""
    owner = owner_of(connection, connection.schema)
    return owner is not None and not owner.is_member


def _is_current(connection: SessionConnection[TupleRow], countries: Sequence[tuple[str, str]]) -> bool:
    return _is_newer(connection) or (_version(connection) == LATEST and not _changed(connection, countries))


def _changed(connection: psycopg.Connection[TupleRow], countries: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The countries that are not in their table, or by another name."""
    there = {(code, name) for code, name in connection.execute("select code, name from countries")}
    return [one for one in countries if one not in there]


def _fill_countries(connection: psycopg.Connection[TupleRow], countries: Sequence[tuple[str, str]]) -> None:
    if changed := _changed(connection, countries):
        codes, names = zip(*changed, strict=True)
        connection.execute(
            "insert into countries (code, name) select * from unnest(%s::text[], %s::text[])"
            " on conflict (code) do update set name = excluded.name",
            [list(codes), list(names)],
        )


def _forbidden(connection: SessionConnection[TupleRow], error: psycopg.Error) -> Forbidden:
    """The error of a role that may not migrate, with the role that may."""
    owner = owner_of(connection, connection.schema)
    who = "a role that may create tables there has to migrate"
    if owner is not None:
        who = f"only role {owner.name}, which owns the tables, may migrate; with its DATABASE_URL"
    return Forbidden(f"database: {one_line(error)}; {who}", Reason.DATABASE, hints=[Hint(Action.MIGRATE)])


def _apply_pending(connection: psycopg.Connection[TupleRow]) -> list[str]:
    done = {version for (version,) in connection.execute("select version from schema_migrations")}
    pending = [migration for migration in MIGRATIONS if migration.version not in done]
    for migration in pending:
        text = _text(migration.name)
        connection.execute(text)
        if migration.version >= FIRST_TO_SAY and stops_older_programs(text):
            _stop_older_programs(connection, migration.version)
        connection.execute(
            "insert into schema_migrations (version, name) values (%s, %s)",
            [migration.version, migration.name],
        )
    return [migration.name for migration in pending]


def _stop_older_programs(connection: psycopg.Connection[TupleRow], version: int) -> None:
    from dataset_jobs.version import own_version  # it imports this module

    connection.execute("update installation set oldest_schema = %s, oldest_program = %s", [version, own_version()])


def _text(name: str) -> LiteralString:
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
