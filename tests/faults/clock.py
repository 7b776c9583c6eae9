"""Time that a test owns, with the product's SQL as it is.

In a database that was prepared here, and in copies of it, `now()` and `clock_timestamp()` of Postgres are our own. So
every process that works on it has the same time, and no session has to know.
"""

from datetime import UTC, datetime, timedelta

import psycopg

from app.countries import iso_countries
from dataset_jobs import migrations

START = datetime(2026, 1, 1, tzinfo=UTC)

_FUNCTIONS = """
set allow_system_table_mods = on;
create table public.virtual_clock (only_one boolean primary key default true check (only_one), stands_at timestamptz,
    ahead interval not null default '0');
alter function pg_catalog.clock_timestamp() rename to real_clock_timestamp;
alter function pg_catalog.now() rename to real_now;
create function pg_catalog.clock_timestamp() returns timestamptz language sql volatile as
    'select coalesce(stands_at, pg_catalog.real_clock_timestamp() + ahead) from public.virtual_clock';
create function pg_catalog.now() returns timestamptz language sql stable as
    'select coalesce(stands_at, pg_catalog.real_now() + ahead) from public.virtual_clock';
"""


def prepare(conninfo: str) -> None:
    """Migrates an empty database so that its time is ours, also where a column's default is `now()`."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(_FUNCTIONS)
        connection.execute("insert into virtual_clock (stands_at) values (%s)", [START])
    migrations.apply(conninfo, iso_countries())


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
        """Lets go of its connection; the clock does not move."""
        self._connection.close()
