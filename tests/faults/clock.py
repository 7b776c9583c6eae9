"""Time that a test owns, with the product's SQL as it is.

Its statements call `now()` and `clock_timestamp()` without a schema. In a database that was prepared here they find
our own functions of these names before those of Postgres.
"""

from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from cli.countries import iso_countries
from dataset_jobs import migrations

START = datetime(2026, 1, 1, tzinfo=UTC)

_FUNCTIONS = """
create table virtual_clock (only_one boolean primary key default true check (only_one), stands_at timestamptz,
    ahead interval not null default '0');
create function clock_timestamp() returns timestamptz language sql volatile as
    'select coalesce(stands_at, pg_catalog.clock_timestamp() + ahead) from public.virtual_clock';
create function now() returns timestamptz language sql stable as
    'select coalesce(stands_at, pg_catalog.now() + ahead) from public.virtual_clock';
"""


def prepare(conninfo: str) -> None:
    """Migrates an empty database so that its time is ours, also where a column's default is `now()`."""
    use_virtual_time(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(_FUNCTIONS)
        connection.execute("insert into virtual_clock (stands_at) values (%s)", [START])
    migrations.apply(conninfo, iso_countries())


def use_virtual_time(conninfo: str) -> None:
    """Every connection to this database finds our functions first; to be said again for a copy of it."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("alter database {} set search_path = public, pg_catalog").format(name))


class VirtualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, conninfo: str) -> None:
        self._connection = psycopg.connect(conninfo, autocommit=True, application_name="virtual clock")
        self.now = START
        self.set(START)

    def set(self, moment: datetime) -> None:
        """It stands at `moment` now."""
        self.now = moment
        self._connection.execute("update virtual_clock set stands_at = %s", [moment])

    def move(self, by: timedelta) -> None:
        """Forwards, or backwards."""
        self.set(self.now + by)

    def close(self) -> None:
        """Lets go of its connection; the clock stands where it was."""
        self._connection.close()
