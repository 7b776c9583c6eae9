"""The schema that the tables are in: makes it, keeps out of other programs' tables, and moves an older installation."""

import logging
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
from psycopg import errors, sql
from psycopg.rows import TupleRow

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden, Misconfigured
from dataset_jobs.postgres.postgres_errors import one_line

log = logging.getLogger(__name__)

MOVED_FROM = "public"
"""Where versions that knew no schema have made their tables, as a rule."""

LAST_IN_PUBLIC = 8
"""The last schema version of those."""

OURS = (
    "schema_migrations", "installation", "countries", "datasets", "pools", "jobs", "runs", "names", "coverage",
    "schedules", "schedule_files", "schedule_versions", "controllers", "counted_names",
)  # fmt: skip
"""Tables and views of ours."""

_COLUMNS = ["applied_at", "name", "version"]
"""Of our `schema_migrations`. Rails, Ecto and golang-migrate have one of the same name, with other columns."""


class Owner(NamedTuple):
    """The role that our tables belong to; `is_member` if this connection's role may do what it may."""

    name: str
    is_member: bool


def owner_of(connection: psycopg.Connection[TupleRow], schema: str) -> Owner | None:
    """The owner of our tables; None if they are not there. A role without any right may ask."""
    row = connection.execute(
        "select pg_get_userbyid(relowner)::text, pg_has_role(relowner, 'usage') from pg_class"
        " where relname = 'schema_migrations' and relnamespace = (select oid from pg_namespace where nspname = %s)",
        [schema],
    ).fetchone()
    return None if row is None else Owner(*row)


def prepare(connection: psycopg.Connection[TupleRow], schema: str) -> None:
    """Leaves a schema with our `schema_migrations` in it, within the caller's transaction.

    Args:
        connection: its `search_path` begins with the schema.
        schema: its name.

    Raises:
        Misconfigured: other programs' tables are in the way; the message names them.
        Forbidden: the role may not make the schema.
    """
    if connection.execute("select to_regnamespace(%s)::oid", [f'"{schema}"']).fetchone() == (None,):
        _create(connection, schema)
    if _is_ours(connection, schema):
        return
    taken = [name for name in OURS if _relation(connection, schema, name)]
    if taken:
        raise Misconfigured(
            f"database: schema {schema} has another program's {', '.join(taken)};"
            " set DATABASE_SCHEMA to a schema of its own, such as affirm_worker",
            Reason.DATABASE,
        )
    if schema != MOVED_FROM and _is_movable(connection):
        _move(connection, schema)
    else:
        connection.execute(
            "create table schema_migrations"
            " (version int primary key, name text not null, applied_at timestamptz not null default now())"
        )


def _create(connection: psycopg.Connection[TupleRow], schema: str) -> None:
    try:
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    except errors.InsufficientPrivilege as error:
        role = sql.Identifier(connection.info.user).as_string(connection)
        raise Forbidden(
            f"{one_line(error)}; who may has to run there: create schema {schema} authorization {role}",
            Reason.DATABASE,
        ) from None


def _relation(connection: psycopg.Connection[TupleRow], schema: str, name: str) -> int | None:
    row = connection.execute("select to_regclass(%s)::oid", [f'"{schema}"."{name}"']).fetchone()
    return None if row is None else row[0]


def _is_ours(connection: psycopg.Connection[TupleRow], schema: str) -> bool:
    """Whether the schema's `schema_migrations` is ours. Other tables may be missing: an older one has fewer."""
    table = _relation(connection, schema, "schema_migrations")
    if table is None:
        return False
    columns = connection.execute(
        "select attname::text from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped", [table]
    ).fetchall()
    return sorted(name for (name,) in columns) == _COLUMNS


def _is_movable(connection: psycopg.Connection[TupleRow]) -> bool:
    """Whether a version that knew no schema has made its tables in `public`."""
    if not _is_ours(connection, MOVED_FROM) or not _relation(connection, MOVED_FROM, "installation"):
        return False
    query = sql.SQL("select max(version) <= {} from {}.schema_migrations")
    return connection.execute(query.format(LAST_IN_PUBLIC, sql.Identifier(MOVED_FROM))).fetchone() == (True,)


def _move(connection: psycopg.Connection[TupleRow], schema: str) -> None:
    """Moves tables, view and functions: names in the catalog alone, no row is touched."""
    for kind, name in _movable(connection):
        move = sql.SQL("alter {} {}.{} set schema {}")
        connection.execute(
            move.format(sql.SQL(kind), sql.Identifier(MOVED_FROM), sql.SQL(name), sql.Identifier(schema))
        )
    log.warning("the tables were moved from schema %s to schema %s", MOVED_FROM, schema)


def _movable(connection: psycopg.Connection[TupleRow]) -> Iterator[tuple[str, str]]:
    for name in OURS:
        if _relation(connection, MOVED_FROM, name):
            yield ("view" if name == "counted_names" else "table"), name
    for function in ("notify_jobs()", "terminate_runners(int, int)"):
        if connection.execute("select to_regprocedure(%s)::oid", [f"{MOVED_FROM}.{function}"]).fetchone() != (None,):
            yield "function", function
