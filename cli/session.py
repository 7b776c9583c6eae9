"""What a command begins with: the settings, the log, the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.database import Database, open_database
from app.logs import set_up_logs
from app.settings import Settings, read_settings
from services.client import Client


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with.

    Args:
        settings: checked.
        database: open.
        client: the use cases; it connects at the first one.
    """

    settings: Settings
    database: Database
    client: Client


def begin() -> Settings:
    """Reads the settings, and sets up the log as they say; raises Misconfigured."""
    settings = read_settings()
    set_up_logs(settings)
    return settings


@contextmanager
def session(migrated: bool = False) -> Iterator[Session]:
    """Settings, log and database for one command.

    Args:
        migrated: apply pending migrations first; the embedded database gets them always.

    Raises:
        Misconfigured: a setting is wrong.
    """
    settings = begin()
    with open_database(settings, migrated) as database, Client.connect(database.conninfo) as client:
        yield Session(settings, database, client)
