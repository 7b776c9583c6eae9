"""The database that a command works on: DATABASE_URL's or the embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cli.settings import Settings, redacted
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.local_machine import is_about_the_path, machine_error


@dataclass(frozen=True, slots=True)
class Database:
    """A database that is there.

    Args:
        conninfo: of the database.
        embedded: it is the embedded one.
        place: where it is, for people; without a password.
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
        migrated: apply what is pending; done to the embedded one always.
    """
    if settings.storage_type == "local" and not settings.storage_path:
        # A STORAGE_PATH that is missing may be a volume that is not mounted; this one is ours to make.
        _make_storage_folder(settings)
    if settings.database_url is not None:
        applied = _migrate(settings.database_url) if migrated else ()
        yield Database(settings.database_url, False, redacted(settings.database_url), applied)
        return
    from cli.embedded import embedded_postgres

    with embedded_postgres(settings.home) as conninfo:
        applied = () if _is_current(conninfo) and not migrated else _migrate(conninfo)
        yield Database(conninfo, True, f"{settings.home / 'postgres'} (embedded Postgres)", applied)


def _migrate(conninfo: str) -> tuple[str, ...]:
    from cli.countries import iso_countries
    from dataset_jobs import migrations
    from dataset_jobs.store.failures import database_errors

    with database_errors():
        return tuple(migrations.apply(conninfo, iso_countries()))


def _is_current(conninfo: str) -> bool:
    from dataset_jobs.migrations import LATEST
    from dataset_jobs.store.for_clients import ClientStore

    with ClientStore(conninfo) as store:
        try:
            return store.schema_version() == LATEST
        except Misconfigured:
            return False


def _make_storage_folder(settings: Settings) -> None:
    folder = settings.storage.path
    assert folder is not None, "of local storage"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        if not is_about_the_path(error):
            raise machine_error(error, f"make {folder}") from None
        raise Misconfigured(f"AFFIRM_WORKER_HOME {settings.home}: {error.strerror}") from None
