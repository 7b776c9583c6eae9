"""Whether this program may work on the database."""

from dataset_jobs.migrations import LATEST
from dataset_jobs.migrations.compatibility import check_schema
from dataset_jobs.store.client_connection import ClientDatabase, oldest_program


def usable_schema(database: ClientDatabase) -> int:
    """The database's schema version; raises OtherSchema if this program may not work on it."""
    version = int(database.only("session.schema_version")["version"])
    check_schema(version, LATEST, lambda: oldest_program(database))
    return version
