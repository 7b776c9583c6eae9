"""The settings of every session. They override those of the environment, the URL, the role and the database.

A statement must not rely on a setting that nobody sets: `search_path` decides whose tables are read, `IntervalStyle`
whether an answer can be read at all, `statement_timeout` whether a large file can ever be loaded. All are set here, and
nowhere else.
"""

import re
from dataclasses import dataclass
from functools import cache

from psycopg.conninfo import conninfo_to_dict, make_conninfo

DEFAULT_SCHEMA = "affirm"
"""Where a new installation has its tables."""

SCHEMA_PATTERN = r"^[a-z_][a-z0-9_]{0,62}$"
"""Names of schemas that are taken: those that need no quotes."""

_CARRIER = re.compile(r"-c\s{0,9}affirm\.schema=(\w+)")

_SETTINGS = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    # A policy that hides rows must be an error: counting a part of them would be worse.
    "row_security": "off",
    # The claim counts what the claims before it have committed.
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # The client limits how long an answer may take: loads of large files take minutes. Transactions limit their locks.
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "client_min_messages": "notice",
}
_SINCE = {"transaction_timeout": (170000, "0")}
"""Settings that only later versions have."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a connection leads.

    Args:
        conninfo: as libpq takes it.
        schema: of our tables.
    """

    conninfo: str
    schema: str = DEFAULT_SCHEMA

    @classmethod
    def of(cls, conninfo: str) -> "Target":
        """Reads a connection string, which may come from `in_schema`."""
        parts = conninfo_to_dict(conninfo)
        options = str(parts.get("options") or "")
        found = _CARRIER.findall(options)
        if not found:
            return cls(conninfo)
        parts["options"] = _CARRIER.sub("", options).strip() or None
        return cls(make_conninfo("", **{name: value for name, value in parts.items() if value is not None}), found[-1])


def in_schema(conninfo: str, schema: str) -> str:
    """A connection string that also says in which schema our tables are; for `connecting` alone, not for libpq."""
    options = conninfo_to_dict(conninfo).get("options") or ""
    return make_conninfo(conninfo, options=f"{options} -c affirm.schema={schema}".strip())


def _values(schema: str, server_version: int) -> dict[str, str]:
    since = {name: value for name, (version, value) in _SINCE.items() if server_version >= version}
    # pg_catalog comes first by itself; pg_temp last, so that no temporary table stands in for one of ours.
    return {"search_path": f'"{schema}", pg_temp', **_SETTINGS, **since}


@cache  # asked for by every transaction behind a pooler
def _set_all(schema: str, server_version: int, local: str) -> str:
    values = _values(schema, server_version)
    settings = [f"set_config('{name}', '{value}', {local})" for name, value in values.items()]
    # `replica` switches off triggers and foreign keys. Only a superuser may set it, so it is set only if needed.
    origin = f"set_config('session_replication_role', 'origin', {local})"
    settings.append(f"case when current_setting('session_replication_role') <> 'origin' then {origin} end")
    return ", ".join(settings)


def at_connect(schema: str, server_version: int, pid: int) -> str:
    """The first statement of a connection: sets everything, and says whether a pooler stands between.

    A transaction-mode pooler hands the next transaction to another session, and this one to somebody else. So nothing
    may stay behind there: the settings then hold for this one transaction.

    Args:
        schema: of our tables.
        server_version: as libpq has it, such as 150004.
        pid: the backend's, as the login said. A pooler makes that up.

    Returns:
        A query for one row: `pooled`; `encoding`, the database's; `read_only`, whether somebody wants no writes here.
    """
    return (
        "-- session.at_connect\n"
        "select pooled, current_setting('server_encoding') as encoding,"
        " current_setting('default_transaction_read_only') = 'on' and not pg_is_in_recovery() as read_only,"
        f" {_set_all(schema, server_version, 'pooled')}"
        f" from (select pg_backend_pid() <> {pid} as pooled) as session"
    )


def for_transaction(schema: str, server_version: int) -> str:
    """The statement that sets everything for the present transaction."""
    return f"-- session.for_transaction\nselect {_set_all(schema, server_version, 'true')}"


def in_transaction(schema: str, server_version: int) -> str:
    """The prefix of a transaction's first statement if a pooler is in between; holds for that transaction."""
    return f"select {_set_all(schema, server_version, 'true')};\n"


ALONE = "set transaction isolation level read committed;\n"
"""Precedes `in_transaction` if a single statement is a transaction of its own."""

BEGIN = "begin isolation level read committed"
"""As psycopg says it."""
