"""The database that a command works on: DATABASE_URL's or the embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.countries import iso_countries
from app.embedded import embedded_postgres
from app.settings import Settings, redacted
from dataset_jobs import migrations
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.postgres.postgres_errors import database_errors
from services.client import Client


@dataclass(frozen=True, slots=True)
class Database:
    """A database that is there.

    Args:
        conninfo: of the database.
        embedded: it is the embedded one.
        place: its location for people; without a password.
        applied: the migrations that were applied when it was opened.
    """

    conninfo: str
    embedded: bool
    place: str
    applied: tuple[str, ...] = ()


@contextmanager
def open_database(settings: Settings, migrated: bool = False) -> Iterator[Database]:
    """The database, for as long as the command needs it.

    Args:
        settings: checked already.
        migrated: apply pending migrations; the embedded one always gets them.
    """
    if settings.database_url is not None:
        conninfo = settings.in_schema(settings.database_url)
        applied = _migrate(conninfo) if migrated else ()
        yield Database(conninfo, False, redacted(settings.database_url), applied)
        return
    with embedded_postgres(settings.home) as uri:
        conninfo = settings.in_schema(uri)
        applied = () if _is_current(conninfo) and not migrated else _migrate(conninfo)
        yield Database(conninfo, True, f"{settings.home / 'postgres'} (embedded Postgres)", applied)


def _migrate(conninfo: str) -> tuple[str, ...]:
    with database_errors():
        return tuple(migrations.apply(conninfo, iso_countries()))


def _is_current(conninfo: str) -> bool:
    with Client.connect(conninfo) as store:
        try:
            store.check_schema()
            return True
        except Misconfigured:
            return False
